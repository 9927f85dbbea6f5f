"""Where each field of the export form stands in the create payload (platform.md §2.2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Path = tuple[str, ...]

EVENTS: Path = ("additionalFields", "eventList")
SEGMENTS: Path = ("filter", "segments")
# What a create payload consists of, in the order of the guides.
PAYLOAD_KEYS = (
    "fields",
    "mergePolicy",
    "filter",
    "additionalFields",
    "destination",
    "schema",
    "evaluationInfo",
    "properties",
)
PLACES: dict[str, Path] = {
    "dataset": ("destination", "datasetId"),
    "segment_per_batch": ("destination", "segmentPerBatch"),
    "schema": ("schema", "name"),
    "merge_policy": ("mergePolicy", "id"),
    "merge_version": ("mergePolicy", "version"),
    "profile_fields": ("fields",),
    "qualified_from": ("filter", "segmentQualificationTime", "startTime"),
    "qualified_until": ("filter", "segmentQualificationTime", "endTime"),
    "updated_after": ("filter", "fromIngestTimestamp"),
    "empty_profiles": ("filter", "emptyProfiles"),
    "event_fields": (*EVENTS, "fields"),
    "events_from": (*EVENTS, "filter", "fromIngestTimestamp"),
    "events_until": (*EVENTS, "filter", "toIngestTimestamp"),
    "evaluate_first": ("evaluationInfo", "segmentation"),
}


def put(payload: dict[str, Any], path: Path, value: object) -> None:
    """Set the value, making the objects on the way."""
    for key in path[:-1]:
        payload = payload.setdefault(key, {})
    payload[path[-1]] = value


def find(payload: object, path: Path) -> Any:
    """The value at the path; None where something on the way is missing or no object."""
    for key in path:
        payload = payload.get(key) if isinstance(payload, dict) else None
    return payload


def without(payload: dict[str, Any], path: Path) -> dict[str, Any]:
    """A copy that lacks the member; objects that only held it are gone too."""
    key, rest = path[0], path[1:]
    left = {name: value for name, value in payload.items() if name != key}
    inner = without(payload[key], rest) if rest else None
    return {**left, key: inner} if inner else left


def merge(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Both, object by object; where both have a value the second wins."""
    merged = {**over, **{key: value for key, value in under.items() if key not in over}}
    for key in over.keys() & under.keys():
        below, above = under[key], over[key]
        merged[key] = merge(below, above) if isinstance(below, dict) and isinstance(above, dict) else above
    return merged


def field_at(path: str) -> str | None:
    """The form's field for a dotted path, or for the nearest part of it that has one."""
    parts = tuple(path.split("."))
    named = {place: name for name, place in PLACES.items()}
    named |= {EVENTS: "events", EVENTS[:1]: "events", ("mergePolicy",): "merge_policy"}
    named |= {("destination",): "dataset", ("schema",): "schema", ("evaluationInfo",): "evaluate_first"}
    named |= {("filter", "segmentQualificationTime"): "qualified_from"}
    return next((named[head] for head in _heads(parts) if head in named), None)


def _heads(parts: Path) -> Iterator[Path]:
    return (parts[:length] for length in range(len(parts), 0, -1))
