"""What an export was asked to do, as a list a person can read and as the JSON it was asked with."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, NamedTuple

from jobs.client.records import RemoteJob, read_job
from jobs.client.values import iso_time
from jobs.models import ExportJob, Launch
from jobs.views.job_facts import Named, Names

_ECHO = ("fields", "mergePolicy", "filter", "additionalFields", "schema", "evaluationInfo")
_TARGET = ("datasetId", "dataSetId", "segmentPerBatch")
LONGEST_JSON = 100_000


class Asked(NamedTuple):
    """The request: as this dashboard sent it, or as far as the record echoes it."""

    payload: dict[str, Any]
    read: RemoteJob
    launch: Launch | None

    @property
    def told(self) -> bool:
        """Whether it is known what was exported: records often leave the request out (platform.md §2.3)."""
        return self.launch is not None or "filter" in self.payload or "fields" in self.payload


class Moment(NamedTuple):
    """A time of the request: as written, and as a moment where it is one."""

    text: str
    at: datetime | None


class Window(NamedTuple):
    """A span of time that limits an export; either side may be open."""

    label: str
    since: Moment | None
    until: Moment | None


class SegmentLine(NamedTuple):
    """A segment of the request and the batch that was written for it alone."""

    segment: Named
    namespace: str
    statuses: tuple[str, ...]
    batch: Named | None


class Request(NamedTuple):
    """All of it, ready for the page; None and empty mean: not asked for."""

    sent_here: bool
    told: bool
    segments: list[SegmentLine]
    dataset: Named
    policy: Named
    policy_version: str
    schema: str
    fields: tuple[str, ...]
    with_events: bool
    event_fields: list[str]
    windows: list[Window]
    switches: list[tuple[str, bool]]
    text: str


def asked(job: ExportJob, remote: RemoteJob) -> Asked:
    """The request of a job: the payload we sent if we did, else what the record repeats of it."""
    launch: Launch | None = getattr(job, "launch", None)
    payload = launch.payload if launch else _echo(remote.raw)
    return Asked(payload, read_job({**payload, "id": remote.remote_id}), launch)


def request_of(asked: Asked, remote: RemoteJob, names: Names) -> Request:
    """The request as rows."""
    read = asked.read
    events = _at(read.additional_fields, "eventList", "fields")
    return Request(
        sent_here=asked.launch is not None,
        told=asked.told,
        segments=_segments(read, remote, names),
        dataset=names.dataset(read.dataset_id),
        policy=names.any(read.merge_policy_id),
        policy_version=read.merge_policy_version,
        schema=read.schema_name,
        fields=read.fields,
        with_events="eventList" in read.additional_fields,
        event_fields=[part.strip() for part in _text(events).split(",") if part.strip()],
        windows=[window for window in _windows(read) if window.since or window.until],
        switches=_switches(asked),
        text=pretty(asked.payload),
    )


def pretty(value: object) -> str:
    """JSON for a person to read; at most 100,000 characters of it."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    more = len(text) - LONGEST_JSON
    return f"{text[:LONGEST_JSON]}\n… {more:,} characters more" if more > 0 else text


def _echo(raw: dict[str, Any]) -> dict[str, Any]:
    found = {key: raw[key] for key in _ECHO if key in raw}
    target = raw.get("destination")
    if isinstance(target, dict):
        found["destination"] = {key: target[key] for key in _TARGET if key in target}
    return found


def _segments(read: RemoteJob, remote: RemoteJob, names: Names) -> list[SegmentLine]:
    batches = {batch.segment_id: names.any(batch.batch_id) for batch in remote.batches if batch.segment_id}
    return [
        SegmentLine(names.segment(s.segment_id), s.namespace, s.statuses, batches.get(s.segment_id))
        for s in read.segments
    ]


def _windows(read: RemoteJob) -> list[Window]:
    qualified = _at(read.filter, "segmentQualificationTime")
    events = _at(read.additional_fields, "eventList", "filter")
    return [
        _window("Qualified", qualified, "startTime", "endTime"),
        _window("Profile updated", read.filter, "fromIngestTimestamp", ""),
        _window("Events ingested", events, "fromIngestTimestamp", "toIngestTimestamp"),
    ]


def _window(label: str, limits: object, since: str, until: str) -> Window:
    return Window(label, _moment(_at(limits, since)), _moment(_at(limits, until)))


def _switches(asked: Asked) -> list[tuple[str, bool]]:
    """The yes-or-no parts that were said; what was left out follows the platform's default."""
    said = [
        ("Empty profiles", _at(asked.read.filter, "emptyProfiles")),
        ("One batch per segment", asked.read.segment_per_batch),
        ("Evaluate first", _at(asked.payload, "evaluationInfo", "segmentation")),
    ]
    return [(label, value) for label, value in said if isinstance(value, bool)]


def _at(value: object, *keys: str) -> object:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _text(value: object) -> str:
    if isinstance(value, list):
        return ",".join(str(item) for item in value)
    return "" if value is None else str(value)


def _moment(value: object) -> Moment | None:
    text = _text(value)[:200]
    return Moment(text, iso_time(text)) if text else None
