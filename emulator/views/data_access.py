"""Data Access: the files of a batch, their bytes, and the first rows of a dataset (platform.md §5).

Chosen where nothing is documented: a batch that holds no files (loading, failed, aborted, deleted) lists none;
`failed` and `meta` exist for failed batches only; a range outside of the file is a 416.
"""

from __future__ import annotations

import io
import json
import mimetypes
import os
from typing import Any, BinaryIO

from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.views.decorators.http import require_http_methods

from emulator import arrivals, byteranges, clock, jobs, lake, quirks
from emulator.batch_lookup import one
from emulator.gateway import PlatformRequest
from emulator.models import Batch, BatchFile, Dataset
from emulator.reading import LARGEST, whole_number
from emulator.refusals import foundation
from emulator.store import preview

ROOT = "/data/foundation/export"
ELSEWHERE = "https://platform.adobe.io:443"
MOST = 100
SAMPLE = "row_errors_sample.json"
INSIDE = "-part"  # what a file's id ends in when its entry is a directory (quirk file-directory)
PARQUET = "application/parquet"


class _RowEncoder(DjangoJSONEncoder):
    def default(self, o: Any) -> Any:
        """Bytes and whatever else JSON has no word for, as text."""
        try:
            return super().default(o)
        except TypeError:
            return str(o)


@require_http_methods(["GET", "HEAD"])
def batch_files(request: PlatformRequest, batch_id: str) -> JsonResponse:
    """The entries of a batch; `_page.count` is the number of all of them."""
    _catch_up()
    found = BatchFile.objects.filter(batch=one(request.sandbox, batch_id), batch__status=Batch.Status.SUCCESS)
    return _paged(request, [_entry(request, file) for file in found.select_related("batch").order_by("pk")])


@require_http_methods(["GET", "HEAD"])
def failed(request: PlatformRequest, batch_id: str) -> HttpResponseBase:
    """The files that could not be taken in: for a failed export its errors, as one file."""
    found = _failed_batch(request, batch_id)
    return _small(request, f"batches/{found.batch_id}/failed", {"errors.json": _json_lines(found.errors)})


@require_http_methods(["GET", "HEAD"])
def meta(request: PlatformRequest, batch_id: str) -> HttpResponseBase:
    """`row_errors` and `input_files` are directories, empty here; the sample holds the batch's errors."""
    found = _failed_batch(request, batch_id)
    held = {"row_errors": b"", "input_files": b"", SAMPLE: _json_lines(found.errors)}
    if request.GET.get("path") in ("row_errors", "input_files"):
        return _paged(request, [])
    return _small(request, f"batches/{found.batch_id}/meta", held)


@require_http_methods(["GET", "HEAD"])
def file(request: PlatformRequest, file_id: str) -> HttpResponseBase:
    """What a file's id holds; with `path` its bytes, all of them or a `Range`."""
    found = (
        BatchFile.objects.filter(batch__sandbox=request.sandbox, batch__status=Batch.Status.SUCCESS)
        .filter(file_id=file_id.removesuffix(INSIDE))
        .select_related("batch__sandbox")
        .first()
    )
    if found is None:
        raise foundation(404, f"Dataset file not found: {file_id[:80]}")
    is_directory = quirks.on("file-directory") and not file_id.endswith(INSIDE)
    if (path := request.GET.get("path")) is not None:
        if is_directory or path != found.name:
            raise foundation(404, f"path: no file '{path[:80]}' in {file_id[:80]}")
        opened = _opened(found)
        return _download(request, opened, os.fstat(opened.fileno()).st_size, tag=found.file_id, kind=PARQUET)
    if is_directory:
        return _paged(request, [_entry(request, found, suffix=INSIDE)])
    href = f"files/{file_id}?path={found.name}"
    return _paged(request, [_named(request, found.name, found.length, href)])


@require_http_methods(["GET", "HEAD"])
def dataset_preview(request: PlatformRequest, dataset_id: str) -> JsonResponse:
    """The first 100 rows of the newest batch of a dataset; none if it has none that can be read."""
    _catch_up()
    dataset = Dataset.objects.filter(sandbox=request.sandbox, dataset_id=dataset_id).first()
    if dataset is None:
        raise foundation(404, "DataSet not found.")
    held = BatchFile.objects.filter(batch__dataset=dataset, batch__status=Batch.Status.SUCCESS, rows__gt=0)
    newest = held.select_related("batch__sandbox").order_by("-batch__created_ms", "pk").first()
    rows = preview.rows(lake.path(newest), MOST) if newest and lake.path(newest).exists() else []
    return JsonResponse({"data": rows}, encoder=_RowEncoder)


def _catch_up() -> None:
    arrivals.catch_up()
    jobs.settle(clock.now_ms())


def _failed_batch(request: PlatformRequest, batch_id: str) -> Batch:
    _catch_up()
    found = one(request.sandbox, batch_id)
    if found.status != Batch.Status.FAILED:
        raise foundation(404, f"Batch {found.batch_id} is {found.status}: it has no failed files")
    return found


def _paged(request: PlatformRequest, entries: list[dict[str, Any]]) -> JsonResponse:
    """A page of entries, with a link to the next one as long as there is one."""
    limit = whole_number(request, "limit", default=MOST, least=1, most=MOST, refuse=foundation)
    start = whole_number(request, "start", default=0, least=0, most=LARGEST, refuse=foundation)
    here = f"{_host(request)}{request.path}"
    links: dict[str, Any] = {"page": {"href": f"{here}?start={{start}}&limit={{limit}}", "templated": True}}
    if start + limit < len(entries):
        links["next"] = {"href": f"{here}?start={start + limit}&limit={limit}"}
    page = {"limit": limit, "count": len(entries)}
    return JsonResponse({"data": entries[start : start + limit], "_page": page, "_links": links})


def _small(request: PlatformRequest, place: str, held: dict[str, bytes]) -> HttpResponseBase:
    """A directory of small files made on the spot, or with `path` one of them."""
    path = request.GET.get("path")
    if path is None:
        entries = [_named(request, name, len(data), f"{place}?path={name}") for name, data in held.items()]
        return _paged(request, entries)
    if path not in held:
        raise foundation(404, f"path: no file '{path[:80]}', but {', '.join(held)}")
    kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
    return _download(request, io.BytesIO(held[path]), len(held[path]), tag=f"{place}/{path}", kind=kind)


def _download(
    request: PlatformRequest, opened: BinaryIO, length: int, *, tag: str, kind: str
) -> HttpResponseBase:
    """The bytes asked for in pieces; to HEAD only how many there are."""
    etag = f'"{tag}-{length}"'
    asked = request.headers.get("Range", "") if request.headers.get("If-Range", etag) == etag else ""
    headers = {"Accept-Ranges": "bytes", "ETag": etag, "Content-Type": kind}
    try:
        span = byteranges.wanted(asked, length) if request.method == "GET" else None
    except ValueError:
        opened.close()
        refusal = foundation(
            416, f"Range '{asked[:60]}' is outside of the {length} bytes there are"
        ).response()
        refusal.headers["Content-Range"] = f"bytes */{length}"
        return refusal
    first, last = span or (0, length - 1)
    headers["Content-Length"] = str(last - first + 1)
    if request.method == "HEAD":
        opened.close()
        return HttpResponse(headers=headers)
    if span:
        headers["Content-Range"] = f"bytes {first}-{last}/{length}"
    body = byteranges.pieces(opened, first, last)
    return StreamingHttpResponse(body, status=206 if span else 200, headers=headers)


def _opened(found: BatchFile) -> BinaryIO:
    try:
        return lake.path(found).open("rb")
    except OSError:
        raise foundation(404, f"Dataset file not found: {found.file_id}") from None


def _entry(request: PlatformRequest, found: BatchFile, *, suffix: str = "") -> dict[str, Any]:
    """Times and numbers are strings, and `isValid` is false, as in the documented examples."""
    return {
        "dataSetFileId": found.file_id + suffix,
        "dataSetViewId": f"{found.batch.dataset_id:024x}",
        "version": "1.0.0",
        "created": str(found.batch.created_ms),
        "updated": str(found.batch.updated_ms),
        "records": str(found.rows),
        "size": str(found.length),
        "isValid": False,
        "_links": {"self": {"href": f"{_host(request)}{ROOT}/files/{found.file_id}{suffix}"}},
    }


def _named(request: PlatformRequest, name: str, length: int, place: str) -> dict[str, Any]:
    href = f"{_host(request)}{ROOT}/{place}"
    return {"name": name, "length": str(length), "_links": {"self": {"href": href}}}


def _host(request: PlatformRequest) -> str:
    """This host, so that a person can follow a link; the real one on order (quirk links-elsewhere)."""
    return ELSEWHERE if quirks.on("links-elsewhere") else f"http://{request.get_host()}"


def _json_lines(errors: list[Any]) -> bytes:
    return "".join(f"{json.dumps(error)}\n" for error in errors).encode()
