"""What a form starts with: nothing yet, or the payload of a job or launch."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from jobs.forms.export import PATHS_LIMIT, new_key
from jobs.forms.extra import dumped
from jobs.forms.moment import parse
from jobs.forms.names import ID_LIMIT
from jobs.forms.places import EVENTS, PAYLOAD_KEYS, PLACES, SEGMENTS, find, without
from jobs.forms.segment_row import ROW_LIMIT, STATUSES, row_data

_FLAGS = ("segment_per_batch", "empty_profiles", "evaluate_first")
_TIMES = ("qualified_from", "qualified_until", "updated_after", "events_from", "events_until")


class Start(NamedTuple):
    """Form data as a browser would post it, and what of the payload no field can show."""

    data: dict[str, list[str]]
    unknown: dict[str, Any]


def initial_from(payload: dict[str, Any]) -> Start:
    """Fill the form from a payload. What it cannot express is in `unknown`, and in the data as the field `extra`.

    Unknown members are kept, and so is a `false` that is spelled out: posting the data gives the payload again.
    """
    data: dict[str, list[str]] = {"key": [new_key()]}
    rest = payload
    for field, path in PLACES.items():
        text = _shown(field, find(rest, path))
        if text:
            data[field], rest = [text], without(rest, path)
    if isinstance(find(payload, EVENTS), dict):
        data["events"] = ["on"]
        rest = rest if find(rest, EVENTS) else _drop_empty(rest)
    rows = _rows(find(rest, SEGMENTS))
    for number, row in enumerate(rows):
        data |= row_data(number, row)
    rest = without(rest, SEGMENTS) if rows else rest
    return Start(data | {"extra": [dumped(rest)]}, worth_showing(rest))


def echoed(record: dict[str, Any]) -> dict[str, Any]:
    """The payload that a job record repeats (platform.md §2.3), with what the platform added left out."""
    payload = {key: record[key] for key in PAYLOAD_KEYS if record.get(key) not in (None, {}, "")}
    destination = payload.get("destination")
    if isinstance(destination, dict):
        dataset = destination.get("datasetId") or destination.get("dataSetId")
        per_batch = destination.get("segmentPerBatch")
        given = {"datasetId": dataset, "segmentPerBatch": per_batch}
        payload["destination"] = {key: value for key, value in given.items() if value is not None}
    return payload


def _shown(field: str, value: object) -> str:
    """How the field holds the value; empty if it cannot."""
    if field in _FLAGS:
        return "on" if value is True else ""
    if field == "merge_version":
        return (
            str(value)
            if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 2**31
            else ""
        )
    if not isinstance(value, str):
        return ""
    if field in _TIMES:
        return value if parse(value) else ""
    if field in ("profile_fields", "event_fields"):
        return value if len(value) <= PATHS_LIMIT and "\n" not in value else ""
    return value if _is_id(value) else ""


def _rows(segments: object) -> list[dict[str, list[str]]]:
    """Rows of the entries; none if one of them has no place in a row."""
    if not isinstance(segments, list) or len(segments) > ROW_LIMIT:
        return []
    rows = [_row(entry) for entry in segments if isinstance(entry, dict) and _is_id(entry.get("segmentId"))]
    return rows if len(rows) == len(segments) else []


def _row(entry: dict[str, Any]) -> dict[str, list[str]]:
    rest = {key: value for key, value in entry.items() if key != "segmentId"}
    namespace, statuses = rest.get("segmentNs"), rest.get("status")
    row = {"segment": [str(entry["segmentId"])], "namespace": [""], "statuses": []}
    if _is_id(namespace):
        row["namespace"] = [str(rest.pop("segmentNs"))]
    known = [status for status, _ in STATUSES if isinstance(statuses, list) and status in statuses]
    if known and known == statuses:
        row["statuses"] = rest.pop("status")
    return {**row, "extra": [dumped(rest)]}


def _is_id(value: object) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(rf"[\w.:@/+=~-]{{1,{ID_LIMIT}}}", value))


def _drop_empty(rest: dict[str, Any]) -> dict[str, Any]:
    """Without an `eventList` that says no more than the tick in the form does."""
    return without(rest, EVENTS) if find(rest, EVENTS) == {} else rest


def worth_showing(rest: dict[str, Any]) -> dict[str, Any]:
    """What a person should see of the kept part: a default that is spelled out is not worth it."""
    for field in _FLAGS:
        if find(rest, PLACES[field]) is False:
            rest = without(rest, PLACES[field])
    return rest
