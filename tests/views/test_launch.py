"""The page of a launch: what each state says, what it must not claim, and how it finds its end."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from jobs.models import Launch, LaunchState, Role, Sandbox
from tests import make

pytestmark = pytest.mark.django_db

LIVE = {"HX-Request": "true", "HX-Target": "launch-state"}
PAYLOAD = {"destination": {"datasetId": "DS1"}, "schema": {"name": "_xdm.context.profile"}}
REFUSAL = {
    "sentence": "The platform refused the export: the dataset is not on the union schema.",
    "detail": "Dataset DS1 is not enabled for profile.",
    "status": 400,
    "code": "UPEXP-101-400",
    "request_id": "platform-request-1",
}


@pytest.fixture
def place() -> Sandbox:
    return make.sandbox()


@pytest.fixture
def operator(client: Client, place: Sandbox) -> Client:
    person = make.user("olga")
    make.member(person, place.connection, Role.OPERATOR)
    return make.signed_in(client, person)


def launch(place: Sandbox, state: LaunchState = LaunchState.QUEUED, **fields: Any) -> Launch:
    given = {
        "actor": make.user(f"leo{Launch.objects.count()}"),
        "key": f"key-{Launch.objects.count()}",
        "payload": PAYLOAD,
        "digest": "d",
        "request_id": f"our-request-{Launch.objects.count()}",
        "requested_at": timezone.now(),
    }
    return Launch.objects.create(sandbox=place, state=state, **(given | fields))


def address(wish: Launch) -> str:
    return reverse("jobs:launch", args=[wish.pk])


def text_of(answer: Any) -> str:
    plain = re.sub(r"<[^>]*>", " ", answer.content.decode())
    return " ".join(html.unescape(plain).split())


def test_a_queued_launch_waits_and_can_be_looked_at_without_scripts(operator: Client, place: Sandbox) -> None:
    answer = operator.get(address(launch(place)))
    said = text_of(answer)
    assert answer.status_code == 200
    assert "Waiting to be sent" in said
    assert "Sent once" not in said
    assert '<a class="btn" href="">' in answer.content.decode()
    assert '"datasetId": "DS1"' in said


def test_a_launch_no_worker_took_says_so(operator: Client, place: Sandbox) -> None:
    late = launch(place, requested_at=timezone.now() - timedelta(minutes=1))
    assert "No worker has taken it yet" in text_of(operator.get(address(late)))


def test_a_launch_being_sent(operator: Client, place: Sandbox) -> None:
    said = text_of(operator.get(address(launch(place, LaunchState.SENDING, sent_at=timezone.now()))))
    assert "On its way to the platform" in said
    assert "Accepted" not in said


def test_an_accepted_launch_leads_to_its_job(operator: Client, place: Sandbox) -> None:
    job = make.job(place)
    wish = launch(place, LaunchState.ACCEPTED, job=job, answered_at=timezone.now())
    answer = operator.get(address(wish))
    assert answer.status_code == 200
    assert f'href="/jobs/{job.pk}/"' in answer.content.decode()
    assert "hx-trigger" not in answer.content.decode().split('id="launch-state"')[1].split(">")[0]


def test_who_waits_is_taken_to_the_job(operator: Client, place: Sandbox) -> None:
    job = make.job(place)
    wish = launch(place, LaunchState.ACCEPTED, job=job)
    assert operator.get(address(wish), headers=LIVE)["HX-Redirect"] == f"/jobs/{job.pk}/"


def test_a_rejected_launch_shows_the_platforms_words_ours_and_the_way_on(
    operator: Client, place: Sandbox
) -> None:
    wish = launch(place, LaunchState.REJECTED, error=REFUSAL, sent_at=timezone.now())
    answer = operator.get(address(wish))
    said = text_of(answer)
    for words in (REFUSAL["sentence"], REFUSAL["detail"], REFUSAL["code"], "HTTP 400", "No export was made"):
        assert str(words) in said
    assert "platform-request-1" in answer.content.decode()
    assert f'href="/jobs/new/?launch={wish.pk}"' in answer.content.decode()
    assert operator.get(address(wish), headers=LIVE).status_code == 286


def test_a_launch_that_never_left_does_not_claim_that_it_was_sent(operator: Client, place: Sandbox) -> None:
    error = {"sentence": "The platform could not be reached.", "status": None}
    said = text_of(operator.get(address(launch(place, LaunchState.REJECTED, error=error))))
    assert "Could not be sent" in said
    assert "Sent once" not in said
    assert "Refused" not in said


def test_an_unknown_launch_is_honest_and_goes_on_looking(operator: Client, place: Sandbox) -> None:
    error = {"sentence": "The connection broke before the answer came."}
    wish = launch(place, LaunchState.UNKNOWN, error=error, sent_at=timezone.now())
    answer = operator.get(address(wish))
    said = text_of(answer)
    assert "The export may exist or not." in said
    assert "It is not sent again by itself" in said
    assert "The connection broke before the answer came." in said
    assert wish.request_id in answer.content.decode()
    assert "hx-trigger" in answer.content.decode()


def test_nothing_new_is_a_204_and_a_new_state_is_shown(operator: Client, place: Sandbox) -> None:
    wish = launch(place)
    version = re.search(r"\?v=([\w-]+)", operator.get(address(wish)).content.decode())
    assert version
    assert operator.get(address(wish), {"v": version[1]}, headers=LIVE).status_code == 204
    Launch.objects.filter(pk=wish.pk).update(state=LaunchState.SENDING, sent_at=timezone.now())
    answer = operator.get(address(wish), {"v": version[1]}, headers=LIVE)
    assert answer.status_code == 200
    assert answer.content.decode().lstrip().startswith('<section class="card" id="launch-state"')


def test_a_job_that_was_forgotten_since_leaves_a_page_behind(operator: Client, place: Sandbox) -> None:
    answer = operator.get(address(launch(place, LaunchState.ACCEPTED)))
    assert answer.status_code == 200
    assert "no longer stored here" in text_of(answer)


@pytest.mark.parametrize("state", list(LaunchState))
def test_hostile_text_is_text_in_every_state(operator: Client, place: Sandbox, state: LaunchState) -> None:
    bad = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    error = dict.fromkeys(("sentence", "detail", "code", "request_id"), bad) | {"status": bad}
    wish = launch(place, state, payload=PAYLOAD | {"fields": bad}, error=error)
    page = operator.get(address(wish)).content.decode()
    assert "<script>alert" not in page
    assert "<img" not in page


def test_a_viewer_may_look_and_is_offered_nothing(client: Client, place: Sandbox) -> None:
    person = make.user("vera")
    make.member(person, place.connection, Role.VIEWER)
    make.signed_in(client, person)
    wish = launch(place, LaunchState.REJECTED, error=REFUSAL)
    page = client.get(address(wish)).content.decode()
    assert "?launch=" not in page


def test_a_stranger_finds_nothing(client: Client, place: Sandbox) -> None:
    wish = launch(place)
    make.signed_in(client, make.user("stranger"))
    assert client.get(address(wish)).status_code == 404
    assert client.get(address(wish), headers=LIVE).status_code == 404


def test_who_is_not_signed_in_is_asked_to(client: Client, place: Sandbox) -> None:
    assert client.get(address(launch(place)))["Location"].startswith("/accounts/login/")


def test_the_page_costs_at_most_eight_queries(
    operator: Client, place: Sandbox, django_assert_max_num_queries: Any
) -> None:
    wish = launch(place)
    with django_assert_max_num_queries(8):
        operator.get(address(wish))
