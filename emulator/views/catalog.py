"""The catalog: datasets, as an object keyed by id (platform.md §4.1)."""

from __future__ import annotations

from random import SystemRandom
from typing import Any

from django.db import IntegrityError
from django.http import HttpResponse, JsonResponse
from django.views.decorators.http import require_http_methods

from emulator import clock, inventory
from emulator.gateway import PlatformRequest
from emulator.models import Dataset, Tenant
from emulator.reading import LARGEST, json_object, whole_number
from emulator.refusals import foundation

GIVEN = ("description", "schemaRef", "fileDescription", "tags")  # the rest is the catalog's own


@require_http_methods(["GET", "HEAD", "POST"])
def datasets(request: PlatformRequest) -> HttpResponse:
    return _create(request) if request.method == "POST" else _list(request)


@require_http_methods(["GET", "HEAD"])
def dataset(request: PlatformRequest, dataset_id: str) -> JsonResponse:
    found = Dataset.objects.filter(sandbox=request.sandbox, dataset_id=dataset_id).first()
    if found is None:
        raise foundation(404, "DataSet not found.")
    return JsonResponse({found.dataset_id: _chosen(found.body, request)})


def _list(request: PlatformRequest) -> JsonResponse:
    """Oldest first; `properties` lists the top-level names to show, `name` the datasets to find."""
    limit = whole_number(request, "limit", default=20, least=1, most=100, refuse=foundation)
    start = whole_number(request, "start", default=0, least=0, most=LARGEST, refuse=foundation)
    found = Dataset.objects.filter(sandbox=request.sandbox).order_by("pk")
    if names := request.GET.get("name", ""):
        found = found.filter(name__in=names.split(",")[:100])
    return JsonResponse({d.dataset_id: _chosen(d.body, request) for d in found[start : start + limit]})


def _chosen(body: dict[str, Any], request: PlatformRequest) -> dict[str, Any]:
    """What is missing is left out."""
    names = [name for name in request.GET.get("properties", "").split(",") if name]
    return {name: body[name] for name in names if name in body} if names else body


def _create(request: PlatformRequest) -> JsonResponse:
    asked = json_object(request, foundation)
    name, schema = asked.get("name"), asked.get("schemaRef")
    if not isinstance(name, str) or not name.strip() or len(name) > 512:
        raise foundation(400, "name must be a string of 1 to 512 characters")
    if not isinstance(schema, dict) or not isinstance(schema.get("id"), str) or not schema["id"]:
        raise foundation(400, "schemaRef.id is required")
    org_id = Tenant.objects.get().org_id
    body = inventory.dataset_body(name, schema_id=schema["id"], org_id=org_id, now_ms=clock.now_ms())
    body |= {key: asked[key] for key in GIVEN if key in asked}
    made = Dataset(dataset_id=inventory.dataset_id(SystemRandom()), sandbox=request.sandbox, name=name)
    made.schema_id, made.body = schema["id"], body
    try:
        made.save()
    except IntegrityError:
        raise foundation(400, f"A dataset with the name '{name}' exists already") from None
    reference = f"@/dataSets/{made.dataset_id}"
    return JsonResponse([reference], status=201, safe=False, headers={"Location": reference})
