"""Schedules: the one daily evaluation that every sandbox has (platform.md §4.7)."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import JsonResponse
from django.views.decorators.http import require_http_methods

from emulator.gateway import PlatformRequest
from emulator.models import Sandbox, Segment, Tenant
from emulator.reading import whole_number
from emulator.refusals import ups


@require_http_methods(["GET", "HEAD"])
def schedules(request: PlatformRequest) -> JsonResponse:
    """`start` is a page number here; times are in seconds."""
    limit = whole_number(request, "limit", default=100, least=1, most=1000, refuse=ups)
    start = whole_number(request, "start", default=0, least=0, most=10**9, refuse=ups)
    shown = [_daily(request.sandbox)][start * limit :][:limit]
    page = {"totalCount": 1, "pageSize": len(shown)}
    return JsonResponse({"_page": page, "children": shown, "_links": {"next": {}}})


@require_http_methods(["GET", "HEAD"])
def schedule(request: PlatformRequest, schedule_id: str) -> JsonResponse:
    shown = _daily(request.sandbox)
    if shown["id"] != schedule_id:
        raise ups(404, f"Schedule with id {schedule_id[:60]} not found")
    return JsonResponse(shown)


def _daily(sandbox: Sandbox) -> dict[str, Any]:
    """Since the sandbox's oldest definition; every day at 03:00 UTC as Quartz writes it."""
    oldest = min((s.body["creationTime"] for s in Segment.objects.filter(sandbox=sandbox)), default=0) // 1000
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"schedule/{sandbox.name}")),
        "imsOrgId": Tenant.objects.get().org_id,
        "sandbox": {"sandboxName": sandbox.name, "type": sandbox.kind, "default": sandbox.is_default},
        "name": "Daily evaluation",
        "state": "active",
        "type": "batch_segmentation",
        "schedule": "0 0 3 * * ?",
        "properties": {"segments": ["*"]},
        "createEpoch": oldest,
        "updateEpoch": oldest,
    }
