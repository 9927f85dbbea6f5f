"""What to ask next: the cheapest mix of list pages and single records that brings the news that is due.

The list is newest first, and a page may begin at any stored job. So the jobs that move lie on it like beads on
a string, and a page of N entries picks up all of them within N entries. Each job grows hungry: from 0 when it
was seen to 1 when its cadence says it is due. A request is worth making when the hunger of all it brings adds
up to 1. A thousand old jobs side by side are therefore read often, with one request, and a lone one rarely.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import NamedTuple

# A single record costs about as much as so many more entries on a page.
WEIGHT = 50
# Nothing is read again sooner than this, however hungry.
AGAIN_S = 1.0
# The list may hold jobs we have not met: so many more entries are asked for.
SPARE = 5
_AT_ONCE = 1000.0
# What has waited for so many rounds of everything that is worth reading goes before what is hungrier.
_ROUNDS = 1.1
_HEAD = datetime(9999, 1, 1, tzinfo=UTC)


class Moving(NamedTuple):
    """A job that may change: where it lies on the list, when it was seen and when it is due."""

    pk: int
    remote_id: str
    created_at: datetime
    seen_at: datetime
    due_at: datetime

    def hunger(self, now: datetime) -> float:
        """1 when due; a job made due before it was last seen (somebody looks at it) goes before all others."""
        every = (self.due_at - self.seen_at).total_seconds()
        return (now - self.seen_at).total_seconds() / every if every > 0 else _AT_ONCE

    @property
    def growth(self) -> float:
        """Hunger gained in a second."""
        every = (self.due_at - self.seen_at).total_seconds()
        return 1 / every if every > 0 else _AT_ONCE


class Step(NamedTuple):
    """One request: a page of `entries` that begins with the jobs created at `begins`, or one record if 0.

    A page whose `begins` is None is the head of the list, or the continuation of the page before it.
    """

    jobs: tuple[Moving, ...]
    entries: int = 0
    begins: datetime | None = None

    @property
    def is_page(self) -> bool:
        return self.entries > 0

    @property
    def hangs(self) -> bool:
        """Whether it is a page that only the page before it leads to."""
        return self.is_page and self.begins is None

    def hunger(self, now: datetime) -> float:
        return sum(job.hunger(now) for job in self.jobs)

    def age_s(self, now: datetime) -> float:
        """How old the oldest reading is that it replaces."""
        return max(((now - job.seen_at).total_seconds() for job in self.jobs), default=0.0)

    def is_worth_it(self, now: datetime) -> bool:
        hunger = self.hunger(now)
        return hunger >= _AT_ONCE or (hunger >= 1 and self.age_s(now) >= AGAIN_S)

    def again_s(self, now: datetime) -> float:
        """Seconds until it is worth it; if it is now, until it will be again."""
        growth = sum(job.growth for job in self.jobs)
        if self.is_worth_it(now):
            return max(1 / growth, AGAIN_S)
        return max((1 - self.hunger(now)) / growth, AGAIN_S - self.age_s(now))


class Plan(NamedTuple):
    """The requests of a pass, most urgent first, and what to expect of them.

    `needed` is how many it would take to read all that is worth reading now, `stalest_s` how old the oldest
    reading will have grown by then, `again_s` when there will be something to do next (None: nothing moves).
    """

    steps: tuple[Step, ...]
    needed: int
    stalest_s: float
    again_s: float | None

    @property
    def requests(self) -> int:
        return len(self.steps)

    def __str__(self) -> str:
        pages = sum(step.is_page for step in self.steps)
        return (
            f"{pages} pages and {self.requests - pages} records of {self.needed} requests needed, "
            f"nothing older than {self.stalest_s:.0f} s then"
        )


# The creation times of the stored jobs created at or before a moment, newest first, at most so many.
Shelf = Callable[[datetime, int], Sequence[datetime]]


def plan(
    moving: Iterable[Moving],
    *,
    shelf: Shelf,
    page_limit: int,
    takes_cursors: bool,
    budget: int,
    per_second: float,
    now: datetime,
) -> Plan:
    """At most `budget` requests for what is worth reading now.

    Single records are preferred where jobs lie far apart, as long as the budget holds them all; if it does not,
    every page that saves a request is taken. Without cursors pages can only be followed from the head on.
    `per_second` is what this sandbox may send, for `stalest_s`.
    """
    jobs = sorted(moving, key=lambda job: job.created_at, reverse=True)
    if takes_cursors:
        steps = list(_anywhere(jobs, shelf, page_limit, WEIGHT))
        if len(_worth_it(steps, now)) > budget:
            steps = list(_anywhere(jobs, shelf, page_limit, page_limit))
    else:
        steps = _from_the_head(jobs, shelf, page_limit, most_pages=budget)
    chosen = _in_turn(_worth_it(steps, now), per_second=per_second, now=now)
    oldest = max((step.age_s(now) for step in chosen), default=0.0)
    return Plan(
        steps=tuple(chosen[:budget]),
        needed=len(chosen),
        stalest_s=oldest + len(chosen) / per_second,
        again_s=min((step.again_s(now) for step in steps if step.jobs), default=None),
    )


def _worth_it(steps: list[Step], now: datetime) -> list[Step]:
    """Those worth making now; pages that hang on each other stay together, in front."""
    hanging = [step for step in steps if step.hangs]
    last = max((n for n, step in enumerate(hanging, start=1) if step.is_worth_it(now)), default=0)
    return hanging[:last] + [step for step in steps if not step.hangs and step.is_worth_it(now)]


def _in_turn(steps: list[Step], *, per_second: float, now: datetime) -> list[Step]:
    """The hungriest first; but when there is more than the rate allows, nobody waits much longer than a round."""
    round_s = len(steps) / per_second

    def turn(step: Step) -> tuple[bool, bool, float]:
        hunger, age_s = step.hunger(now), step.age_s(now)
        has_waited = hunger > _ROUNDS and age_s > _ROUNDS * round_s
        return hunger < _AT_ONCE, not has_waited, -age_s if has_waited else -hunger

    hanging = [step for step in steps if step.hangs]
    return hanging + sorted((step for step in steps if not step.hangs), key=turn)


def _anywhere(jobs: list[Moving], shelf: Shelf, limit: int, weight: int) -> Iterator[Step]:
    """Every job on a page or alone; a page begins at a job and ends with the last one that pays for its entries."""
    at = 0
    while at < len(jobs):
        times = shelf(jobs[at].created_at, limit)
        end = _reach(jobs, at, times, limit)
        places = _places(jobs[at:end], times)
        while at < end:
            first, rest = places[-(end - at)], places[-(end - at) :]
            count = _paying(rest, weight)
            chosen = tuple(jobs[at : at + count])
            entries = min(rest[count - 1] - first + 1 + SPARE, limit)
            yield Step(chosen, entries, chosen[0].created_at) if count > 1 else Step(chosen)
            at += count


def _reach(jobs: list[Moving], at: int, times: Sequence[datetime], limit: int) -> int:
    """Where the jobs end that a page beginning at `at` is sure to hold; its end may cut equal times apart."""
    end = at + 1
    while end < len(jobs) and (len(times) < limit or jobs[end].created_at > times[-1]):
        end += 1
    return end


def _places(jobs: list[Moving], times: Sequence[datetime]) -> list[int]:
    """How many entries of the list, counted from the first of `times`, it takes to be sure of each job."""
    ahead = [-time.timestamp() for time in times]
    return [bisect_right(ahead, -job.created_at.timestamp()) for job in jobs]


def _paying(places: Sequence[int], weight: int) -> int:
    """How many of the jobs at these places go on one page: the most that pay for its entries; 1 if none do."""
    first = places[0]
    fitting = (n for n in range(len(places), 1, -1) if places[n - 1] - first + 1 <= n * weight)
    return next(fitting, 1)


def _from_the_head(jobs: list[Moving], shelf: Shelf, limit: int, *, most_pages: int) -> list[Step]:
    """As many pages from the head on as save requests, and single records for the jobs behind them."""
    times = shelf(_HEAD, limit * most_pages)
    places = _places(jobs, times)
    held = [bisect_right(places, n * limit) for n in range(len(times) // limit + 2)]
    pages = max(range(len(held)), key=lambda n: held[n] - n)
    edges = [held[n] for n in range(pages + 1)]
    paged = [Step(tuple(jobs[a:b]), limit) for a, b in pairwise(edges)]
    return paged + [Step((job,)) for job in jobs[edges[-1] :]]
