"""What the platform sends about an export job, read into fields whose types can be trusted.

Tolerant here so that it need not be anywhere else: all contradictions of platform.md §2.6 and any JSON at
all. Text is made storable first (values.storable): NUL characters and half surrogates, which PostgreSQL and
UTF-8 do not take, become U+FFFD, in `raw` too; texts for display are cut, `raw` keeps them whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from jobs.client.fields import Fields
from jobs.client.lookups import Cancelled, Dataset, MergePolicy, Namespace, SandboxInfo, Segment
from jobs.client.values import ID_LIMIT, NAME_LIMIT, WORD_LIMIT, as_int, as_text, is_plain, plain, storable

__all__ = [
    "Cancelled",
    "Dataset",
    "JobPage",
    "MergePolicy",
    "Namespace",
    "Rejected",
    "RemoteBatch",
    "RemoteError",
    "RemoteJob",
    "RemotePhase",
    "RemoteSegment",
    "SandboxInfo",
    "Segment",
    "Unusable",
    "read_job",
]

MESSAGE_LIMIT = 10_000
STACK_LIMIT = 50_000
PHASES = ("totalTime", "profileExportTime", "aCPDatasetWriteTime")
_TIMES = ("startTimeInMs", "endTimeInMs", "totalTimeInMs")


class Unusable(Exception):
    """A record of which nothing can be kept; `reason` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class RemoteError:
    """An entry of a job's `errors`; `code` is text: digits with leading zeros, or a word (§2.6 item 10)."""

    code: str
    message: str
    call_stack: str


@dataclass(frozen=True, slots=True)
class RemoteSegment:
    """A segment of the request's filter."""

    segment_id: str
    namespace: str
    statuses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RemoteBatch:
    """A batch the job writes; with segmentPerBatch it belongs to one segment, else the segment is empty."""

    batch_id: str
    segment_id: str
    namespace: str
    statuses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RemotePhase:
    """A stretch of time the job reports; `duration_ms` is the platform's own sum, never one of ours."""

    name: str
    start_ms: int | None
    end_ms: int | None
    duration_ms: int | None


@dataclass(frozen=True, slots=True)
class RemoteJob:
    """An export job as the platform tells it (§2.3). Texts are empty and numbers None where it says nothing.

    `problems` are sentences on what could not be understood; `raw` is the record as sent, made storable.
    """

    remote_id: str
    remote_status: str
    job_type: str
    created_at: datetime | None
    updated_at: datetime | None
    dataset_id: str
    segment_per_batch: bool | None
    batches: tuple[RemoteBatch, ...]
    segments: tuple[RemoteSegment, ...]
    merge_policy_id: str
    merge_policy_version: str
    schema_name: str
    fields: tuple[str, ...]
    filter: dict[str, Any]
    additional_fields: dict[str, Any]
    phases: tuple[RemotePhase, ...]
    profiles_exported: int | None
    profiles_by_namespace: dict[str, int]
    compute_jobs: dict[str, str]
    request_id: str
    errors: tuple[RemoteError, ...]
    problems: tuple[str, ...]
    raw: dict[str, Any] = field(repr=False)

    def __getattr__(self, name: str) -> Any:
        """Asked for what `read_job` left for later: all of it is read now."""
        if name not in RemoteJob.__slots__ or name in ("raw", "remote_id"):
            raise AttributeError(name)
        told = _told(self.raw, [])
        for key, value in told.items():
            object.__setattr__(self, key, value)
        return told[name]


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record of a page that could not be used, and why."""

    reason: str
    raw: object = field(repr=False)


@dataclass(frozen=True, slots=True)
class JobPage:
    """A page of the list, newest first; `next_offset` is None at the end, `server_time` the Date header."""

    jobs: tuple[RemoteJob, ...]
    rejected: tuple[Rejected, ...]
    next_offset: str | None
    server_time: datetime | None


def read_job(raw: object) -> RemoteJob:
    """The job of a record; Unusable only if it is not an object or has no id to keep it by.

    Most readings are of records that did not change, so all but the id is read when it is first asked for.
    """
    if not isinstance(raw, dict):
        raise Unusable("The record is not an object.")
    remote_id = _remote_id(raw.get("id"))
    if is_plain(raw):
        job = object.__new__(RemoteJob)
        object.__setattr__(job, "remote_id", remote_id)
        object.__setattr__(job, "raw", raw)
        return job
    notes: list[str] = []
    clean: Any = plain(raw, notes)
    return RemoteJob(remote_id=remote_id, raw=clean, **_told(clean, notes))


def _told(clean: dict[str, Any], notes: list[str]) -> dict[str, Any]:
    """Everything of a job but its id and the record itself."""
    record = Fields(clean, problems=notes)
    target, metrics = record.child("destination"), record.child("metrics")
    policy = _named(record, "mergePolicy", "id")
    told: dict[str, Any] = {
        "remote_status": _status(record),
        "job_type": record.text("jobType", limit=WORD_LIMIT),
        "created_at": record.time("creationTime", "createdTime"),
        "updated_at": record.time("updateTime", "updatedTime"),
        "dataset_id": target.text("datasetId", "dataSetId"),
        "segment_per_batch": target.flag("segmentPerBatch"),
        "batches": tuple(_batches(target)),
        "segments": tuple(_segments(record.child("filter"))),
        "merge_policy_id": policy.text("id"),
        "merge_policy_version": policy.text("version", limit=WORD_LIMIT),
        "schema_name": _named(record, "schema", "name").text("name", limit=NAME_LIMIT),
        "fields": record.words("fields", limit=NAME_LIMIT),
        "filter": record.child("filter").raw,
        "additional_fields": record.child("additionalFields").raw,
        "phases": tuple(_phases(metrics)),
        "profiles_exported": metrics.whole("totalExportedProfileCounter"),
        "profiles_by_namespace": _counts(metrics.child("exportedProfileByNamespaceCounter")),
        "compute_jobs": _compute_jobs(record),
        "request_id": record.text("requestId"),
        "errors": tuple(_errors(record)),
    }
    return told | {"problems": tuple(record.problems)}


def _remote_id(value: object) -> str:
    """The id as text (§2.6 item 11): a number or a word of at most 200 characters, exact or not at all."""
    text = as_text(value)
    if not text:
        raise Unusable("The record has no id that is a text or a number.")
    if isinstance(value, float) and as_int(value) is None:
        raise Unusable("The record's id is a number that is not whole, or too large to be exact.")
    if len(text) > ID_LIMIT:
        raise Unusable(f"The record's id has {len(text):,} characters; {ID_LIMIT} can be kept.")
    if storable(text) != text:
        raise Unusable("The record's id holds characters that cannot be stored.")
    return text


def _status(record: Fields) -> str:
    if record.raw.get("status") in (None, ""):
        record.problem("status is missing.")
    return record.text("status", limit=WORD_LIMIT)


def _named(record: Fields, key: str, inner: str) -> Fields:
    """The object under a key; a lone text stands for its `inner` field."""
    value = record.raw.get(key)
    return Fields({inner: value}, key, record.problems) if isinstance(value, str) else record.child(key)


def _batches(target: Fields) -> Iterator[RemoteBatch]:
    """`batches` as list, map or lone object, and a lone `batchId`, each once, none empty (items 2–4)."""
    seen: set[str] = set()
    for entry in (*target.children("batches"), Fields({"batchId": target.raw.get("batchId")}, target.path)):
        batch_id = entry.text("batchId")
        if batch_id and batch_id not in seen:
            seen.add(batch_id)
            yield RemoteBatch(batch_id, entry.text("segmentId"), *_namespace_and_statuses(entry))


def _segments(request: Fields) -> Iterator[RemoteSegment]:
    for entry in request.children("segments"):
        segment_id = entry.text("segmentId")
        if segment_id:
            yield RemoteSegment(segment_id, *_namespace_and_statuses(entry))
        else:
            entry.problem(f"{entry.path} has no segmentId.")


def _namespace_and_statuses(entry: Fields) -> tuple[str, tuple[str, ...]]:
    """Namespace, with the guide's typo `sgementNs`, and statuses as list or text (items 3 and 7)."""
    return entry.text("segmentNs", "sgementNs", limit=WORD_LIMIT), entry.words("status")


def _phases(metrics: Fields) -> Iterator[RemotePhase]:
    """Every object of `metrics` that holds a time, the known ones first; empty ones left out (item 9)."""
    others = [
        key
        for key, value in metrics.raw.items()
        if key not in PHASES and isinstance(value, dict) and any(time in value for time in _TIMES)
    ]
    for key in (*PHASES, *others[:50]):
        times = metrics.child(key)
        start, end = times.epoch_ms("startTimeInMs"), times.epoch_ms("endTimeInMs")
        phase = RemotePhase(key[:NAME_LIMIT], start, end, times.whole("totalTimeInMs"))
        if (phase.start_ms, phase.end_ms, phase.duration_ms) != (None, None, None):
            yield phase


def _counts(counter: Fields) -> dict[str, int]:
    found = ((key, counter.whole(key)) for key in list(counter.raw)[:1000])
    return {key[:NAME_LIMIT]: count for key, count in found if count is not None}


def _compute_jobs(record: Fields) -> dict[str, str]:
    """The non-empty ids of `computeGatewayJobId`; a plain text is the export job's (item 8)."""
    jobs = _named(record, "computeGatewayJobId", "exportJob")
    found = ((key, jobs.text(key)) for key in list(jobs.raw)[:50])
    return {key[:WORD_LIMIT]: text for key, text in found if text}


def _errors(record: Fields) -> Iterator[RemoteError]:
    """`errors` as list, lone object or lone texts, whatever the job's status (items 10 and 16)."""
    path, value = record.get("errors")
    for index, item in enumerate(record.items(path, [value] if isinstance(value, str) else value)):
        entry = Fields(item if isinstance(item, dict) else {"msg": item}, f"{path}[{index}]", record.problems)
        error = RemoteError(
            entry.text("code", "errorCode", limit=WORD_LIMIT),
            entry.text("msg", "message", "description", limit=MESSAGE_LIMIT),
            entry.text("callStack", "callstack", "stackTrace", limit=STACK_LIMIT),
        )
        if (error.code, error.message, error.call_stack) != ("", "", ""):
            yield error
        elif item:
            record.problem(f"{entry.path} holds neither code nor message.")
