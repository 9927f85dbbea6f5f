"""An open job list stays true: what changed comes, what did not costs next to nothing, nothing moves."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from jobs.client.records import read_job
from jobs.models import ExportJob, Sandbox
from jobs.sync import record
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana() -> User:
    return make.user("ana")


@pytest.fixture
def prod(ana: User) -> Sandbox:
    place = make.sandbox(make.connection("acme"), "prod", first_contact_done_at=timezone.now())
    make.member(ana, place.connection)
    return place


@pytest.fixture
def visitor(client: Client, ana: User) -> Client:
    return make.signed_in(client, ana)


def watching(answer: Any) -> str:
    """Where the page or fragment asks next."""
    found = re.search(r'id="jobs-live" hx-get="([^"]+)"', answer.content.decode())
    assert found
    return html.unescape(found[1])


def brought(answer: Any) -> list[str]:
    assert answer.status_code == 200
    return re.findall(r'<template><tr id="job-(\d+)"', answer.content.decode())


def end(job: ExportJob) -> None:
    raw = job.record.raw | {"status": "SUCCEEDED", "updateTime": int(timezone.now().timestamp() * 1000)}
    record(job.sandbox, [read_job(raw)], as_of=timezone.now())


def test_nothing_changed_is_204_after_one_query_of_ours(visitor: Client, prod: Sandbox) -> None:
    make.job(prod)
    address = watching(visitor.get("/jobs/"))
    with CaptureQueriesContext(database) as spent:
        assert visitor.get(address).status_code == 204
    assert len([each for each in spent if '"jobs_' in each["sql"]]) == 1


def test_a_changed_row_comes_to_its_place_and_the_others_do_not(visitor: Client, prod: Sandbox) -> None:
    job, other = make.job(prod), make.job(prod)
    address = watching(visitor.get("/jobs/"))
    end(job)
    answer = visitor.get(address)
    assert brought(answer) == [str(job.pk)]
    said = answer.content.decode()
    assert re.search(
        rf'<tr id="job-{job.pk}" class="is-succeeded" data-version="\w+" hx-swap-oob="morph"', said
    )
    assert f'id="job-{other.pk}"' not in said


def test_each_change_comes_once(visitor: Client, prod: Sandbox) -> None:
    job = make.job(prod)
    address = watching(visitor.get("/jobs/"))
    end(job)
    answer = visitor.get(address)
    assert brought(answer) == [str(job.pk)]
    assert visitor.get(watching(answer)).status_code == 204
    assert brought(visitor.get(address)) == [str(job.pk)]  # asked again because the first answer was lost


def test_a_change_that_was_read_before_the_page_but_stored_after_it_is_not_lost(
    visitor: Client, prod: Sandbox
) -> None:
    """The record is as of the moment the request was sent, which may lie half a minute back."""
    job = make.job(prod, as_of=timezone.now() - timedelta(minutes=2))
    address = watching(visitor.get("/jobs/"))
    raw = job.record.raw | {"status": "SUCCEEDED"}
    record(prod, [read_job(raw)], as_of=timezone.now() - timedelta(minutes=1))
    assert brought(visitor.get(address)) == [str(job.pk)]


def test_a_row_that_no_longer_matches_stays_with_its_new_badge(visitor: Client, prod: Sandbox) -> None:
    job = make.job(prod)
    address = watching(visitor.get("/jobs/?status=PROCESSING"))
    end(job)
    answer = visitor.get(address)
    assert brought(answer) == [str(job.pk)]
    assert "is-succeeded" in answer.content.decode()


def test_numbers_come_only_when_they_changed(visitor: Client, prod: Sandbox) -> None:
    job = make.job(prod)
    address = watching(visitor.get("/jobs/"))
    end(job)
    answer = visitor.get(address)
    assert 'id="job-tabs"' in answer.content.decode()
    job = ExportJob.objects.get()
    raw = job.record.raw | {"requestId": "another"}
    record(prod, [read_job(raw)], as_of=timezone.now())
    answer = visitor.get(watching(answer))
    assert brought(answer) == [str(job.pk)]
    assert 'id="job-tabs"' not in answer.content.decode()


def test_new_jobs_are_announced_and_not_inserted(visitor: Client, prod: Sandbox) -> None:
    old = int((timezone.now() - timedelta(hours=1)).timestamp() * 1000)
    make.job(prod, creationTime=old)
    address = watching(visitor.get("/jobs/?range=24h"))
    make.job(prod)
    make.job(prod, status="FAILED")
    answer = visitor.get(address)
    assert brought(answer) == []
    said = answer.content.decode()
    assert re.search(r'id="jobs-newer" href="/jobs/\?range=24h"[^>]*>.*2 new</a>', said, re.S)


def test_only_new_jobs_that_match_are_counted(visitor: Client, prod: Sandbox) -> None:
    address = watching(visitor.get("/jobs/?status=FAILED"))
    make.job(prod)
    assert "jobs-newer" not in visitor.get(address).content.decode()
    make.failed_job(prod)
    assert "1 new" in visitor.get(address).content.decode()


def test_older_jobs_read_later_are_not_new(visitor: Client, prod: Sandbox) -> None:
    make.job(prod)
    address = watching(visitor.get("/jobs/"))
    make.job(prod, creationTime=int((timezone.now() - timedelta(days=9)).timestamp() * 1000))
    assert "jobs-newer" not in visitor.get(address).content.decode()


@pytest.mark.parametrize("query", ["sort=-duration", "per_page=25&after=CURSOR"])
def test_another_order_or_page_announces_nothing(visitor: Client, prod: Sandbox, query: str) -> None:
    for _ in range(26):
        make.job(prod)
    cursor = re.search(r"after=([\w-]+)", visitor.get("/jobs/?per_page=25").content.decode())
    assert cursor
    address = watching(visitor.get(f"/jobs/?{query.replace('CURSOR', cursor[1])}"))
    make.job(prod)
    assert "jobs-newer" not in visitor.get(address).content.decode()


def test_a_sandbox_that_fails_and_recovers_is_told(visitor: Client, prod: Sandbox) -> None:
    make.job(prod)
    address = watching(visitor.get("/jobs/"))
    Sandbox.objects.update(failing_since=timezone.now(), last_error="The platform cannot be reached.")
    answer = visitor.get(address)
    assert "The platform cannot be reached." in answer.content.decode()
    Sandbox.objects.update(failing_since=None, last_error="")
    assert "notice" not in visitor.get(watching(answer)).content.decode()


def test_a_job_becomes_late_by_time_alone(visitor: Client, prod: Sandbox) -> None:
    created = timezone.now() - timedelta(minutes=149)
    job = make.job(prod, creationTime=int(created.timestamp() * 1000))
    address = watching(visitor.get("/jobs/"))
    ExportJob.objects.update(created_at=created - timedelta(minutes=5))
    address = re.sub(r"seen=[^&]+", "seen=earlier", address)
    answer = visitor.get(address)
    assert brought(answer) == [str(job.pk)]
    assert "late: running longer" in answer.content.decode()


def test_rows_of_others_are_never_given_out(visitor: Client, prod: Sandbox) -> None:
    hidden = make.job(make.sandbox(make.connection("other")))
    answer = visitor.get(f"/jobs/live/?rows={hidden.pk}.0&top=")
    assert brought(answer) == []
    assert "jobs-newer" not in answer.content.decode()


@pytest.mark.parametrize(
    "rows", ["", "x", "1", "-1.0", "9" * 30 + ".1", "%00", ",".join(f"{n}.0" for n in range(999))]
)
@pytest.mark.parametrize("top", ["", "broken"])
def test_nonsense_in_the_address_is_harmless(visitor: Client, prod: Sandbox, rows: str, top: str) -> None:
    assert visitor.get(f"/jobs/live/?rows={rows}&top={top}&seen=x&tabs=x&status=DONE").status_code == 200


@pytest.mark.parametrize("size", [1, 200])
def test_an_answer_takes_few_queries(visitor: Client, prod: Sandbox, size: int) -> None:
    jobs = [make.job(prod) for _ in range(size)]
    visitor.cookies["per_page"] = "200"
    address = watching(visitor.get("/jobs/"))
    for job in jobs:
        end(job)
    with CaptureQueriesContext(database) as spent:
        assert len(brought(visitor.get(address))) == size
    assert len(spent) <= 8
