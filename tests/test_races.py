"""However many workers see the same change at once, it is recorded once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from jobs.client.records import read_job
from jobs.models import ExportJob, JobSnapshot, JobTally, Sandbox
from jobs.monitor.claim import begin, hand_out
from jobs.sync import Recorded, record
from tests import make

pytestmark = pytest.mark.django_db(transaction=True)

WORKERS = 6


def at_once(work: Any, *given: Any) -> list[Any]:
    """What the work gives in each of so many threads, each with a database connection of its own."""

    def alone(_: int) -> Any:
        try:
            return work(*given)
        finally:
            connection.close()

    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(alone, range(WORKERS)))


def stored(sandbox: Sandbox, raws: list[dict[str, Any]], as_of: datetime) -> Recorded:
    return record(sandbox, [read_job(raw) for raw in raws], as_of=as_of)


def test_a_change_seen_by_all_workers_is_one_snapshot() -> None:
    sandbox, now = make.sandbox(), timezone.now()
    before = [make.raw() for _ in range(5)]
    after = [raw | {"status": "SUCCEEDED", "updateTime": raw["updateTime"] + 1} for raw in before]
    stored(sandbox, before, now)
    found = at_once(stored, sandbox, after, now + timedelta(seconds=1))
    assert sum(each.changed for each in found) == 5
    assert JobSnapshot.objects.count() == 10
    assert sum(JobTally.objects.values_list("jobs", flat=True)) == 5


def test_new_jobs_met_by_all_workers_are_stored_once() -> None:
    sandbox = make.sandbox()
    found = at_once(stored, sandbox, [make.raw() for _ in range(5)], timezone.now())
    assert sum(each.new for each in found) == 5
    assert ExportJob.objects.count() == JobSnapshot.objects.count() == 5


def test_of_all_ticks_one_hands_a_sandbox_out_and_of_all_workers_one_begins_it() -> None:
    now = timezone.now()
    sandbox = make.sandbox(next_discovery_at=now)
    assert sorted(at_once(hand_out, now)) == [[]] * (WORKERS - 1) + [[sandbox.pk]]
    assert sum(mine is not None for mine in at_once(begin, sandbox.pk, now)) == 1


def test_what_moves_is_found_by_the_index_of_what_moves() -> None:
    """Among a million ended jobs the ten that run are found without reading the others."""
    sandbox = make.sandbox()
    plans = [sandbox.jobs.moving(), ExportJob.objects.due(timezone.now())]
    if connection.vendor == "sqlite":
        assert "job_moving" in plans[0].order_by().explain()
        assert "job_due" in plans[1].order_by().explain()
