"""Moving jobs are asked for by page and one by one; one that makes trouble does not hold up the others."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from jobs.client.errors import PlatformError
from jobs.models import Connection, ExportJob, Sandbox
from jobs.monitor.sweep import sweep
from jobs.sync import Recorded
from tests import make
from tests.remote import EXPORT_JOBS, Remote

pytestmark = pytest.mark.django_db

T0 = 1_700_000_000_000
FAR_APART = 60  # so many finished jobs between two running ones: no page pays for both


@pytest.fixture
def sandbox(remote: Remote) -> Sandbox:
    return make.connected(remote)


def insert(remote: Remote, number: int, status: str) -> None:
    at = T0 + number * 1000
    remote.insert_job(make.raw(id=number, status=status, creationTime=at, updateTime=at))


def running(remote: Remote, sandbox: Sandbox, *numbers: int, among: int = 0) -> Sandbox:
    """A sandbox that has been read, with these jobs running and the others of `among` finished."""
    for number in range(1, max(among, *numbers) + 1):
        insert(remote, number, "PROCESSING" if number in numbers else "SUCCEEDED")
    sweep(sandbox)
    remote.clear_requests()
    return fresh(sandbox)


def fresh(sandbox: Sandbox) -> Sandbox:
    return Sandbox.objects.select_related("connection").get(pk=sandbox.pk)


def later(sandbox: Sandbox) -> Recorded:
    """A pass when every moving job is due and the head is not."""
    long_ago = timezone.now() - timedelta(hours=2)
    ExportJob.objects.moving().update(last_seen_at=long_ago, next_poll_at=long_ago + timedelta(minutes=1))
    return sweep(fresh(sandbox)).recorded


def status(number: int) -> str:
    return ExportJob.objects.get(remote_id=str(number)).status


def asked(remote: Remote) -> list[str]:
    """The addresses of the list or of jobs that were asked for."""
    return [each["path"].removeprefix(EXPORT_JOBS) for each in remote.requests(EXPORT_JOBS)]


def test_each_step_of_a_job_is_in_its_history(remote: Remote, sandbox: Sandbox) -> None:
    running(remote, sandbox, 1)
    remote.patch_job(1, status="SUCCEEDED", updateTime=remote.now_ms())
    assert later(sandbox).changed == 1
    job = ExportJob.objects.get()
    assert [snapshot.status for snapshot in job.snapshots.all()] == ["PROCESSING", "SUCCEEDED"]
    assert job.next_poll_at is None


def test_jobs_side_by_side_are_read_with_one_page_that_begins_at_them(
    remote: Remote, sandbox: Sandbox
) -> None:
    running(remote, sandbox, 2, 3, 4, 5, among=40)
    for number in (2, 3, 4, 5):
        remote.patch_job(number, status="SUCCEEDED", updateTime=remote.now_ms())
    done = later(sandbox)
    assert (done.changed, done.requests) == (4, 1)
    (page,) = remote.requests(EXPORT_JOBS)
    assert f"offset={T0 + 6000}_6" in page["query"]
    assert Connection.objects.get().takes_cursors is True


def test_jobs_far_apart_are_read_one_by_one(remote: Remote, sandbox: Sandbox) -> None:
    running(remote, sandbox, 1, 2 * FAR_APART, among=3 * FAR_APART)
    later(sandbox)
    assert sorted(asked(remote)) == ["/1", f"/{2 * FAR_APART}"]


@pytest.mark.parametrize("status_code", [200, 400])
def test_a_platform_that_takes_no_computed_cursor_is_remembered_and_read_otherwise(
    remote: Remote, sandbox: Sandbox, status_code: int
) -> None:
    """One ignores the cursor and gives its head, another refuses it: the jobs are read all the same."""
    running(remote, sandbox, 2, 3, among=40)
    for number in (2, 3):
        remote.patch_job(number, status="SUCCEEDED", updateTime=remote.now_ms())
    head = [make.raw(id=40, creationTime=T0 + 40_000)]
    body = {"records": head, "link": {"next": ""}} if status_code == 200 else {"message": "bad offset"}
    remote.fault({"reply": {"status": status_code, "json": body}}, regex="jobs$")
    later(sandbox)
    assert Connection.objects.get().takes_cursors is False
    assert (status(2), status(3)) == ("SUCCEEDED", "SUCCEEDED")
    assert fresh(sandbox).failing_since is None


def test_a_job_missing_from_its_page_and_without_a_record_is_gone(remote: Remote, sandbox: Sandbox) -> None:
    running(remote, sandbox, 1, 2, 3)
    remote.vanish(2)
    later(sandbox)
    assert ExportJob.objects.get(remote_id="2").gone_at is not None
    assert asked(remote) == ["", "/2"]


def test_a_job_without_a_record_is_gone_only_if_the_list_lacks_it_too(
    remote: Remote, sandbox: Sandbox
) -> None:
    running(remote, sandbox, 1, among=3)
    remote.fault({"reply": {"status": 404, "json": {"message": "no"}}}, path=f"{EXPORT_JOBS}/1")
    later(sandbox)
    job = ExportJob.objects.get(remote_id="1")
    assert job.gone_at is None
    assert asked(remote) == ["/1", ""]
    remote.vanish(1)
    later(sandbox)
    job.refresh_from_db()
    assert job.gone_at is not None


def test_without_cursors_a_missing_record_alone_makes_no_job_gone(remote: Remote, sandbox: Sandbox) -> None:
    running(remote, sandbox, 1, among=3)
    Connection.objects.update(takes_cursors=False)
    remote.vanish(1)
    later(sandbox)
    assert ExportJob.objects.get(remote_id="1").gone_at is None


def test_a_job_whose_record_cannot_be_had_does_not_hold_up_the_others(
    remote: Remote, sandbox: Sandbox
) -> None:
    far = 2 * FAR_APART
    running(remote, sandbox, 7, far, among=3 * FAR_APART)
    remote.patch_job(far, status="SUCCEEDED")
    remote.fault({"reply": {"status": 200, "text": "<html>busy</html>"}}, path=f"{EXPORT_JOBS}/7", times=None)
    later(sandbox)
    assert (status(7), status(far)) == ("PROCESSING", "SUCCEEDED")
    assert Sandbox.objects.get().failing_since is None
    again = ExportJob.objects.get(remote_id="7").next_poll_at
    assert again is not None and again > timezone.now()


def test_an_outage_in_the_middle_leaves_the_rest_due(remote: Remote, sandbox: Sandbox) -> None:
    running(remote, sandbox, 1, 2)
    remote.stop()
    with pytest.raises(PlatformError):
        later(sandbox)
    assert Sandbox.objects.get().failing_since is not None
    assert ExportJob.objects.due(timezone.now()).count() == 2


def test_with_nothing_running_a_pass_is_one_request(remote: Remote, sandbox: Sandbox) -> None:
    insert(remote, 1, "SUCCEEDED")
    sweep(sandbox)
    remote.clear_requests()
    Sandbox.objects.update(last_ok_at=timezone.now() - timedelta(minutes=1))
    assert sweep(fresh(sandbox)).recorded == Recorded(unchanged=1, requests=1)
