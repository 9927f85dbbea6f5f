"""The one door through which the platform's records become rows: RemoteJob in, history out, in one transaction."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Count
from django.db.models.functions import TruncDate, TruncHour

from jobs.client.records import RemoteJob, read_job
from jobs.models import (
    ExportJob,
    FailureSignature,
    IdentifierKind,
    JobError,
    JobIdentifier,
    JobRecord,
    JobSnapshot,
    JobTally,
    OutcomeTally,
    Sandbox,
)
from jobs.models.bulk import insert_rows, update_rows
from jobs.models.record import pack
from jobs.models.usual import usual_end
from jobs.rules import cadence, duration, fingerprint, order, status
from jobs.rules.canonical import record_digest
from jobs.rules.changes import MAX_CHANGES, Change, changes
from jobs.rules.order import Verdict
from jobs.rules.status import TERMINAL, JobStatus

FIRST_SEGMENTS = 5
MAX_ERRORS = 50
OUTCOMES_LAG = timedelta(days=2)
_INT64 = 2**63 - 1
# Where a record holds identifiers (see `_identifiers`).
_NAMING = ("id", "destination", "filter", "computeGatewayJobId", "requestId")
# The columns `_filled` writes.
FILLED = (
    *("status", "remote_status", "created_at", "updated_at", "last_seen_at", "changed_at", "gone_at"),
    *("ended_at", "duration_ms", "dataset_id", "segment_ids", "segment_count", "with_events"),
    *("profiles_exported", "error_count", "error_line", "failure", "request_id", "next_poll_at", "digest"),
    *("doubt_digest", "doubted_at", "stepped_back_at"),
)

Digests = dict[str, str]
_Tally = type[JobTally] | type[OutcomeTally]


class Recorded(NamedTuple):
    """What reading did: counts of jobs, and of the requests it took."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    requests: int = 0

    def __add__(self, other: tuple[Any, ...]) -> Recorded:
        return Recorded(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


class _Standing(NamedTuple):
    """Where a job counts in the tallies."""

    day: Any
    status: str
    hour: datetime | None


def record(sandbox: Sandbox, remotes: Iterable[RemoteJob], *, as_of: datetime) -> Recorded:
    """Store the records of a sandbox as they were at `as_of`, the moment the request for them was sent.

    New jobs get a first snapshot, changed ones a snapshot of the difference, unchanged ones only a newer
    `last_seen_at`. A reading that is older than the stored one changes nothing: neither one asked for earlier, nor
    one whose update time is older, until it is confirmed (rules/order.py). Job, raw record, snapshot, errors,
    signature, identifiers and tallies are written together; the sandbox row is locked, so writers of one sandbox
    take turns.
    """
    latest = {remote.remote_id: remote for remote in remotes}
    if not latest:
        return Recorded()
    digests = {remote_id: record_digest(remote.raw) for remote_id, remote in latest.items()}
    with transaction.atomic():
        place = Sandbox.objects.select_for_update().get(pk=sandbox.pk)
        known = _known(sandbox, latest)
        strange = [remote for remote_id, remote in latest.items() if remote_id not in known]
        new = [remote for remote in strange if not _has_expired(remote, place)]
        differing = {job.pk for name, job in known.items() if _differs(job, digests[name], as_of)}
        stored = (
            ExportJob.objects.filter(pk__in=differing).order_by("pk").select_related("record")
            if differing
            else []
        )
        pairs = [(job, latest[job.remote_id]) for job in stored]
        changed = [(job, remote) for job, remote in pairs if _is_believed(job, remote, as_of, digests)]
        _insert(sandbox, new, as_of, digests)
        _update(sandbox, changed, as_of, digests)
        _touch([job for job in known.values() if job.pk not in differing], as_of)
        if new or changed:
            Sandbox.objects.filter(pk=sandbox.pk).moved()
    return Recorded(len(new), len(changed), len(known) - len(changed))


def record_gone(job: ExportJob, *, as_of: datetime) -> None:
    """The platform answered 404 for a job it once listed; one we asked to cancel counts as cancelled.

    It is asked for slowly from then on, and comes back to life if the platform lists it again.
    """
    with transaction.atomic():
        Sandbox.objects.select_for_update().get(pk=job.sandbox_id)
        job.refresh_from_db()
        if job.is_terminal or job.last_seen_at > as_of:
            return
        before = _standing(job)
        news = [Change("(the job)", "listed", "no longer found")] if job.gone_at is None else []
        job.gone_at = job.gone_at or as_of
        if job.cancel_requested_at:
            news.append(Change("status", job.status, JobStatus.CANCELLED.value))
            job.status, job.ended_at = JobStatus.CANCELLED, as_of
        job.next_poll_at = None if job.is_terminal else as_of + cadence.UNKNOWN_EVERY
        if news:
            job.changed_at = as_of
            JobSnapshot.objects.create(job=job, seen_at=as_of, status=job.status, changes=news)
        job.save()
        _count(job.sandbox_id, minus=[before], plus=[_standing(job)])
        Sandbox.objects.filter(pk=job.sandbox_id).moved()


def recount(sandbox: Sandbox) -> int:
    """Rebuild the sandbox's tallies from its jobs; returns how many jobs were counted.

    Tallies of the time whose jobs have expired stay as they are: they are all that is known of it.
    """
    with transaction.atomic():
        place = Sandbox.objects.select_for_update().get(pk=sandbox.pk)
        counted = _recounted(place)
        for model, bucket, since in _rebuilt(place):
            rows = model._default_manager.filter(sandbox=place)
            (rows.filter(**{f"{bucket}__gte": since}) if since else rows).delete()
            _add(model, bucket, place.pk, counted[model])
        Sandbox.objects.filter(pk=place.pk).moved()
    return counted[JobTally].total()


def miscounted(sandbox: Sandbox) -> list[tuple[str, str, int, int]]:
    """Where the tallies differ from the jobs: day or hour, state, what is kept, what was counted."""
    with transaction.atomic():
        place = Sandbox.objects.select_for_update().get(pk=sandbox.pk)
        counted, found = _recounted(place), []
        for model, bucket, since in _rebuilt(place):
            rows = model._default_manager.filter(sandbox=place)
            rows = rows.filter(**{f"{bucket}__gte": since}) if since else rows
            kept = {(when, word): jobs for when, word, jobs in rows.values_list(bucket, "status", "jobs")}
            for when, word in sorted(kept.keys() | counted[model].keys()):
                had, has = kept.get((when, word), 0), counted[model][when, word]
                found += [(str(when), word, had, has)] if had != has else []
    return found


def _rebuilt(place: Sandbox) -> tuple[tuple[_Tally, str, Any], ...]:
    """Each kind of tally, its bucket, and since when jobs can tell it: one may end long after the day it began."""
    since = place.expired_until
    return (
        (JobTally, "day", since and since.date()),
        (OutcomeTally, "hour", since and since + OUTCOMES_LAG),
    )


def _recounted(place: Sandbox) -> dict[_Tally, Counter[tuple[Any, str]]]:
    """The tallies as the jobs say, grouped by the database."""
    jobs = place.jobs.order_by()
    ended = jobs.filter(status__in=TERMINAL, ended_at__isnull=False)
    whens = {
        JobTally: jobs.annotate(when=TruncDate("created_at", tzinfo=UTC)),
        OutcomeTally: ended.annotate(when=TruncHour("ended_at", tzinfo=UTC)),
    }
    return {
        model: Counter(
            {
                (when, word): count
                for when, word, count in whens[model].values_list("when", "status").annotate(Count("id"))
                if since is None or when >= since
            }
        )
        for model, _, since in _rebuilt(place)
    }


def _has_expired(remote: RemoteJob, place: Sandbox) -> bool:
    """Whether the job is of a time that we let go: it was counted then, and does not come back."""
    if place.expired_until is None or remote.created_at is None or remote.created_at >= place.expired_until:
        return False
    return status.read(remote.remote_status) in TERMINAL


class _Known(NamedTuple):
    """What of a stored job tells whether a reading of it is news, and when it is due again if not."""

    pk: int
    digest: str
    status: str
    created_at: datetime
    updated_at: datetime
    last_seen_at: datetime
    gone_at: datetime | None
    doubted_at: datetime | None
    sandbox_id: int
    dataset_id: str


def _known(sandbox: Sandbox, remote_ids: Iterable[str]) -> dict[str, _Known]:
    rows = sandbox.jobs.filter(remote_id__in=remote_ids).order_by()
    return {remote_id: _Known(*told) for remote_id, *told in rows.values_list("remote_id", *_Known._fields)}


def _differs(job: _Known, digest: str, as_of: datetime) -> bool:
    """Whether the reading is news: another record, or one of a job that was thought gone."""
    if job.last_seen_at > as_of:
        return False
    return job.gone_at is not None or job.digest != digest


def _is_believed(job: ExportJob, remote: RemoteJob, as_of: datetime, digests: Digests) -> bool:
    """Whether a differing record is news; a step back is doubted first, and then flagged."""
    digest = digests[job.remote_id]
    verdict = order.judge(
        stored=read_job(job.record.raw).updated_at,
        told=remote.updated_at,
        is_same_doubt=job.doubt_digest == digest,
        doubted_at=job.doubted_at,
        as_of=as_of,
    )
    if verdict is Verdict.DOUBT:
        again = as_of + order.CONFIRM_AFTER
        ExportJob.objects.filter(pk=job.pk).update(doubt_digest=digest, doubted_at=as_of, next_poll_at=again)
    if verdict is Verdict.STEP_BACK or order.leaves_an_end(job.state, status.read(remote.remote_status)):
        job.stepped_back_at = as_of
    return verdict in (Verdict.NEWS, Verdict.STEP_BACK)


def _insert(sandbox: Sandbox, remotes: Sequence[RemoteJob], as_of: datetime, digests: Digests) -> None:
    if not remotes:
        return
    signatures = _signatures(remotes)
    jobs = [
        _filled(
            ExportJob(sandbox=sandbox, remote_id=remote.remote_id, first_seen_at=as_of),
            remote,
            as_of,
            signatures,
            digests,
        )
        for remote in remotes
    ]
    ExportJob.objects.bulk_create(jobs)
    pairs = list(zip(jobs, remotes, strict=True))
    records = [JobRecord.of(job, remote.raw, list(remote.problems)) for job, remote in pairs]
    insert_rows(JobRecord, ("job", "body", "problems"), records)
    _note(JobSnapshot(job=job, seen_at=as_of, status=job.status) for job in jobs)
    _store_errors(pairs)
    _store_identifiers(pairs)
    _count(sandbox.pk, minus=[], plus=[_standing(job) for job in jobs])


def _update(
    sandbox: Sandbox, pairs: Sequence[tuple[ExportJob, RemoteJob]], as_of: datetime, digests: Digests
) -> None:
    """The jobs whose records changed: a handful of statements for all of them."""
    if not pairs:
        return
    jobs = [job for job, _ in pairs]
    before, had_errors = [_standing(job) for job in jobs], [job.pk for job in jobs if job.error_count]
    differences = {job.pk: _difference(job, remote) for job, remote in pairs}
    signatures = _signatures(remote for _, remote in pairs)
    for job, remote in pairs:
        _filled(job, remote, as_of, signatures, digests)
        job.record.body, job.record.problems = pack(remote.raw), list(remote.problems)
    update_rows(jobs, FILLED)
    update_rows([job.record for job in jobs], ("body", "problems"))
    _note(JobSnapshot(job=job, seen_at=as_of, status=job.status, changes=differences[job.pk]) for job in jobs)
    if had_errors:
        JobError.objects.filter(job__in=had_errors).delete()
    _store_errors(pairs)
    _store_identifiers([(job, remote) for job, remote in pairs if _renamed(differences[job.pk])])
    _count(sandbox.pk, minus=before, plus=[_standing(job) for job in jobs])


def _difference(job: ExportJob, remote: RemoteJob) -> list[Change]:
    found_again = [Change("(the job)", "no longer found", "listed")] if job.gone_at else []
    return found_again + changes(job.record.raw, remote.raw)


def _renamed(difference: Sequence[Change]) -> bool:
    """Whether something changed that holds identifiers; a list of changes that was cut may hide one."""
    return len(difference) >= MAX_CHANGES or any(one.path.startswith(_NAMING) for one in difference)


def _note(snapshots: Iterable[JobSnapshot]) -> None:
    insert_rows(JobSnapshot, ("job", "seen_at", "status", "changes"), snapshots)


def _touch(jobs: Sequence[_Known], as_of: datetime) -> None:
    """Unchanged jobs: when they were seen and are due next, one statement for all whose cadence is alike."""
    alike: dict[datetime | None, list[int]] = defaultdict(list)
    for job in jobs:
        if job.last_seen_at < as_of:
            alike[_next_poll(job, as_of)].append(job.pk)
    for next_poll_at, ids in alike.items():
        ExportJob.objects.filter(pk__in=ids).update(last_seen_at=as_of, next_poll_at=next_poll_at)
    doubted = [job.pk for job in jobs if job.doubted_at and job.doubted_at < as_of]
    if doubted:
        ExportJob.objects.filter(pk__in=doubted).update(doubt_digest="", doubted_at=None)


def _next_poll(job: ExportJob | _Known, as_of: datetime) -> datetime | None:
    state = JobStatus(job.status)
    ends_at = None if state in TERMINAL else usual_end(job, as_of)
    return cadence.next_poll(state, since=job.updated_at, now=as_of, ends_at=ends_at)


def _filled(
    job: ExportJob,
    remote: RemoteJob,
    as_of: datetime,
    signatures: dict[str, FailureSignature],
    digests: Digests,
) -> ExportJob:
    """The narrow row of a record; what the platform left out falls back to what we observed ourselves."""
    kind = fingerprint.signature(remote.errors)
    state = status.read(remote.remote_status)
    job.status = state.value
    job.remote_status = remote.remote_status[:100]
    job.created_at = remote.created_at or job.created_at or as_of
    job.updated_at = min(remote.updated_at or job.updated_at or job.created_at, as_of)
    job.last_seen_at = job.changed_at = as_of
    job.gone_at, job.doubt_digest, job.doubted_at = None, "", None
    job.ended_at = (job.ended_at or job.updated_at) if state in TERMINAL else None
    job.duration_ms = _bounded(duration.total_ms(remote.phases))
    job.dataset_id = remote.dataset_id[:300]
    job.segment_ids = [segment.segment_id for segment in remote.segments[:FIRST_SEGMENTS]]
    job.segment_count = len(remote.segments)
    job.with_events = "eventList" in remote.additional_fields
    job.profiles_exported = _bounded(remote.profiles_exported)
    job.error_count = len(remote.errors)
    job.error_line = _first_line(fingerprint.most_specific(remote.errors))
    job.failure = signatures[kind.digest] if kind and state is JobStatus.FAILED else None
    job.request_id = remote.request_id[:200]
    job.next_poll_at = _next_poll(job, as_of)
    job.digest = digests[remote.remote_id]
    return job


def _signatures(remotes: Iterable[RemoteJob]) -> dict[str, FailureSignature]:
    """The rows of all kinds of failure among the records, by digest; made where they are new."""
    kinds = {kind.digest: kind for remote in remotes if (kind := fingerprint.signature(remote.errors))}
    if not kinds:
        return {}
    rows = [FailureSignature(digest=k.digest, code=k.code[:200], pattern=k.pattern) for k in kinds.values()]
    FailureSignature.objects.bulk_create(rows, ignore_conflicts=True)
    return {row.digest: row for row in FailureSignature.objects.filter(digest__in=kinds)}


def _store_errors(pairs: Iterable[tuple[ExportJob, RemoteJob]]) -> None:
    errors = [
        JobError(job=job, position=n, code=e.code[:200], message=e.message, call_stack=e.call_stack)
        for job, remote in pairs
        for n, e in enumerate(remote.errors[:MAX_ERRORS])
    ]
    insert_rows(JobError, ("job", "position", "code", "message", "call_stack"), errors)


def _store_identifiers(pairs: Iterable[tuple[ExportJob, RemoteJob]]) -> None:
    """Only ever added: an id that was once the job's stays findable."""
    identifiers = [
        JobIdentifier(job=job, kind=kind, value=value)
        for job, remote in pairs
        for kind, value in sorted(_identifiers(remote))
    ]
    insert_rows(JobIdentifier, ("job", "kind", "value"), identifiers, new_only=True)


def _identifiers(remote: RemoteJob) -> set[tuple[str, str]]:
    found = {(IdentifierKind.JOB, remote.remote_id), (IdentifierKind.REQUEST, remote.request_id)}
    found |= {(IdentifierKind.DATASET, remote.dataset_id)}
    found |= {(IdentifierKind.BATCH, batch.batch_id) for batch in remote.batches}
    found |= {(IdentifierKind.SEGMENT, segment.segment_id) for segment in remote.segments}
    found |= {(IdentifierKind.COMPUTE, value) for value in remote.compute_jobs.values()}
    return {(kind.value, value[:300]) for kind, value in found if value}


def _standing(job: ExportJob) -> _Standing:
    hour = job.ended_at.astimezone(UTC).replace(minute=0, second=0, microsecond=0) if job.ended_at else None
    return _Standing(job.created_at.astimezone(UTC).date(), job.status, hour if job.is_terminal else None)


def _count(sandbox_id: int, *, minus: Iterable[_Standing], plus: Iterable[_Standing]) -> None:
    """Move jobs between tallies; the sandbox row is locked, so read-then-write is safe here."""
    days: Counter[tuple[Any, str]] = Counter()
    hours: Counter[tuple[datetime, str]] = Counter()
    for sign, standings in ((-1, minus), (1, plus)):
        for standing in standings:
            days[standing.day, standing.status] += sign
            if standing.hour:
                hours[standing.hour, standing.status] += sign
    _add(JobTally, "day", sandbox_id, days)
    _add(OutcomeTally, "hour", sandbox_id, hours)


def _add(model: _Tally, bucket: str, sandbox_id: int, deltas: Counter[tuple[Any, str]]) -> None:
    rows: Any = model._default_manager
    moved = {key: delta for key, delta in deltas.items() if delta}
    if not moved:
        return
    whens = {when for when, _ in moved}
    known = {
        (getattr(row, bucket), row.status): row
        for row in rows.filter(**{"sandbox_id": sandbox_id, f"{bucket}__in": whens})
    }
    for key in moved.keys() & known.keys():
        known[key].jobs += moved.pop(key)
    rows.bulk_update(known.values(), ["jobs"])
    rows.bulk_create(
        model(**{"sandbox_id": sandbox_id, bucket: when, "status": word, "jobs": delta})
        for (when, word), delta in moved.items()
    )


def _bounded(number: int | None) -> int | None:
    """A count or duration that fits the column; nonsense (negative, beyond 64 bits) counts as not reported."""
    return number if number is not None and 0 <= number <= _INT64 else None


def _first_line(error: fingerprint.AnError | None) -> str:
    if error is None:
        return ""
    lines = error.message.strip().splitlines()
    return (lines[0] if lines else f"Error {error.code}".strip())[:300]
