"""Somebody looks at a job: its record is asked for before all others."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import F
from django.utils import timezone

from jobs.models import ExportJob

FRESH_FOR = timedelta(seconds=3)


def looked_at(job: ExportJob) -> bool:
    """Call it whenever a person is shown the job; returns whether its record will be asked for at once.

    Nothing is written for a job that has ended, or was seen in the last three seconds, or is already first in line:
    a due time that is no later than the last reading means "at once" (rules/plan.py). So an open page costs one
    write for each reading it brings about.
    """
    now = timezone.now()
    if job.next_poll_at is None or now - job.last_seen_at < FRESH_FOR:
        return False
    waiting = ExportJob.objects.filter(
        pk=job.pk, last_seen_at__lte=now - FRESH_FOR, next_poll_at__gt=F("last_seen_at")
    )
    return bool(waiting.update(next_poll_at=F("last_seen_at")))
