"""Reading a sandbox's list, newest first, until it says nothing new."""

from __future__ import annotations

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from jobs.client.api import Client
from jobs.client.records import JobPage
from jobs.models import ExportJob, Sandbox
from jobs.monitor.health import note_success, reading
from jobs.rules.cadence import LEASE
from jobs.rules.status import TERMINAL
from jobs.sync import Recorded, record

PAGE = 100


def discover(sandbox: Sandbox, *, full: bool = False) -> Recorded:
    """One reading of the list; raises PlatformError after noting it on the sandbox.

    Goes on first where an earlier reading was cut off, then reads from the top until a page holds only known,
    finished jobs. First contact, and `full`, read to the end. Every page is stored before the next is asked for.
    """
    done = Recorded()
    with reading(sandbox) as client:
        if sandbox.reading_offset and not full:
            done += _read(sandbox, client, offset=sandbox.reading_offset)
        done += _read(sandbox, client, offset="", full=full)
        token_expires_at = client.token_expires_at()
    note_success(sandbox, token_expires_at=token_expires_at, now=timezone.now())
    return done + Recorded(requests=client.requests)


def _read(sandbox: Sandbox, client: Client, *, offset: str, full: bool = False) -> Recorded:
    """Pages from `offset` on, the way back kept in the row so that a cut-off reading is not lost."""
    done, rejects, read = Recorded(), [], {offset}
    while True:
        as_of = timezone.now()
        page = client.list_jobs(limit=PAGE, offset=offset)
        rejects += [rejected.reason for rejected in page.rejected]
        to_the_end = full or not sandbox.first_contact_done_at
        met_known = not to_the_end and _only_finished(sandbox, page)
        offset = "" if met_known or page.next_offset in read else page.next_offset or ""
        read.add(offset)
        with transaction.atomic():  # a worker that dies has stored a page and its place, or neither
            recorded = record(sandbox, page.jobs, as_of=as_of)
            _keep_place(sandbox, offset, met=recorded.new)
        done += recorded
        if not offset:
            _finish(sandbox, rejects)
            return done


def _only_finished(sandbox: Sandbox, page: JobPage) -> bool:
    """Whether every job of the page was stored as finished before: what lies behind it is known."""
    known = ExportJob.objects.filter(sandbox=sandbox, status__in=TERMINAL)
    ids = {job.remote_id for job in page.jobs}
    return known.filter(remote_id__in=ids).count() == len(ids)


def _keep_place(sandbox: Sandbox, offset: str, *, met: int) -> None:
    """Note where the reading stands and hold the claim on it a while longer."""
    rows = Sandbox.objects.filter(pk=sandbox.pk)
    rows.update(reading_offset=offset[:300], next_discovery_at=timezone.now() + LEASE)
    if not sandbox.first_contact_done_at:
        rows.update(first_contact_jobs=F("first_contact_jobs") + met)


def _finish(sandbox: Sandbox, rejects: list[str]) -> None:
    said = f"{len(rejects)} record(s) could not be read: {rejects[0]}" if rejects else ""
    sandbox.first_contact_done_at = sandbox.first_contact_done_at or timezone.now()
    Sandbox.objects.filter(pk=sandbox.pk).update(
        first_contact_done_at=sandbox.first_contact_done_at, last_rejects=said
    )
