"""Which running jobs deserve a look: late by the platform's own yardstick, or not moving."""

from __future__ import annotations

from datetime import datetime, timedelta

from jobs.rules.status import ACTIVE, Flag, JobStatus

LATE_AFTER = timedelta(minutes=150)
STUCK_AFTER = timedelta(minutes=60)


def running_flags(
    status: JobStatus, *, created_at: datetime, updated_at: datetime, now: datetime
) -> set[Flag]:
    """Flags of a job by time alone: late after 150 minutes, stuck when its record did not move for an hour.

    150 minutes is the platform's own delay alert for related runs (platform.md §6).
    """
    if status not in ACTIVE:
        return set()
    late = {Flag.LATE} if now - created_at > LATE_AFTER else set()
    stuck = {Flag.STUCK} if now - updated_at > STUCK_AFTER else set()
    return late | stuck


def outcome_flags(status: JobStatus, *, error_count: int, profiles_exported: int | None) -> set[Flag]:
    """Flags of a job that says it succeeded though something speaks against it (platform.md §2.6 item 10)."""
    if status is not JobStatus.SUCCEEDED:
        return set()
    errors = {Flag.ERRORS} if error_count else set()
    odd = {Flag.ODD_VOLUME} if profiles_exported == 0 else set()
    return errors | odd
