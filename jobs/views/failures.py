"""Failed exports grouped by what went wrong."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from jobs.monitor import failures as kinds
from jobs.monitor.failures import WINDOWS, Kind
from jobs.monitor.outcomes import day_edges
from jobs.monitor.scope import Scope
from jobs.views.page import page
from jobs.views.scope import page_zone, scope_of

RANGE_WORDS = {"24h": "24 hours", "7d": "7 days", "30d": "30 days", "all": "All time"}
SORTS = {"last": "last seen", "count": "number of jobs"}
MOST = 200
NO_ERROR_SAID = "No error given"
_TALLEST_FROM = 4  # jobs a day: below it a full bar would cry wolf


class Row(NamedTuple):
    """A kind of failure as a row; `sandboxes` are (ref, jobs), commonest first, `trend` the bars of 30 days."""

    kind: Kind
    url: str
    said: str
    sandboxes: list[tuple[str, int]]
    trend: list[Bar]
    trend_said: str


class Bar(NamedTuple):
    """A day of the small trend: its place, height from 0 to 22, and what it says."""

    x: int
    height: float
    said: str


@require_safe
def failures(request: HttpRequest) -> HttpResponse:
    """The kinds of failure in a window (`range`), by last seen or by count (`sort`)."""
    now, scope = timezone.now(), scope_of(request)
    window, sort, problems = _chosen(request)
    since = kinds.window_start(window, now=now)
    found = kinds.kinds(scope, since=since, now=now, zone=page_zone())
    if sort == "count":
        found.sort(key=lambda kind: kind.count, reverse=True)
    context = {
        "rows": [_row(kind, scope, now=now, zone=page_zone()) for kind in found[:MOST]],
        "more": max(0, len(found) - MOST),
        "jobs": sum(kind.count for kind in found),
        "kinds": len(found),
        "windows": [
            (word, list_of_kinds_url(scope, key, sort), key == window) for key, word in RANGE_WORDS.items()
        ],
        "sorts": {key: (list_of_kinds_url(scope, window, key), key == sort) for key in SORTS},
        "words": "ever" if window == "all" else f"in {RANGE_WORDS[window]}",
        "wider": list_of_kinds_url(scope, "all", sort) if window != "all" else "",
        "problems": problems,
    }
    return page(
        request,
        "jobs/failures.html",
        context,
        parts={"failure-table": "jobs/_failure_table.html"},
        status=400 if problems else 200,
    )


def _chosen(request: HttpRequest) -> tuple[str, str, list[str]]:
    """Window and order of the address; for a value there is not, the default and a sentence."""
    window, sort = request.GET.get("range") or "30d", request.GET.get("sort") or "last"
    problems = []
    if window not in WINDOWS:
        problems.append(f"There is no range “{window[:40]}”; choose {_or(WINDOWS)}. 30 days are shown.")
    if sort not in SORTS:
        problems.append(f"There is no order “{sort[:40]}”; choose {_or(SORTS)}. Last seen comes first.")
    return window if window in WINDOWS else "30d", sort if sort in SORTS else "last", problems


def _or(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} or {last}"


def list_of_kinds_url(scope: Scope, window: str = "30d", sort: str = "last") -> str:
    """The page under a window and an order; defaults are left out."""
    given = {
        "sandbox": scope.refs,
        "range": window if window != "30d" else (),
        "sort": sort if sort != "last" else (),
    }
    query = urlencode(given, doseq=True)
    return reverse("jobs:failures") + (f"?{query}" if query else "")


def _row(kind: Kind, scope: Scope, *, now: datetime, zone: ZoneInfo) -> Row:
    trend = _trend(kind, now=now, zone=zone)
    days = ", ".join(bar.said for bar in trend if bar.height)
    return Row(
        kind=kind,
        url=kind_url(kind.pk, scope),
        said=said(kind),
        sandboxes=sandboxes(kind, scope),
        trend=trend,
        trend_said=f"Failures in the last 30 days: {days or 'none'}",
    )


def said(kind: Kind) -> str:
    """The group's name: its message with holes, or that there was none."""
    return NO_ERROR_SAID if kind.pk == kinds.NO_ERROR else kind.pattern or "The error came without a message."


def kind_url(pk: int, scope: Scope, **parameters: str) -> str:
    query = urlencode({"sandbox": scope.refs, **parameters}, doseq=True)
    return reverse("jobs:failure", args=[pk]) + (f"?{query}" if query else "")


def sandboxes(kind: Kind, scope: Scope) -> list[tuple[str, int]]:
    refs = {place.pk: place.ref for place in scope.places}
    return [(refs[pk], jobs) for pk, jobs in kind.sandboxes.most_common() if pk in refs]


def _trend(kind: Kind, *, now: datetime, zone: ZoneInfo) -> list[Bar]:
    days = day_edges(now, zone=zone, days=kinds.TREND_DAYS)[:-1]
    top = max(_TALLEST_FROM, *(kind.days[day] for day in days))
    return [
        Bar(
            x=4 * place,
            height=max(2.0, round(22 * kind.days[day] / top, 1)) if kind.days[day] else 0.0,
            said=f"{kind.days[day]} on {day.astimezone(zone):%d %b}",
        )
        for place, day in enumerate(days)
    ]
