"""Merge policies (platform.md §4.4)."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from django.http import JsonResponse
from django.views.decorators.http import require_http_methods

from emulator import quirks, selection
from emulator.gateway import PlatformRequest
from emulator.models import MergePolicy
from emulator.reading import whole_number
from emulator.refusals import ups

FILTERS = ("schema.name", "default", "isActiveOnEdge", "version", "identityGraph.type", "attributeMerge.type")


@require_http_methods(["GET", "HEAD"])
def merge_policies(request: PlatformRequest) -> JsonResponse:
    """`start` is opaque: only what a `next.href` gave is accepted; `next` is empty at the end."""
    limit = whole_number(request, "limit", default=20, least=1, most=1000, refuse=ups)
    start = _opened(request.GET.get("start", ""))
    tests = [selection.equal(f"{name}=={request.GET[name]}") for name in FILTERS if name in request.GET]
    every = (policy.body for policy in MergePolicy.objects.filter(sandbox=request.sandbox).order_by("pk"))
    found = [body for body in every if all(test(body) for test in tests)]
    shown = found[start : start + limit]
    following = start + len(shown)
    more: dict[str, Any] = {"href": f"@/mergePolicies?start={_closed(following)}&orderBy=&limit={limit}"}
    last: dict[str, Any] = {"href": ""} if quirks.on("policy-next-empty") else {}
    return JsonResponse(
        {
            "_page": {"totalCount": len(found), "pageSize": len(shown)},
            "children": [_shown(body) for body in shown],
            "_links": {"next": more if shown and following < len(found) else last},
        }
    )


@require_http_methods(["GET", "HEAD"])
def merge_policy(request: PlatformRequest, policy_id: str) -> JsonResponse:
    found = MergePolicy.objects.filter(sandbox=request.sandbox, policy_id=policy_id).first()
    if found is None:
        raise ups(404, f"Merge policy with id {policy_id[:60]} not found")
    return JsonResponse(_shown(found.body))


def _shown(body: dict[str, Any]) -> dict[str, Any]:
    if not quirks.on("policy-booleans-text"):
        return body
    return {name: str(value).lower() if isinstance(value, bool) else value for name, value in body.items()}


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
