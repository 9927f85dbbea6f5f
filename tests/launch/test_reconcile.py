"""A launch without an answer finds its job again, or stays unknown; it is never sent a second time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from jobs.launch.reconcile import WORKER_LOST_AFTER, reconcile, unsent
from jobs.launch.submit import launch, send
from jobs.models import Launch, LaunchState, Sandbox
from jobs.monitor.sweep import sweep
from tests import make
from tests.remote import EXPORT_JOBS, Remote

pytestmark = pytest.mark.django_db


@pytest.fixture
def sandbox(remote: Remote) -> Sandbox:
    return make.connected(remote)


@pytest.fixture
def wish(remote: Remote, sandbox: Sandbox) -> Launch:
    payload = {
        "destination": {"datasetId": remote.credentials["dataset_id"]},
        "schema": {"name": "_xdm.context.profile"},
    }
    return launch(sandbox, payload, actor=make.user(), now=timezone.now())


def state(wish: Launch) -> str:
    return Launch.objects.get(pk=wish.pk).state


def test_the_job_of_a_lost_reply_is_found_by_its_request_id(
    remote: Remote, sandbox: Sandbox, wish: Launch
) -> None:
    remote.fault({"reset": "after"}, method="POST", path=EXPORT_JOBS)
    send(wish.pk)
    assert (state(wish), reconcile()) == (LaunchState.UNKNOWN, 0)
    sweep(sandbox)
    assert reconcile() == 1
    found = Launch.objects.get(pk=wish.pk)
    assert found.state == LaunchState.ACCEPTED
    assert found.job == sandbox.jobs.get() and sandbox.jobs.get().launched_by == wish.actor
    assert len(remote.requests(EXPORT_JOBS, method="POST")) == 1


def test_a_request_that_never_arrived_stays_unknown(remote: Remote, sandbox: Sandbox, wish: Launch) -> None:
    remote.fault({"reset": "before"}, method="POST", path=EXPORT_JOBS)
    send(wish.pk)
    sweep(sandbox)
    assert reconcile() == 0
    assert state(wish) == LaunchState.UNKNOWN


def test_a_worker_that_died_while_sending_leaves_the_launch_unknown(remote: Remote, wish: Launch) -> None:
    long_ago = timezone.now() - WORKER_LOST_AFTER - timedelta(seconds=1)
    Launch.objects.filter(pk=wish.pk).update(state=LaunchState.SENDING, sent_at=long_ago)
    reconcile()
    assert state(wish) == LaunchState.UNKNOWN
    assert send(wish.pk) is None
    assert remote.requests(EXPORT_JOBS, method="POST") == []


def test_a_launch_that_is_being_sent_is_left_alone(wish: Launch) -> None:
    Launch.objects.filter(pk=wish.pk).update(state=LaunchState.SENDING, sent_at=timezone.now())
    reconcile()
    assert state(wish) == LaunchState.SENDING


def test_a_launch_whose_message_was_lost_is_handed_over_again(wish: Launch) -> None:
    assert unsent() == []
    Launch.objects.filter(pk=wish.pk).update(requested_at=timezone.now() - timedelta(minutes=1))
    assert unsent() == [wish.pk]
