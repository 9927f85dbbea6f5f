"""The first page: figures that lead to their jobs, honest about how old they are, for whoever may see them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from jobs.models import Role, Sandbox
from tests import make

pytestmark = pytest.mark.django_db

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>"


@pytest.fixture
def place() -> Sandbox:
    now = timezone.now()
    return make.sandbox(
        last_ok_at=now,
        first_contact_done_at=now,
        next_discovery_at=now + timedelta(seconds=10),
        catalog_seen_at=now,
    )


@pytest.fixture
def ana(client: Client, place: Sandbox) -> Client:
    person = make.user()
    make.member(person, place.connection, Role.VIEWER)
    return make.signed_in(client, person)


def text(response: Any) -> str:
    assert response.status_code == 200
    return str(response.content.decode())


def queries(page: str) -> list[dict[str, list[str]]]:
    """The query of every link into the job list."""
    links = re.findall(r'href="(/jobs/\?[^"]*)"', page)
    return [parse_qs(urlsplit(link.replace("&amp;", "&")).query) for link in links]


def live_url(page: str) -> str:
    found = re.search(r'id="overview" hx-get="([^"]+)"', page)
    assert found
    return found[1].replace("&amp;", "&")


def htmx(client: Client, url: str) -> Any:
    return client.get(url, headers={"HX-Request": "true", "HX-Target": "overview"})


def test_nobody_sees_it_without_signing_in(client: Client, place: Sandbox) -> None:
    response = client.get("/")
    assert response.status_code == 302
    assert response.url.startswith("/accounts/login/")


def test_every_number_is_a_link_to_the_jobs_it_counts(ana: Client, place: Sandbox) -> None:
    make.job(place)
    make.failed_job(place)
    found = queries(text(ana.get("/")))
    assert {"status": ["PROCESSING"]} in found
    assert {"status": ["NEW", "QUEUED"]} in found
    assert {"flag": ["late"]} in found
    assert {"status": ["FAILED"], "range": ["24h"]} in found
    assert {"status": ["SUCCEEDED", "FAILED"], "range": ["24h"]} in found


def test_the_columns_lead_to_their_hour_and_their_day(ana: Client, place: Sandbox) -> None:
    make.failed_job(place)
    columns = [query for query in queries(text(ana.get("/"))) if "since" in query]
    assert (
        len([query for query in columns if query["status"] == ["FAILED"]]) == 4
    )  # two charts, each with its table
    assert all(query["since"][0] < query["until"][0] for query in columns)
    assert all(query["since"][0].endswith("Z") for query in columns)


def test_a_failure_stands_there_with_its_cause_and_a_running_export_with_its_time(
    ana: Client, place: Sandbox
) -> None:
    failed, running = make.failed_job(place), make.job(place)
    page = text(ana.get("/"))
    assert "Error writing profiles to output path" in page
    assert "0090000009" in page
    assert f'href="/jobs/{failed.pk}/"' in page
    assert f'href="/jobs/{running.pk}/"' in page


def test_nothing_of_another_connection_is_shown(ana: Client, place: Sandbox) -> None:
    other = make.sandbox(make.connection("secret-client", credential_error="Wrong."), name="hidden")
    failed = make.failed_job(other, errors=[{"code": "77", "msg": "Their trouble"}])
    page = text(ana.get("/"))
    assert "secret-client" not in page
    assert "Their trouble" not in page
    assert f"/jobs/{failed.pk}/" not in page
    assert "nothing ended" in page


def test_a_sandbox_narrows_the_page_and_its_links(ana: Client, place: Sandbox) -> None:
    make.sandbox(place.connection, name="dev")
    make.failed_job(place)
    page = text(ana.get("/", {"sandbox": "acme/dev"}))
    assert "No failed exports in 30 days" in page
    assert all(query["sandbox"] == ["acme/dev"] for query in queries(page))


@pytest.mark.parametrize("ref", ["acme/nowhere", "other/prod", "x" * 500, "<script>"])
def test_a_sandbox_one_may_not_see_does_not_exist(ana: Client, ref: str) -> None:
    make.sandbox(make.connection("other"))
    response = ana.get("/", {"sandbox": ref})
    assert response.status_code == 404
    assert "<script>" not in response.content.decode()


def test_an_empty_sandbox_means_all(ana: Client) -> None:
    assert ana.get("/", {"sandbox": ""}).status_code == 200


@pytest.mark.parametrize("path", ["message", "dataset", "segment", "sandbox", "error"])
def test_hostile_text_is_shown_as_text(ana: Client, place: Sandbox, path: str) -> None:
    fields: dict[str, Any] = {
        "message": {"errors": [{"code": HOSTILE, "msg": HOSTILE}]},
        "dataset": {"destination": {"datasetId": HOSTILE[:12]}},
        "segment": {"filter": {"segments": [{"segmentId": HOSTILE[:12]}]}},
    }
    make.failed_job(place, **fields.get(path, {}))
    if path == "sandbox":
        Sandbox.objects.filter(pk=place.pk).update(title=HOSTILE, last_rejects=HOSTILE, catalog_error=HOSTILE)
    if path == "error":
        Sandbox.objects.filter(pk=place.pk).update(failing_since=timezone.now(), last_error=HOSTILE)
    page = text(ana.get("/"))
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "&lt;script" in page


def test_a_sandbox_that_cannot_be_read_says_since_when_and_why(ana: Client, place: Sandbox) -> None:
    since = timezone.now() - timedelta(minutes=14)
    Sandbox.objects.filter(pk=place.pk).update(
        failing_since=since, last_ok_at=since, last_error="The platform does not answer."
    )
    page = text(ana.get("/"))
    assert "acme/prod cannot be read since" in page
    assert "The platform does not answer." in page
    assert "Cannot be read" in page
    assert "Up to date" not in page


def test_a_watcher_that_is_behind_is_told_before_the_figures(ana: Client, place: Sandbox) -> None:
    Sandbox.objects.filter(pk=place.pk).update(next_discovery_at=timezone.now() - timedelta(minutes=9))
    page = text(ana.get("/"))
    assert page.index("Is the worker running?") < page.index("Running now")
    assert "Up to date" not in page


def test_when_all_is_well_nothing_alarms(ana: Client, place: Sandbox) -> None:
    page = text(ana.get("/"))
    assert "Up to date" in page
    assert "is-alarming" not in page
    assert "Is the worker running?" not in page


def test_a_refused_credential_is_told_once_however_many_sandboxes_it_has(ana: Client, place: Sandbox) -> None:
    make.sandbox(
        place.connection, name="dev", failing_since=timezone.now(), last_error="The secret is wrong."
    )
    place.connection.credential_error = "The secret is wrong."
    place.connection.save()
    page = text(ana.get("/"))
    assert page.count("The credential of acme is refused.") == 1
    assert "acme/dev cannot be read since" not in page


def test_the_first_reading_shows_how_far_it_has_come(ana: Client, place: Sandbox) -> None:
    Sandbox.objects.filter(pk=place.pk).update(first_contact_done_at=None, first_contact_jobs=1200)
    page = text(ana.get("/"))
    assert "Reading history" in page
    assert "1\N{NARROW NO-BREAK SPACE}200 jobs read so far" in page


def test_the_live_region_answers_nothing_while_nothing_is_new(ana: Client, place: Sandbox) -> None:
    url = live_url(text(ana.get("/")))
    assert htmx(ana, url).status_code in (204, 200)  # 200 only if the minute has just changed
    url = live_url(text(htmx(ana, url))) if htmx(ana, url).status_code == 200 else url
    make.job(place)
    response = htmx(ana, url)
    assert response.status_code == 200
    assert "<html" not in response.content.decode()
    assert response.content.decode().strip().startswith('<div class="stack" id="overview"')


def test_the_live_region_stays_narrowed(ana: Client, place: Sandbox) -> None:
    assert "sandbox=acme%2Fprod" in live_url(text(ana.get("/", {"sandbox": "acme/prod"})))


def test_the_address_of_the_live_region_is_a_page_for_a_person(ana: Client) -> None:
    assert "<html" in text(ana.get(live_url(text(ana.get("/")))))


def test_a_first_superuser_is_led_to_a_connection(client: Client) -> None:
    page = text(make.signed_in(client, make.superuser()).get("/"))
    assert "Add a connection" in page
    assert 'href="/connections/new/"' in page
    assert "Running now" not in page


def test_a_person_without_a_role_is_told_whom_to_ask(client: Client, place: Sandbox) -> None:
    make.superuser("root")
    make.failed_job(place)
    page = text(make.signed_in(client, make.user("stranger")).get("/"))
    assert "Ask root for one." in page
    assert "acme" not in page
    assert "/connections/new/" not in page


def test_a_connection_without_sandboxes_asks_for_some(client: Client) -> None:
    connection = make.connection()
    person = make.user()
    make.member(person, connection)
    assert "No sandbox yet" in text(make.signed_in(client, person).get("/"))


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_it_is_only_for_reading(ana: Client, method: str) -> None:
    assert getattr(ana, method)("/").status_code == 405


@pytest.mark.parametrize("jobs", [1, 200])
def test_twelve_queries_are_enough(
    ana: Client, place: Sandbox, jobs: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(jobs):
        make.failed_job(place) if number % 2 else make.job(place)
    with django_assert_max_num_queries(12):
        ana.get("/")


def test_the_unchanged_live_region_costs_three_queries(
    ana: Client, place: Sandbox, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    url = live_url(text(ana.get("/")))
    with django_assert_max_num_queries(3 if htmx(ana, url).status_code == 204 else 12):
        htmx(ana, url)
