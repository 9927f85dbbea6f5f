"""A launch is written before it is sent, sent at most once, and always ends in a state that is true."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from jobs.launch.submit import launch, send
from jobs.models import Activity, Launch, LaunchState, Sandbox, Sealed, Verb
from jobs.monitor.sweep import sweep
from tests import make
from tests.remote import EXPORT_JOBS, Remote

pytestmark = pytest.mark.django_db


@pytest.fixture
def sandbox(remote: Remote) -> Sandbox:
    return make.connected(remote)


def payload(remote: Remote) -> dict[str, Any]:
    return {
        "destination": {"datasetId": remote.credentials["dataset_id"]},
        "schema": {"name": "_xdm.context.profile"},
    }


def asked(remote: Remote, sandbox: Sandbox, key: str = "") -> Launch:
    return launch(sandbox, payload(remote), actor=make.user(), key=key, now=timezone.now())


def creates(remote: Remote) -> list[dict[str, Any]]:
    return remote.requests(EXPORT_JOBS, method="POST")


def verbs(wish: Launch) -> list[str]:
    return list(Activity.objects.filter(launch=wish).order_by("id").values_list("verb", flat=True))


def test_nothing_is_sent_when_it_is_asked_for(remote: Remote, sandbox: Sandbox) -> None:
    wish = asked(remote, sandbox)
    assert wish.state == LaunchState.QUEUED
    assert creates(remote) == []


def test_an_accepted_launch_has_its_job_launcher_and_audit_rows(remote: Remote, sandbox: Sandbox) -> None:
    wish = asked(remote, sandbox)
    send(wish.pk)
    wish.refresh_from_db()
    assert wish.state == LaunchState.ACCEPTED
    assert wish.job is not None and wish.job.launched_by == wish.actor
    assert verbs(wish) == [Verb.LAUNCH_REQUESTED, Verb.LAUNCH_ACCEPTED]
    (sent,) = creates(remote)
    assert (sent["json"], sent["request_id"]) == (payload(remote), wish.request_id)


def test_a_task_that_is_delivered_twice_sends_once(remote: Remote, sandbox: Sandbox) -> None:
    wish = asked(remote, sandbox)
    assert send(wish.pk) is not None
    assert send(wish.pk) is None
    assert len(creates(remote)) == 1


def test_the_same_key_twice_is_one_launch(remote: Remote, sandbox: Sandbox) -> None:
    ana = make.user()
    first, second = (
        launch(sandbox, payload(remote), actor=ana, key="k", now=timezone.now()) for _ in range(2)
    )
    assert first == second
    assert Launch.objects.count() == 1
    assert Activity.objects.filter(verb=Verb.LAUNCH_REQUESTED).count() == 1


def test_a_refusal_is_kept_in_the_platforms_own_words(remote: Remote, sandbox: Sandbox) -> None:
    words = "The segment is not ready"
    refusal = {"requestId": "R", "errors": {"400": [{"code": "400", "message": words}]}}
    remote.fault({"reply": {"status": 400, "json": refusal}}, method="POST", path=EXPORT_JOBS)
    wish = asked(remote, sandbox)
    send(wish.pk)
    wish.refresh_from_db()
    assert (wish.state, wish.job) == (LaunchState.REJECTED, None)
    assert words in wish.error["detail"] and wish.error["request_id"] == "R"


@pytest.mark.parametrize(
    ("deed", "state", "made"),
    [
        ({"reset": "after"}, LaunchState.UNKNOWN, 1),
        ({"reset": "before"}, LaunchState.UNKNOWN, 0),
        ({"reply": {"status": 502, "text": "<html>bad gateway</html>"}}, LaunchState.UNKNOWN, 0),
        ({"reply": {"status": 200, "text": '{"id": 1', "after": True}}, LaunchState.UNKNOWN, 1),
        (
            {"reply": {"status": 429, "json": {"error_code": "429050", "message": "Too many"}}},
            LaunchState.REJECTED,
            0,
        ),
    ],
)
def test_a_create_is_sent_once_whatever_comes_back(
    remote: Remote, sandbox: Sandbox, deed: dict, state: LaunchState, made: int
) -> None:
    remote.fault(deed, method="POST", path=EXPORT_JOBS)
    wish = asked(remote, sandbox)
    send(wish.pk)
    wish.refresh_from_db()
    assert wish.state == state
    assert len(creates(remote)) <= 1
    assert sweep(sandbox).recorded.new == made


def test_a_platform_that_cannot_be_reached_has_not_got_the_launch(remote: Remote, sandbox: Sandbox) -> None:
    wish = asked(remote, sandbox)
    remote.stop()
    send(wish.pk)
    wish.refresh_from_db()
    assert wish.state == LaunchState.REJECTED


def test_a_secret_that_cannot_be_read_rejects_the_launch_with_a_sentence(
    remote: Remote, sandbox: Sandbox
) -> None:
    sandbox.connection.client_secret = Sealed("gAAAAnonsense")
    sandbox.connection.save()
    wish = asked(remote, sandbox)
    send(wish.pk)
    wish.refresh_from_db()
    assert wish.state == LaunchState.REJECTED
    assert "enter it again" in wish.error["sentence"]


@pytest.mark.django_db(transaction=True)
def test_workers_that_race_for_a_launch_send_it_once(remote: Remote, sandbox: Sandbox) -> None:
    wish = asked(remote, sandbox)

    def work() -> None:
        try:
            send(wish.pk)
        finally:
            connection.close()

    racers = [threading.Thread(target=work) for _ in range(6)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert len(creates(remote)) == 1
