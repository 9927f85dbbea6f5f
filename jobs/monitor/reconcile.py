"""Reading the whole list again, a slice at a time: finds what came late or vanished, and holds up nothing."""

from __future__ import annotations

from datetime import UTC, datetime

from django.utils import timezone

from jobs.client.api import Client
from jobs.client.records import JobPage
from jobs.models import ExportJob, Sandbox
from jobs.monitor.leaving import leaving
from jobs.monitor.listing import SIZES, largest, reaches, read_page
from jobs.monitor.refresh import read_one
from jobs.rules.cadence import RECONCILE_EVERY
from jobs.sync import Recorded, record


def reconcile(sandbox: Sandbox, client: Client) -> Recorded:
    """One page of the full reconciliation, if one is due: everything on it is stored, jobs it lacks are asked for.

    A job that shows up late in the middle of the list (a clock that differs, equal creation times) is met here.
    The first page tries again how many records the platform gives.
    """
    as_of = timezone.now()
    if sandbox.next_reconcile_at is None or sandbox.next_reconcile_at > as_of:
        return Recorded()
    offset = sandbox.reconcile_offset
    page = read_page(
        sandbox, client, limit=largest(sandbox.connection) if offset else SIZES[0], offset=offset
    )
    done = record(sandbox, page.jobs, as_of=as_of)
    for job in _lacking(sandbox, page, since=_moment(offset) or as_of):
        if not leaving.is_set():
            done += read_one(sandbox, client, job, is_unlisted=True)
    _keep_place(sandbox, page, as_of)
    return done


def _lacking(sandbox: Sandbox, page: JobPage, *, since: datetime) -> list[ExportJob]:
    """Unfinished jobs that lie within the page's times and are not on it."""
    held = {job.remote_id for job in page.jobs}
    around = sandbox.jobs.moving().filter(created_at__lt=since)
    return [job for job in around if job.remote_id not in held and reaches(page, job.created_at)]


def _keep_place(sandbox: Sandbox, page: JobPage, as_of: datetime) -> None:
    """Where the next slice begins, or when the next round does."""
    offset = (page.next_offset or "")[:300]
    sandbox.reconcile_offset = offset
    sandbox.reconcile_began_at = (sandbox.reconcile_began_at or as_of) if offset else None
    if not offset:
        sandbox.reconciled_at, sandbox.next_reconcile_at = as_of, as_of + RECONCILE_EVERY
    fields = ("reconcile_offset", "reconcile_began_at", "reconciled_at", "next_reconcile_at")
    Sandbox.objects.filter(pk=sandbox.pk).update(**{name: getattr(sandbox, name) for name in fields})


def _moment(offset: str) -> datetime | None:
    """The creation time in a cursor `<creationTime>_<id>`; None in one of another make."""
    digits = offset.partition("_")[0]
    return datetime.fromtimestamp(int(digits) / 1000, UTC) if digits.isdigit() and len(digits) <= 14 else None
