"""The tabs of the job list: one for each group of states, with how many jobs stand in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple
from zlib import crc32

from django.db.models import Count, Q

from jobs.context import Frame
from jobs.forms.job_filter import JobFilter
from jobs.monitor.overview import standing
from jobs.rules.status import TABS, JobStatus
from jobs.templatetags.jinja import thousands

COUNTED_UP_TO = 10_000


class Tab(NamedTuple):
    word: str
    query: str
    active: bool
    jobs: str


class Tabs(NamedTuple):
    """`seal` differs when a number does; `total` is None when nobody counted that far."""

    tabs: list[Tab]
    total: int | None
    seal: str


def tabs(chosen: JobFilter, frame: Frame, *, now: datetime) -> Tabs:
    """Each tab keeps the rest of the filter; exact where tallies know, else up to 10,000: one query at most."""
    exact = chosen.only_place_and_state
    counts = _tallied(chosen, frame) if exact else _counted(chosen, frame, now=now)
    total = sum(counts.values())
    capped = not exact and total > COUNTED_UP_TO
    made = [
        Tab(
            tab.word,
            chosen.url(status=[status.value for status in tab.statuses]),
            set(tab.statuses) == set(chosen.status),
            _said(sum(counts[status] for status in tab.statuses or JobStatus), capped),
        )
        for tab in TABS
    ]
    seal = f"{crc32(repr([tab.jobs for tab in made]).encode()):x}"
    return Tabs(made, None if capped else total, seal)


def _said(count: int, capped: bool) -> str:
    return f"{thousands(min(count, COUNTED_UP_TO))}+" if capped else thousands(count)


def _tallied(chosen: JobFilter, frame: Frame) -> Mapping[JobStatus, int]:
    """What the tallies of the sandboxes say."""
    places = chosen.sandboxes or tuple(frame.visible)
    return sum(standing(places).values(), Counter())


def _counted(chosen: JobFilter, frame: Frame, *, now: datetime) -> Mapping[JobStatus, int]:
    """States of the first 10,001 matches in the database's own order, grouped there: what more there is, is "+"."""
    matching = chosen.without("status").apply(frame.jobs, now=now, most=COUNTED_UP_TO + 1)
    first = matching.order_by().values("status")[: COUNTED_UP_TO + 1]
    found = first.aggregate(
        **{status.value: Count("status", filter=Q(status=status)) for status in JobStatus}
    )
    return {JobStatus(word): jobs for word, jobs in found.items()}
