"""What the API sends and takes, field by field (interfaces are documented by these classes)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.urls import reverse
from ninja import Schema

from jobs.client.records import RemoteJob, read_job
from jobs.models import ExportJob, JobSnapshot, Launch, Sandbox
from jobs.monitor.failures import Kind
from jobs.monitor.outcomes import Outcomes
from jobs.monitor.overview import Overview
from jobs.monitor.scope import Scope
from jobs.rules import duration
from jobs.rules.status import JobStatus


class PhaseOut(Schema):
    """A reported phase; times UTC, `end` null while it runs."""

    name: str
    start: datetime | None
    end: datetime | None
    duration_ms: int | None


class ErrorOut(Schema):
    code: str
    message: str
    call_stack: str


class SegmentOut(Schema):
    segment_id: str
    namespace: str
    statuses: list[str]


class MergePolicyOut(Schema):
    id: str
    version: str


class JobOut(Schema):
    """An export job. `id` is ours, `remote_id` the platform's; durations in milliseconds, times UTC."""

    id: int
    remote_id: str
    sandbox: str
    status: str
    remote_status: str
    flags: list[str]
    created_at: datetime
    updated_at: datetime
    first_seen_at: datetime
    last_seen_at: datetime
    duration_ms: int | None
    phases: list[PhaseOut]
    dataset_id: str
    batch_ids: list[str]
    segments: list[SegmentOut]
    merge_policy: MergePolicyOut | None
    profiles_exported: int | None
    profiles_by_namespace: dict[str, int]
    errors: list[ErrorOut]
    failure: int | None
    request_id: str
    launched_by: str | None
    url: str


class JobPageOut(Schema):
    """A page of jobs with opaque cursors for `after` and `before`."""

    items: list[JobOut]
    next: str | None
    previous: str | None


class SnapshotOut(Schema):
    """An observed change: what moved from which value to which."""

    id: int
    seen_at: datetime
    status: str
    changes: list[dict[str, Any]]


class LaunchIn(Schema):
    """`sandbox` is `connection/sandbox`, `key` a name of the caller's choice that makes a repeat harmless."""

    sandbox: str
    payload: dict[str, Any]
    key: str


class LaunchOut(Schema):
    """`state` is queued, sending, accepted, rejected or unknown; `job` our id once there is one."""

    id: int
    sandbox: str
    key: str
    state: str
    requested_at: datetime
    sent_at: datetime | None
    answered_at: datetime | None
    error: dict[str, Any]
    job: int | None
    url: str


class SandboxOut(Schema):
    sandbox: str
    label: str
    title: str
    watched: bool
    last_ok_at: datetime | None
    failing_since: datetime | None
    error: str
    role: str


class OutcomesOut(Schema):
    """Jobs that ended from `since` up to but not including `until`, by outcome."""

    since: datetime
    until: datetime
    succeeded: int
    failed: int
    cancelled: int


class OverviewOut(Schema):
    """What stands now over the sandboxes you may see, and how jobs ended: 24 hours by hour, 30 days by day."""

    jobs_by_status: dict[str, int]
    late: int
    success_rate_7d: float | None
    hours: list[OutcomesOut]
    days: list[OutcomesOut]


class FailureOut(Schema):
    """A kind of failure; `id` is what a job's `failure` refers to, 0 for jobs that gave no error."""

    id: int
    code: str
    pattern: str
    cause: str
    next_step: str
    jobs: int
    first_at: datetime
    last_at: datetime
    jobs_by_sandbox: dict[str, int]
    url: str


def job_out(job: ExportJob, *, now: datetime) -> JobOut:
    """The API's job; `job` comes with record, sandbox and launcher already selected."""
    remote = read_job(job.record.raw)
    return JobOut(
        id=job.pk,
        remote_id=job.remote_id,
        sandbox=job.sandbox.ref,
        status=job.status,
        remote_status=job.remote_status,
        flags=sorted(job.flags(now)),
        created_at=job.created_at,
        updated_at=job.updated_at,
        first_seen_at=job.first_seen_at,
        last_seen_at=job.last_seen_at,
        duration_ms=job.duration_ms,
        phases=_phases(remote),
        dataset_id=job.dataset_id,
        batch_ids=[batch.batch_id for batch in remote.batches],
        segments=[
            SegmentOut(segment_id=s.segment_id, namespace=s.namespace, statuses=list(s.statuses))
            for s in remote.segments
        ],
        merge_policy=_merge_policy(remote),
        profiles_exported=job.profiles_exported,
        profiles_by_namespace=remote.profiles_by_namespace,
        errors=[ErrorOut(code=e.code, message=e.message, call_stack=e.call_stack) for e in remote.errors],
        failure=job.failure_id,
        request_id=job.request_id,
        launched_by=job.launched_by.get_username() if job.launched_by else None,
        url=_absolute("jobs:job", job.pk),
    )


def snapshot_out(snapshot: JobSnapshot) -> SnapshotOut:
    moved = [change._asdict() for change in snapshot.differences]
    return SnapshotOut(id=snapshot.pk, seen_at=snapshot.seen_at, status=snapshot.status, changes=moved)


def launch_out(launch: Launch) -> LaunchOut:
    return LaunchOut(
        id=launch.pk,
        sandbox=launch.sandbox.ref,
        key=launch.key,
        state=launch.state,
        requested_at=launch.requested_at,
        sent_at=launch.sent_at,
        answered_at=launch.answered_at,
        error=launch.error,
        job=launch.job_id,
        url=_absolute("jobs:launch", launch.pk),
    )


def sandbox_out(sandbox: Sandbox, *, role: str) -> SandboxOut:
    return SandboxOut(
        sandbox=sandbox.ref,
        label=sandbox.label,
        title=sandbox.title or sandbox.name,
        watched=sandbox.is_watched,
        last_ok_at=sandbox.last_ok_at,
        failing_since=sandbox.failing_since,
        error=sandbox.last_error,
        role=role,
    )


def outcomes_out(outcomes: Outcomes) -> OutcomesOut:
    return OutcomesOut(
        since=outcomes.since,
        until=outcomes.until,
        succeeded=outcomes.succeeded,
        failed=outcomes.failed,
        cancelled=outcomes.cancelled,
    )


def overview_out(overview: Overview) -> OverviewOut:
    return OverviewOut(
        jobs_by_status={status.value: overview.standing[status] for status in JobStatus},
        late=overview.late,
        success_rate_7d=overview.last_week.success_rate,
        hours=[outcomes_out(hour) for hour in overview.hours],
        days=[outcomes_out(day) for day in overview.days],
    )


def failure_out(kind: Kind, scope: Scope) -> FailureOut:
    places = {place.pk: place.ref for place in scope.places}
    return FailureOut(
        id=kind.pk,
        code=kind.code,
        pattern=kind.pattern,
        cause=kind.remedy.cause,
        next_step=kind.remedy.next_step,
        jobs=kind.count,
        first_at=kind.first_at,
        last_at=kind.last_at,
        jobs_by_sandbox={places[pk]: jobs for pk, jobs in kind.sandboxes.items() if pk in places},
        url=_absolute("jobs:failure", kind.pk),
    )


def _phases(remote: RemoteJob) -> list[PhaseOut]:
    return [
        PhaseOut(
            name=duration.LABELS.get(phase.name, phase.name),
            start=_moment(phase.start_ms),
            end=_moment(phase.end_ms),
            duration_ms=phase.duration_ms,
        )
        for phase in remote.phases
    ]


def _merge_policy(remote: RemoteJob) -> MergePolicyOut | None:
    if not remote.merge_policy_id:
        return None
    return MergePolicyOut(id=remote.merge_policy_id, version=remote.merge_policy_version)


def _moment(ms: int | None) -> datetime | None:
    try:
        return None if ms is None else datetime.fromtimestamp(ms / 1000, tz=UTC)
    except (OverflowError, OSError, ValueError):
        return None


def _absolute(name: str, pk: int) -> str:
    path: str = reverse(name, args=[pk])
    return f"{settings.EXPORTUI_PUBLIC_URL}{path}"
