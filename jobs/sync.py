"""The one door through which the platform's records become rows: RemoteJob in, history out, in one transaction."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.db import transaction

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
from jobs.models.record import pack
from jobs.models.usual import usual_end
from jobs.rules import cadence, duration, fingerprint, order, status
from jobs.rules.canonical import record_digest
from jobs.rules.changes import Change, changes
from jobs.rules.order import Verdict
from jobs.rules.status import TERMINAL, JobStatus

FIRST_SEGMENTS = 5
MAX_ERRORS = 50
_INT64 = 2**63 - 1


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
    with transaction.atomic():
        Sandbox.objects.select_for_update().get(pk=sandbox.pk)
        known = {job.remote_id: job for job in sandbox.jobs.filter(remote_id__in=latest)}
        new = [remote for remote in latest.values() if remote.remote_id not in known]
        seen = [(known[remote.remote_id], remote) for remote in latest.values() if remote.remote_id in known]
        differing = [(job, remote) for job, remote in seen if _differs(job, remote, as_of)]
        changed = [(job, remote) for job, remote in differing if _is_believed(job, remote, as_of)]
        doubted = {job.pk for job, _ in differing} - {job.pk for job, _ in changed}
        moved = {job.pk for job, _ in changed}
        unchanged = [job for job, _ in seen if job.pk not in moved]
        _insert(sandbox, new, as_of)
        for job, remote in changed:
            _update(job, remote, as_of)
        _touch([job for job in unchanged if job.pk not in doubted], as_of)
        if new or changed:
            Sandbox.objects.filter(pk=sandbox.pk).moved()
    return Recorded(len(new), len(changed), len(unchanged))


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
    """Rebuild the sandbox's tallies from its jobs; returns how many jobs were counted."""
    with transaction.atomic():
        Sandbox.objects.select_for_update().get(pk=sandbox.pk)
        sandbox.job_tallies.all().delete()
        sandbox.outcome_tallies.all().delete()
        standings = [
            _standing(job) for job in sandbox.jobs.only("created_at", "status", "ended_at").iterator()
        ]
        _count(sandbox.pk, minus=[], plus=standings)
    return len(standings)


def _differs(job: ExportJob, remote: RemoteJob, as_of: datetime) -> bool:
    """Whether the reading is news: another record, or one of a job that was thought gone."""
    if job.last_seen_at > as_of:
        return False
    return job.gone_at is not None or job.digest != record_digest(remote.raw)


def _is_believed(job: ExportJob, remote: RemoteJob, as_of: datetime) -> bool:
    """Whether a differing record is news; a step back is doubted first, and then flagged."""
    digest = record_digest(remote.raw)
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


def _insert(sandbox: Sandbox, remotes: Sequence[RemoteJob], as_of: datetime) -> None:
    if not remotes:
        return
    signatures = _signatures(remotes)
    jobs = [
        _filled(
            ExportJob(sandbox=sandbox, remote_id=remote.remote_id, first_seen_at=as_of),
            remote,
            as_of,
            signatures,
        )
        for remote in remotes
    ]
    ExportJob.objects.bulk_create(jobs)
    pairs = list(zip(jobs, remotes, strict=True))
    JobRecord.objects.bulk_create(
        [JobRecord.of(job, remote.raw, list(remote.problems)) for job, remote in pairs]
    )
    JobSnapshot.objects.bulk_create([JobSnapshot(job=job, seen_at=as_of, status=job.status) for job in jobs])
    _store_parts(pairs)
    _count(sandbox.pk, minus=[], plus=[_standing(job) for job in jobs])


def _update(job: ExportJob, remote: RemoteJob, as_of: datetime) -> None:
    before = _standing(job)
    found_again = [Change("(the job)", "no longer found", "listed")] if job.gone_at else []
    difference = found_again + changes(job.record.raw, remote.raw)
    _filled(job, remote, as_of, _signatures([remote])).save()
    JobRecord.objects.filter(job=job).update(body=pack(remote.raw), problems=list(remote.problems))
    JobSnapshot.objects.create(job=job, seen_at=as_of, status=job.status, changes=difference)
    job.errors.all().delete()
    _store_parts([(job, remote)])
    _count(job.sandbox_id, minus=[before], plus=[_standing(job)])


def _touch(jobs: Sequence[ExportJob], as_of: datetime) -> None:
    """Unchanged jobs: when they were seen and are due next, one statement for all whose cadence is alike."""
    alike: dict[datetime | None, list[int]] = defaultdict(list)
    for job in jobs:
        if job.last_seen_at < as_of:
            alike[_next_poll(job, as_of)].append(job.pk)
    for next_poll_at, pks in alike.items():
        ExportJob.objects.filter(pk__in=pks).update(last_seen_at=as_of, next_poll_at=next_poll_at)
    doubted = [job.pk for job in jobs if job.doubted_at and job.doubted_at < as_of]
    ExportJob.objects.filter(pk__in=doubted).update(doubt_digest="", doubted_at=None)


def _next_poll(job: ExportJob, as_of: datetime) -> datetime | None:
    ends_at = None if job.is_terminal else usual_end(job, as_of)
    return cadence.next_poll(job.state, since=job.updated_at, now=as_of, ends_at=ends_at)


def _filled(
    job: ExportJob, remote: RemoteJob, as_of: datetime, signatures: dict[str, FailureSignature]
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
    job.digest = record_digest(remote.raw)
    return job


def _signatures(remotes: Iterable[RemoteJob]) -> dict[str, FailureSignature]:
    """The rows of all kinds of failure among the records, by digest; made where they are new."""
    kinds = {kind.digest: kind for remote in remotes if (kind := fingerprint.signature(remote.errors))}
    if not kinds:
        return {}
    rows = [FailureSignature(digest=k.digest, code=k.code[:200], pattern=k.pattern) for k in kinds.values()]
    FailureSignature.objects.bulk_create(rows, ignore_conflicts=True)
    return {row.digest: row for row in FailureSignature.objects.filter(digest__in=kinds)}


def _store_parts(pairs: Iterable[tuple[ExportJob, RemoteJob]]) -> None:
    """Errors and identifiers; identifiers are only ever added: an id that was once the job's stays findable."""
    errors, identifiers = [], []
    for job, remote in pairs:
        errors += [
            JobError(job=job, position=n, code=e.code[:200], message=e.message, call_stack=e.call_stack)
            for n, e in enumerate(remote.errors[:MAX_ERRORS])
        ]
        identifiers += [
            JobIdentifier(job=job, kind=kind, value=value) for kind, value in _identifiers(remote)
        ]
    JobError.objects.bulk_create(errors)
    JobIdentifier.objects.bulk_create(identifiers, ignore_conflicts=True)


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


def _add(
    model: type[JobTally] | type[OutcomeTally], bucket: str, sandbox_id: int, deltas: Counter[tuple[Any, str]]
) -> None:
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
