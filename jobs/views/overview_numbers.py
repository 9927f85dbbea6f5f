"""The numbers at the top of the first page, each a link to the jobs it counts."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from jobs.monitor.outcomes import Outcomes
from jobs.monitor.overview import Overview
from jobs.monitor.scope import Scope
from jobs.rules.duration import human
from jobs.rules.lateness import LATE_AFTER
from jobs.rules.status import JobStatus
from jobs.templatetags.jinja import thousands
from jobs.views.listing import list_url

_DECIDED = (JobStatus.SUCCEEDED, JobStatus.FAILED)


class Number(NamedTuple):
    """A figure, what it counts, one more fact, and where its jobs are; `alarming` lets its role colour it."""

    what: str
    value: str
    more: str
    icon: str
    role: str
    url: str
    alarming: bool = False


def numbers(read: Overview, scope: Scope, *, now: datetime) -> list[Number]:
    """Now first, then the last day and week."""
    standing, day, week = read.standing, read.last_day, read.last_week
    waiting = standing[JobStatus.NEW] + standing[JobStatus.QUEUED]
    late_after = human(int(LATE_AFTER.total_seconds() * 1000))
    return [
        Number(
            "Running now",
            thousands(standing[JobStatus.PROCESSING]),
            f"longest {human(read.longest[0].elapsed_ms(now))}" if read.longest else "nothing is running",
            "player-play",
            "running",
            list_url(scope.refs, status=JobStatus.PROCESSING),
        ),
        Number(
            "Waiting now",
            thousands(waiting),
            "not started yet" if waiting else "nothing is waiting",
            "clock",
            "waiting",
            list_url(scope.refs, status=(JobStatus.NEW, JobStatus.QUEUED)),
        ),
        Number(
            "Late now",
            thousands(read.late),
            f"over {late_after}" if read.late else f"none over {late_after}",
            "hourglass",
            "late",
            list_url(scope.refs, flag="late"),
            alarming=read.late > 0,
        ),
        Number(
            "Failed, 24 h",
            thousands(day.failed),
            f"of {thousands(day.decided)} that ended" if day.decided else "nothing ended",
            "alert-circle",
            "failed",
            list_url(scope.refs, status=JobStatus.FAILED, range="24h"),
            alarming=day.failed > 0,
        ),
        _rate("Success rate, 24 h", day, list_url(scope.refs, status=_DECIDED, range="24h")),
        _rate("Success rate, 7 d", week, list_url(scope.refs, status=_DECIDED, range="7d")),
    ]


def _rate(what: str, outcomes: Outcomes, url: str) -> Number:
    said = f"{thousands(outcomes.succeeded)} of {thousands(outcomes.decided)}"
    more = said if outcomes.decided else "nothing ended"
    return Number(what, percent(outcomes.success_rate), more, "chart-bar", "", url)


def percent(rate: float | None) -> str:
    """A share as a person reads it; 100 % and 0 % only when they are exactly that."""
    if rate is None:
        return "–"
    if rate in (0, 1):
        return f"{rate:.0%}".replace("%", "\N{NARROW NO-BREAK SPACE}%")
    return f"{min(max(rate * 100, 0.1), 99.9):.1f}\N{NARROW NO-BREAK SPACE}%"
