"""Reading a sandbox's list, newest first, until it says nothing new."""

from __future__ import annotations

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from jobs.client.api import Client
from jobs.client.records import JobPage
from jobs.models import ExportJob, Sandbox
from jobs.monitor.claim import hold
from jobs.monitor.leaving import leaving
from jobs.monitor.listing import HEAD, largest, read_page
from jobs.rules.cadence import RECONCILE_EVERY
from jobs.sync import Recorded, record


def discover(sandbox: Sandbox, client: Client, *, full: bool = False) -> Recorded:
    """One reading of the list for jobs that are new; raises PlatformError.

    Goes on first where an earlier reading was cut off, then reads from the top until a page holds only known jobs.
    First contact, and `full`, read to the end. Every page is stored before the next is asked for.
    """
    done = Recorded()
    if sandbox.reading_offset and not full:
        done += _read(sandbox, client, offset=sandbox.reading_offset)
    if leaving.is_set():
        return done
    return done + _read(sandbox, client, offset="", full=full)


def _read(sandbox: Sandbox, client: Client, *, offset: str, full: bool = False) -> Recorded:
    """Pages from `offset` on, the way back kept in the row so that a cut-off reading is not lost."""
    done, rejects, read = Recorded(), [], {offset}
    to_the_end = full or not sandbox.first_contact_done_at
    while True:
        as_of, limit = timezone.now(), largest(sandbox.connection)
        is_a_glance = not offset and not to_the_end
        page = read_page(sandbox, client, limit=min(limit, HEAD) if is_a_glance else limit, offset=offset)
        rejects += [rejected.reason for rejected in page.rejected]
        met_known = not to_the_end and _all_known(sandbox, page)
        offset = "" if met_known or page.next_offset in read else page.next_offset or ""
        read.add(offset)
        with transaction.atomic():  # a worker that dies has stored a page and its place, or neither
            recorded = record(sandbox, page.jobs, as_of=as_of)
            _keep_place(sandbox, offset, met=recorded.new)
        done += recorded
        if not offset:
            _finish(sandbox, rejects)
        if not offset or leaving.is_set():
            return done


def _all_known(sandbox: Sandbox, page: JobPage) -> bool:
    """Whether every job of the page was stored before: what lies behind it is known, and watched if it moves."""
    ids = {job.remote_id for job in page.jobs}
    return ExportJob.objects.filter(sandbox=sandbox, remote_id__in=ids).count() == len(ids)


def _keep_place(sandbox: Sandbox, offset: str, *, met: int) -> None:
    """Note where the reading stands and hold the claim on it a while longer."""
    rows = Sandbox.objects.filter(pk=sandbox.pk)
    rows.update(reading_offset=offset[:300])
    hold(sandbox)
    if not sandbox.first_contact_done_at:
        rows.update(first_contact_jobs=F("first_contact_jobs") + met)


def _finish(sandbox: Sandbox, rejects: list[str]) -> None:
    """The reading met what was known, or the end; the first one to do so has the full reconciliation begin."""
    said = f"{len(rejects)} record(s) could not be read: {rejects[0]}" if rejects else ""
    sandbox.first_contact_done_at = sandbox.first_contact_done_at or timezone.now()
    sandbox.next_reconcile_at = sandbox.next_reconcile_at or timezone.now() + RECONCILE_EVERY
    Sandbox.objects.filter(pk=sandbox.pk).update(
        first_contact_done_at=sandbox.first_contact_done_at,
        next_reconcile_at=sandbox.next_reconcile_at,
        last_rejects=said,
    )
