"""Sandbox management: the sandboxes this credential may use (platform.md §4.6)."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_http_methods

from emulator.models import Sandbox
from emulator.reading import LARGEST, whole_number
from emulator.refusals import foundation


@require_http_methods(["GET", "HEAD"])
def sandboxes(request: HttpRequest) -> JsonResponse:
    limit = whole_number(request, "limit", default=50, least=1, most=100, refuse=foundation)
    offset = whole_number(request, "offset", default=0, least=0, most=LARGEST, refuse=foundation)
    shown = [_body(sandbox) for sandbox in Sandbox.objects.order_by("pk")[offset : offset + limit]]
    template = f"{request.build_absolute_uri(request.path)}?limit={{limit}}&offset={{offset}}"
    return JsonResponse(
        {
            "sandboxes": shown,
            "_page": {"limit": limit, "count": len(shown)},
            "_links": {"page": {"href": template, "templated": True}},
        }
    )


def _body(sandbox: Sandbox) -> dict[str, object]:
    return {
        "name": sandbox.name,
        "title": sandbox.title,
        "state": "active",
        "type": sandbox.kind,
        "region": sandbox.region,
        "isDefault": sandbox.is_default,
        "eTag": 2,
    }
