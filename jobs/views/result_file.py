"""A file that an export wrote, handed through: whole or a range of it, for who may take it."""

from __future__ import annotations

import re

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from jobs.client.errors import NotFound, PlatformError, Throttled, Unreachable
from jobs.models import ExportJob
from jobs.results.download import AT_ONCE, Busy, Opened, download, opened
from jobs.rules.byte_range import Span, Unsatisfiable, wanted
from jobs.views.page import page
from jobs.views.result_addresses import asked_file

BUSY = f"{AT_ONCE} files are being downloaded just now, which is as many as there is room for. Try again in a minute."
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9._-]+")


@require_safe
def result_file(request: HttpRequest, pk: int, batch: str, file: str) -> HttpResponseBase:
    """200, 206 or 416 with its bytes; to HEAD only how many there are. Each taking of bytes is noted."""
    job, path = asked_file(request, pk, batch)
    try:
        found = opened(job, batch, file_id=file, path=path)
    except PlatformError as error:
        return _trouble(request, job, error.sentence, status=_status(error))
    headers = file_headers(found, batch)
    if request.method == "HEAD":
        return HttpResponse(headers=headers | {"Content-Length": str(found.size.length)})
    try:
        span = _span(request, found)
    except Unsatisfiable:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{found.size.length}"} | _UNKEPT)
    return _sent(request, job, batch, found, span, headers)


def _sent(
    request: HttpRequest,
    job: ExportJob,
    batch: str,
    found: Opened,
    span: Span | None,
    headers: dict[str, str],
) -> HttpResponseBase:
    whole = Span(0, found.size.length - 1)
    part = span or whole
    try:
        pieces = download(job, batch, found, part, actor=request.user, now=timezone.now())
    except Busy:
        return _trouble(request, job, BUSY, status=503)
    except PlatformError as error:
        return _trouble(request, job, error.sentence, status=_status(error))
    headers["Content-Length"] = str(part.length)
    if span:
        headers["Content-Range"] = f"bytes {part.first}-{part.last}/{found.size.length}"
    return StreamingHttpResponse(pieces, status=206 if span else 200, headers=headers)


_UNKEPT = {"Cache-Control": "private, no-store"}


def file_headers(found: Opened, batch: str) -> dict[str, str]:
    """Saved under a name of plain letters, never shown, never kept by a cache."""
    words = (batch[-40:], found.file.name[-120:])
    name = "-".join(filter(None, (_NOT_IN_A_NAME.sub("-", word).strip("-.") for word in words))) or "file"
    return {
        "Content-Type": "application/octet-stream",
        "Content-Disposition": content_disposition_header(True, name) or "attachment",
        "Accept-Ranges": "bytes",
        "ETag": found.etag,
        "X-Content-Type-Options": "nosniff",
    } | _UNKEPT


def _span(request: HttpRequest, found: Opened) -> Span | None:
    """The range asked for, if it is one of this version of the file (If-Range, RFC 9110 §13.1.5)."""
    if request.headers.get("If-Range", found.etag) != found.etag:
        return None
    return wanted(request.headers.get("Range", ""), found.size.length)


def _status(error: PlatformError) -> int:
    if isinstance(error, NotFound):
        return 404
    return 503 if isinstance(error, Throttled | Unreachable) else 502


def _trouble(request: HttpRequest, job: ExportJob, sentence: str, *, status: int) -> HttpResponse:
    context = {"job": job, "sentence": sentence}
    answer = page(request, "jobs/result_trouble.html", context, status=status, about=job.sandbox)
    if status == 503:
        answer["Retry-After"] = "30"
    return answer
