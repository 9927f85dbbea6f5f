"""How exports ended, hour by hour and day by day, from the tallies kept beside the jobs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.db.models import Sum

from jobs.models import OutcomeTally
from jobs.monitor.scope import Scope
from jobs.rules.status import JobStatus

HOURS = 24
DAYS = 30
HOUR = timedelta(hours=1)

Tally = dict[datetime, Counter[JobStatus]]


class Outcomes(NamedTuple):
    """How many jobs ended, and how, from `since` up to but not including `until`."""

    since: datetime
    until: datetime
    counts: Counter[JobStatus]

    @property
    def succeeded(self) -> int:
        return self.counts[JobStatus.SUCCEEDED]

    @property
    def failed(self) -> int:
        return self.counts[JobStatus.FAILED]

    @property
    def cancelled(self) -> int:
        return self.counts[JobStatus.CANCELLED]

    @property
    def decided(self) -> int:
        """Jobs that succeeded or failed: a cancelled one says nothing about either."""
        return self.succeeded + self.failed

    @property
    def success_rate(self) -> float | None:
        """Between 0 and 1; None when nothing succeeded or failed."""
        return self.succeeded / self.decided if self.decided else None


def tallies(scope: Scope, *, since: datetime) -> Tally:
    """Outcomes by the UTC hour in which jobs ended, in one query over the tallies and none over the jobs."""
    rows = OutcomeTally.objects.filter(sandbox__in=scope.ids, hour__gte=since)
    found: Tally = {}
    for hour, status, jobs in rows.values_list("hour", "status").annotate(total=Sum("jobs")).order_by():
        found.setdefault(hour, Counter())[JobStatus(status)] += jobs
    return found


def by_hour(tally: Tally, *, now: datetime) -> list[Outcomes]:
    """The last 24 UTC hours, oldest first; the last one is still running."""
    first = day_start(now)
    hours = [first + HOUR * number for number in range(HOURS)]
    return [Outcomes(hour, hour + HOUR, tally.get(hour, Counter())) for hour in hours]


def by_day(tally: Tally, *, now: datetime, zone: ZoneInfo) -> list[Outcomes]:
    """The last 30 calendar days of the zone, oldest first; today is still running.

    Tallies are UTC hours: where a zone's midnight lies inside one, the hour counts for the day it begins in.
    """
    edges = day_edges(now, zone=zone, days=DAYS)
    days: dict[datetime, Counter[JobStatus]] = {edge: Counter() for edge in edges[:-1]}
    for hour, counts in tally.items():
        day = midnight(hour, zone)
        if day in days:
            days[day].update(counts)
    return [Outcomes(since, until, days[since]) for since, until in pairwise(edges)]


def day_edges(now: datetime, *, zone: ZoneInfo, days: int) -> list[datetime]:
    """The midnights of the last `days` days of the zone in UTC, and tomorrow's; a day of 23 or 25 hours is one day."""
    today = now.astimezone(zone).date()
    dates = [today + timedelta(days=shift) for shift in range(1 - days, 2)]
    return [datetime(d.year, d.month, d.day, tzinfo=zone).astimezone(UTC) for d in dates]


def midnight(moment: datetime, zone: ZoneInfo) -> datetime:
    """The beginning, in UTC, of the zone's day that the moment lies in."""
    here = moment.astimezone(zone)
    return datetime(here.year, here.month, here.day, tzinfo=zone).astimezone(UTC)


def together(outcomes: Iterable[Outcomes]) -> Outcomes:
    """Several adjoining stretches, oldest first, as one."""
    parts = list(outcomes)
    return Outcomes(parts[0].since, parts[-1].until, sum((part.counts for part in parts), Counter()))


def day_start(now: datetime) -> datetime:
    """Where the last 24 hours begin: at a full hour, so that the last of them is the one that is running."""
    return floor_hour(now) - HOUR * (HOURS - 1)


def floor_hour(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
