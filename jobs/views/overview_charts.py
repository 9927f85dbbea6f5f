"""How exports ended, as columns: by hour over a day, by day over a month."""

from __future__ import annotations

from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from jobs.monitor.outcomes import Outcomes
from jobs.monitor.overview import Overview
from jobs.monitor.scope import Scope
from jobs.rules.status import LOOK, TERMINAL, JobStatus
from jobs.views.listing import list_url

# From the base line up: failures stand on it, so that they can be compared by eye.
PARTS = (JobStatus.FAILED, JobStatus.CANCELLED, JobStatus.SUCCEEDED)


class Chart(NamedTuple):
    """What the macro `bars` draws; `total` tells an empty chart from a quiet day."""

    id: str
    title: str
    series: list[dict[str, Any]]
    total: int


def charts(read: Overview, scope: Scope, *, zone: ZoneInfo) -> list[Chart]:
    """Both charts, with hours and days as the clocks of the zone show them."""
    hours = [_column(one, scope, *_hour_words(one, zone)) for one in read.hours]
    days = [_column(one, scope, *_day_words(one, zone)) for one in read.days]
    return [
        Chart("ended-by-hour", "Ended per hour, 24 h", hours, _total(read.hours)),
        Chart("ended-by-day", "Ended per day, 30 d", days, _total(read.days)),
    ]


def _column(one: Outcomes, scope: Scope, label: str, title: str) -> dict[str, Any]:
    present = [status for status in PARTS if one.counts[status]]
    url = list_url(scope.refs, status=present or sorted(TERMINAL), since=one.since, until=one.until)
    values = [(LOOK[status].role, LOOK[status].word, one.counts[status]) for status in PARTS]
    return {"label": label, "title": title, "href": url, "values": values}


def _hour_words(one: Outcomes, zone: ZoneInfo) -> tuple[str, str]:
    since, until = one.since.astimezone(zone), one.until.astimezone(zone)
    return f"{since:%H:%M}", f"{since:%a} {since.day} {since:%b %H:%M}–{until:%H:%M %Z}"


def _day_words(one: Outcomes, zone: ZoneInfo) -> tuple[str, str]:
    since = one.since.astimezone(zone)
    return f"{since.day} {since:%b}", f"{since:%a} {since.day} {since:%b %Y}"


def _total(outcomes: list[Outcomes]) -> int:
    return sum(one.counts.total() for one in outcomes)
