"""When to look again: at a job, at a sandbox, and after a failure."""

from __future__ import annotations

from datetime import datetime, timedelta

from jobs.rules.status import TERMINAL, JobStatus

DISCOVERY_EVERY = timedelta(seconds=10)
# Longer than a call with its repeat usually takes; if one takes longer still, two do the same work, once.
LEASE = timedelta(seconds=60)
UNKNOWN_EVERY = timedelta(minutes=10)
CATALOG_EVERY = timedelta(minutes=10)
# A turn of letting go takes a bounded number of rows; what is left waits for the next one.
EXPIRY_EVERY = timedelta(minutes=5)
# A refused credential is mended by a person; then it is tried at once.
REFUSED_AGAIN = timedelta(seconds=60)
RECONCILE_EVERY = timedelta(hours=6)

# (age below which it holds, interval): seconds while young, slower with age.
_JOB_STEPS: tuple[tuple[timedelta, timedelta], ...] = (
    (timedelta(minutes=2), timedelta(seconds=3)),
    (timedelta(minutes=15), timedelta(seconds=10)),
    (timedelta(hours=1), timedelta(seconds=30)),
    (timedelta(hours=6), timedelta(minutes=2)),
    (timedelta(days=2), timedelta(minutes=10)),
)
_JOB_OLDEST = timedelta(hours=1)
_FAILURE_FIRST = timedelta(seconds=5)
_FAILURE_MOST = timedelta(minutes=5)


def next_poll(
    status: JobStatus, *, since: datetime, now: datetime, ends_at: datetime | None = None
) -> datetime | None:
    """When a job seen at `now` is due again; None when it has ended and is never asked for again.

    `since` is when the job began, or last changed if that is later: a job that moves is young. `ends_at` is when
    a job of its kind usually ends, if that is known: around then it is looked at more often.
    """
    if status in TERMINAL:
        return None
    if status is JobStatus.UNKNOWN:
        return now + UNKNOWN_EVERY
    age = now - since
    every = next((every for limit, every in _JOB_STEPS if age < limit), _JOB_OLDEST)
    return now + (every if ends_at is None else min(every, _around(ends_at, now)))


def _around(moment: datetime, now: datetime) -> timedelta:
    """The longest step that is at most a quarter of what is still to go, or has gone by since: never under ten
    seconds, for a usual end is only usual.
    """
    quarter = abs(moment - now) / 4
    steps = [every for _, every in _JOB_STEPS[1:] if every <= quarter]
    return steps[-1] if steps else _JOB_STEPS[1][1]


def after_failure(failures: int, *, now: datetime, retry_after_s: float | None = None) -> datetime:
    """When a sandbox that could not be read `failures` times in a row is tried again.

    Doubles from 5 seconds to 5 minutes; the platform's own `Retry-After` is obeyed when it is longer.
    """
    wait = min(_FAILURE_FIRST * 2 ** min(max(failures, 1) - 1, 10), _FAILURE_MOST)
    asked = timedelta(seconds=min(retry_after_s or 0.0, 3600.0))
    return now + max(wait, asked)
