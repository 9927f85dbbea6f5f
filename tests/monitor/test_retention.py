"""What a connection no longer keeps leaves; everything else, and every count, stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client

from jobs.client.records import read_job
from jobs.models import ExportJob, JobRecord, JobSnapshot, JobTally, OutcomeTally, Sandbox
from jobs.monitor import retention
from jobs.monitor.retention import Expired, expire
from jobs.sync import miscounted, record, recount
from tests import make

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def place() -> Sandbox:
    return make.sandbox()


def job(place: Sandbox, *, days_ago: float, status: str = "SUCCEEDED", **fields: Any) -> ExportJob:
    at = int((NOW - timedelta(days=days_ago)).timestamp() * 1000)
    return make.job(
        place, as_of=NOW - timedelta(seconds=1), status=status, creationTime=at, updateTime=at, **fields
    )


def keep(place: Sandbox, **limits: int) -> Expired:
    for name, value in limits.items():
        setattr(place.connection, name, value)
    place.connection.save()
    return expire(place.connection, now=NOW)


def test_by_default_everything_is_kept(place: Sandbox) -> None:
    job(place, days_ago=4000)
    assert keep(place) == Expired()
    assert ExportJob.objects.count() == 1


def test_old_jobs_leave_with_all_that_hangs_on_them_and_young_and_running_ones_stay(place: Sandbox) -> None:
    job(place, days_ago=40, errors=[{"code": "1", "msg": "x"}])
    young, running = job(place, days_ago=2), job(place, days_ago=40, status="PROCESSING")
    assert keep(place, keep_jobs_days=30) == Expired(jobs=1)
    assert set(ExportJob.objects.all()) == {young, running}
    assert JobRecord.objects.count() == JobSnapshot.objects.count() == 2


def test_more_than_the_kept_number_leave_by_whole_days(place: Sandbox) -> None:
    for days in (1, 2, 3, 4, 5):
        job(place, days_ago=days)
    assert keep(place, keep_jobs_count=2).jobs == 2
    assert ExportJob.objects.count() == 3  # the day that the limit lies in is kept whole


def test_counts_stay_as_history_and_neither_verifying_nor_rebuilding_takes_them_back(place: Sandbox) -> None:
    for days in (40, 40, 5):
        job(place, days_ago=days)
    keep(place, keep_jobs_days=30)
    assert sum(JobTally.objects.values_list("jobs", flat=True)) == 3
    assert miscounted(Sandbox.objects.get()) == []
    assert recount(place) == 1
    assert sum(JobTally.objects.values_list("jobs", flat=True)) == 3
    assert sum(OutcomeTally.objects.values_list("jobs", flat=True)) == 3


def test_records_and_snapshots_leave_before_their_jobs(place: Sandbox) -> None:
    job(place, days_ago=40)
    assert keep(place, keep_records_days=10, keep_snapshots_days=10) == Expired(snapshots=1, records=1)
    assert expire(place.connection, now=NOW) == Expired()
    kept = ExportJob.objects.get()
    assert kept.record.raw == {"id": kept.remote_id, "status": "SUCCEEDED"}
    answer = make.signed_in(Client(), make.superuser()).get(f"/jobs/{kept.pk}/")
    assert "has expired" in answer.content.decode()


def test_a_job_that_expired_does_not_come_back_when_the_platform_lists_it(place: Sandbox) -> None:
    old = job(place, days_ago=40)
    raw = old.record.raw
    keep(place, keep_jobs_days=30)
    record(place, [read_job(raw)], as_of=NOW)
    assert not ExportJob.objects.exists()
    assert JobTally.objects.get().jobs == 1


def test_it_goes_in_slices_and_says_when_more_is_waiting(
    place: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "SLICE", 2)
    for _ in range(5):
        job(place, days_ago=40)
    place.connection.keep_jobs_days = 30
    assert expire(place.connection, now=NOW, slices=1) == Expired(jobs=2, more=True)
    assert expire(place.connection, now=NOW, slices=5) == Expired(jobs=3)


def test_other_connections_keep_theirs(place: Sandbox) -> None:
    other = make.sandbox(make.connection("other"))
    job(other, days_ago=40)
    assert keep(place, keep_jobs_days=1) == Expired()
    assert other.jobs.count() == 1


def test_the_command_expires_all_there_is(place: Sandbox) -> None:
    job(place, days_ago=40)
    place.connection.keep_jobs_days = 30
    place.connection.save()
    said = StringIO()
    call_command("expire", stdout=said)
    assert said.getvalue() == "acme: 1 jobs, 0 snapshots, 0 records expired\n"


def test_verifying_lists_what_differs_and_changes_nothing(place: Sandbox) -> None:
    job(place, days_ago=1)
    call_command("tallies", "--verify")
    JobTally.objects.update(jobs=7)
    said = StringIO()
    with pytest.raises(CommandError, match="1 tallies are wrong"):
        call_command("tallies", "--verify", stdout=said)
    assert "2026-11-21 SUCCEEDED: tally 7, jobs 1" in said.getvalue()
    assert JobTally.objects.get().jobs == 7
