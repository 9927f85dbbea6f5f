"""One filter object: what it reads, what it refuses to guess, which jobs it selects, how it pages and links."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import QueryDict
from django.utils import timezone

from jobs.forms.job_filter import JobFilter
from jobs.forms.keyset import ORDERS, Cursor
from jobs.models import ExportJob, Sandbox
from jobs.rules.status import JobStatus
from tests import make

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def ana() -> User:
    return make.user("ana")


@pytest.fixture
def prod(ana: User) -> Sandbox:
    place = make.sandbox(make.connection("acme"), "prod")
    make.member(ana, place.connection)
    return place


def ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def at(minutes_ago: int) -> dict[str, int]:
    created = ms(NOW - timedelta(minutes=minutes_ago))
    return {"creationTime": created, "updateTime": created}


def took(seconds: int) -> dict[str, Any]:
    return {"status": "SUCCEEDED", "metrics": {"totalTime": {"totalTimeInMs": seconds * 1000}}}


def read(query: str, user: User, **given: Any) -> JobFilter:
    return JobFilter.read(QueryDict(query), user=user, **given)


def found(query: str, user: User) -> list[str]:
    """Remote ids of the first page."""
    chosen = read(query, user)
    assert not chosen.errors
    return [job.remote_id for job in chosen.page(ExportJob.objects.visible_to(user), now=NOW).items]


# --- what is selected -------------------------------------------------------------------------------------------------


def test_without_parameters_all_visible_jobs_come_newest_first(ana: User, prod: Sandbox) -> None:
    make.job(prod, id=1, **at(30))
    make.job(prod, id=2, **at(10))
    make.job(make.sandbox(make.connection("other")), id=3, **at(5))
    assert found("", ana) == ["2", "1"]


def test_states_can_be_several(ana: User, prod: Sandbox) -> None:
    for number, status in enumerate(["NEW", "SUCCEEDED", "FAILED"]):
        make.job(prod, id=number, status=status, **at(number))
    assert found("status=FAILED&status=new", ana) == ["0", "2"]


def test_sandboxes_are_named_by_connection_and_name(ana: User, prod: Sandbox) -> None:
    make.job(prod, id=1)
    make.job(make.sandbox(prod.connection, "stage"), id=2)
    assert found("sandbox=acme/stage", ana) == ["2"]
    assert sorted(found("sandbox=acme/stage&sandbox=acme/prod", ana)) == ["1", "2"]


def test_a_sandbox_at_hand_costs_no_query(ana: User, prod: Sandbox, django_assert_num_queries: Any) -> None:
    at_hand = list(Sandbox.objects.select_related("connection"))
    with django_assert_num_queries(0):
        assert read("sandbox=acme/prod", ana, sandboxes=at_hand).sandboxes == (prod,)


def test_segment_and_dataset_are_ids(ana: User, prod: Sandbox) -> None:
    make.job(prod, id=1, filter={"segments": [{"segmentId": "LAPSED"}]}, destination={"datasetId": "A"})
    make.job(prod, id=2, destination={"datasetId": "LAPSED"})
    assert found("segment=LAPSED", ana) == ["1"]
    assert found("dataset=LAPSED", ana) == ["2"]
    assert found("segment=LAPS", ana) == []


def test_who_launched_is_a_name_or_me(ana: User, prod: Sandbox) -> None:
    bob = make.user("bob")
    for number, who in ((1, ana), (2, bob), (3, None)):
        job = make.job(prod, id=number)
        ExportJob.objects.filter(pk=job.pk).update(launched_by=who)
    assert found("launched_by=me", ana) == ["1"]
    assert found("launched_by=bob", ana) == ["2"]
    assert found("launched_by=nobody", ana) == []


def test_a_range_is_relative_and_replaces_since_and_until(ana: User, prod: Sandbox) -> None:
    make.job(prod, id=1, **at(30))
    make.job(prod, id=2, **at(90))
    assert found("range=1h", ana) == ["1"]
    assert found("range=24h&since=2026-11-22T11:45:00Z", ana) == ["1", "2"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("since=2026-11-22T11:00:00Z", ["1"]),
        ("until=2026-11-22T11:00:00Z", ["2"]),
        ("since=2026-11-22T11:30:00%2B01:00", ["1", "2"]),
        ("since=2026-11-22T11:30:00+01:00", ["1", "2"]),  # a plus nobody encoded
        ("since=2026-11-22T10:00:00Z&until=2026-11-22T11:00:00Z", ["2"]),
    ],
)
def test_since_and_until_are_moments_with_a_zone(
    ana: User, prod: Sandbox, query: str, expected: list[str]
) -> None:
    make.job(prod, id=1, **at(30))
    make.job(prod, id=2, **at(90))
    assert found(query, ana) == expected


def test_durations_are_the_platforms_own_and_running_jobs_have_none(ana: User, prod: Sandbox) -> None:
    make.job(prod, id=1, **at(1), **took(60))
    make.job(prod, id=2, **at(2), **took(3600))
    make.job(prod, id=3, **at(3))
    assert found("min_duration=60", ana) == ["1", "2"]
    assert found("max_duration=60", ana) == ["1"]
    assert found("min_duration=61&max_duration=3600", ana) == ["2"]


def test_conditions_are_those_the_rows_show(ana: User, prod: Sandbox) -> None:
    """What the database selects is what rules/lateness.py says of each job."""
    odd = {"status": "SUCCEEDED", "metrics": {"totalExportedProfileCounter": 0}}
    make.job(prod, id=1, **at(10))
    make.job(prod, id=2, **at(200))
    make.job(prod, id=3, **(at(100)))
    make.job(prod, id=4, **at(500), **odd)
    make.failed_job(prod, id=5, status="SUCCEEDED", **at(500))
    make.failed_job(prod, id=6, **at(500))
    for flag in ("late", "stuck", "errors", "odd_volume"):
        said = {job.remote_id for job in ExportJob.objects.all() if flag in job.flags(NOW)}
        assert set(found(f"flag={flag}", ana)) == said
        assert said


@pytest.mark.parametrize("value", ["722", "BATCH722", "DS1", "SEG1", "request-722", "compute-722"])
def test_the_search_finds_a_job_by_any_of_its_identifiers(ana: User, prod: Sandbox, value: str) -> None:
    make.job(
        prod,
        id=722,
        destination={"datasetId": "DS1", "batchId": "BATCH722"},
        requestId="request-722",
        computeGatewayJobId={"exportJob": "compute-722"},
    )
    make.job(prod, id=1, destination={"datasetId": "DS2"}, filter={"segments": [{"segmentId": "SEG2"}]})
    assert found(f"q={value}", ana) == ["722"]


def test_the_search_finds_the_text_and_the_code_of_an_error(ana: User, prod: Sandbox) -> None:
    make.failed_job(prod, id=722)
    make.job(prod, id=1)
    assert found("q=writing PROFILES", ana) == ["722"]
    assert found("q=0090000009", ana) == ["722"]
    assert found("q=no such words", ana) == []
    assert found("q=100%25", ana) == []


def test_an_identifier_wins_over_the_same_text_in_an_error(ana: User, prod: Sandbox) -> None:
    make.failed_job(prod, id=5)  # its error speaks of .../snapshot/722
    make.job(prod, id=722)
    assert found("q=722", ana) == ["722"]


def test_an_identifier_that_may_not_be_seen_does_not_hide_the_text(ana: User, prod: Sandbox) -> None:
    make.failed_job(prod, id=5)
    make.job(make.sandbox(make.connection("other")), id=722)
    assert found("q=722", ana) == ["5"]


def test_the_search_respects_the_other_filters(ana: User, prod: Sandbox) -> None:
    make.failed_job(prod, id=5, **at(10))
    make.failed_job(prod, id=6, **at(3000))
    assert found("q=writing&range=24h", ana) == ["5"]


# --- what cannot be read ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("status=DONE", "status"),
        ("sandbox=acme/nowhere", "sandbox"),
        ("sandbox=other/prod", "sandbox"),
        ("sandbox=%00", "sandbox"),
        ("segment=a%00b", "segment"),
        ("dataset=" + "x" * 301, "dataset"),
        ("range=2h", "range"),
        ("since=yesterday", "since"),
        ("since=2026-11-22T09:00:00", "since"),
        ("since=2026-02-30T09:00:00Z", "since"),
        ("since=0001-01-01T00:00:00%2B01:00", "since"),
        ("since=2026-11-22T09:00:00Z&until=2026-11-22T08:00:00Z", "until"),
        ("min_duration=-1", "min_duration"),
        ("min_duration=%D9%A3", "min_duration"),
        ("max_duration=1e9", "max_duration"),
        ("max_duration=99999999999999999999", "max_duration"),
        ("flag=gone", "flag"),
        ("sort=name", "sort"),
        ("per_page=10000", "per_page"),
        ("after=broken", "after"),
        ("before=%F0%9F%92%A5", "before"),
        ("q=" + "x" * 500, "q"),
    ],
)
def test_what_cannot_be_read_is_said_and_left_out(ana: User, prod: Sandbox, query: str, name: str) -> None:
    make.job(make.sandbox(make.connection("other"), "prod"), id=9)
    make.job(prod, id=1)
    chosen = read(query, ana)
    assert list(chosen.errors) == [name]
    assert chosen.errors[name].endswith(".")
    assert name not in chosen.parameters
    page = chosen.page(ExportJob.objects.visible_to(ana), now=timezone.now() + timedelta(seconds=1))
    assert [job.remote_id for job in page.items] == ["1"]


def test_a_sandbox_of_others_sounds_like_one_that_does_not_exist(ana: User, prod: Sandbox) -> None:
    make.sandbox(make.connection("other"), "prod")
    hidden = read("sandbox=other/prod", ana).errors["sandbox"]
    assert hidden.replace("other", "nobody") == read("sandbox=nobody/prod", ana).errors["sandbox"]


def test_a_sentence_never_repeats_a_long_value_in_full(ana: User) -> None:
    assert len(read("status=" + "X" * 299, ana).errors["status"]) < 250


def test_a_thousand_values_are_refused_in_one_sentence(ana: User, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(1):
        assert read("&".join(f"sandbox=a/{n}" for n in range(1000)), ana).errors["sandbox"]


# --- pages ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sort", list(ORDERS))
def test_every_order_pages_forth_and_back_over_ties_without_loss(ana: User, prod: Sandbox, sort: str) -> None:
    for number in range(60):
        make.job(prod, id=number, **at(number // 4), **(took(number // 7) if number % 3 else {}))
    jobs = ExportJob.objects.visible_to(ana)
    forth, query, pages = [], f"sort={sort}&per_page=25", []
    turn = query
    while True:
        page = read(turn, ana).page(jobs, now=NOW)
        pages.append([job.pk for job in page.items])
        forth += pages[-1]
        if page.next is None:
            break
        turn = f"{query}&after={page.next}"
    assert [len(one) for one in pages] == [25, 25, 10]
    assert sorted(forth) == sorted(job.pk for job in jobs)
    for expected in (pages[1], pages[0]):
        page = read(f"{query}&before={page.previous}", ana).page(jobs, now=NOW)
        assert [job.pk for job in page.items] == expected
        assert page.next
    assert page.previous is None


def test_the_first_page_has_no_previous_and_a_lone_page_no_neighbours(ana: User, prod: Sandbox) -> None:
    make.job(prod)
    page = read("", ana).page(ExportJob.objects.visible_to(ana), now=NOW)
    assert (page.previous, page.next) == (None, None)


def test_a_page_is_one_query_and_a_search_asks_the_index_once(
    ana: User, prod: Sandbox, django_assert_num_queries: Any
) -> None:
    for _ in range(30):
        make.job(prod)
    jobs = ExportJob.objects.visible_to(ana)
    for query in ("per_page=25", "sort=-duration&range=24h"):
        with django_assert_num_queries(1):
            read(query, ana).page(jobs, now=NOW)
    for query in ("q=SEG1", "q=writing"):
        chosen = read(query, ana)
        with django_assert_num_queries(3):
            chosen.page(jobs, now=NOW)
            chosen.without("status").page(jobs, now=NOW)


@pytest.mark.parametrize(
    "cursor",
    [
        str(Cursor("created", 0, 1)),  # of another order
        str(Cursor("-created", 10**30, 1)),
        str(Cursor("-created", 0, 2**63)),
        str(Cursor("-created", 0, -1)),
        str(Cursor("-created", 0, 1)) + "=",
    ],
)
def test_a_forged_cursor_is_a_sentence_and_the_first_page(ana: User, cursor: str) -> None:
    chosen = read(f"after={cursor}", ana)
    assert chosen.after is None
    assert "first page" in chosen.errors["after"]


# --- links ------------------------------------------------------------------------------------------------------------


def test_defaults_and_the_cursor_are_left_out_of_links(ana: User) -> None:
    cursor = Cursor("-created", 0, 1)
    chosen = read(f"status=FAILED&sort=-created&per_page=50&q=&after={cursor}", ana)
    assert chosen.url() == "status=FAILED"
    assert chosen.url(after=str(cursor)) == f"status=FAILED&after={cursor}"


def test_a_change_keeps_every_other_filter(ana: User, prod: Sandbox) -> None:
    query = (
        "status=NEW&status=FAILED&sandbox=acme/prod&segment=S&dataset=D&launched_by=me&since=2026-11-22T09:00:00Z"
        "&until=2026-11-22T10:00:00Z&min_duration=1&max_duration=2&flag=late&q=x%26y&sort=duration&per_page=25"
    )
    chosen = read(query, ana)
    assert QueryDict(chosen.url()) == QueryDict(query)
    changed = QueryDict(chosen.url(dataset="E", status=None))
    assert changed["dataset"] == "E"
    assert "status" not in changed
    assert changed["q"] == "x&y"
    assert read(chosen.url(), ana) == chosen


def test_the_page_size_a_person_uses_is_their_default(ana: User) -> None:
    chosen = read("", ana, usual_per_page=100)
    assert chosen.per_page == 100
    assert chosen.url() == ""
    assert chosen.url(per_page="50") == "per_page=50"


def test_chips_say_each_filter_and_lead_to_the_list_without_it(ana: User, prod: Sandbox) -> None:
    chosen = read("status=FAILED&segment=S1&range=24h&sort=created", ana)
    chips = {chip.label: chip for chip in chosen.chips({"S1": "Spring buyers"})}
    assert {label: chip.value for label, chip in chips.items()} == {
        "Status": "Failed",
        "Segment": "Spring buyers",
        "Created": "last 24 hours",
    }
    assert chips["Segment"].query == "status=FAILED&range=24h&sort=created"


def test_order_and_page_size_do_not_narrow(ana: User) -> None:
    assert read("sort=created&per_page=25", ana).is_default
    assert not read("range=24h", ana).is_default
    assert not read("status=FAILED", ana).is_default
    assert read("status=FAILED", ana).only_place_and_state
    assert not read("status=FAILED&range=1h", ana).only_place_and_state


def test_without_puts_a_part_back(ana: User) -> None:
    chosen = read("status=FAILED&q=x", ana).without("status")
    assert (chosen.status, chosen.q) == ((), "x")
    assert chosen.url() == "q=x"
    assert JobStatus.FAILED in read("status=FAILED", ana).status
