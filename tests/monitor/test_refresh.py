"""Moving jobs are asked for one by one; one that makes trouble does not hold up the others."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from jobs.client.errors import PlatformError
from jobs.models import ExportJob, Sandbox
from jobs.monitor.claim import claim_jobs
from jobs.monitor.discover import discover
from jobs.monitor.refresh import refresh
from tests import make
from tests.remote import EXPORT_JOBS, Remote

pytestmark = pytest.mark.django_db


@pytest.fixture
def sandbox(remote: Remote) -> Sandbox:
    return make.connected(remote)


def running(remote: Remote, sandbox: Sandbox, *numbers: int) -> list[int]:
    for number in numbers:
        remote.insert_job(make.raw(id=number))
    discover(sandbox)
    (job_ids,) = claim_jobs(timezone.now() + timedelta(minutes=1)).values()
    return job_ids


def status(number: int) -> str:
    return ExportJob.objects.get(remote_id=str(number)).status


def test_each_step_of_a_job_is_in_its_history(remote: Remote, sandbox: Sandbox) -> None:
    job_ids = running(remote, sandbox, 7)
    remote.patch_job(7, status="SUCCEEDED", updateTime=remote.now_ms())
    assert refresh(sandbox, job_ids).changed == 1
    job = ExportJob.objects.get()
    assert [snapshot.status for snapshot in job.snapshots.all()] == ["PROCESSING", "SUCCEEDED"]
    assert job.next_poll_at is None


def test_a_job_that_vanished_is_gone_and_the_others_are_read(remote: Remote, sandbox: Sandbox) -> None:
    job_ids = running(remote, sandbox, 1, 2)
    remote.vanish(1)
    remote.patch_job(2, status="FAILED")
    refresh(sandbox, job_ids)
    assert ExportJob.objects.get(remote_id="1").gone_at is not None
    assert status(2) == "FAILED"


def test_a_job_whose_record_cannot_be_had_does_not_hold_up_the_others(
    remote: Remote, sandbox: Sandbox
) -> None:
    job_ids = running(remote, sandbox, 1, 2)
    remote.patch_job(2, status="SUCCEEDED")
    remote.fault({"reply": {"status": 200, "text": "<html>busy</html>"}}, path=f"{EXPORT_JOBS}/1", times=None)
    refresh(sandbox, job_ids)
    assert (status(1), status(2)) == ("PROCESSING", "SUCCEEDED")
    assert Sandbox.objects.get().failing_since is None
    again = ExportJob.objects.get(remote_id="1").next_poll_at
    assert again is not None and again > timezone.now()


def test_an_outage_in_the_middle_leaves_the_rest_due(remote: Remote, sandbox: Sandbox) -> None:
    job_ids = running(remote, sandbox, 1, 2)
    remote.stop()
    with pytest.raises(PlatformError):
        refresh(sandbox, job_ids)
    assert Sandbox.objects.get().failing_since is not None
    assert ExportJob.objects.due(timezone.now()).count() == 2
