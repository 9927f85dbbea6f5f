"""The body of a create request as one schema for form, API and client (platform.md §2.2).

A payload leaves as it came: `read_payload(x).wire() == x` for every valid x, unknown keys included, for the
platform knows more keys than its guides. What is checked is what the guides are plain about.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, ClassVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails, PydanticCustomError

from jobs.client.json_text import MAX_BYTES, MAX_DEPTH, PayloadErrors, load_json
from jobs.client.values import INT64, storable

__all__ = ["MAX_BYTES", "MAX_DEPTH", "ExportPayload", "PayloadErrors", "load_json", "read_payload"]

PROFILE_CLASS = "_xdm.context.profile"
_RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
)


def _wrong(sentence: str) -> PydanticCustomError:
    return PydanticCustomError("sentence", "{sentence}", {"sentence": sentence})


def instant(text: str) -> datetime:
    """The moment of RFC 3339 text; ValueError if there is none."""
    if not _RFC3339.fullmatch(text):
        raise ValueError
    return datetime.fromisoformat(text.upper())


def _timestamp(text: str) -> str:
    try:
        instant(text)
    except ValueError:
        raise _wrong("Must be a time as RFC 3339 writes it, with its offset: 2026-01-31T13:00:00Z.") from None
    return text


def _not_blank(text: str) -> str:
    if not text.strip():
        raise _wrong("Must not be empty.")
    return text


def _statuses(value: object) -> object:
    """A list of words, or one word: the guides show both, and disagree on the words (§2.6 items 3, 6)."""
    words = value if isinstance(value, list) else [value]
    if not all(isinstance(word, str) and word.strip() for word in words):
        raise _wrong("Must be a list of words such as realized, existing, exited.")
    return value


def _number(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong("Must be a number.")
    return value


Timestamp = Annotated[str, AfterValidator(_timestamp)]
Name = Annotated[str, AfterValidator(_not_blank)]
Version = Annotated[int | float | None, PlainValidator(_number)]
Statuses = Annotated[Any, PlainValidator(_statuses)]


class Part(BaseModel):
    """A part of the payload: keys as on the wire, unknown ones kept, nothing converted."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        extra="allow", strict=True, alias_generator=to_camel, validate_by_name=False, validate_by_alias=True
    )

    @model_validator(mode="before")
    @classmethod
    def _spelt_as_on_the_wire(cls, raw: object) -> object:
        """Refuses `merge_policy` for `mergePolicy`: it would pass as an unknown key and be ignored."""
        for name, info in cls.model_fields.items():
            if isinstance(raw, dict) and name != info.alias and name in raw:
                raise _wrong(f"“{name}” is spelt “{info.alias}” on the wire.")
        return raw

    def wire(self) -> dict[str, Any]:
        """What was given, under the names of the wire, and nothing else."""
        return self.model_dump(by_alias=True, exclude_unset=True)


class SegmentChoice(Part):
    """A segment to export."""

    segment_id: Name
    segment_ns: str | None = None
    status: Statuses = None


class QualificationTime(Part):
    """When a profile came into the segment; either end may be open."""

    start_time: Timestamp | None = None
    end_time: Timestamp | None = None


class ProfileFilter(Part):
    """Which profiles; without segments all of them."""

    segments: list[SegmentChoice] | None = None
    segment_qualification_time: QualificationTime | None = None
    from_ingest_timestamp: Timestamp | None = None
    empty_profiles: bool | None = None


class EventFilter(Part):
    """Which events, by the time they came into the platform."""

    from_ingest_timestamp: Timestamp | None = None
    to_ingest_timestamp: Timestamp | None = None


class EventList(Part):
    """Being there, it exports events too."""

    fields_: str | None = Field(None, alias="fields")
    filter: EventFilter | None = None


class AdditionalFields(Part):
    """What is exported beside the profiles."""

    event_list: EventList | None = None


class MergePolicyChoice(Part):
    """The merge policy; without a version its latest."""

    id: Name
    version: Version = None


class Destination(Part):
    """The dataset to write to, in one batch or in one for each segment."""

    dataset_id: Name
    segment_per_batch: bool | None = None


class SchemaChoice(Part):
    """The class of the profiles (§2.6 item 25: not the union schema)."""

    name: Name


class EvaluationInfo(Part):
    """Whether the segments are evaluated first."""

    segmentation: bool | None = None


class Properties(Part):
    """Undocumented switches."""

    check_batch_status_for_success: bool | None = None


class ExportPayload(Part):
    """A create request; only `destination.datasetId` and `schema.name` are required."""

    fields_: str | None = Field(None, alias="fields")
    merge_policy: MergePolicyChoice | None = None
    filter: ProfileFilter | None = None
    additional_fields: AdditionalFields | None = None
    destination: Destination
    schema_: SchemaChoice = Field(alias="schema")
    evaluation_info: EvaluationInfo | None = None
    properties: Properties | None = None


def read_payload(raw: object) -> ExportPayload:
    """The payload of a JSON value; PayloadErrors with a sentence for each path that is wrong."""
    if unstorable := list(_unstorable(raw)):
        raise PayloadErrors(unstorable)
    try:
        payload = ExportPayload.model_validate(raw)
    except ValidationError as error:
        found = [(_path(entry["loc"]), _sentence(entry)) for entry in error.errors(include_url=False)]
    else:
        found = list(_contradictions(payload))
        if not found:
            return payload
    raise PayloadErrors(found)


def _contradictions(payload: ExportPayload) -> Iterator[tuple[str, str]]:
    """What no field shows alone (§2.2 "Combinations"), and windows that end before they begin."""
    segments = (payload.filter.segments if payload.filter else None) or []
    if len(segments) > 1 and payload.merge_policy is None:
        yield "mergePolicy", "Several segments need a merge policy, for each may have another."
    if payload.destination.segment_per_batch and not segments:
        yield "destination.segmentPerBatch", "One batch for each segment needs segments to be chosen."
    qualified = payload.filter.segment_qualification_time if payload.filter else None
    if qualified and _backwards(qualified.start_time, qualified.end_time):
        yield "filter.segmentQualificationTime.endTime", "Must be later than startTime."
    events = payload.additional_fields.event_list if payload.additional_fields else None
    window = events.filter if events else None
    if window and _backwards(window.from_ingest_timestamp, window.to_ingest_timestamp):
        path = "additionalFields.eventList.filter.toIngestTimestamp"
        yield path, "Must be later than fromIngestTimestamp."


def _backwards(start: str | None, end: str | None) -> bool:
    return start is not None and end is not None and instant(start) >= instant(end)


def _unstorable(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str, str]]:
    """What JSON or the database cannot hold: NUL and half surrogates, NaN, other types, endless depth."""
    if len(path) > MAX_DEPTH:
        yield _path(path[:3]), f"Nested deeper than {MAX_DEPTH} levels."
    elif isinstance(value, str):
        if storable(value) != value:
            yield _path(path), "Holds characters that cannot be stored (NUL or half surrogates)."
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _unstorable(str(key), path)
            yield from _unstorable(inner, (*path, str(key)))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _unstorable(inner, (*path, index))
    elif not _is_plain(value):
        yield _path(path), "Is not a value that JSON knows, or a number too large."


def _is_plain(value: object) -> bool:
    """Null, a boolean, a finite number, a whole one within 64 bits."""
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or (isinstance(value, int) and -INT64 <= value < INT64)


def _path(parts: tuple[str | int, ...]) -> str:
    return storable(".".join(str(part) for part in parts))


_SENTENCES = {
    "missing": "Is required.",
    "string_type": "Must be text.",
    "bool_type": "Must be true or false.",
    "list_type": "Must be a list.",
    "model_type": "Must be an object.",
    "model_attributes_type": "Must be an object.",
}


def _sentence(entry: ErrorDetails) -> str:
    return _SENTENCES.get(entry["type"]) or f"{entry['msg'].rstrip('.')}."
