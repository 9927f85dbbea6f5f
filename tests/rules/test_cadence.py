"""Young jobs are asked for often, old ones seldom, ended ones never; trouble is given room."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.rules.cadence import UNKNOWN_EVERY, after_failure, next_poll
from jobs.rules.status import ACTIVE, TERMINAL, JobStatus

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
ages = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=400))
going_on = st.sampled_from(sorted(ACTIVE))


@pytest.mark.parametrize(
    ("age", "wait"),
    [
        (timedelta(0), timedelta(seconds=3)),
        (timedelta(seconds=119), timedelta(seconds=3)),
        (timedelta(minutes=2), timedelta(seconds=10)),
        (timedelta(minutes=15), timedelta(seconds=30)),
        (timedelta(hours=1), timedelta(minutes=2)),
        (timedelta(hours=6), timedelta(minutes=10)),
        (timedelta(days=2), timedelta(hours=1)),
        (timedelta(days=300), timedelta(hours=1)),
    ],
)
def test_the_pause_grows_with_age(age: timedelta, wait: timedelta) -> None:
    assert next_poll(JobStatus.PROCESSING, since=NOW - age, now=NOW) == NOW + wait


@pytest.mark.parametrize("status", sorted(TERMINAL))
def test_a_job_that_has_ended_is_never_asked_for_again(status: JobStatus) -> None:
    assert next_poll(status, since=NOW, now=NOW) is None


@pytest.mark.parametrize("status", sorted(ACTIVE))
def test_every_job_that_goes_on_is_asked_for_again(status: JobStatus) -> None:
    assert next_poll(status, since=NOW, now=NOW) is not None


@given(ages)
def test_a_job_in_an_unknown_state_is_asked_for_slowly_whatever_its_age(age: timedelta) -> None:
    assert next_poll(JobStatus.UNKNOWN, since=NOW - age, now=NOW) == NOW + UNKNOWN_EVERY


@given(going_on, ages, ages)
def test_an_older_job_is_never_asked_for_sooner(status: JobStatus, one: timedelta, other: timedelta) -> None:
    younger, older = sorted((one, other))
    soon, late = (next_poll(status, since=NOW - age, now=NOW) for age in (younger, older))
    assert soon is not None
    assert late is not None
    assert soon <= late


@given(going_on, ages)
def test_a_clock_that_runs_ahead_of_ours_makes_a_job_young(status: JobStatus, ahead: timedelta) -> None:
    assert next_poll(status, since=NOW + ahead, now=NOW) == NOW + timedelta(seconds=3)


@pytest.mark.parametrize(
    ("failures", "seconds"), [(1, 5), (2, 10), (3, 20), (4, 40), (7, 300), (8, 300), (10_000, 300)]
)
def test_the_pause_after_a_failure_doubles_up_to_five_minutes(failures: int, seconds: int) -> None:
    assert after_failure(failures, now=NOW) == NOW + timedelta(seconds=seconds)


def test_a_longer_retry_after_is_obeyed_and_a_shorter_one_does_not_hurry_us() -> None:
    assert after_failure(1, now=NOW, retry_after_s=90) == NOW + timedelta(seconds=90)
    assert after_failure(6, now=NOW, retry_after_s=1) == NOW + timedelta(seconds=160)


def test_a_retry_after_of_days_stops_us_for_an_hour_at_most() -> None:
    assert after_failure(1, now=NOW, retry_after_s=1e9) == NOW + timedelta(hours=1)


@given(st.integers(-5, 10_000), st.none() | st.floats(-1e6, 1e9))
def test_a_sandbox_that_failed_is_always_tried_again_but_never_at_once(
    failures: int, asked: float | None
) -> None:
    again = after_failure(failures, now=NOW, retry_after_s=asked)
    assert timedelta(seconds=5) <= again - NOW <= timedelta(hours=1)


@pytest.mark.parametrize(
    ("to_go", "wait"),
    [
        (timedelta(hours=2), timedelta(minutes=2)),  # the pause of its age
        (timedelta(minutes=4), timedelta(seconds=30)),
        (timedelta(seconds=10), timedelta(seconds=10)),
        (timedelta(minutes=-4), timedelta(seconds=30)),
        (timedelta(hours=-2), timedelta(minutes=2)),
    ],
)
def test_around_its_usual_end_a_job_is_looked_at_more_often(to_go: timedelta, wait: timedelta) -> None:
    since = NOW - timedelta(hours=3)
    assert next_poll(JobStatus.PROCESSING, since=since, now=NOW, ends_at=NOW + to_go) == NOW + wait


@given(ages, st.timedeltas(min_value=timedelta(days=-9), max_value=timedelta(days=9)))
def test_a_usual_end_never_makes_a_job_wait_longer(age: timedelta, to_go: timedelta) -> None:
    plain = next_poll(JobStatus.PROCESSING, since=NOW - age, now=NOW)
    known = next_poll(JobStatus.PROCESSING, since=NOW - age, now=NOW, ends_at=NOW + to_go)
    assert plain is not None
    assert known is not None
    assert NOW < known <= plain
