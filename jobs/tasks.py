"""The clock's doors: each task claims or loads, calls one function, and returns."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from celery.signals import worker_shutting_down
from django.db import close_old_connections
from django.utils import timezone

from jobs.client.errors import PlatformError
from jobs.launch import cancel, reconcile, submit
from jobs.models import Connection, Sandbox
from jobs.monitor import catalog, claim, retention
from jobs.monitor import sweep as sweeping
from jobs.monitor.leaving import leaving


@worker_shutting_down.connect
def leave(**_: Any) -> None:
    """Passes under way finish their call and give their leases back."""
    leaving.set()


@shared_task
def tick() -> None:
    """Hand out everything that is due; runs every few seconds and may run twice without harm."""
    now = timezone.now()
    for sandbox_id in claim.hand_out(now):
        sweep.delay(sandbox_id)
    for sandbox_id in claim.claim_catalogs(now):
        refresh_catalog.delay(sandbox_id)
    for connection_id in claim.claim_expiries(now):
        expire.delay(connection_id)
    for launch_id in reconcile.unsent():
        send_launch.delay(launch_id)
    for job_id in cancel.unsent():
        send_cancel.delay(job_id)
    reconcile.reconcile()


@shared_task
def sweep(sandbox_id: int) -> None:
    """One pass over a sandbox, if it is due and nobody is at it; a failure stands on the sandbox, not in the task."""
    sandbox = claim.begin(sandbox_id, timezone.now())
    if sandbox is None:
        return
    is_pressing = False
    try:
        is_pressing = sweeping.sweep(sandbox, stays=True).is_pressing
    except PlatformError:
        pass
    finally:
        close_old_connections()  # the database may have been restarted under us; the lease is given back all the same
        claim.give_back(sandbox)
    if is_pressing and not leaving.is_set():
        sweep.delay(sandbox_id)


@shared_task
def refresh_catalog(sandbox_id: int) -> None:
    catalog.refresh_catalog(_sandbox(sandbox_id))


@shared_task
def expire(connection_id: int) -> None:
    retention.expire(Connection.objects.get(pk=connection_id), now=timezone.now())


@shared_task
def send_launch(launch_id: int) -> None:
    submit.send(launch_id)


@shared_task
def send_cancel(job_id: int) -> None:
    cancel.send_cancel(job_id)


def _sandbox(sandbox_id: int) -> Sandbox:
    return Sandbox.objects.select_related("connection").get(pk=sandbox_id)
