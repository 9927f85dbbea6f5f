"""The payload of a new export job, checked as the platform would, naming the field that is wrong.

No refusal of a create is documented (platform.md §2.2, §8.3). Chosen: a wrong type, an unknown dataset, an
unknown segment of our own namespace, an unknown merge policy and a field that the union schema does not have
are refused with 400; a credential without the permission to export with 403. What is found later fails the
job: a dataset not on the union schema, a segment never evaluated (`exporting.obstacle`). Unknown keys pass,
and so do several segments without a merge policy: the default one is taken. A segment's status, when it is
left out, is realized and existing: whoever is in it now. Of another namespace than ours nobody is known.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from emulator import refusals
from emulator.models import EXPORT_PERMISSION, Dataset, MergePolicy, Sandbox, Segment, Tenant
from emulator.store import schema

CLASS_NAME = "_xdm.context.profile"
LEGACY_POLICY = "timestampOrdered-none-mp"
STATUSES = {"realized", "existing", "exited"}
RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
WORDS = {dict: "an object", list: "an array", str: "a string", bool: "true or false", int: "a whole number"}


def check(payload: Mapping[str, Any], sandbox: Sandbox) -> None:
    """Raise the refusal for the first thing that is wrong; types first, then what must exist."""
    if EXPORT_PERMISSION not in Tenant.objects.get().permissions:
        raise refusals.ups(403, f"Permission '{EXPORT_PERMISSION}' is missing")
    _check_types(payload)
    _check_existence(payload, sandbox)


def _check_types(payload: Mapping[str, Any]) -> None:
    told = _at(payload, "schema", dict, required=True)
    name = _at(told, "schema.name", str, required=True)
    _ensure(name == CLASS_NAME, f"schema.name must be {CLASS_NAME}")
    destination = _at(payload, "destination", dict, required=True)
    _ensure(
        _at(destination, "destination.datasetId", str, required=True) != "", "destination.datasetId is empty"
    )
    _at(destination, "destination.segmentPerBatch", bool)
    _check_fields(_at(payload, "fields", str), "fields", schema.paths())
    policy = _at(payload, "mergePolicy", dict)
    if policy is not None:
        _at(policy, "mergePolicy.id", str, required=True)
        _at(policy, "mergePolicy.version", int)
    evaluation = _at(payload, "evaluationInfo", dict) or {}
    _at(evaluation, "evaluationInfo.segmentation", bool)
    _at(payload, "properties", dict)
    _check_filter(_at(payload, "filter", dict) or {})
    _check_events(_at(payload, "additionalFields", dict) or {})


def _check_filter(wanted: Mapping[str, Any]) -> None:
    for place, segment in enumerate(_at(wanted, "filter.segments", list) or []):
        path = f"filter.segments[{place}]"
        _ensure(isinstance(segment, dict), f"{path} must be an object")
        _ensure(_at(segment, f"{path}.segmentId", str, required=True) != "", f"{path}.segmentId is empty")
        _at(segment, f"{path}.segmentNs", str)
        for status in _at(segment, f"{path}.status", list) or []:
            known = isinstance(status, str) and status in STATUSES
            _ensure(known, f"{path}.status may hold {', '.join(sorted(STATUSES))}")
    window = _at(wanted, "filter.segmentQualificationTime", dict) or {}
    _check_window(window, "filter.segmentQualificationTime", "startTime", "endTime")
    _moment(wanted, "filter.fromIngestTimestamp")
    _at(wanted, "filter.emptyProfiles", bool)


def _check_events(additional: Mapping[str, Any]) -> None:
    path = "additionalFields.eventList"
    events = _at(additional, path, dict) or {}
    _check_fields(_at(events, f"{path}.fields", str), f"{path}.fields", schema.event_paths())
    window = _at(events, f"{path}.filter", dict) or {}
    _check_window(window, f"{path}.filter", "fromIngestTimestamp", "toIngestTimestamp")


def _check_fields(text: str | None, path: str, known: set[str]) -> None:
    for field in schema.split(text):
        _ensure(field in known, f"{path}: '{field[:80]}' is not a field of the union schema")


def _check_window(window: Mapping[str, Any], path: str, first: str, last: str) -> None:
    start, end = _moment(window, f"{path}.{first}"), _moment(window, f"{path}.{last}")
    _ensure(start is None or end is None or start < end, f"{path}: {first} must be before {last}")


def _check_existence(payload: Mapping[str, Any], sandbox: Sandbox) -> None:
    dataset_id = payload["destination"]["datasetId"]
    known = Dataset.objects.filter(sandbox=sandbox, dataset_id=dataset_id).exists()
    _ensure(known, f"destination.datasetId: dataset '{dataset_id}' not found in sandbox '{sandbox.name}'")
    segments = payload.get("filter", {}).get("segments", [])
    ours = {s["segmentId"] for s in segments if s.get("segmentNs", "ups").lower() == "ups"}
    found = Segment.objects.filter(sandbox=sandbox, segment_id__in=list(ours)[:500])
    missing = ours - set(found.values_list("segment_id", flat=True))
    _ensure(
        not missing, f"filter.segments: segment '{min(missing, default='')}' not found in '{sandbox.name}'"
    )
    if policy := payload.get("mergePolicy"):
        exists = MergePolicy.objects.filter(sandbox=sandbox, policy_id=policy["id"]).exists()
        _ensure(exists or policy["id"] == LEGACY_POLICY, f"mergePolicy.id: '{policy['id']}' not found")


def _at(parent: Mapping[str, Any], path: str, kind: type, *, required: bool = False) -> Any:
    """The value under the last word of the path; None if it is not given and need not be."""
    name = path.rpartition(".")[2]
    if name not in parent:
        _ensure(not required, f"{path} is required")
        return None
    value = parent[name]
    is_kind = isinstance(value, kind) and not (kind is int and isinstance(value, bool))
    _ensure(is_kind, f"{path} must be {WORDS[kind]}")
    return value


def _moment(parent: Mapping[str, Any], path: str) -> datetime | None:
    text = _at(parent, path, str)
    if text is None:
        return None
    try:
        if not RFC3339.fullmatch(text):
            raise ValueError(text)
        return datetime.fromisoformat(text.upper())
    except ValueError:
        raise refusals.ups(400, f"{path} must be a timestamp as in RFC 3339, not '{text[:60]}'") from None


def _ensure(holds: bool, message: str) -> None:
    if not holds:
        raise refusals.ups(400, message)
