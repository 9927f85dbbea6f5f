"""What grows old leaves, as each connection wishes: raw records, snapshots, jobs; their counts stay as history."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import QuerySet

from jobs.models import Connection, ExportJob, JobRecord, JobSnapshot, Sandbox
from jobs.models.bulk import update_rows
from jobs.models.record import EXPIRED, pack
from jobs.rules.status import TERMINAL

SLICE = 500
SLICES = 20


class Expired(NamedTuple):
    """How many rows left, and whether more are waiting for the next call."""

    jobs: int = 0
    snapshots: int = 0
    records: int = 0
    more: bool = False


def expire(connection: Connection, *, now: datetime, slices: int = SLICES) -> Expired:
    """One turn of at most `slices` slices of each kind, every slice a short transaction of its own.

    Only jobs that are over leave, and by whole days of their creation (UTC), so that what a day's tally counts is
    either all there or all history. A tally is never taken back.
    """
    jobs = records = snapshots = 0
    more = False
    for sandbox in connection.sandboxes.all():
        gone, waiting = _expire_jobs(sandbox, _first_day_kept(sandbox, connection, now=now), slices)
        jobs, more = jobs + gone, more or waiting
    over = ExportJob.objects.filter(sandbox__connection=connection, status__in=TERMINAL)
    if connection.keep_records_days is not None:
        old = over.filter(ended_at__lt=now - timedelta(days=connection.keep_records_days))
        records, waiting = _empty(JobRecord.objects.filter(job__in=old), slices)
        more = more or waiting
    if connection.keep_snapshots_days is not None:
        old = over.filter(ended_at__lt=now - timedelta(days=connection.keep_snapshots_days))
        snapshots, waiting = _delete(JobSnapshot.objects.filter(job__in=old), "id", slices)
        more = more or waiting
    return Expired(jobs, snapshots, records, more)


def _first_day_kept(sandbox: Sandbox, connection: Connection, *, now: datetime) -> datetime | None:
    """The midnight (UTC) before which jobs were created that need not be kept; None keeps all."""
    bounds = []
    if connection.keep_jobs_days is not None:
        bounds.append(now - timedelta(days=connection.keep_jobs_days))
    if connection.keep_jobs_count is not None:
        newest = sandbox.jobs.order_by("-created_at", "-id").values_list("created_at", flat=True)
        bounds += newest[connection.keep_jobs_count : connection.keep_jobs_count + 1]
    if not bounds:
        return None
    return max(bounds).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _expire_jobs(sandbox: Sandbox, before: datetime | None, slices: int) -> tuple[int, bool]:
    if before is None:
        return 0, False
    old = ExportJob.objects.filter(sandbox=sandbox, status__in=TERMINAL, created_at__lt=before)
    if not old.exists():
        return 0, False
    # Said before the first job leaves: from now on nobody takes the tallies of that time for miscounted.
    if sandbox.expired_until is None or sandbox.expired_until < before:
        Sandbox.objects.filter(pk=sandbox.pk).update(expired_until=before)
    gone, more = _delete(old.order_by("created_at", "id"), "id", slices)
    Sandbox.objects.filter(pk=sandbox.pk).moved()
    return gone, more


def _empty(records: QuerySet[JobRecord], slices: int) -> tuple[int, bool]:
    """What the platform sent is replaced by the id alone, and the job's page says so."""
    done = 0
    for _ in range(slices):
        with transaction.atomic():
            full = list(records.exclude(problems=[EXPIRED]).select_related("job")[:SLICE])
            for record in full:
                told = {"id": record.job.remote_id, "status": record.job.remote_status}
                record.body, record.problems = pack(told), [EXPIRED]
            update_rows(full, ("body", "problems"))
        done += len(full)
        if len(full) < SLICE:
            return done, False
    return done, True


def _delete(rows: QuerySet[Any], key: str, slices: int) -> tuple[int, bool]:
    """Slice by slice, each found by its ids first; jobs take what hangs on them along."""
    done = 0
    for _ in range(slices):
        with transaction.atomic():
            ids = list(rows.values_list(key, flat=True)[:SLICE])
            rows.model._default_manager.filter(pk__in=ids).delete()
        done += len(ids)
        if len(ids) < SLICE:
            return done, False
    return done, True
