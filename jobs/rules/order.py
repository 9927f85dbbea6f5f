"""Which of two readings of a job is the later one, when the platform's own times say otherwise.

Readings can overtake each other: a page may come from a cache or from a copy of the platform's data that lags
behind, even when it was asked for last. So a reading with an older `updateTime` than the stored one is not
believed at first. One that lags is over in seconds; one that comes again unchanged is what the platform now
says, and then it is a step back of the platform's own: kept, and flagged.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum, auto

from jobs.rules.status import TERMINAL, JobStatus

CONFIRM_AFTER = timedelta(seconds=5)


class Verdict(Enum):
    NEWS = auto()
    DOUBT = auto()  # older than what is stored, for the first time: look again soon
    STALE = auto()  # the same old reading again, too soon to mean anything
    STEP_BACK = auto()  # and again later: the platform means it


def judge(
    *,
    stored: datetime | None,
    told: datetime | None,
    is_same_doubt: bool,
    doubted_at: datetime | None,
    as_of: datetime,
) -> Verdict:
    """What a differing reading is, by the platform's update times; without one on either side it is news.

    `as_of` is when it was asked for, `doubted_at` when a backward reading was, `is_same_doubt` whether that one
    said the same.
    """
    if stored is None or told is None or told >= stored:
        return Verdict.NEWS
    if doubted_at is None or not is_same_doubt:
        return Verdict.DOUBT
    return Verdict.STEP_BACK if as_of - doubted_at >= CONFIRM_AFTER else Verdict.STALE


def leaves_an_end(before: JobStatus, after: JobStatus) -> bool:
    """Whether a job that had ended is said to move again: later in time, and yet a step back."""
    return before in TERMINAL and after not in TERMINAL
