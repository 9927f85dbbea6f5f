"""Failed exports by kind: counted over visible jobs, told by the error that says most."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User

from jobs.models import ExportJob, IdentifierKind, Sandbox
from jobs.monitor import failures, overview
from jobs.monitor.failures import NO_ERROR, Kind
from jobs.monitor.scope import Scope
from jobs.rules.remedy import remedy
from tests import make

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 22, 9, 41, tzinfo=UTC)
ZONE = ZoneInfo("UTC")
THROTTLED = [{"code": "0080000018", "msg": "Request rate is large", "callStack": ""}]


@pytest.fixture
def place() -> Sandbox:
    return make.sandbox()


@pytest.fixture
def root() -> User:
    return make.superuser()


def failed(place: Sandbox, *, ago: timedelta = timedelta(hours=1), **fields: Any) -> ExportJob:
    at = int((NOW - ago).timestamp() * 1000)
    return make.failed_job(place, as_of=NOW, creationTime=at - 600_000, updateTime=at, **fields)


def kinds(person: Any, *refs: str, since: datetime | None = None, zone: ZoneInfo = ZONE) -> list[Kind]:
    return failures.kinds(Scope.of(person, refs), since=since, now=NOW, zone=zone)


def test_jobs_that_failed_the_same_way_are_one_kind(root: User, place: Sandbox) -> None:
    one, two = (failed(place, ago=timedelta(hours=hours)) for hours in (5, 2))
    (kind,) = kinds(root)
    assert kind.count == 2
    assert (kind.first_at, kind.last_at) == (one.ended_at, two.ended_at)
    assert kind.code == "0090000009"
    assert kind.pattern == "Error writing profiles to output path '<path>'"
    assert kind.remedy == remedy("0090000009")


def test_another_error_is_another_kind_and_the_last_seen_comes_first(root: User, place: Sandbox) -> None:
    failed(place, ago=timedelta(hours=1), errors=THROTTLED)
    failed(place, ago=timedelta(hours=2))
    assert [kind.code for kind in kinds(root)] == ["0080000018", "0090000009"]


def test_failed_jobs_without_an_error_are_one_honest_group(root: User, place: Sandbox) -> None:
    for _ in range(2):
        failed(place, errors=[])
    (kind,) = kinds(root)
    assert (kind.pk, kind.code, kind.pattern, kind.count) == (NO_ERROR, "", "", 2)
    assert "gave no error" in kind.remedy.cause


def test_jobs_that_did_not_fail_are_in_no_kind(root: User, place: Sandbox) -> None:
    make.job(place, status="SUCCEEDED", errors=THROTTLED)
    make.job(place, status="PROCESSING")
    make.job(place, status="CANCELLED", errors=THROTTLED)
    assert kinds(root) == []


def test_a_window_counts_what_ended_in_it_but_the_trend_shows_thirty_days(root: User, place: Sandbox) -> None:
    failed(place, ago=timedelta(hours=1))
    failed(place, ago=timedelta(days=3))
    failed(place, ago=timedelta(days=40))
    (kind,) = kinds(root, since=NOW - timedelta(hours=24))
    assert kind.count == 1
    assert kind.days == {datetime(2026, 11, 22, tzinfo=UTC): 1, datetime(2026, 11, 19, tzinfo=UTC): 1}


def test_the_last_day_counts_what_the_overview_counts(root: User, place: Sandbox) -> None:
    for hours in (1, 23, 23.6, 24.5):
        failed(place, ago=timedelta(hours=hours))
    (kind,) = kinds(root, since=failures.window_start("24h", now=NOW))
    last_day = overview.read(Scope.of(root), now=NOW, zone=ZONE).last_day
    assert kind.count == last_day.failed == 3


@pytest.mark.parametrize(
    ("window", "since"),
    [
        ("24h", datetime(2026, 11, 21, 10, tzinfo=UTC)),
        ("7d", NOW - timedelta(days=7)),
        ("30d", NOW - timedelta(days=30)),
        ("all", None),
    ],
)
def test_a_window_begins_when_it_says(window: str, since: datetime | None) -> None:
    assert failures.window_start(window, now=NOW) == since


def test_the_trend_counts_days_of_the_page(root: User, place: Sandbox) -> None:
    failed(place, ago=timedelta(hours=9, minutes=30))  # 00:11 UTC, still yesterday in California
    (kind,) = kinds(root, zone=ZoneInfo("America/Los_Angeles"))
    assert kind.days == {datetime(2026, 11, 21, 8, tzinfo=UTC): 1}


def test_a_kind_counts_its_sandboxes(root: User, place: Sandbox) -> None:
    dev = make.sandbox(place.connection, name="dev")
    for where in (place, dev, dev):
        failed(where)
    (kind,) = kinds(root)
    assert kind.sandboxes == {place.pk: 1, dev.pk: 2}
    (narrowed,) = kinds(root, "acme/prod")
    assert narrowed.count == 1


def test_jobs_of_other_connections_count_for_nobody_else(root: User, place: Sandbox) -> None:
    ana = make.user()
    make.member(ana, place.connection)
    other = make.sandbox(make.connection("other"))
    failed(place, ago=timedelta(hours=5))
    failed(other, ago=timedelta(hours=1))
    failed(other, errors=THROTTLED)
    (kind,) = kinds(ana)
    assert kind.count == 1
    assert kind.last_at == NOW - timedelta(hours=5)
    assert sum(kind.days.values()) == 1


def test_a_kind_the_person_has_no_job_of_is_not_there(place: Sandbox) -> None:
    job = failed(place)
    scope = Scope.of(make.user("stranger"))
    assert failures.kind(scope, job.failure_id or 0, now=NOW, zone=ZONE) is None
    assert failures.kind(scope, NO_ERROR, now=NOW, zone=ZONE) is None


def test_one_kind_is_told_over_all_time(root: User, place: Sandbox) -> None:
    job = failed(place, ago=timedelta(days=400))
    failed(place, errors=THROTTLED)
    kind = failures.kind(Scope.of(root), job.failure_id or 0, now=NOW, zone=ZONE)
    assert kind is not None
    assert (kind.count, sum(kind.days.values())) == (1, 0)


def test_the_example_is_the_entry_that_names_the_kind_and_not_its_wrapper(root: User, place: Sandbox) -> None:
    example = failures.example(failed(place))
    assert example is not None
    assert example.code == "0090000009"


def test_a_job_without_errors_has_no_example(root: User, place: Sandbox) -> None:
    assert failures.example(failed(place, errors=[])) is None


def test_datasets_and_segments_of_a_kind_are_counted(root: User, place: Sandbox) -> None:
    job = failed(place)
    failed(place)
    failed(place, destination={"datasetId": "DS2"}, errors=THROTTLED)
    places = failures.places(failures.of_kind(Scope.of(root), job.failure_id or 0))
    found = {(place.kind, place.value): place.jobs for place in places}
    assert found == {(IdentifierKind.DATASET, "DS1"): 2, (IdentifierKind.SEGMENT, "SEG1"): 2}
