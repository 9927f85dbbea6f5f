"""The clock's doors: each task claims or loads, calls one function, and returns."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from jobs.client.errors import PlatformError
from jobs.launch import cancel, reconcile, submit
from jobs.models import Sandbox
from jobs.monitor import catalog, claim
from jobs.monitor import discover as discovery
from jobs.monitor import refresh as refreshing


@shared_task
def tick() -> None:
    """Hand out everything that is due; runs every few seconds and may run twice without harm."""
    now = timezone.now()
    for sandbox_id in claim.claim_discoveries(now):
        discover.delay(sandbox_id)
    for sandbox_id, job_ids in claim.claim_jobs(now).items():
        refresh.delay(sandbox_id, job_ids)
    for sandbox_id in claim.claim_catalogs(now):
        refresh_catalog.delay(sandbox_id)
    for launch_id in reconcile.unsent():
        send_launch.delay(launch_id)
    for job_id in cancel.unsent():
        send_cancel.delay(job_id)
    reconcile.reconcile()


@shared_task
def discover(sandbox_id: int) -> None:
    """Read a sandbox's list; a failure stands on the sandbox, not in the task."""
    try:
        discovery.discover(_sandbox(sandbox_id))
    except PlatformError:
        return


@shared_task
def refresh(sandbox_id: int, job_ids: list[int]) -> None:
    """Ask for claimed jobs; a failure stands on the sandbox, not in the task."""
    try:
        refreshing.refresh(_sandbox(sandbox_id), job_ids)
    except PlatformError:
        return


@shared_task
def refresh_catalog(sandbox_id: int) -> None:
    catalog.refresh_catalog(_sandbox(sandbox_id))


@shared_task
def send_launch(launch_id: int) -> None:
    submit.send(launch_id)


@shared_task
def send_cancel(job_id: int) -> None:
    cancel.send_cancel(job_id)


def _sandbox(sandbox_id: int) -> Sandbox:
    return Sandbox.objects.select_related("connection").get(pk=sandbox_id)
