"""Export jobs: list, create, get, cancel (platform.md §2).

Chosen where nothing is documented: `limit` is 100 unless given and 1000 at most; `link.next` repeats limit
and offset but no filter, and is "" at the end; cancelling answers 200 with a body, also the second time, and
400 for a finished job.
"""

from __future__ import annotations

import re
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_http_methods

from emulator import arrivals, clock, jobs, payload, refusals
from emulator.gateway import PlatformRequest
from emulator.models import Job
from emulator.progress import ONGOING
from emulator.reading import LARGEST, json_object, whole_number

STATUSES = {"NEW", "SUCCEEDED", "FAILED"}
OFFSET = re.compile(r"(\d{1,15})(?:_(.{1,128}))?", re.ASCII)
SORT = re.compile(r"(createdTime|creationTime|updateTime|id|status):(asc|desc)")
CANCELLED = {"status": True, "message": "Export job has been marked for cancelling"}


@require_http_methods(["GET", "HEAD", "POST"])
def collection(request: PlatformRequest) -> HttpResponse:
    arrivals.catch_up()
    jobs.settle(clock.now_ms())
    return _create(request) if request.method == "POST" else _list(request)


@require_http_methods(["GET", "HEAD", "DELETE"])
def item(request: PlatformRequest, remote_id: str) -> HttpResponse:
    arrivals.catch_up()
    jobs.settle(clock.now_ms())
    job = jobs.visible(request.sandbox).filter(remote_id=remote_id).order_by("-pk").first()
    if job is None:
        raise refusals.ups(404, f"Export job with id {remote_id[:60]} not found")
    return _cancel(job) if request.method == "DELETE" else JsonResponse(job.record, safe=False)


def _list(request: PlatformRequest) -> JsonResponse:
    limit = min(_number(request, "limit", default=100, least=1), 1000)
    found = list(_asked(request, limit=limit)[: limit + 1])
    shown, is_more = found[:limit], len(found) > limit
    last = f"{shown[-1].created_ms}_{shown[-1].remote_id}" if shown else ""
    return JsonResponse(
        {
            "records": _sorted([job.record for job in shown], request.GET.get("sort", "")),
            "page": {"sortField": "createdTime", "sort": "desc", "pageOffset": last, "pageSize": len(shown)},
            "link": {"next": f"/export/jobs/?limit={limit}&offset={last}" if is_more else ""},
        }
    )


def _asked(request: PlatformRequest, *, limit: int) -> QuerySet[Job]:
    """The jobs behind the offset; a plain number as offset, `start` and `page` skip (platform.md §2.1)."""
    status = request.GET.get("status", "")
    if status and status not in STATUSES:
        raise refusals.ups(400, f"status may be {', '.join(sorted(STATUSES))}, not '{status[:40]}'")
    found = jobs.newest(request.sandbox, of_status=status)
    skip = _number(request, "start") + _number(request, "page") * limit
    if text := request.GET.get("offset", ""):
        offset = OFFSET.fullmatch(text)
        if offset is None:
            raise refusals.ups(400, f"offset must look like 1540974701302_96, not '{text[:60]}'")
        if offset[2] is None:
            skip += int(offset[1])
        else:
            found = jobs.behind(found, created_ms=int(offset[1]), remote_id=offset[2])
    return found[min(skip, LARGEST) :]


def _sorted(records: list[Any], sort: str) -> list[Any]:
    """`sort` orders the records of this page only: it "does not work when returning multiple pages"."""
    wanted = SORT.fullmatch(sort)
    if wanted is None:
        return records
    name = {"createdTime": "creationTime"}.get(wanted[1], wanted[1])
    usable = [record for record in records if isinstance(record, dict)]
    return sorted(usable, key=lambda record: str(record.get(name, "")), reverse=wanted[2] == "desc")


def _create(request: PlatformRequest) -> JsonResponse:
    if request.content_type != "application/json":
        raise refusals.unsupported_media_type()
    asked = json_object(request, refusals.ups)
    payload.check(asked, request.sandbox)
    outcome = getattr(request, "outcome", {})
    job = jobs.launch(
        request.sandbox,
        asked,
        now_ms=clock.now_ms(),
        ending=jobs.ordered_ending(outcome),
        request_id=request.headers.get("x-request-id", ""),
        profiles=outcome.get("profiles"),
    )
    return JsonResponse(job.record, headers={"X-Location": f"/export/jobs/{job.remote_id}"})


def _cancel(job: Job) -> JsonResponse:
    if jobs.cancel(job.pk, clock.now_ms()) not in ONGOING:
        raise refusals.ups(400, f"Export job {job.remote_id} is {job.status} and cannot be cancelled")
    return JsonResponse(CANCELLED)


def _number(request: HttpRequest, name: str, *, default: int = 0, least: int = 0) -> int:
    return whole_number(request, name, default=default, least=least, most=10**9, refuse=refusals.ups)
