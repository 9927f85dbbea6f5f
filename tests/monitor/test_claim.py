"""Due work is claimed by a conditional update: by one worker, for the length of a lease."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from jobs.models import ExportJob, Sandbox
from jobs.monitor.claim import claim_catalogs, claim_discoveries, claim_jobs
from jobs.rules.cadence import LEASE
from tests import make

pytestmark = pytest.mark.django_db


def test_a_due_sandbox_is_claimed_once_and_is_due_again_after_the_lease() -> None:
    now = timezone.now()
    sandbox = make.sandbox(next_discovery_at=now)
    assert claim_discoveries(now) == [sandbox.pk]
    assert claim_discoveries(now) == []
    assert claim_discoveries(now + LEASE) == [sandbox.pk]


def test_a_sandbox_that_is_not_watched_or_not_due_is_left_alone() -> None:
    now = timezone.now()
    place = make.connection()
    make.sandbox(place, "off", next_discovery_at=now, is_watched=False)
    make.sandbox(place, "later", next_discovery_at=now + timedelta(seconds=1))
    make.sandbox(place, "never", next_discovery_at=None)
    assert claim_discoveries(now) == []


def test_a_lost_race_claims_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two workers read the same due row; the second one's update counts no row."""
    now = timezone.now()
    sandbox = make.sandbox(next_discovery_at=now)
    due = Sandbox.objects.due(now)
    read = list(due.values_list("pk", "next_discovery_at"))
    Sandbox.objects.filter(pk=sandbox.pk).update(next_discovery_at=now + LEASE)
    assert read == [(sandbox.pk, now)]
    assert Sandbox.objects.filter(pk=sandbox.pk, next_discovery_at=read[0][1]).update(version=9) == 0


def test_due_jobs_are_claimed_by_sandbox() -> None:
    place = make.sandbox()
    job = make.job(place)
    later = timezone.now() + timedelta(minutes=1)
    assert claim_jobs(later) == {place.pk: [job.pk]}
    assert claim_jobs(later) == {}


def test_jobs_of_a_sandbox_that_cannot_be_read_wait() -> None:
    place = make.sandbox()
    make.job(place)
    Sandbox.objects.filter(pk=place.pk).update(failing_since=timezone.now())
    assert claim_jobs(timezone.now() + timedelta(minutes=1)) == {}


def test_finished_jobs_are_never_claimed() -> None:
    make.job(make.sandbox(), status="SUCCEEDED")
    assert claim_jobs(timezone.now() + timedelta(days=365)) == {}


def test_claims_can_be_kept_to_one_sandbox() -> None:
    one = make.sandbox()
    other = make.sandbox(one.connection, "dev")
    make.job(one)
    job = make.job(other)
    assert claim_jobs(timezone.now() + timedelta(minutes=1), sandbox=other) == {other.pk: [job.pk]}
    assert ExportJob.objects.due(timezone.now() + timedelta(minutes=1)).count() == 1


def test_names_are_looked_up_when_due_unless_the_sandbox_cannot_be_read() -> None:
    now = timezone.now()
    place = make.connection()
    good = make.sandbox(place, "good", next_catalog_at=now)
    make.sandbox(place, "bad", next_catalog_at=now, failing_since=now)
    assert claim_catalogs(now) == [good.pk]
    assert claim_catalogs(now) == []
