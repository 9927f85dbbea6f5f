"""Failures by kind, and the jobs behind one: only what the person may see, all of it as text."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from jobs.models import ExportJob, FailureSignature, Sandbox
from tests import make

pytestmark = pytest.mark.django_db

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>"
THROTTLED = [{"code": "0080000018", "msg": "Request rate is large", "callStack": ""}]


@pytest.fixture
def place() -> Sandbox:
    return make.sandbox()


@pytest.fixture
def ana(client: Client, place: Sandbox) -> Client:
    person = make.user()
    make.member(person, place.connection)
    return make.signed_in(client, person)


def failed(place: Sandbox, *, ago: timedelta = timedelta(hours=1), **fields: Any) -> ExportJob:
    at = int((timezone.now() - ago).timestamp() * 1000)
    return make.failed_job(place, creationTime=at - 600_000, updateTime=at, **fields)


def text(response: Any, status: int = 200) -> str:
    assert response.status_code == status
    return str(response.content.decode())


def address(job: ExportJob) -> str:
    return f"/failures/{job.failure_id or 0}/"


@pytest.mark.parametrize("path", ["/failures/", "/failures/0/", "/failures/1/"])
def test_nobody_sees_failures_without_signing_in(client: Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 302
    assert response.url.startswith("/accounts/login/")


def test_a_kind_stands_there_with_its_code_cause_count_and_link(ana: Client, place: Sandbox) -> None:
    job = failed(place)
    failed(place)
    page = text(ana.get("/failures/"))
    assert "0090000009" in page
    assert "Error writing profiles to output path &#39;&lt;path&gt;&#39;" in page
    assert "could not be written to the platform" in page
    assert f'href="{address(job)}"' in page
    assert f'href="{address(job)}#jobs">2</a>' in page
    assert "1 kind of failure, 2 jobs" in page


def test_failures_without_an_error_are_a_group_with_a_page_of_its_own(ana: Client, place: Sandbox) -> None:
    job = failed(place, errors=[])
    assert "No error given" in text(ana.get("/failures/"))
    page = text(ana.get("/failures/0/"))
    assert f'href="/jobs/{job.pk}/"' in page
    assert "gave no error" in page


@pytest.mark.parametrize(("window", "jobs"), [("24h", 1), ("7d", 2), ("30d", 3), ("all", 4), ("", 3)])
def test_the_range_decides_what_is_counted(ana: Client, place: Sandbox, window: str, jobs: int) -> None:
    for days in (0, 3, 20, 90):
        failed(place, ago=timedelta(days=days, hours=1))
    assert f'#jobs">{jobs}</a>' in text(ana.get("/failures/", {"range": window}))


def test_the_order_is_last_seen_or_number_of_jobs(ana: Client, place: Sandbox) -> None:
    failed(place, ago=timedelta(minutes=1), errors=THROTTLED)
    for _ in range(2):
        failed(place, ago=timedelta(hours=5))

    def first(**query: str) -> str:
        return str(re.findall(r'class="code">(\d+)<', text(ana.get("/failures/", query)))[0])

    assert first() == first(sort="last") == "0080000018"
    assert first(sort="count") == "0090000009"


def test_links_leave_defaults_out_and_keep_what_was_chosen(ana: Client, place: Sandbox) -> None:
    failed(place)
    page = text(ana.get("/failures/", {"range": "7d", "sandbox": "acme/prod"}))
    assert 'href="/failures/?sandbox=acme%2Fprod"' in page
    assert 'href="/failures/?sandbox=acme%2Fprod&amp;range=7d&amp;sort=count"' in page


@pytest.mark.parametrize(
    "query", [{"range": "5y"}, {"sort": "colour"}, {"range": HOSTILE}, {"sort": HOSTILE}]
)
def test_an_unknown_value_is_named_and_the_page_stays(
    ana: Client, place: Sandbox, query: dict[str, str]
) -> None:
    failed(place)
    page = text(ana.get("/failures/", query), status=400)
    assert "There is no" in page
    assert "0090000009" in page
    assert "<script>alert" not in page


def test_no_failure_in_the_range_is_good_news(ana: Client, place: Sandbox) -> None:
    failed(place, ago=timedelta(days=40))
    page = text(ana.get("/failures/"))
    assert "No failed exports in 30 days" in page
    assert 'href="/failures/?range=all"' in page


def test_no_failure_at_all_offers_nothing_wider(ana: Client) -> None:
    page = text(ana.get("/failures/", {"range": "all"}))
    assert "No failed exports" in page
    assert "Look at all time" not in page


def test_kinds_and_counts_of_other_connections_are_not_shown(ana: Client, place: Sandbox) -> None:
    other = make.sandbox(make.connection("secret-client"))
    shared, theirs = failed(place), failed(other, errors=THROTTLED)
    failed(other)
    page = text(ana.get("/failures/"))
    assert "0080000018" not in page
    assert "secret-client" not in page
    assert f'href="{address(shared)}#jobs">1</a>' in page
    one = text(ana.get(address(shared)))
    assert "secret-client" not in one
    assert "1 job<" in one
    assert ana.get(address(theirs)).status_code == 404


def test_a_stranger_finds_no_kind_at_all(client: Client, place: Sandbox) -> None:
    job = failed(place)
    failed(place, errors=[])
    make.signed_in(client, make.user("stranger"))
    assert "0090000009" not in text(client.get("/failures/"))
    assert client.get(address(job)).status_code == 404
    assert client.get("/failures/0/").status_code == 404


def test_a_kind_that_no_job_has_any_more_does_not_exist(ana: Client) -> None:
    left = FailureSignature.objects.create(digest="d", code="1", pattern="x")
    assert ana.get(f"/failures/{left.pk}/").status_code == 404
    assert ana.get("/failures/99999999999999999999999/").status_code == 404


def test_one_kind_shows_remedy_example_places_and_jobs(ana: Client, place: Sandbox) -> None:
    jobs = [failed(place, ago=timedelta(hours=hours)) for hours in (1, 2)]
    page = text(ana.get(address(jobs[0])))
    assert "relaunch in a few minutes" in page
    assert "adl://store/snapshot/722" in page
    assert "a.b.Logger" in page
    assert all(f'href="/jobs/{job.pk}/"' in page for job in jobs)
    assert "/jobs/?status=FAILED&amp;dataset=DS1" in page
    assert "/jobs/?status=FAILED&amp;segment=SEG1" in page
    assert "/jobs/?status=FAILED&amp;q=0090000009" in page


def test_the_jobs_of_a_kind_come_in_pages(ana: Client, place: Sandbox) -> None:
    jobs = [failed(place, ago=timedelta(minutes=number)) for number in range(25)]
    first = text(ana.get(address(jobs[0])))
    older = re.search(r'href="([^"]+)#jobs" rel="next"', first)
    assert older
    second = text(ana.get(older[1].replace("&amp;", "&")))
    shown = [set(re.findall(r'<a href="/jobs/(\d+)/">', page)) for page in (first, second)]
    assert [len(one) for one in shown] == [20, 5]
    assert shown[0] | shown[1] == {str(job.pk) for job in jobs}
    assert 'rel="prev"' in second


@pytest.mark.parametrize("cursor", ["x", "../..", "9" * 500, HOSTILE])
def test_a_broken_cursor_starts_at_the_newest_and_says_so(ana: Client, place: Sandbox, cursor: str) -> None:
    job = failed(place)
    page = text(ana.get(address(job), {"after": cursor}), status=400)
    assert "is broken" in page
    assert f'href="/jobs/{job.pk}/"' in page
    assert "<script>alert" not in page


def test_hostile_text_is_shown_as_text(ana: Client, place: Sandbox) -> None:
    error = {"code": HOSTILE, "msg": HOSTILE, "callStack": HOSTILE * 9}
    job = failed(
        place,
        errors=[error],
        destination={"datasetId": HOSTILE},
        filter={"segments": [{"segmentId": HOSTILE}]},
    )
    for page in (text(ana.get("/failures/")), text(ana.get(address(job)))):
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "&lt;script&gt;alert" in page


def test_the_table_alone_answers_htmx(ana: Client, place: Sandbox) -> None:
    failed(place)
    headers = {"HX-Request": "true", "HX-Target": "failure-table"}
    page = text(ana.get("/failures/", {"range": "7d"}, headers=headers))
    assert "<html" not in page
    assert page.strip().startswith('<div class="stack" id="failure-table"')


@pytest.mark.parametrize("ref", ["acme/nowhere", "other/prod"])
def test_a_sandbox_one_may_not_see_does_not_exist(ana: Client, place: Sandbox, ref: str) -> None:
    make.sandbox(make.connection("other"))
    job = failed(place)
    assert ana.get("/failures/", {"sandbox": ref}).status_code == 404
    assert ana.get(address(job), {"sandbox": ref}).status_code == 404


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_failures_are_only_for_reading(ana: Client, method: str) -> None:
    assert getattr(ana, method)("/failures/").status_code == 405


@pytest.mark.parametrize("jobs", [1, 200])
def test_ten_queries_are_enough(
    ana: Client, place: Sandbox, jobs: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    made = [failed(place, errors=THROTTLED if n % 2 else [], ago=timedelta(hours=n)) for n in range(jobs - 1)]
    last = failed(place)
    assert len(made) == jobs - 1
    for path in ("/failures/", "/failures/?range=all&sort=count", address(last)):
        with django_assert_max_num_queries(10):
            assert ana.get(path).status_code == 200
