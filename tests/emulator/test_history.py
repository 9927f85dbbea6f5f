"""What a newcomer meets at the first start: a month of believable jobs, some of them under way."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from tests.remote import EXPORT_JOBS, Remote

StartRemote = Callable[..., Remote]
DAY_MS = 86_400_000


def jobs_of(remote: Remote, sandbox: str) -> list[dict[str, Any]]:
    reply = remote.session(sandbox).get(remote.url + EXPORT_JOBS, params={"limit": 1000}, timeout=10)
    return reply.json()["records"]


@pytest.fixture
def history(start_remote: StartRemote) -> list[dict[str, Any]]:
    remote = start_remote("--jobs", "400", "--arrivals", "0")
    return jobs_of(remote, "prod") + jobs_of(remote, "dev")


def test_a_month_in_both_sandboxes_and_more_in_production(start_remote: StartRemote) -> None:
    begun = time.monotonic()
    remote = start_remote("--jobs", "400", "--arrivals", "0")
    assert time.monotonic() - begun < 10
    prod, dev = jobs_of(remote, "prod"), jobs_of(remote, "dev")
    assert len(prod) + len(dev) == 400
    assert len(prod) > len(dev) > 30
    oldest = min(job["creationTime"] for job in prod + dev)
    assert 25 * DAY_MS < remote.now_ms() - oldest < 31 * DAY_MS
    assert max(job["updateTime"] for job in prod + dev) <= remote.now_ms(), "nothing lies in the future"
    assert len({job["id"] for job in prod + dev}) == 400


def test_most_succeeded_some_failed_and_some_are_under_way(history: list[dict[str, Any]]) -> None:
    by_status = Counter(job["status"] for job in history)
    assert 20 <= by_status["FAILED"] <= 60
    assert by_status["NEW"] + by_status["PROCESSING"] >= 2
    codes = {job["errors"][0]["code"] for job in history if job["status"] == "FAILED"}
    assert codes == {"0100000003", "0090000009", "unknown", "0080000018"}


def test_the_rare_cases_are_there(history: list[dict[str, Any]]) -> None:
    now_ms = time.time() * 1000
    stuck = [j for j in history if j["status"] == "PROCESSING" and j["creationTime"] < now_ms - 4 * 3_600_000]
    assert len(stuck) == 1
    succeeded = [job for job in history if job["status"] == "SUCCEEDED"]
    assert sum("errors" in job for job in succeeded) == 1
    assert sum(job["metrics"]["totalExportedProfileCounter"] == 0 for job in succeeded) == 1
    destinations = [job["destination"] for job in history]
    assert any("dataSetId" in destination for destination in destinations)
    assert any("segmentPerBatch" not in destination for destination in destinations)
    statuses = [batch["status"] for d in destinations for batch in d.get("batches", [])]
    assert {type(status) for status in statuses} == {str, list}
    assert any("fields" not in job and "filter" not in job for job in history)
    assert any(job["destination"].get("batchId") == "" for job in history if job["status"] == "FAILED")


def test_working_hours_are_busier(history: list[dict[str, Any]]) -> None:
    hours = Counter(time.gmtime(job["creationTime"] / 1000).tm_hour for job in history)
    working = sum(hours[hour] for hour in range(7, 18))
    assert working > 0.7 * len(history)


def test_a_stuck_job_stays_stuck_while_the_others_finish(start_remote: StartRemote) -> None:
    remote = start_remote("--jobs", "40", "--arrivals", "0")
    remote.advance(7200)
    left = [job for job in jobs_of(remote, "prod") + jobs_of(remote, "dev") if job["status"] == "PROCESSING"]
    assert len(left) == 1


def test_without_jobs_there_are_none(start_remote: StartRemote) -> None:
    remote = start_remote("--jobs", "0", "--arrivals", "0")
    remote.advance(7200)
    assert jobs_of(remote, "prod") == jobs_of(remote, "dev") == []


def test_somebody_else_launches_jobs_while_time_passes(start_remote: StartRemote) -> None:
    remote = start_remote("--jobs", "0", "--arrivals", "30", "--speed", "1")
    before = remote.now_ms()
    assert len(jobs_of(remote, "prod")) <= 1, "one every two minutes"
    remote.advance(3600)
    first = jobs_of(remote, "prod") + jobs_of(remote, "dev")
    assert 10 < len(first) < 60
    assert all(before <= job["creationTime"] <= remote.now_ms() for job in first)
    assert len({job["creationTime"] for job in first}) > 5, "they came one after the other"
    assert len(jobs_of(remote, "prod") + jobs_of(remote, "dev")) == len(first), "reading makes none"
    remote.stop()
    remote.start()
    assert len(jobs_of(remote, "prod") + jobs_of(remote, "dev")) == len(first), "nor does a restart"
