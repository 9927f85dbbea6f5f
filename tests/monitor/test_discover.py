"""The list is read from a real platform over HTTP until it says nothing new; weather is survived."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from jobs.client.errors import CredentialRefused, PlatformError, Unreachable
from jobs.models import Connection, ExportJob, JobSnapshot, Sandbox, Sealed
from jobs.monitor import listing
from jobs.monitor.sweep import sweep
from jobs.sync import Recorded
from tests import make
from tests.remote import EXPORT_JOBS, HOSTILE_RECORD, Remote

pytestmark = pytest.mark.django_db

T0 = 1_700_000_000_000


@pytest.fixture
def sandbox(remote: Remote) -> Sandbox:
    return make.connected(remote)


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "SIZES", (5,))
    monkeypatch.setattr("jobs.monitor.discover.HEAD", 5)


def discover(sandbox: Sandbox, *, full: bool = False) -> Recorded:
    """A pass that looks for new jobs, however short ago the last one did."""
    sandbox.last_ok_at = None
    return sweep(sandbox, full=full).recorded


def finished(remote: Remote, *numbers: int) -> None:
    for number in numbers:
        created = T0 + number * 1000
        remote.insert_job(make.raw(id=number, status="SUCCEEDED", creationTime=created, updateTime=created))


def second_page_fails(remote: Remote) -> None:
    remote.fault({"delay_s": 0}, path=EXPORT_JOBS)
    remote.fault({"reply": {"status": 403, "json": {"title": "no"}}}, path=EXPORT_JOBS)


def fresh(sandbox: Sandbox) -> Sandbox:
    return Sandbox.objects.select_related("connection").get(pk=sandbox.pk)


def known(sandbox: Sandbox) -> set[int]:
    return {int(remote_id) for remote_id in sandbox.jobs.values_list("remote_id", flat=True)}


def listed(remote: Remote) -> list[dict[str, Any]]:
    return remote.requests(EXPORT_JOBS, method="GET")


def test_first_contact_reads_the_whole_list_page_by_page(
    remote: Remote, sandbox: Sandbox, small_pages: None
) -> None:
    finished(remote, *range(1, 18))
    done = discover(sandbox)
    assert (done.new, done.changed, done.unchanged) == (17, 0, 0)
    place = fresh(sandbox)
    assert place.first_contact_done_at is not None
    assert (place.first_contact_jobs, place.reading_offset) == (17, "")
    assert len(listed(remote)) == 4


def test_later_readings_end_at_the_first_page_of_known_jobs(
    remote: Remote, sandbox: Sandbox, small_pages: None
) -> None:
    finished(remote, *range(1, 18))
    discover(sandbox)
    finished(remote, 18)
    remote.clear_requests()
    assert discover(fresh(sandbox)).new == 1
    assert len(listed(remote)) == 2


def test_a_first_contact_that_was_cut_off_goes_on_where_it_stood(
    remote: Remote, sandbox: Sandbox, small_pages: None
) -> None:
    finished(remote, *range(1, 18))
    second_page_fails(remote)
    with pytest.raises(PlatformError):
        discover(sandbox)
    place = fresh(sandbox)
    assert (place.first_contact_done_at, place.first_contact_jobs) == (None, 5)
    assert place.reading_offset
    remote.clear_requests()
    discover(place)
    assert known(sandbox) == set(range(1, 18))
    assert f"offset={place.reading_offset}" in listed(remote)[0]["query"]


def test_jobs_behind_a_cut_off_reading_are_not_lost(
    remote: Remote, sandbox: Sandbox, small_pages: None
) -> None:
    """Twelve jobs began and ended while nobody looked; the second of their three pages fails once."""
    finished(remote, 1, 2, 3)
    discover(sandbox)
    finished(remote, *range(4, 16))
    second_page_fails(remote)
    with pytest.raises(PlatformError):
        discover(fresh(sandbox))
    assert len(known(sandbox)) == 8
    discover(fresh(sandbox))
    assert known(sandbox) == set(range(1, 16))
    assert fresh(sandbox).reading_offset == ""


def test_one_bad_record_is_reported_and_never_loses_the_page(remote: Remote, sandbox: Sandbox) -> None:
    finished(remote, 1, 2)
    remote.insert_job(HOSTILE_RECORD, created_ms=T0)
    remote.insert_job({"id": 3, "status": ["FAILED"], "metrics": 7}, created_ms=T0)
    discover(sandbox)
    assert known(sandbox) == {1, 2, 3}
    assert "1 record(s) could not be read" in fresh(sandbox).last_rejects


def test_an_outage_keeps_what_is_known_says_since_when_and_recovers(remote: Remote, sandbox: Sandbox) -> None:
    finished(remote, 1)
    discover(sandbox)
    remote.stop()
    before = timezone.now()
    for _ in range(2):
        with pytest.raises(Unreachable):
            discover(fresh(sandbox))
    place = fresh(sandbox)
    assert place.failing_since is not None and place.failing_since >= before
    assert (place.failure_count, known(sandbox)) == (2, {1})
    assert place.last_error
    assert place.next_discovery_at is not None and place.next_discovery_at > timezone.now()
    remote.start()
    finished(remote, 2)
    assert discover(fresh(sandbox)).new == 1
    place = fresh(sandbox)
    assert (place.failing_since, place.failure_count, place.last_error) == (None, 0, "")
    assert JobSnapshot.objects.filter(job__remote_id="1").count() == 1


def test_a_wrong_secret_is_said_on_the_connection_and_clears_when_mended(
    remote: Remote, sandbox: Sandbox
) -> None:
    good = sandbox.connection.client_secret
    Connection.objects.update(client_secret=Sealed.seal("not-the-one-7f3a"))
    with pytest.raises(CredentialRefused):
        discover(fresh(sandbox))
    connection = Connection.objects.get()
    assert connection.credential_error
    assert "7f3a" not in connection.credential_error
    Connection.objects.update(client_secret=good)
    discover(fresh(sandbox))
    assert Connection.objects.get().credential_error == ""


def test_a_secret_under_a_lost_key_is_a_clear_sentence(remote: Remote, sandbox: Sandbox) -> None:
    Connection.objects.update(client_secret=Sealed("gAAAAAnonsense"))
    with pytest.raises(CredentialRefused, match="enter it again"):
        discover(fresh(sandbox))


def test_a_full_reading_reads_to_the_end(remote: Remote, sandbox: Sandbox, small_pages: None) -> None:
    finished(remote, *range(1, 18))
    discover(sandbox)
    remote.clear_requests()
    done = discover(fresh(sandbox), full=True)
    assert done == Recorded(unchanged=17, requests=done.requests)
    assert len(listed(remote)) == 4


def test_an_unchanged_list_writes_nothing_but_when_it_was_seen(remote: Remote, sandbox: Sandbox) -> None:
    finished(remote, 1, 2, 3)
    discover(sandbox)
    before = list(ExportJob.objects.values_list("pk", "changed_at", "digest"))
    version = fresh(sandbox).version
    discover(fresh(sandbox))
    assert list(ExportJob.objects.values_list("pk", "changed_at", "digest")) == before
    assert fresh(sandbox).version == version


def test_reading_proves_the_credential_and_notes_how_long_its_token_lasts(
    remote: Remote, sandbox: Sandbox
) -> None:
    discover(sandbox)
    connection = Connection.objects.get()
    assert connection.credential_checked_at is not None
    assert connection.token_expires_at is not None and connection.token_expires_at > timezone.now()
