"""How the page of a job stays true while somebody looks: nothing new, something new, and the end."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from jobs.client.records import read_job
from jobs.models import ExportJob, Role, Sandbox
from jobs.sync import record
from tests import make

LIVE = {"HX-Request": "true", "HX-Target": "job-live"}

pytestmark = pytest.mark.django_db


@pytest.fixture
def place() -> Sandbox:
    return make.sandbox()


@pytest.fixture
def operator(client: Client, place: Sandbox) -> Client:
    person = make.user("olga")
    make.member(person, place.connection, Role.OPERATOR)
    return make.signed_in(client, person)


def shown(client: Client, job: ExportJob) -> str:
    answer = client.get(reverse("jobs:job", args=[job.pk]))
    assert answer.status_code == 200
    return answer.content.decode()


def version_in(page: str) -> str:
    found = re.search(r"\?v=([0-9a-f]+-\d+)", page)
    assert found, "the living part does not ask for itself"
    return found[1]


def live(client: Client, job: ExportJob, version: str) -> Any:
    return client.get(reverse("jobs:job", args=[job.pk]), {"v": version}, headers=LIVE)


def test_nothing_new_is_a_204(operator: Client, place: Sandbox) -> None:
    job = make.job(place)
    answer = live(operator, job, version_in(shown(operator, job)))
    assert answer.status_code == 204
    assert answer.content == b""


def test_a_change_brings_the_living_part_and_the_head_beside_it(operator: Client, place: Sandbox) -> None:
    raw = make.raw(status="NEW")
    record(place, [read_job(raw)], as_of=timezone.now() - timedelta(seconds=5))
    job = place.jobs.get()
    version = version_in(shown(operator, job))
    record(place, [read_job(raw | {"status": "PROCESSING"})], as_of=timezone.now())
    answer = live(operator, job, version)
    part = answer.content.decode()
    assert answer.status_code == 200
    assert part.lstrip().startswith('<div class="stack" id="job-live" hx-get=')
    assert "<html" not in part
    for satellite in ("job-heading", "job-facts-line", "job-acts"):
        assert re.search(rf'id="{satellite}" hx-swap-oob="morph"', part)
    assert "HX-Target" in answer["Vary"]


def test_once_it_has_ended_the_part_says_stop_and_asks_no_more(operator: Client, place: Sandbox) -> None:
    raw = make.raw()
    record(place, [read_job(raw)], as_of=timezone.now() - timedelta(seconds=5))
    job = place.jobs.get()
    version = version_in(shown(operator, job))
    record(place, [read_job(raw | {"status": "SUCCEEDED"})], as_of=timezone.now())
    answer = live(operator, job, version)
    assert answer.status_code == 286
    assert "live from:body" not in answer.content.decode()
    assert "live from:body" not in shown(operator, job)


def test_elapsed_times_never_grow_old_on_a_moving_job(operator: Client, place: Sandbox) -> None:
    job = make.job(place)
    digest, _, at = version_in(shown(operator, job)).partition("-")
    assert live(operator, job, f"{digest}-{int(at) - 60}").status_code == 200


@pytest.mark.parametrize("version", ["", "-", "x", "0-0", "9" * 5000, "a-" + "9" * 400, "a-²"])
def test_a_version_that_makes_no_sense_gets_the_whole_part(
    operator: Client, place: Sandbox, version: str
) -> None:
    assert live(operator, make.job(place), version).status_code == 200


def test_a_restored_history_entry_gets_the_whole_page(operator: Client, place: Sandbox) -> None:
    job = make.job(place)
    headers = LIVE | {"HX-History-Restore-Request": "true"}
    answer = operator.get(reverse("jobs:job", args=[job.pk]), headers=headers)
    assert answer.status_code == 200
    assert b"<html" in answer.content


def test_a_stranger_gets_no_part_either(client: Client, place: Sandbox) -> None:
    job = make.job(place)
    assert live(make.signed_in(client, make.user("stranger")), job, "").status_code == 404


def test_nothing_new_costs_at_most_four_queries(
    operator: Client, place: Sandbox, django_assert_max_num_queries: Any
) -> None:
    job = make.job(place)
    version = version_in(shown(operator, job))
    with django_assert_max_num_queries(4):
        assert live(operator, job, version).status_code == 204


def test_what_is_open_stays_open_while_the_page_follows_the_job_to_its_end(
    live_server: LiveServer, page: Page, client: Client
) -> None:
    place = make.sandbox()
    person = make.user("olga")
    make.member(person, place.connection, Role.OPERATOR)
    make.signed_in(client, person)
    name = settings.SESSION_COOKIE_NAME
    page.context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])
    raw, start = make.raw(status="NEW", metrics={}), timezone.now() - timedelta(seconds=30)
    record(place, [read_job(raw)], as_of=start)
    job = place.jobs.get()

    page.goto(f"{live_server.url}/jobs/{job.pk}/")
    page.locator("#job-raw-fold > summary").click()
    page.locator("#job-request-json > summary").click()
    running = raw | {"status": "PROCESSING", "metrics": {"totalTime": {"startTimeInMs": raw["creationTime"]}}}
    record(place, [read_job(running)], as_of=start + timedelta(seconds=5))

    heading = page.locator("#job-heading")
    expect(heading).to_contain_text("Running", timeout=15_000)
    expect(page.locator("#job-history li")).to_have_count(2)
    expect(page.locator("#job-raw-fold")).to_have_attribute("open", "")
    expect(page.locator("#job-request-json")).to_have_attribute("open", "")

    record(place, [read_job(running | {"status": "SUCCEEDED"})], as_of=start + timedelta(seconds=9))
    expect(heading).to_contain_text("Succeeded", timeout=15_000)
    expect(page.locator("#job-acts")).to_contain_text("The job has ended.")
    expect(page.locator("#job-raw-fold")).to_have_attribute("open", "")
    assert page.locator("#job-live").get_attribute("hx-trigger") is None
