"""Schema registry: the union schemas, whose fields an export may name (platform.md §4.5).

The Accept header decides: the list wants a type without a version, the look-up one with a version.
"""

from __future__ import annotations

import re
from typing import Any

from django.http import JsonResponse
from django.views.decorators.http import require_http_methods

from emulator.gateway import PlatformRequest
from emulator.reading import whole_number
from emulator.refusals import foundation, registry
from emulator.store import schema

CLASSES = ("profile", "experienceevent")
LIST = re.compile(r"application/vnd\.adobe\.(xed|xed-id|xdm|xdm-id)\+json")
LOOKUP = re.compile(
    r"application/vnd\.adobe\.(xed|xed-full|xed-notext|xed-full-notext|xed-full-desc|xdm|xdm-full|xdm-notext)"
    r"\+json\s*;\s*version=(\d{1,3})"
)
NAMES = ("$id", "meta:altId", "title", "version")
PARTS = ("profile", "profile-person-details", "profile-personal-details", "identitymap")


@require_http_methods(["GET", "HEAD"])
def unions(request: PlatformRequest) -> JsonResponse:
    """`xed-id` gives names alone, `xed` whole schemas without what they inherit."""
    accept = _accept(request)
    read = LIST.fullmatch(accept)
    if read is None:
        advice = "Accept: a list needs application/vnd.adobe.xed-id+json or xed+json without a version"
        raise registry(400, "XDM-1006", "Accept header not supported", f"{advice}, not '{accept[:80]}'")
    limit = whole_number(request, "limit", default=300, least=1, most=300, refuse=foundation)
    shown = [_named(name) if read[1].endswith("-id") else _short(name) for name in CLASSES][:limit]
    return JsonResponse(
        {
            "results": shown,
            "_page": {"orderby": "updated", "next": None, "count": len(shown)},
            "_links": {"next": None, "global_schemas": {"href": "@/tenant/unions"}},
        }
    )


@require_http_methods(["GET", "HEAD"])
def union(request: PlatformRequest, union_id: str) -> JsonResponse:
    """`xed-full` writes out everything that is inherited; `xed` leaves it as `allOf` and `$ref`."""
    accept = _accept(request)
    known = {key: name for name in CLASSES for key in (_named(name)["$id"], _named(name)["meta:altId"])}
    if union_id not in known:
        raise registry(404, "XDM-1012", "Resource Not Found", f"No union schema with the id {union_id[:120]}")
    read = LOOKUP.fullmatch(accept)
    if read is None:
        advice = "Accept: a look-up needs a version, like application/vnd.adobe.xed-full+json; version=1"
        raise registry(400, "XDM-1007", "Accept header without a version", f"{advice}, not '{accept[:80]}'")
    if read[2] != "1":
        raise registry(404, "XDM-1012", "Resource Not Found", f"Accept: this schema has no version {read[2]}")
    name = known[union_id]
    return JsonResponse(schema.union_schema(name) if "full" in read[1] else _short(name))


def _accept(request: PlatformRequest) -> str:
    return request.headers.get("Accept", "").strip()


def _named(name: str) -> dict[str, Any]:
    whole = schema.union_schema(name)
    return {key: whole[key] for key in NAMES}


def _short(name: str) -> dict[str, Any]:
    whole = schema.union_schema(name)
    refs = [{"$ref": f"https://ns.adobe.com/xdm/context/{part}"} for part in PARTS]
    return {key: value for key, value in whole.items() if key != "properties"} | {"allOf": refs}
