"""The catalog: batches, what exports wrote into datasets (platform.md §5)."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import JsonResponse
from django.views.decorators.http import require_http_methods

from emulator import arrivals, batch_lookup, clock, jobs, quirks, selection
from emulator.gateway import PlatformRequest
from emulator.models import Batch
from emulator.reading import LARGEST, whole_number
from emulator.refusals import foundation

STATUSES = {
    *(
        "processing",
        "success",
        "failure",
        "queued",
        "retrying",
        "stalled",
        "aborted",
        "abandoned",
        "inactive",
    ),
    *("failed", "loading", "loaded", "staged", "active", "staging", "deleted", "archived", "retained"),
}
SAME = {"active": "success", "failure": "failed"}  # two names of one state (platform.md §5)
COLUMNS = {"created": "created_ms", "updated": "updated_ms", "status": "status", "id": "batch_id"}
METRIC_NAMES = {"recordsWritten": "outputRecordCount", "outputRecordSize": "outputByteSize"}


@require_http_methods(["GET", "HEAD"])
def batches(request: PlatformRequest) -> JsonResponse:
    """An object keyed by id, newest first unless ordered otherwise; `limit` 20, 100 at most."""
    _catch_up()
    limit = whole_number(request, "limit", default=20, least=1, most=100, refuse=foundation)
    start = whole_number(request, "start", default=0, least=0, most=LARGEST, refuse=foundation)
    if "property" in request.GET:
        rows = selection.chosen(((b.batch_id, _body(b)) for b in _found(request)), request.GET)
        return JsonResponse(
            {key: selection.narrowed(made, request.GET) for key, made in rows[start : start + limit]}
        )
    found = _found(request).order_by(*_order(request))[start : start + limit]
    return JsonResponse({b.batch_id: selection.narrowed(_body(b), request.GET) for b in found})


@require_http_methods(["GET", "HEAD"])
def batch(request: PlatformRequest, batch_id: str) -> JsonResponse:
    """`aggregate=true` merges what runs into the root; here an export is a single run, so nothing differs."""
    _catch_up()
    if (asked := request.GET.get("aggregate", "")) not in ("", "true", "false"):
        raise foundation(400, f"aggregate must be true or false, not '{asked[:40]}'")
    found = batch_lookup.one(request.sandbox, batch_id)
    return JsonResponse({found.batch_id: selection.narrowed(_body(found), request.GET)})


@require_http_methods(["GET", "HEAD"])
def last_batches(request: PlatformRequest) -> JsonResponse:
    """The newest batch of each of the datasets `dataSetId=a,b`, by its id."""
    _catch_up()
    names = list(filter(None, request.GET.get("dataSetId", "").split(",")))[:100]
    if not names:
        raise foundation(400, "dataSetId is required: one id or several, separated by commas")
    found = batch_lookup.all_in(request.sandbox).filter(dataset__dataset_id__in=names)
    return JsonResponse(
        {b.batch_id: selection.narrowed(_body(b), request.GET) for b in batch_lookup.newest_of_each(found)}
    )


def _body(found: Batch) -> dict[str, Any]:
    """As the catalog shows it."""
    metrics = {
        "recordsWritten": found.rows,
        "recordsFailed": 0,
        "outputRecordSize": found.size,
    } | found.metrics
    if quirks.on("batch-metrics-names"):
        metrics = {METRIC_NAMES.get(name, name): value for name, value in metrics.items()}
    return {
        "status": found.status,
        "created": found.created_ms,
        "updated": found.updated_ms,
        "version": "1.0.116",
        "errors": found.errors,
        "relatedObjects": [{"type": "dataSet", "id": found.dataset.dataset_id}],
        "metrics": metrics if found.status != Batch.Status.LOADING else {},
    }


def _catch_up() -> None:
    arrivals.catch_up()
    jobs.settle(clock.now_ms())


def _found(request: PlatformRequest) -> QuerySet[Batch]:
    found = batch_lookup.all_in(request.sandbox).order_by("-created_ms", "-pk")
    if names := request.GET.get("dataSet", "") or request.GET.get("dataSetId", ""):
        found = found.filter(dataset__dataset_id__in=names.split(",")[:100])
    if status := request.GET.get("status", ""):
        found = found.filter(status__in=_statuses(status))
    for parameter, column in (("createdAfter", "created_ms__gt"), ("createdBefore", "created_ms__lt")):
        if parameter in request.GET:
            found = found.filter(
                **{
                    column: whole_number(
                        request, parameter, default=0, least=0, most=10**14, refuse=foundation
                    )
                }
            )
    return found


def _statuses(text: str) -> list[str]:
    asked = text.split(",")
    if unknown := [word for word in asked if word not in STATUSES]:
        raise foundation(400, f"status: no batch has the status '{unknown[0][:40]}'")
    return [SAME.get(word, word) for word in asked]


def _order(request: PlatformRequest) -> list[str]:
    """By the columns there are; the id decides between equals."""
    asked = selection.order(request.GET)
    if unknown := [name for name, _ in asked if name not in COLUMNS]:
        raise foundation(400, f"orderBy may name {', '.join(COLUMNS)}, not '{unknown[0][:40]}'")
    return [("-" if is_down else "") + COLUMNS[name] for name, is_down in asked] + (
        ["-pk"] if asked else ["-created_ms", "-pk"]
    )
