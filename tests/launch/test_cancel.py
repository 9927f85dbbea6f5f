"""Cancelling is asked for, acknowledged, and then seen to happen or not: three moments, each recorded."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from jobs.launch.cancel import request_cancel, send_cancel, unsent
from jobs.models import Activity, ExportJob, Sandbox, Verb
from jobs.monitor.sweep import sweep
from tests import make
from tests.remote import EXPORT_JOBS, Remote

pytestmark = pytest.mark.django_db


@pytest.fixture
def sandbox(remote: Remote) -> Sandbox:
    return make.connected(remote)


@pytest.fixture
def job(remote: Remote, sandbox: Sandbox) -> ExportJob:
    session = remote.session()
    body = {
        "destination": {"datasetId": remote.credentials["dataset_id"]},
        "schema": {"name": "_xdm.context.profile"},
    }
    made = session.post(remote.url + EXPORT_JOBS, json=body, timeout=10).json()
    sweep(sandbox)
    return sandbox.jobs.get(remote_id=str(made["id"]))


def verbs(job: ExportJob) -> list[str]:
    return list(Activity.objects.filter(job=job).order_by("id").values_list("verb", flat=True))


def test_a_request_is_noted_with_who_and_why_before_anything_is_sent(remote: Remote, job: ExportJob) -> None:
    assert request_cancel(job, actor=make.user("ana"), reason="wrong segment", now=timezone.now())
    row = Activity.objects.get(verb=Verb.CANCEL_REQUESTED)
    assert (row.actor_name, row.reason) == ("ana", "wrong segment")
    assert remote.requests(EXPORT_JOBS, method="DELETE") == []


def test_a_second_request_changes_nothing(job: ExportJob) -> None:
    ana = make.user()
    assert request_cancel(job, actor=ana, now=timezone.now())
    assert not request_cancel(job, actor=ana, now=timezone.now())
    assert verbs(job) == [Verb.CANCEL_REQUESTED]


def test_a_finished_job_cannot_be_cancelled(sandbox: Sandbox) -> None:
    ended = make.job(sandbox, status="SUCCEEDED")
    assert not request_cancel(ended, actor=make.user(), now=timezone.now())


def test_acknowledgement_does_not_mean_that_it_stopped(
    remote: Remote, sandbox: Sandbox, job: ExportJob
) -> None:
    request_cancel(job, actor=make.user(), now=timezone.now())
    send_cancel(job.pk)
    job.refresh_from_db()
    assert job.cancel_acknowledged_at is not None and job.is_active
    assert verbs(job) == [Verb.CANCEL_REQUESTED, Verb.CANCEL_ACKNOWLEDGED]
    remote.advance(3600)
    sweep(sandbox)
    job.refresh_from_db()
    assert job.status == "CANCELLED"


def test_a_refused_cancellation_says_why_and_may_be_asked_again(remote: Remote, job: ExportJob) -> None:
    refusal = {"reply": {"status": 403, "json": {"title": "Not for you", "status": 403}}}
    remote.fault(refusal, method="DELETE", path=EXPORT_JOBS)
    request_cancel(job, actor=make.user(), now=timezone.now())
    send_cancel(job.pk)
    job.refresh_from_db()
    assert job.cancel_requested_at is None and "Not for you" in job.cancel_error
    assert request_cancel(job, actor=None, now=timezone.now())


def test_a_job_the_platform_does_not_know_any_more_counts_as_cancelled(
    remote: Remote, job: ExportJob
) -> None:
    remote.vanish(job.remote_id)
    request_cancel(job, actor=make.user(), now=timezone.now())
    send_cancel(job.pk)
    job.refresh_from_db()
    assert (job.status, job.gone_at is not None) == ("CANCELLED", True)


def test_a_request_whose_message_was_lost_is_handed_over_again(job: ExportJob) -> None:
    request_cancel(job, actor=make.user(), now=timezone.now() - timedelta(minutes=5))
    assert unsent() == [job.pk]
    send_cancel(job.pk)
    assert unsent() == []
