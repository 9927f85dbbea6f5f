"""The catalog: datasets, as an object keyed by id (platform.md §4.1).

Chosen where nothing is documented: a name is unique whatever its case, up to 255 characters long; a schema must be
one that exists here; `Pragma: validate-only` is answered with 200 and an empty array; a create without the permission
Manage Datasets is a 403.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import SystemRandom
from typing import Any

from django.db import IntegrityError
from django.http import HttpResponse, JsonResponse
from django.views.decorators.http import require_http_methods

from emulator import arrivals, clock, inventory, jobs, lake, quirks, runner, selection
from emulator.batch_lookup import newest_of_each
from emulator.gateway import PlatformRequest
from emulator.models import Batch, Dataset, Sandbox, Tenant
from emulator.reading import LARGEST, json_object, whole_number
from emulator.refusals import foundation, unsupported_media_type
from emulator.store.schema import EVENT_UNION, PROFILE_UNION

GIVEN = ("description", "schemaRef", "fileDescription", "tags")  # the rest is the catalog's own
LONGEST = 255
PERMISSION = "Manage Datasets"


@require_http_methods(["GET", "HEAD", "POST"])
def datasets(request: PlatformRequest) -> HttpResponse:
    return _create(request) if request.method == "POST" else _list(request)


@require_http_methods(["GET", "HEAD", "DELETE"])
def dataset(request: PlatformRequest, dataset_id: str) -> JsonResponse:
    _catch_up()
    found = Dataset.objects.filter(sandbox=request.sandbox, dataset_id=dataset_id).first()
    if found is None:
        raise foundation(404, "DataSet not found.")
    if request.method == "DELETE":
        return _delete(found)
    [body] = _bodies([found])
    return JsonResponse(
        {found.dataset_id: selection.narrowed(body, request.GET)}, headers={"E-Tag": body["version"]}
    )


def _list(request: PlatformRequest) -> JsonResponse:
    """Oldest first unless `orderBy` says otherwise; 20 unless `limit` says otherwise, 100 at most.

    With `properties=observableSchema` 20 is the most, as the documents have it.
    """
    _catch_up()
    most = 20 if "observableSchema" in request.GET.get("properties", "").split(",") else 100
    limit = whole_number(request, "limit", default=20, least=1, most=most, refuse=foundation)
    start = whole_number(request, "start", default=0, least=0, most=LARGEST, refuse=foundation)
    found = list(Dataset.objects.filter(sandbox=request.sandbox).order_by("pk"))
    if names := request.GET.get("name", ""):
        found = [one for one in found if selection.named(one.name, names)]
    held = zip((one.dataset_id for one in found), _bodies(found), strict=True)
    shown = selection.chosen(held, request.GET)[start : start + limit]
    return JsonResponse({key: selection.narrowed(body, request.GET) for key, body in shown})


def _catch_up() -> None:
    arrivals.catch_up()
    jobs.settle(clock.now_ms())


def _bodies(found: list[Dataset]) -> list[dict[str, Any]]:
    """As the catalog shows them: `lastBatchId` and `lastBatchStatus` follow the exports."""
    newest = {b.dataset_id: b for b in newest_of_each(Batch.objects.filter(dataset__in=found))}
    return [one.body | _last(newest.get(one.pk)) for one in found]


def _last(batch: Batch | None) -> dict[str, Any]:
    if batch is None:
        return {}
    return {
        "lastBatchId": batch.batch_id,
        "lastBatchStatus": batch.status,
        "updated": batch.updated_ms,
    }


def _create(request: PlatformRequest) -> JsonResponse:
    if request.content_type != "application/json":
        raise unsupported_media_type()
    tenant = Tenant.objects.get()
    _ensure_permitted(tenant)
    asked = json_object(request, foundation)
    _check(asked, request.sandbox)
    if request.headers.get("Pragma", "") == "validate-only":
        return JsonResponse([], safe=False)
    made = _made(asked, request.sandbox, tenant.org_id)
    try:
        made.save()
    except IntegrityError:
        raise _taken(made.name) from None
    kind = "datasets" if quirks.on("reference-lower-case") else "dataSets"
    reference = f"@/{kind}/{made.dataset_id}"
    return JsonResponse([reference], status=201, safe=False, headers={"Location": reference})


def _delete(found: Dataset) -> JsonResponse:
    """With its batches and their files; a job that waits to export into it fails for that.

    Not while an export writes into it: 409.
    """
    _ensure_permitted(Tenant.objects.get())
    with runner.lock:
        batches = list(Batch.objects.filter(dataset=found).select_related("sandbox", "job"))
        if any(b.status == Batch.Status.LOADING and b.job and b.job.status != "NEW" for b in batches):
            raise foundation(409, f"An export is writing into dataset {found.dataset_id}")
        lake.discard(batches)
        found.delete()
    return JsonResponse([f"@/dataSets/{found.dataset_id}"], safe=False)


def _ensure_permitted(tenant: Tenant) -> None:
    if PERMISSION not in tenant.permissions:
        raise foundation(403, f"The permission '{PERMISSION}' is missing")


def _made(asked: Mapping[str, Any], sandbox: Sandbox, org_id: str) -> Dataset:
    schema_id = asked["schemaRef"]["id"]
    body = inventory.dataset_body(asked["name"], schema_id=schema_id, org_id=org_id, now_ms=clock.now_ms())
    body |= {key: asked[key] for key in GIVEN if key in asked}
    return Dataset(
        dataset_id=inventory.dataset_id(SystemRandom()),
        sandbox=sandbox,
        name=asked["name"],
        schema_id=schema_id,
        body=body,
    )


def _check(asked: Mapping[str, Any], sandbox: Sandbox) -> None:
    """Raise the refusal for the first thing that is wrong, naming the field."""
    name = asked.get("name")
    if not isinstance(name, str) or not name.strip() or len(name) > LONGEST:
        raise foundation(400, f"name must be a string of 1 to {LONGEST} characters")
    _check_schema(asked.get("schemaRef"), sandbox)
    if not isinstance(asked.get("description", ""), str):
        raise foundation(400, "description must be a string")
    if not isinstance(asked.get("fileDescription", {}), dict):
        raise foundation(400, "fileDescription must be an object")
    if asked.get("fileDescription", {}).get("format", "parquet") != "parquet":
        raise foundation(400, "fileDescription.format must be parquet for an export")
    tags = asked.get("tags", {})
    if not isinstance(tags, dict) or not all(_is_words(values) for values in tags.values()):
        raise foundation(400, "tags must be an object of arrays of strings")
    if Dataset.objects.filter(sandbox=sandbox, name__iexact=name).exists():
        raise _taken(name)


def _check_schema(reference: Any, sandbox: Sandbox) -> None:
    if not isinstance(reference, dict) or not isinstance(reference.get("id"), str) or not reference["id"]:
        raise foundation(400, "schemaRef.id is required")
    if not isinstance(reference.get("contentType", ""), str):
        raise foundation(400, "schemaRef.contentType must be a string")
    known = {
        PROFILE_UNION,
        EVENT_UNION,
        *Dataset.objects.filter(sandbox=sandbox).values_list("schema_id", flat=True),
    }
    if reference["id"] not in known:
        raise foundation(
            400, f"schemaRef.id: no schema '{reference['id'][:120]}' in sandbox '{sandbox.name}'"
        )


def _is_words(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)


def _taken(name: str) -> Exception:
    return foundation(400, f"name: a dataset with the name '{name[:80]}' exists already")
