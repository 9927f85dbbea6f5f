"""Launches without an answer: found again among the jobs, never sent a second time."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.utils import timezone

from jobs.launch.submit import link
from jobs.models import ExportJob, Launch, LaunchState, Verb

log = logging.getLogger(__name__)

# A POST ends within the client's read timeout; a launch that is SENDING for longer lost its worker.
WORKER_LOST_AFTER = timedelta(minutes=2)
LOOK_FOR = timedelta(days=1)


def reconcile() -> int:
    """Settle launches whose reply was lost and whose job has appeared; returns how many were found.

    The job is known by the request id that we sent and the platform echoed (`requestId`, platform.md §2.3). Where it
    is not echoed the launch stays unknown and a person decides.
    """
    now = timezone.now()
    lost = Launch.objects.filter(state=LaunchState.SENDING, sent_at__lt=now - WORKER_LOST_AFTER)
    lost.update(
        state=LaunchState.UNKNOWN, error={"sentence": "The worker stopped while it was sending this export."}
    )
    unknown = Launch.objects.filter(state=LaunchState.UNKNOWN, requested_at__gt=now - LOOK_FOR)
    return sum(_find(wish) for wish in unknown.select_related("sandbox__connection", "actor"))


def unsent(*, older_than: timedelta = timedelta(seconds=10)) -> list[int]:
    """Launches that were written down but that no worker took, because the message to it was lost."""
    waiting = Launch.objects.filter(state=LaunchState.QUEUED, requested_at__lt=timezone.now() - older_than)
    return list(waiting.order_by("requested_at").values_list("pk", flat=True)[:50])


def _find(wish: Launch) -> bool:
    job = ExportJob.objects.filter(sandbox=wish.sandbox, request_id=wish.request_id, launch=None).first()
    if job is None:
        return False
    link(wish, job, verb=Verb.LAUNCH_FOUND)
    log.info("launch %s became job %s", wish.pk, job.remote_id)
    return True
