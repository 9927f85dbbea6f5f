"""Asking the platform to stop a job: a request, its acknowledgement, and then watching what really happens."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from jobs.client.errors import NotFound, PlatformError
from jobs.connect import client_for
from jobs.launch.outbox import SEND_CANCEL, hand_over
from jobs.models import Activity, ExportJob, Sandbox, Verb
from jobs.sync import record_gone


def request_cancel(job: ExportJob, *, actor: Any, reason: str = "", now: datetime) -> bool:
    """Note that a person wants the job stopped and have a worker ask the platform: see `send_cancel`.

    False when the job has ended or was asked already; then nothing is sent.
    """
    open_jobs = ExportJob.objects.active().filter(pk=job.pk, cancel_requested_at=None)
    with transaction.atomic():
        if not open_jobs.update(cancel_requested_at=now, cancel_error="", changed_at=now):
            return False
        Sandbox.objects.filter(pk=job.sandbox_id).moved()
        Activity.note(
            Verb.CANCEL_REQUESTED,
            at=now,
            actor=actor,
            target=f"job {job.remote_id}",
            sandbox=job.sandbox,
            job=job,
            reason=reason,
        )
        hand_over(SEND_CANCEL, job.pk)
    return True


def unsent(*, older_than: timedelta = timedelta(seconds=30)) -> list[int]:
    """Jobs whose cancellation was asked for but has no answer, because the message to a worker was lost."""
    before = timezone.now() - older_than
    waiting = ExportJob.objects.active().filter(cancel_requested_at__lt=before, cancel_acknowledged_at=None)
    return list(waiting.filter(gone_at=None).values_list("pk", flat=True)[:50])


def send_cancel(job_id: int) -> None:
    """DELETE the job at the platform and note what it said; the job's own state comes by watching alone."""
    job = ExportJob.objects.select_related("sandbox__connection").get(pk=job_id)
    if job.cancel_acknowledged_at or not job.cancel_requested_at:
        return
    as_of = timezone.now()
    try:
        client_for(job.sandbox).cancel_job(job.remote_id)
    except NotFound:
        record_gone(job, as_of=as_of)
    except PlatformError as error:
        _note(job, Verb.CANCEL_FAILED, error.sentence, cancel_requested_at=None, cancel_error=error.sentence)
    else:
        _note(job, Verb.CANCEL_ACKNOWLEDGED, "", cancel_acknowledged_at=as_of)


def _note(job: ExportJob, verb: Verb, reason: str, **changed: Any) -> None:
    now = timezone.now()
    with transaction.atomic():
        ExportJob.objects.filter(pk=job.pk).update(changed_at=now, next_poll_at=now, **changed)
        Sandbox.objects.filter(pk=job.sandbox_id).moved()
        Activity.note(
            verb, at=now, target=f"job {job.remote_id}", sandbox=job.sandbox, job=job, reason=reason
        )
