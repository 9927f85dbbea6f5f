"""The figures of the first page: from tallies and indexes, and only of what the person may see."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from pytest_django import DjangoAssertNumQueries

from jobs.models import CatalogEntry, EntryKind, ExportJob, Sandbox
from jobs.monitor import overview
from jobs.monitor.overview import Overview
from jobs.monitor.scope import NoSuchSandbox, Scope
from jobs.rules.status import JobStatus
from tests import make

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 22, 9, 41, tzinfo=UTC)
UTC_ZONE = ZoneInfo("UTC")


@pytest.fixture
def place() -> Sandbox:
    return make.sandbox()


@pytest.fixture
def root() -> User:
    return make.superuser()


def ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def ended(place: Sandbox, status: str = "SUCCEEDED", *, ago: timedelta, **fields: Any) -> ExportJob:
    """A job that ended some time before NOW, after ten minutes."""
    at = NOW - ago
    times = {"creationTime": ms(at - timedelta(minutes=10)), "updateTime": ms(at)}
    sent = make.failed if status == "FAILED" else make.raw
    return make.job(place, as_of=NOW, **(sent(status=status, **times) | fields))


def going(place: Sandbox, status: str = "PROCESSING", *, since: timedelta) -> ExportJob:
    created = ms(NOW - since)
    return make.job(place, as_of=NOW, status=status, creationTime=created, updateTime=created)


def read(person: Any, *refs: str, now: datetime = NOW, zone: ZoneInfo = UTC_ZONE) -> Overview:
    return overview.read(Scope.of(person, refs), now=now, zone=zone)


def test_running_and_waiting_are_counted_by_state(root: User, place: Sandbox) -> None:
    for status in ("PROCESSING", "PROCESSING", "NEW", "QUEUED", "CANCELLING"):
        going(place, status, since=timedelta(minutes=1))
    standing = read(root).standing
    assert standing[JobStatus.PROCESSING] == 2
    assert standing[JobStatus.NEW] + standing[JobStatus.QUEUED] == 2
    assert standing[JobStatus.CANCELLING] == 1


def test_a_job_is_late_after_150_minutes_and_not_when_it_has_ended(root: User, place: Sandbox) -> None:
    going(place, since=timedelta(minutes=149))
    going(place, since=timedelta(minutes=151))
    going(place, "NEW", since=timedelta(days=2))
    ended(place, ago=timedelta(hours=5))
    assert read(root).late == 2


def test_outcomes_stand_in_the_hour_in_which_they_ended(root: User, place: Sandbox) -> None:
    ended(place, ago=timedelta(minutes=5))
    ended(place, "FAILED", ago=timedelta(minutes=41))
    ended(place, "FAILED", ago=timedelta(minutes=42))
    hours = read(root).hours
    assert [(hour.since.hour, hour.succeeded, hour.failed) for hour in hours[-2:]] == [(8, 0, 1), (9, 1, 1)]


def test_the_day_has_24_hours_and_the_month_30_days(root: User, place: Sandbox) -> None:
    found = read(root)
    assert len(found.hours) == 24
    assert len(found.days) == 30
    assert found.hours[-1].until == NOW.replace(hour=10, minute=0)
    assert found.days[0].since == datetime(2026, 10, 24, tzinfo=UTC)


def test_what_ended_before_the_day_counts_for_the_week_alone(root: User, place: Sandbox) -> None:
    ended(place, "FAILED", ago=timedelta(hours=30))
    ended(place, ago=timedelta(hours=1))
    found = read(root)
    assert (found.last_day.failed, found.last_day.succeeded) == (0, 1)
    assert (found.last_week.failed, found.last_week.succeeded) == (1, 1)


def test_what_ended_more_than_a_month_ago_is_in_no_column(root: User, place: Sandbox) -> None:
    ended(place, ago=timedelta(days=40))
    assert sum(day.counts.total() for day in read(root).days) == 0


def test_cancelled_jobs_do_not_spoil_the_success_rate(root: User, place: Sandbox) -> None:
    ended(place, ago=timedelta(hours=1))
    ended(place, "CANCELLED", ago=timedelta(hours=1))
    day = read(root).last_day
    assert day.success_rate == 1.0
    assert (day.decided, day.cancelled) == (1, 1)


def test_no_outcome_is_no_rate(root: User, place: Sandbox) -> None:
    assert read(root).last_day.success_rate is None


def test_a_job_that_comes_back_to_life_leaves_its_hour(root: User, place: Sandbox) -> None:
    job = ended(place, "FAILED", ago=timedelta(hours=1))
    make.job(place, as_of=NOW + timedelta(seconds=1), id=int(job.remote_id), status="PROCESSING")
    assert read(root).last_day.failed == 0


@pytest.mark.parametrize(
    ("zone", "days_ago"), [("UTC", 0), ("America/Los_Angeles", 1), ("Asia/Tokyo", 0), ("Asia/Kolkata", 0)]
)
def test_days_begin_at_midnight_of_the_page(root: User, place: Sandbox, zone: str, days_ago: int) -> None:
    ended(place, ago=timedelta(hours=9, minutes=30))  # 00:11 UTC
    days = read(root, zone=ZoneInfo(zone)).days
    assert [day.succeeded for day in reversed(days)].index(1) == days_ago


def test_the_night_the_clocks_change_is_one_day(root: User, place: Sandbox) -> None:
    now = datetime(2026, 10, 25, 22, 0, tzinfo=UTC)
    today = read(root, now=now, zone=ZoneInfo("Europe/Berlin")).days[-1]
    assert today.until - today.since == timedelta(hours=25)
    assert today.since == datetime(2026, 10, 24, 22, tzinfo=UTC)


def test_the_newest_failures_come_by_the_time_they_ended_with_their_cause(root: User, place: Sandbox) -> None:
    ended(place, "FAILED", ago=timedelta(hours=3))
    last = ended(place, "FAILED", ago=timedelta(minutes=1))
    ended(place, ago=timedelta(minutes=1))
    found = read(root).failures
    assert found[0].pk == last.pk
    assert len(found) == 2
    assert found[0].error_line.startswith("Error writing profiles")
    assert found[0].failure.code == "0090000009"


def test_at_most_five_failures_are_news_and_none_from_last_season(root: User, place: Sandbox) -> None:
    ended(place, "FAILED", ago=timedelta(days=31))
    assert read(root).failures == []
    for minutes in range(7):
        ended(place, "FAILED", ago=timedelta(minutes=minutes))
    assert len(read(root).failures) == 5


def test_the_longest_running_come_first(root: User, place: Sandbox) -> None:
    short, long = (going(place, since=timedelta(minutes=age)) for age in (5, 50))
    going(place, "NEW", since=timedelta(days=1))
    assert [job.pk for job in read(root).longest] == [long.pk, short.pk]


def test_datasets_and_segments_of_shown_jobs_are_known_by_name(root: User, place: Sandbox) -> None:
    CatalogEntry.objects.create(
        sandbox=place, kind=EntryKind.SEGMENT, remote_id="SEG1", name="Lapsed", seen_at=NOW
    )
    going(place, since=timedelta(minutes=5))
    assert read(root).names[(place.pk, "SEG1")] == "Lapsed"


def test_a_stranger_counts_nothing(place: Sandbox) -> None:
    going(place, since=timedelta(hours=5))
    ended(place, "FAILED", ago=timedelta(minutes=1))
    found = read(make.user("stranger"))
    assert not found.standing
    assert (found.late, found.known, found.failures, found.longest) == (0, {}, [], [])
    assert sum(hour.counts.total() for hour in found.hours) == 0


def test_a_member_counts_the_jobs_of_their_connection_alone(place: Sandbox) -> None:
    other = make.sandbox(make.connection("other"))
    ana = make.user()
    make.member(ana, place.connection)
    for where in (place, other, other):
        going(where, since=timedelta(hours=5))
        ended(where, "FAILED", ago=timedelta(minutes=1))
    found = read(ana)
    assert found.standing == {JobStatus.PROCESSING: 1, JobStatus.FAILED: 1}
    assert found.known == {place.pk: 2}
    assert (found.late, found.last_day.failed, len(found.failures), len(found.longest)) == (1, 1, 1, 1)


def test_a_sandbox_that_is_asked_for_narrows_everything(root: User, place: Sandbox) -> None:
    dev = make.sandbox(place.connection, name="dev")
    for where in (place, dev, dev):
        going(where, since=timedelta(hours=5))
        ended(where, "FAILED", ago=timedelta(minutes=1))
    found = read(root, "acme/dev")
    assert found.standing[JobStatus.PROCESSING] == found.late == found.last_day.failed == 2
    assert {job.sandbox_id for job in (*found.failures, *found.longest)} == {dev.pk}


@pytest.mark.parametrize("ref", ["acme/nowhere", "acme", "/", "other/prod"])
def test_a_sandbox_that_is_not_there_and_one_of_others_sound_the_same(place: Sandbox, ref: str) -> None:
    make.sandbox(make.connection("other"))
    ana = make.user()
    make.member(ana, place.connection)
    with pytest.raises(NoSuchSandbox, match="There is no sandbox"):
        Scope.of(ana, [ref])


def test_no_secret_is_read_for_a_page(root: User, place: Sandbox) -> None:
    assert "client_secret" in Scope.of(root).places[0].connection.get_deferred_fields()


@pytest.mark.parametrize("jobs", [1, 60])
def test_six_queries_whatever_there_is(
    root: User, place: Sandbox, jobs: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(jobs):
        ended(place, "FAILED", ago=timedelta(minutes=number))
        going(place, since=timedelta(minutes=number))
    scope = Scope.of(root)
    with django_assert_max_num_queries(6):
        overview.read(scope, now=NOW, zone=UTC_ZONE)


def test_the_version_stays_until_something_or_the_minute_changes(root: User, place: Sandbox) -> None:
    def version(now: datetime = NOW) -> str:
        return overview.version(Scope.of(root).places, now=now)

    before = version()
    assert version(NOW + timedelta(seconds=30)) == before
    assert version(NOW + timedelta(seconds=60)) != before
    going(place, since=timedelta(minutes=1))
    assert version() != before


def test_a_sandbox_that_cannot_be_read_any_more_changes_the_version(root: User, place: Sandbox) -> None:
    before = overview.version(Scope.of(root).places, now=NOW)
    Sandbox.objects.filter(pk=place.pk).update(failing_since=NOW)
    assert overview.version(Scope.of(root).places, now=NOW) != before
