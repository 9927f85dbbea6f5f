"""A person's own things: how pages look, and tokens for the API."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from jobs.access.people import issue_token, revoke_token
from jobs.context import THEMES, TIMES
from jobs.models import ApiToken
from jobs.views.page import page

_CHOICES = {"theme": THEMES, "times": TIMES}
_A_YEAR_S = 365 * 24 * 3600


def preferences(request: HttpRequest) -> HttpResponse:
    """Show them; a POST with `theme` or `times` keeps the choice in a cookie and goes back to `next`."""
    if request.method != "POST":
        tokens = ApiToken.objects.filter(user_id=request.user.pk or 0).order_by("-created_at")
        return page(request, "jobs/preferences.html", {"tokens": list(tokens)})
    response = redirect(_back(request))
    for name, allowed in _CHOICES.items():
        if request.POST.get(name) in allowed:
            response.set_cookie(
                name,
                request.POST[name],
                max_age=_A_YEAR_S,
                samesite="Lax",
                secure=settings.SESSION_COOKIE_SECURE,
            )
    return response


@require_POST
def token_new(request: HttpRequest) -> HttpResponse:
    """Make a token and show it this once, in the answer itself: it is kept nowhere in clear."""
    token = issue_token(request.user, actor=request.user, now=timezone.now())
    response = page(request, "jobs/token.html", {"token": token})
    response["Cache-Control"] = "no-store"
    return response


@require_POST
def token_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """Take away a token of one's own."""
    if revoke_token(request.user, pk, now=timezone.now()):
        messages.success(request, "The token no longer works.")
    return redirect("jobs:preferences")


def _back(request: HttpRequest) -> str:
    """Where the person came from, if that is a page of ours."""
    wanted = request.POST.get("next", "")
    ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if ours else reverse("jobs:preferences")
