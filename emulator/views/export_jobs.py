"""Export jobs: list, create, get, cancel (platform.md §2).

Chosen where nothing is documented: `limit` is 100 unless given and 1000 at most; `link.next` repeats limit
and offset but no filter, and is "" at the end; cancelling answers 200 with a body, also the second time, and
400 for a finished job.
"""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.views.decorators.http import require_http_methods

from emulator import arrivals, clock, jobs, payload, quirks, refusals
from emulator.gateway import PlatformRequest
from emulator.models import Job
from emulator.progress import ONGOING
from emulator.reading import LARGEST, json_object, whole_number

STATUSES = {"NEW", "SUCCEEDED", "FAILED"}
EVERY_STATUS = STATUSES | {"QUEUED", "PROCESSING", "CANCELLING", "CANCELLED"}  # quirk status-any
OFFSET = re.compile(r"(\d{1,15})(?:_(.{1,128}))?", re.ASCII)
SORT = re.compile(r"(createdTime|creationTime|updateTime|id|status):(asc|desc)")
REMOVED = ("CANCELLING", "CANCELLED")
CANCELLED = {"status": True, "message": "Export job has been marked for cancelling"}


@require_http_methods(["GET", "HEAD", "POST"])
def collection(request: PlatformRequest) -> HttpResponse:
    arrivals.catch_up()
    jobs.settle(clock.now_ms())
    return _create(request) if request.method == "POST" else _list(request)


@require_http_methods(["GET", "HEAD", "DELETE"])
def item(request: PlatformRequest, remote_id: str) -> HttpResponseBase:
    arrivals.catch_up()
    jobs.settle(clock.now_ms())
    number = quirks.number_of(remote_id)
    job = _shown_jobs(jobs.visible(request.sandbox)).filter(remote_id=number).order_by("-pk").first()
    if job is None:
        raise refusals.ups(404, f"Export job with id {remote_id[:60]} not found")
    return _cancel(job) if request.method == "DELETE" else JsonResponse(quirks.job(job.record), safe=False)


def _list(request: PlatformRequest) -> JsonResponse:
    limit = min(_number(request, "limit", default=100, least=1), 1000)
    found = list(_asked(request, limit=limit)[: limit + 1])
    shown, is_more = found[:limit], len(found) > limit
    last = _offset(shown[-1]) if shown else ""
    told = _offset(shown[0]) if shown and quirks.on("page-offset-differs") else last
    records = [quirks.job(job.record) for job in shown]
    page = {"sortField": "createdTime", "sort": "desc", "pageOffset": told, "pageSize": len(shown)}
    link = {"link": {"next": _next(request, limit, last)}} if is_more else quirks.last_link()
    return JsonResponse({"records": _sorted(records, request.GET.get("sort", "")), "page": page} | link)


def _offset(job: Job) -> str:
    """Time and id of a job; the next page begins behind the last one of this page."""
    return f"{job.created_ms}_{quirks.job_id(job.remote_id)}"


def _next(request: PlatformRequest, limit: int, offset: str) -> str:
    kept = {"limit": str(limit), "offset": offset}
    if quirks.on("next-keeps-filter"):
        kept |= {name: request.GET[name] for name in ("status", "sort") if name in request.GET}
    return f"/export/jobs/?{urlencode(kept)}"


def _shown_jobs(found: QuerySet[Job]) -> QuerySet[Job]:
    """All of them, unless cancelling removes (quirk delete-removes)."""
    return found.exclude(status__in=REMOVED) if quirks.on("delete-removes") else found


def _asked(request: PlatformRequest, *, limit: int) -> QuerySet[Job]:
    """The jobs behind the offset; a plain number as offset, `start` and `page` skip (platform.md §2.1)."""
    status = request.GET.get("status", "")
    known = EVERY_STATUS if quirks.on("status-any") else STATUSES
    if status and status not in known:
        raise refusals.ups(400, f"status may be {', '.join(sorted(known))}, not '{status[:40]}'")
    found = _shown_jobs(jobs.newest(request.sandbox, of_status=status))
    skip = _number(request, "start") + _number(request, "page") * limit
    if text := request.GET.get("offset", ""):
        offset = OFFSET.fullmatch(text)
        if offset is None:
            raise refusals.ups(400, f"offset must look like 1540974701302_96, not '{text[:60]}'")
        if offset[2] is None:
            skip += int(offset[1])
        else:
            found = jobs.behind(found, created_ms=int(offset[1]), remote_id=quirks.number_of(offset[2]))
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
        outcome=outcome,
        request_id=request.headers.get("x-request-id", ""),
    )
    place = f"/export/jobs/{quirks.job_id(job.remote_id)}"
    return JsonResponse(quirks.job(job.record, is_new=True), headers={"X-Location": place})


def _cancel(job: Job) -> HttpResponseBase:
    if jobs.cancel(job.pk, clock.now_ms()) not in ONGOING:
        raise refusals.ups(400, f"Export job {job.remote_id} is {job.status} and cannot be cancelled")
    return _cancelled()


def _cancelled() -> HttpResponseBase:
    """200 and a message, or what one of the delete quirks makes of it (platform.md §2.5)."""
    if quirks.on("delete-204") or quirks.on("delete-204-typed"):
        bare = HttpResponse(status=204, content_type="application/json")
        if quirks.on("delete-204"):
            del bare.headers["Content-Type"]
        return bare
    if quirks.on("delete-204-message"):  # streamed, so that the server says it closes the connection after it
        message = json.dumps(CANCELLED).encode()
        return StreamingHttpResponse([message], status=204, content_type="application/json")
    return JsonResponse(CANCELLED, status=202 if quirks.on("delete-202") else 200)


def _number(request: HttpRequest, name: str, *, default: int = 0, least: int = 0) -> int:
    return whole_number(request, name, default=default, least=least, most=10**9, refuse=refusals.ups)
