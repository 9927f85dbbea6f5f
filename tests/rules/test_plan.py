"""The plan brings the news that is due with the fewest requests, and says what to expect of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.rules.plan import AGAIN_S, Moving, Plan, Shelf, plan

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def created(place: int) -> datetime:
    """When the job at this place of the list was created: place 0 is the newest, one a second."""
    return NOW - timedelta(seconds=place)


def moving(place: int, *, seen_s: float = 60, every_s: float = 60) -> Moving:
    """A job at this place, seen so long ago; due by default."""
    seen = NOW - timedelta(seconds=seen_s)
    return Moving(place, str(place), created(place), seen, seen + timedelta(seconds=every_s))


def listed(count: int) -> Shelf:
    """A list of so many jobs."""

    def times(begins: datetime, limit: int) -> Sequence[datetime]:
        first = max(0, round((NOW - begins).total_seconds())) if begins <= NOW else 0
        return [created(place) for place in range(first, min(first + limit, count))]

    return times


def planned(jobs: list[Moving], *, of: int = 1_000_000, **given: Any) -> Plan:
    asked = {"page_limit": 100, "takes_cursors": True, "budget": 1000, "per_second": 10.0, "now": NOW}
    return plan(jobs, shelf=listed(of), **(asked | given))


def shape(found: Plan) -> list[tuple[int | None, int, int]]:
    """(place a page begins at, entries, jobs it brings) of each step; a single record has no entries."""
    return [
        (step.jobs[0].pk if step.begins or not step.is_page else None, step.entries, len(step.jobs))
        for step in found.steps
    ]


def test_where_nothing_moves_nothing_is_asked() -> None:
    found = planned([])
    assert (found.steps, found.needed, found.again_s, found.stalest_s) == ((), 0, None, 0)


def test_a_lone_job_is_asked_for_by_itself() -> None:
    assert shape(planned([moving(70_000)])) == [(70_000, 0, 1)]


def test_jobs_side_by_side_come_on_one_page_that_begins_where_they_are() -> None:
    found = planned([moving(place) for place in range(70_000, 70_040)])
    assert shape(found) == [(70_000, 45, 40)]
    assert found.steps[0].begins == created(70_000)


@pytest.mark.parametrize("limit", [100, 1000])
def test_running_jobs_in_a_row_cost_as_many_requests_as_they_fill_pages(limit: int) -> None:
    """R running jobs, L to a page: R/L requests, and one more where a page's last entry is not certain."""
    found = planned([moving(place) for place in range(10_000)], page_limit=limit)
    assert 10_000 / limit <= found.needed <= 10_000 / (limit - 1) + 1


def test_jobs_far_apart_are_asked_for_one_by_one_and_clusters_by_page() -> None:
    places = [5, 6, 7, 5_000, 90_000, 90_001, 400_000]
    assert sorted(shape(planned([moving(place) for place in places]))) == [
        (5, 8, 3),
        (5_000, 0, 1),
        (90_000, 7, 2),
        (400_000, 0, 1),
    ]


def test_a_page_ends_where_going_on_does_not_pay() -> None:
    """Ten jobs side by side and one 900 entries on: a page of fifteen and a single record."""
    places = [*range(10), 910]
    found = planned([moving(place) for place in places], page_limit=1000)
    assert sorted(shape(found)) == [(0, 15, 10), (910, 0, 1)]


def test_when_the_budget_is_short_pages_take_what_single_records_would() -> None:
    jobs = [moving(place) for place in (0, 90, 1000, 1090)]
    assert len(planned(jobs, page_limit=150, budget=4).steps) == 2
    jobs = [moving(place) for place in (0, 140, 1000, 1140)]
    assert len(planned(jobs, page_limit=150, budget=4).steps) == 4
    assert len(planned(jobs, page_limit=150, budget=2).steps) == 2


def test_the_hungriest_go_first_and_the_rest_is_left_for_the_next_pass() -> None:
    young, old = moving(10, seen_s=6, every_s=3), moving(50_000, seen_s=130, every_s=120)
    found = planned([old, young], budget=1)
    assert [step.jobs[0].pk for step in found.steps] == [10]
    assert found.needed == 2


def test_a_job_somebody_looks_at_goes_before_all_others() -> None:
    looked_at = Moving(9, "9", created(900_000), NOW - MINUTE, NOW - MINUTE)
    found = planned([*[moving(place * 1000, seen_s=600) for place in range(50)], looked_at], budget=3)
    assert found.steps[0].jobs == (looked_at,)


def test_what_is_not_due_is_left_alone_and_the_plan_says_when_it_will_be() -> None:
    found = planned([moving(5, seen_s=20, every_s=60)])
    assert found.steps == ()
    assert found.again_s == pytest.approx(40)


def test_a_page_of_many_old_jobs_is_worth_reading_before_each_of_them_is() -> None:
    """Fifty jobs due every ten minutes are read every twelve seconds, with one request."""
    jobs = [moving(place, seen_s=13, every_s=600) for place in range(50)]
    assert planned(jobs).requests == 1
    earlier = [moving(place, seen_s=11, every_s=600) for place in range(50)]
    assert planned(earlier).requests == 0
    assert planned(earlier).again_s == pytest.approx(1)


def test_nothing_is_read_twice_in_a_second() -> None:
    jobs = [moving(place, seen_s=AGAIN_S / 2, every_s=3) for place in range(100)]
    assert planned(jobs).steps == ()
    assert planned(jobs).again_s == pytest.approx(AGAIN_S / 2)


def test_it_says_how_old_the_oldest_reading_will_be_at_the_rate_it_has() -> None:
    jobs = [moving(place, seen_s=30, every_s=3) for place in range(10_000)]
    found = planned(jobs, budget=20)
    assert (found.requests, found.needed) == (20, 102)
    assert found.stalest_s == pytest.approx(30 + 10.2)
    assert str(found) == "20 pages and 0 records of 102 requests needed, nothing older than 40 s then"


def test_equal_creation_times_at_the_end_of_a_page_are_not_counted_on() -> None:
    """A page may cut them apart; those are begun with on a page of their own."""
    alike = [Moving(n, str(n), NOW, NOW - MINUTE, NOW) for n in range(150)]

    def shelf(begins: datetime, limit: int) -> list[datetime]:
        return [NOW] * min(limit, 150)

    asked = {"page_limit": 100, "takes_cursors": True, "budget": 500, "per_second": 10.0, "now": NOW}
    found = plan(alike, shelf=shelf, **asked)
    assert sum(len(step.jobs) for step in found.steps) == 150


def test_a_platform_without_cursors_is_read_from_the_head_as_far_as_it_pays() -> None:
    places = [*range(0, 250, 2), 90_000]
    found = planned([moving(place) for place in places], takes_cursors=False)
    assert shape(found) == [(None, 100, 50), (None, 100, 50), (None, 100, 25), (90_000, 0, 1)]


def test_without_cursors_pages_that_save_nothing_are_not_followed() -> None:
    found = planned([moving(place) for place in (5_000, 90_000)], takes_cursors=False)
    assert sorted(shape(found)) == [(5_000, 0, 1), (90_000, 0, 1)]


def test_without_cursors_a_page_is_read_for_the_sake_of_the_one_behind_it() -> None:
    found = planned([moving(place) for place in range(150, 250)], takes_cursors=False)
    assert [step.is_page for step in found.steps] == [True, True, True]


beads = st.sets(st.integers(0, 3000), min_size=1, max_size=80)


@given(beads, st.sampled_from([5, 50, 1000]), st.booleans())
def test_every_due_job_is_read_once_and_never_with_more_requests_than_jobs(
    places: set[int], limit: int, takes_cursors: bool
) -> None:
    jobs = [moving(place) for place in places]
    found = planned(jobs, of=3001, page_limit=limit, takes_cursors=takes_cursors)
    brought = [job.pk for step in found.steps for job in step.jobs]
    assert sorted(brought) == sorted(places)
    assert found.needed <= len(places)


@given(beads, st.sampled_from([5, 50, 1000]))
def test_a_page_holds_what_it_is_read_for(places: set[int], limit: int) -> None:
    found = planned([moving(place) for place in places], of=3001, page_limit=limit)
    for step in found.steps:
        if step.is_page:
            assert step.jobs[-1].pk - step.jobs[0].pk < step.entries <= limit


@given(beads, st.integers(1, 20))
def test_no_plan_is_larger_than_its_budget(places: set[int], budget: int) -> None:
    assert planned([moving(place) for place in places], budget=budget).requests <= budget
