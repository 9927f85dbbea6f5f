"""A job somebody looks at is asked for before all others, at the price of one write a reading."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from jobs.models import ExportJob, Sandbox
from jobs.monitor.attention import FRESH_FOR, looked_at
from jobs.monitor.claim import hand_out
from jobs.monitor.cover import planned
from tests import make

pytestmark = pytest.mark.django_db

OLD = datetime.fromisoformat("2026-01-01T00:00:00+00:00")


@pytest.fixture
def sandbox() -> Sandbox:
    return make.sandbox(next_discovery_at=timezone.now() + timedelta(hours=1))


def seen(sandbox: Sandbox, ago: timedelta = timedelta(minutes=1), **fields: Any) -> ExportJob:
    """An old running job, not due for an hour."""
    stamp = int(OLD.timestamp() * 1000)
    return make.job(sandbox, as_of=timezone.now() - ago, creationTime=stamp, updateTime=stamp, **fields)


def test_it_is_due_at_once_and_first_in_the_plan(sandbox: Sandbox) -> None:
    job = seen(sandbox)
    for _ in range(3):
        seen(sandbox)
    assert planned(sandbox).steps == ()
    assert looked_at(job)
    assert job.pk in {each.pk for each in planned(sandbox).steps[0].jobs}
    assert hand_out(timezone.now()) == [sandbox.pk]


def test_looking_again_writes_nothing_until_it_has_been_read(
    sandbox: Sandbox, django_assert_max_num_queries: Any
) -> None:
    job = seen(sandbox)
    looked_at(job)
    job.refresh_from_db()
    assert not looked_at(job)


def test_a_reading_that_is_fresh_is_good_enough(sandbox: Sandbox, django_assert_num_queries: Any) -> None:
    job = seen(sandbox, FRESH_FOR - timedelta(seconds=1))
    with django_assert_num_queries(0):
        assert not looked_at(job)


def test_a_job_that_has_ended_is_not_asked_for(sandbox: Sandbox, django_assert_num_queries: Any) -> None:
    job = seen(sandbox, status="SUCCEEDED")
    with django_assert_num_queries(0):
        assert not looked_at(job)
