"""An older reading is not believed at once; one that comes again is a step back of the platform's own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from jobs.rules.order import CONFIRM_AFTER, Verdict, judge, leaves_an_end
from jobs.rules.status import JobStatus

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
OLD = NOW - timedelta(minutes=5)


def verdict(told: datetime | None, **given: object) -> Verdict:
    asked = {"stored": NOW, "told": told, "is_same_doubt": False, "doubted_at": None, "as_of": NOW}
    return judge(**(asked | given))  # type: ignore[arg-type]


@pytest.mark.parametrize("told", [NOW, NOW + timedelta(milliseconds=1), None])
def test_a_reading_that_is_not_older_is_news(told: datetime | None) -> None:
    assert verdict(told) is Verdict.NEWS


def test_without_a_stored_time_every_reading_is_news() -> None:
    assert verdict(OLD, stored=None) is Verdict.NEWS


def test_an_older_reading_is_doubted_first() -> None:
    assert verdict(OLD) is Verdict.DOUBT


def test_the_same_again_at_once_says_nothing_more() -> None:
    soon = NOW - CONFIRM_AFTER + timedelta(seconds=1)
    assert verdict(OLD, is_same_doubt=True, doubted_at=soon) is Verdict.STALE


def test_the_same_again_later_is_meant() -> None:
    assert verdict(OLD, is_same_doubt=True, doubted_at=NOW - CONFIRM_AFTER) is Verdict.STEP_BACK


def test_another_old_reading_is_doubted_anew() -> None:
    assert verdict(OLD, is_same_doubt=False, doubted_at=NOW - CONFIRM_AFTER) is Verdict.DOUBT


def test_moving_again_after_an_end_is_a_step_back_whatever_the_time() -> None:
    assert leaves_an_end(JobStatus.SUCCEEDED, JobStatus.PROCESSING)
    assert not leaves_an_end(JobStatus.PROCESSING, JobStatus.SUCCEEDED)
    assert not leaves_an_end(JobStatus.SUCCEEDED, JobStatus.FAILED)
