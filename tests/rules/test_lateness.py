"""Late and stuck are said of jobs that go on, odd only of those that claim success."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.rules.lateness import LATE_AFTER, STUCK_AFTER, outcome_flags, running_flags
from jobs.rules.status import ACTIVE, Flag, JobStatus

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
QUIET = set(JobStatus) - ACTIVE


@pytest.mark.parametrize("status", sorted(ACTIVE))
@pytest.mark.parametrize(
    ("age", "still", "flags"),
    [
        (SECOND, SECOND, set()),
        (LATE_AFTER, SECOND, set()),
        (LATE_AFTER + SECOND, SECOND, {Flag.LATE}),
        (STUCK_AFTER, STUCK_AFTER, set()),
        (STUCK_AFTER + SECOND, STUCK_AFTER + SECOND, {Flag.STUCK}),
        (timedelta(days=3), timedelta(days=2), {Flag.LATE, Flag.STUCK}),
    ],
)
def test_a_job_is_late_by_its_age_and_stuck_by_its_silence(
    status: JobStatus, age: timedelta, still: timedelta, flags: set[Flag]
) -> None:
    assert running_flags(status, created_at=NOW - age, updated_at=NOW - still, now=NOW) == flags


@pytest.mark.parametrize("status", sorted(QUIET))
def test_a_job_that_does_not_go_on_is_neither_late_nor_stuck(status: JobStatus) -> None:
    long_ago = NOW - timedelta(days=30)
    assert running_flags(status, created_at=long_ago, updated_at=long_ago, now=NOW) == set()


@pytest.mark.parametrize(
    ("errors", "profiles", "flags"),
    [
        (0, 5, set()),
        (0, None, set()),
        (2, 5, {Flag.ERRORS}),
        (0, 0, {Flag.ODD_VOLUME}),
        (1, 0, {Flag.ERRORS, Flag.ODD_VOLUME}),
    ],
)
def test_a_success_that_something_speaks_against_is_marked(
    errors: int, profiles: int | None, flags: set[Flag]
) -> None:
    found = outcome_flags(JobStatus.SUCCEEDED, error_count=errors, profiles_exported=profiles)
    assert found == flags


@given(
    st.sampled_from(sorted(set(JobStatus) - {JobStatus.SUCCEEDED})),
    st.integers(0, 50),
    st.none() | st.integers(0, 10**12),
)
def test_nothing_is_odd_about_a_job_that_does_not_claim_success(
    status: JobStatus, errors: int, profiles: int | None
) -> None:
    assert outcome_flags(status, error_count=errors, profiles_exported=profiles) == set()
