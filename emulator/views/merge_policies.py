"""Merge policies (platform.md §4.4)."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from django.http import JsonResponse
from django.views.decorators.http import require_http_methods

from emulator.gateway import PlatformRequest
from emulator.models import MergePolicy
from emulator.reading import whole_number
from emulator.refusals import ups


@require_http_methods(["GET", "HEAD"])
def merge_policies(request: PlatformRequest) -> JsonResponse:
    """`start` is opaque: only what a `next.href` gave is accepted; `next` is empty at the end."""
    limit = whole_number(request, "limit", default=20, least=1, most=1000, refuse=ups)
    start = _opened(request.GET.get("start", ""))
    found = MergePolicy.objects.filter(sandbox=request.sandbox).order_by("pk")
    total = found.count()
    shown = [policy.body for policy in found[start : start + limit]]
    following = start + len(shown)
    more: dict[str, Any] = {"href": f"@/mergePolicies?start={_closed(following)}&orderBy=&limit={limit}"}
    return JsonResponse(
        {
            "_page": {"totalCount": total, "pageSize": len(shown)},
            "children": shown,
            "_links": {"next": more if shown and following < total else {}},
        }
    )


def _closed(start: int) -> str:
    return base64.urlsafe_b64encode(f"mp:{start:06d}".encode()).decode()


def _opened(start: str) -> int:
    if not start:
        return 0
    try:
        kind, _, number = base64.urlsafe_b64decode(start).decode().partition(":")
        if kind != "mp" or len(number) > 9:
            raise ValueError(start)
        return abs(int(number))
    except (binascii.Error, ValueError):
        raise ups(400, "start is not one that this service gave out") from None
