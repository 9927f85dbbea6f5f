"""Requesting cancellation: who may, what is said before and after, and what is not an error."""

from __future__ import annotations

import html
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from jobs.launch.cancel import request_cancel
from jobs.models import Activity, ExportJob, Role, Sandbox, Verb
from tests import make

pytestmark = pytest.mark.django_db

WORDS = "The platform marks the job for cancelling; it stops at its next opportunity, and may still finish."


@pytest.fixture
def place() -> Sandbox:
    return make.sandbox()


@pytest.fixture
def operator(client: Client, place: Sandbox) -> Client:
    person = make.user("olga")
    make.member(person, place.connection, Role.OPERATOR)
    return make.signed_in(client, person)


def address(job: ExportJob) -> str:
    return reverse("jobs:job_cancel", args=[job.pk])


def text_of(answer: Any) -> str:
    return html.unescape(answer.content.decode())


def requests_of(job: ExportJob) -> list[Activity]:
    return list(Activity.objects.filter(job=job, verb=Verb.CANCEL_REQUESTED))


def test_the_page_says_what_the_platform_will_do_and_changes_nothing(
    operator: Client, place: Sandbox
) -> None:
    job = make.job(place)
    answer = operator.get(address(job))
    assert answer.status_code == 200
    assert WORDS in text_of(answer)
    assert 'method="post"' in text_of(answer)
    job.refresh_from_db()
    assert job.cancel_requested_at is None
    assert requests_of(job) == []


def test_dialog_and_page_use_the_same_words(operator: Client, place: Sandbox) -> None:
    assert WORDS in text_of(operator.get(reverse("jobs:job", args=[make.job(place).pk])))


def test_a_request_is_noted_with_its_reason_and_ends_on_the_job(operator: Client, place: Sandbox) -> None:
    job = make.job(place)
    answer = operator.post(address(job), {"reason": "  wrong segment "})
    assert answer.status_code == 302
    assert answer["Location"] == reverse("jobs:job", args=[job.pk])
    job.refresh_from_db()
    assert job.cancel_requested_at is not None
    assert job.status == "PROCESSING", "only watching says how a job stands"
    (row,) = requests_of(job)
    assert (row.actor_name, row.reason) == ("olga", "wrong segment")
    assert [str(message) for message in get_messages(answer.wsgi_request)] == [
        "Cancellation requested. The job stops at its next opportunity, and may still finish."
    ]


def test_a_reason_is_not_needed(operator: Client, place: Sandbox) -> None:
    job = make.job(place)
    assert operator.post(address(job)).status_code == 302
    assert len(requests_of(job)) == 1


def test_a_reason_that_is_too_long_is_refused_beside_its_field_and_kept(
    operator: Client, place: Sandbox
) -> None:
    job = make.job(place)
    answer = operator.post(address(job), {"reason": "x" * 501})
    assert answer.status_code == 422
    assert "at most 500 characters" in text_of(answer)
    assert "x" * 501 in text_of(answer)
    assert requests_of(job) == []


def test_without_a_broker_the_request_stands_all_the_same(
    operator: Client, place: Sandbox, django_capture_on_commit_callbacks: Any
) -> None:
    job = make.job(place)
    with django_capture_on_commit_callbacks(execute=True):
        assert operator.post(address(job)).status_code == 302
    job.refresh_from_db()
    assert job.cancel_requested_at is not None


def test_asking_twice_is_answered_with_when_it_was_asked(operator: Client, place: Sandbox) -> None:
    job = make.job(place)
    operator.post(address(job))
    answer = operator.post(address(job))
    assert answer.status_code == 409
    assert "There is nothing to cancel. Already requested now." in text_of(answer)
    assert len(requests_of(job)) == 1


@pytest.mark.parametrize("status", ["SUCCEEDED", "FAILED", "CANCELLED"])
def test_a_finished_job_is_a_notice_and_not_an_error(operator: Client, place: Sandbox, status: str) -> None:
    job = make.job(place, status=status)
    for answer in (operator.post(address(job)), operator.get(address(job))):
        assert answer.status_code in (200, 409)
        assert "There is nothing to cancel. The job has ended." in text_of(answer)
        assert "btn-danger" not in text_of(answer)
    job.refresh_from_db()
    assert job.cancel_requested_at is None


def test_a_job_in_a_state_nobody_knows_is_left_alone(operator: Client, place: Sandbox) -> None:
    job = make.job(place, status="HIBERNATING")
    answer = operator.post(address(job))
    assert answer.status_code == 409
    assert "The state of the job is not known." in text_of(answer)


def test_a_viewer_may_neither_ask_nor_see_the_question(client: Client, place: Sandbox) -> None:
    person = make.user("vera")
    make.member(person, place.connection, Role.VIEWER)
    make.signed_in(client, person)
    job = make.job(place)
    assert client.get(address(job)).status_code == 403
    assert client.post(address(job)).status_code == 403
    job.refresh_from_db()
    assert job.cancel_requested_at is None


def test_a_stranger_cannot_cancel_what_does_not_exist_for_them(client: Client, place: Sandbox) -> None:
    job = make.job(place)
    make.signed_in(client, make.user("stranger"))
    assert client.post(address(job)).status_code == 404
    assert requests_of(job) == []


def test_who_is_not_signed_in_changes_nothing(client: Client, place: Sandbox) -> None:
    job = make.job(place)
    assert client.post(address(job)).status_code == 302
    assert requests_of(job) == []


def test_a_request_needs_the_token_of_our_own_form(place: Sandbox) -> None:
    person = make.user("olga")
    make.member(person, place.connection, Role.OPERATOR)
    job = make.job(place)
    strict = make.signed_in(Client(enforce_csrf_checks=True), person)
    assert strict.post(address(job)).status_code == 403
    assert requests_of(job) == []


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_no_other_method_does_anything(operator: Client, place: Sandbox, method: str) -> None:
    job = make.job(place)
    assert getattr(operator, method)(address(job)).status_code == 405
    assert requests_of(job) == []


def test_someone_elses_request_is_shown_on_the_question(operator: Client, place: Sandbox) -> None:
    job = make.job(place)
    request_cancel(job, actor=make.user("cora"), now=timezone.now())
    answer = operator.get(address(job))
    assert "Already requested now." in text_of(answer)
    assert "btn-danger" not in text_of(answer)
