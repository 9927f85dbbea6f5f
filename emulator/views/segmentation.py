"""Segment definitions (platform.md §4.2)."""

from __future__ import annotations

from typing import Any

from django.http import JsonResponse
from django.views.decorators.http import require_http_methods

from emulator.gateway import PlatformRequest
from emulator.models import Segment
from emulator.reading import bulk_ids, whole_number
from emulator.refusals import ups


@require_http_methods(["GET", "HEAD"])
def definitions(request: PlatformRequest) -> JsonResponse:
    """`start` skips records, `page` (from 0) skips pages; `link` is empty at the end."""
    limit = whole_number(request, "limit", default=100, least=1, most=1000, refuse=ups)
    page = whole_number(request, "page", default=0, least=0, most=10**9, refuse=ups)
    start = whole_number(request, "start", default=0, least=0, most=10**9, refuse=ups) + page * limit
    found = Segment.objects.filter(sandbox=request.sandbox).order_by("pk")
    total = found.count()
    shown = [segment.body for segment in found[start : start + limit]]
    following = start + len(shown)
    link: dict[str, Any] = {"next": f"@/segment/definitions?start={following}&limit={limit}"}
    return JsonResponse(
        {
            "segments": shown,
            "page": {
                "totalCount": total,
                "totalPages": -(-total // limit),
                "sortField": "creationTime",
                "sort": "desc",
                "pageSize": len(shown),
                "limit": limit,
            },
            "link": link if shown and following < total else {},
        }
    )


@require_http_methods(["GET", "HEAD"])
def definition(request: PlatformRequest, segment_id: str) -> JsonResponse:
    found = Segment.objects.filter(sandbox=request.sandbox, segment_id=segment_id).first()
    if found is None:
        raise ups(404, f"Segment definition with id {segment_id[:60]} not found")
    return JsonResponse(found.body)


@require_http_methods(["POST"])
def bulk_get(request: PlatformRequest) -> JsonResponse:
    """`{"ids": [{"id": …}]}` → 207 with those that exist, by id."""
    wanted = bulk_ids(request, ups)
    found = Segment.objects.filter(sandbox=request.sandbox, segment_id__in=wanted)
    return JsonResponse({"results": {one.segment_id: one.body for one in found}}, status=207)
