"""The full reconciliation goes over the whole list in slices: it finds what came late, and what vanished."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from jobs.models import Connection, ExportJob, Sandbox
from jobs.monitor import listing, reconcile
from jobs.monitor.sweep import sweep
from tests import make
from tests.remote import EXPORT_JOBS, Remote

pytestmark = pytest.mark.django_db

T0 = 1_700_000_000_000


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (listing, reconcile):
        monkeypatch.setattr(module, "SIZES", (5,))
    monkeypatch.setattr("jobs.monitor.discover.HEAD", 5)


@pytest.fixture
def sandbox(remote: Remote) -> Sandbox:
    for number in range(1, 18):
        insert(remote, number)
    place = make.connected(remote)
    sweep(place)
    Sandbox.objects.update(next_reconcile_at=timezone.now())
    remote.clear_requests()
    return place


def insert(remote: Remote, number: int, *, place: int = 0, status: str = "SUCCEEDED") -> None:
    created = T0 + (place or number) * 1000
    remote.insert_job(make.raw(id=number, status=status, creationTime=created, updateTime=created))


def a_pass(sandbox: Sandbox) -> Sandbox:
    """One pass in which the head is not due; the sandbox as it then stands."""
    sweep(Sandbox.objects.select_related("connection").get(pk=sandbox.pk))
    return Sandbox.objects.get(pk=sandbox.pk)


def known() -> set[int]:
    return {int(remote_id) for remote_id in ExportJob.objects.values_list("remote_id", flat=True)}


def test_a_job_that_shows_up_late_in_the_middle_of_the_list_is_found(
    remote: Remote, sandbox: Sandbox
) -> None:
    insert(remote, 99, place=8)  # created at the same moment as number 8
    for _ in range(4):
        a_pass(sandbox)
    assert 99 in known()


def test_each_pass_reads_one_slice_and_the_next_goes_on_behind_it(remote: Remote, sandbox: Sandbox) -> None:
    places = [a_pass(sandbox).reconcile_offset for _ in range(4)]
    assert len(remote.requests(EXPORT_JOBS)) == 4
    assert len(set(places)) == 4
    assert places[-1] == ""


def test_a_round_ends_with_the_list_and_the_next_begins_hours_later(remote: Remote, sandbox: Sandbox) -> None:
    begun = a_pass(sandbox)
    assert (begun.reconcile_began_at is None, begun.reconciled_at) == (False, None)
    for _ in range(3):
        done = a_pass(sandbox)
    assert done.reconcile_began_at is None
    assert done.reconciled_at is not None
    assert done.next_reconcile_at is not None and done.next_reconcile_at > timezone.now() + timedelta(hours=5)
    a_pass(sandbox)
    assert len(remote.requests(EXPORT_JOBS)) == 4


def test_an_unfinished_job_that_its_slice_lacks_is_asked_for_and_gone(
    remote: Remote, sandbox: Sandbox
) -> None:
    """Even where pages cannot begin at a job, and although it is not due."""
    insert(remote, 100, place=50, status="PROCESSING")
    Sandbox.objects.update(last_ok_at=None)
    a_pass(sandbox)
    Connection.objects.update(takes_cursors=False)
    remote.vanish(100)
    Sandbox.objects.update(reconcile_offset="", next_reconcile_at=timezone.now())
    a_pass(sandbox)
    assert ExportJob.objects.get(remote_id="100").gone_at is not None
    assert not ExportJob.objects.exclude(remote_id="100").exclude(gone_at=None).exists()


def test_a_slice_that_fails_is_read_again(remote: Remote, sandbox: Sandbox) -> None:
    place = a_pass(sandbox).reconcile_offset
    remote.fault({"reply": {"status": 403, "json": {"title": "no"}}}, path=EXPORT_JOBS)
    with pytest.raises(Exception, match="may not do this"):
        a_pass(sandbox)
    assert Sandbox.objects.get().reconcile_offset == place


def test_it_begins_some_hours_after_the_first_contact(remote: Remote) -> None:
    place = make.connected(remote)
    sweep(place)
    due = Sandbox.objects.get().next_reconcile_at
    assert due is not None and due > timezone.now() + timedelta(hours=5)
