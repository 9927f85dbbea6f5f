"""Asking for jobs that still move, one by one."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable
from datetime import timedelta

from django.utils import timezone

from jobs.client.api import Client
from jobs.client.errors import NotFound, PlatformDown, PlatformError, Unreadable
from jobs.models import ExportJob, Sandbox
from jobs.monitor.health import reading
from jobs.sync import Recorded, record, record_gone

log = logging.getLogger(__name__)

# A job whose own record cannot be had must not hold up the others.
ONE_JOB_AGAIN = timedelta(seconds=60)
_TROUBLE_WITH_ONE = (PlatformDown, Unreadable)
_MOST_TROUBLE = 3


def refresh(sandbox: Sandbox, job_ids: Iterable[int]) -> Recorded:
    """Read the records of claimed jobs; raises PlatformError after noting it when the sandbox cannot be read."""
    done, trouble = Recorded(), 0
    waiting = deque(ExportJob.objects.filter(pk__in=job_ids, sandbox=sandbox))
    try:
        with reading(sandbox) as client:
            while waiting:
                try:
                    done += _refresh_one(sandbox, client, waiting[0])
                except _TROUBLE_WITH_ONE as error:
                    trouble += 1
                    if trouble == _MOST_TROUBLE:
                        raise
                    _again_later(waiting[0], error)
                waiting.popleft()
    finally:
        ExportJob.objects.filter(pk__in=[job.pk for job in waiting]).update(next_poll_at=timezone.now())
    return done + Recorded(requests=client.requests)


def _refresh_one(sandbox: Sandbox, client: Client, job: ExportJob) -> Recorded:
    as_of = timezone.now()
    try:
        return record(sandbox, [client.get_job(job.remote_id)], as_of=as_of)
    except NotFound:
        record_gone(job, as_of=as_of)
        return Recorded(changed=1)


def _again_later(job: ExportJob, error: PlatformError) -> None:
    log.warning("job %s could not be read: %s", job.pk, error.sentence)
    ExportJob.objects.filter(pk=job.pk).update(next_poll_at=timezone.now() + ONE_JOB_AGAIN)
