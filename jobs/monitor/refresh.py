"""Asking for one job, and being sure before saying that it is gone."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.utils import timezone

from jobs.client.api import Client
from jobs.client.errors import NotFound
from jobs.models import ExportJob, Sandbox
from jobs.monitor.listing import reaches, read_from
from jobs.sync import Recorded, record, record_gone

log = logging.getLogger(__name__)

# A job whose own record cannot be had must not hold up the others.
ONE_JOB_AGAIN = timedelta(seconds=60)
_TIES = 20


def read_one(sandbox: Sandbox, client: Client, job: ExportJob, *, is_unlisted: bool = False) -> Recorded:
    """Store what the platform says of the job. It is gone when it has no record and the list does not hold it.

    `is_unlisted` when a page that should have held the job has just been read.
    """
    as_of = timezone.now()
    try:
        return record(sandbox, [client.get_job(job.remote_id)], as_of=as_of)
    except NotFound:
        if is_unlisted or _list_lacks(sandbox, client, job):
            record_gone(job, as_of=as_of)
            return Recorded(changed=1)
        again_later(job, "it has no record, though the list was not seen to lack it")
        return Recorded(unchanged=1)


def again_later(job: ExportJob, why: str) -> None:
    log.warning("job %s could not be read: %s", job.pk, why)
    ExportJob.objects.filter(pk=job.pk).update(next_poll_at=timezone.now() + ONE_JOB_AGAIN)


def _list_lacks(sandbox: Sandbox, client: Client, job: ExportJob) -> bool:
    """Whether the page that should hold the job does not. Where pages cannot begin at a job this is not known:
    there the full reconciliation comes across it.
    """
    if sandbox.connection.takes_cursors is False:
        return False
    as_of = timezone.now()
    page = read_from(sandbox, client, begins=job.created_at, limit=_TIES)
    if page is None:
        return False
    record(sandbox, page.jobs, as_of=as_of)
    is_held = any(listed.remote_id == job.remote_id for listed in page.jobs)
    return not is_held and reaches(page, job.created_at)
