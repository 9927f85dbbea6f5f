"""Figures for Prometheus, for whoever sees everything."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from jobs.models import ApiToken
from jobs.monitor.metrics import metrics as figures
from jobs.monitor.metrics import text

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@login_not_required
@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """The text format of Prometheus, for a superuser's API token (`Authorization: Bearer …`) or session.

    403 for anybody else, 401 for nobody.
    """
    user = _asking(request)
    if not (user.is_active and user.is_superuser):
        status = 403 if user.is_authenticated else 401
        refusal = HttpResponse(
            "A superuser's API token is needed.\n", status=status, content_type="text/plain"
        )
        refusal["WWW-Authenticate"] = 'Bearer realm="metrics"'
        return refusal
    return HttpResponse(text(figures(now=timezone.now())), content_type=CONTENT_TYPE)


def _asking(request: HttpRequest) -> Any:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    found = ApiToken.find(token.strip()) if scheme.lower() == "bearer" else None
    return found.user if found else request.user
