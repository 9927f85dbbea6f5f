"""Exports while they run: how many at once, stopped, cut short by a kill, failing for a cause one can find."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.emulator.reckoning import table
from tests.remote import EXPORT_JOBS, Remote

BATCHES = "/data/foundation/catalog/batches"
StartRemote = Callable[..., Remote]
TERMINAL = {"SUCCEEDED", "FAILED", "CANCELLED"}


class Running:
    """The export jobs of one emulator."""

    def __init__(self, remote: Remote) -> None:
        self.remote, self.session = remote, remote.session()
        self.url = remote.url + EXPORT_JOBS

    def create(self, **more: Any) -> dict[str, Any]:
        target = {"datasetId": self.remote.credentials["dataset_id"]}
        asked = {"destination": target, "schema": {"name": "_xdm.context.profile"}} | more
        reply = self.session.post(self.url, json=asked, timeout=30)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def get(self, job: dict[str, Any]) -> dict[str, Any]:
        return self.session.get(f"{self.url}/{job['id']}", timeout=30).json()

    def batch(self, job: dict[str, Any]) -> dict[str, Any]:
        batch_id = job["destination"]["batchId"]
        return self.session.get(f"{self.remote.url}{BATCHES}/{batch_id}", timeout=30).json()[batch_id]

    def until(self, job: dict[str, Any], *states: str, seconds: float = 30) -> dict[str, Any]:
        """By real time; the record when it has one of these states."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            shown = self.get(job)
            if shown["status"] in states:
                return shown
            time.sleep(0.03)
        raise AssertionError(f"never {states}: {shown}")

    def end(self, job: dict[str, Any]) -> dict[str, Any]:
        self.remote.advance(3600)
        return self.get(job)

    def files(self) -> list[str]:
        """Everything that lies in the lake, published or not."""
        lake = self.remote.data_dir / "lake"
        return sorted(str(path.relative_to(lake)) for path in lake.rglob("*.parquet"))


def test_by_default_two_run_at_once_and_the_others_wait(remote: Remote) -> None:
    running = Running(remote)
    made = [running.create() for _ in range(5)]
    seen, most = [], 0
    for _ in range(400):
        states = [running.get(job)["status"] for job in made]
        most = max(most, states.count("PROCESSING"))
        seen.append(states)
        if set(states) == {"SUCCEEDED"}:
            break
        remote.advance(1)
    assert most == 2
    assert set(seen[-1]) == {"SUCCEEDED"}
    done = [running.get(job) for job in made]
    starts = sorted(job["metrics"]["profileExportTime"]["startTimeInMs"] for job in done)
    assert starts[2] > min(job["updateTime"] for job in done), "the third began when a place was free"


def test_how_many_run_at_once_can_be_set(start_remote: StartRemote) -> None:
    running = Running(start_remote("--jobs", "0", "--arrivals", "0", "--at-once", "4"))
    made = [running.create() for _ in range(6)]
    running.remote.advance(11)
    states = [running.get(job)["status"] for job in made]
    assert states.count("PROCESSING") == 4


def test_a_newcomer_need_not_wait_for_the_jobs_of_the_start_data(start_remote: StartRemote) -> None:
    running = Running(start_remote("--jobs", "30", "--arrivals", "0"))
    first, second = running.create(), running.create()
    running.remote.advance(9)
    assert [running.get(job)["status"] for job in (first, second)] == ["PROCESSING", "PROCESSING"]


def test_a_job_that_never_ends_blocks_nobody(remote: Remote) -> None:
    running = Running(remote)
    remote.fault({"outcome": {"never": True}}, method="POST", path=EXPORT_JOBS, times=3)
    stuck, sound = [running.create() for _ in range(3)], running.create()
    assert running.end(sound)["status"] == "SUCCEEDED"
    assert {running.get(job)["status"] for job in stuck} == {"PROCESSING"}


def test_without_anybody_looking_a_job_goes_on_by_real_time(start_remote: StartRemote) -> None:
    remote = start_remote("--jobs", "0", "--arrivals", "0", "--speed", "2000")
    running = Running(remote)
    job = running.create()
    deadline = time.monotonic() + 20
    while not running.files() and time.monotonic() < deadline:
        time.sleep(0.05)
    shown = running.until(job, *TERMINAL)
    assert shown["status"] == "SUCCEEDED"
    assert running.batch(shown)["status"] == "success"


def test_results_do_not_depend_on_speed(start_remote: StartRemote) -> None:
    """Phases do, counters and files do not."""
    rows = []
    for speed in ("20", "5000"):
        running = Running(start_remote("--jobs", "0", "--arrivals", "0", "--speed", speed))
        done = running.end(running.create(additionalFields={"eventList": {}}))
        [file] = running.files()
        lake = running.remote.data_dir / "lake"
        rows.append((done["metrics"]["totalExportedProfileCounter"], str(table(lake / file))))
    assert rows[0] == rows[1]


def test_a_batch_is_loading_until_it_is_whole(remote: Remote) -> None:
    running = Running(remote)
    job = running.create()
    assert running.batch(job)["status"] == "loading"
    done = running.end(job)
    batch = running.batch(done)
    assert batch["status"] == "success"
    assert batch["metrics"]["recordsWritten"] == done["metrics"]["totalExportedProfileCounter"]
    assert running.files() == [f"prod/{done['destination']['batchId']}/part-00000.parquet"]


@pytest.mark.parametrize("when", ["NEW", "PROCESSING"])
def test_a_cancelled_job_leaves_no_file(remote: Remote, when: str) -> None:
    running = Running(remote)
    job = running.create()
    while running.get(job)["status"] != when:
        remote.advance(1)
    running.session.delete(f"{running.url}/{job['id']}", timeout=5)
    assert running.files() == []
    remote.advance(10)
    assert running.get(job)["status"] == "CANCELLED"
    assert running.files() == []
    assert running.batch(job)["status"] == "aborted"


def test_a_job_that_writes_is_stopped_within_a_second_and_leaves_no_file(start_remote: StartRemote) -> None:
    """A store large enough that the export of everything is still being written when the cancellation comes."""
    remote = start_remote("--jobs", "0", "--arrivals", "0", "--speed", "100000", "--profiles", "30000")
    running = Running(remote)
    job = running.create(additionalFields={"eventList": {}}, fields="")
    deadline = time.monotonic() + 20
    while not list((remote.data_dir / "lake").glob(".tmp-*")) and time.monotonic() < deadline:
        time.sleep(0.005)
    begun = time.monotonic()
    reply = running.session.delete(f"{running.url}/{job['id']}", timeout=5)
    assert reply.status_code == 200, "it was still running"
    running.until(job, "CANCELLED", seconds=5)
    assert time.monotonic() - begun < 1
    assert running.files() == []
    assert not list((remote.data_dir / "lake").glob(".tmp-*"))
    assert running.until(running.create(fields="_id"), *TERMINAL)["status"] == "SUCCEEDED", (
        "the place is free"
    )


def test_a_kill_during_ten_exports_leaves_no_half_batch_and_no_job_in_limbo(
    start_remote: StartRemote,
) -> None:
    options = ("--jobs", "0", "--arrivals", "0", "--speed", "3000", "--at-once", "10", "--profiles", "1000")
    remote = start_remote(*options)
    running = Running(remote)
    made = [running.create(additionalFields={"eventList": {}}) for _ in range(10)]
    deadline = time.monotonic() + 20
    while not list((remote.data_dir / "lake").glob(".tmp-*")) and time.monotonic() < deadline:
        time.sleep(0.01)
    remote.kill()
    remote.start()
    running = Running(remote)
    done = [running.until(job, *TERMINAL, seconds=60) for job in made]
    assert {job["status"] for job in done} <= {"SUCCEEDED", "FAILED"}
    assert [job["status"] for job in done].count("SUCCEEDED") >= 8, "work that was cut short begins again"
    lake = remote.data_dir / "lake"
    assert not list(lake.glob(".tmp-*"))
    for job in done:
        folder = lake / "prod" / job["destination"]["batchId"]
        assert folder.exists() == (job["status"] == "SUCCEEDED")
        if folder.exists():
            rows = len(table(folder / "part-*.parquet"))
            assert rows == job["metrics"]["totalExportedProfileCounter"]


def test_a_kill_at_any_moment_is_survived(start_remote: StartRemote) -> None:
    remote = start_remote("--jobs", "0", "--arrivals", "0", "--speed", "1500", "--at-once", "3")
    made = [Running(remote).create() for _ in range(6)]
    for moment in (0.1, 0.35, 0.6):
        time.sleep(moment)
        remote.kill()
        remote.start()
    running = Running(remote)
    for job in made:
        done = running.until(job, *TERMINAL, seconds=60)
        is_there = (remote.data_dir / "lake" / "prod" / done["destination"]["batchId"]).exists()
        assert is_there == (done["status"] == "SUCCEEDED")
        if done["status"] == "FAILED":
            assert done["errors"][0]["code"] == "unknown"
    assert len(running.files()) == sum(running.get(job)["status"] == "SUCCEEDED" for job in made)


def test_a_target_that_is_deleted_while_the_job_waits_fails_it(remote: Remote) -> None:
    running = Running(remote)
    datasets = f"{remote.url}/data/foundation/catalog/dataSets"
    union = {
        "id": "https://ns.adobe.com/xdm/context/profile__union",
        "contentType": "application/vnd.adobe.xed+json",
    }
    made = running.session.post(datasets, json={"name": "Short-lived", "schemaRef": union}, timeout=5)
    dataset_id = made.json()[0].rpartition("/")[2]
    job = running.create(destination={"datasetId": dataset_id})
    assert running.session.delete(f"{datasets}/{dataset_id}", timeout=5).ok
    ended = running.end(job)
    assert ended["status"] == "FAILED"
    assert f"dataset {dataset_id} not found" in ended["errors"][0]["callStack"]
    assert running.files() == []
    running.session = remote.session()
    assert running.end(running.create())["status"] == "SUCCEEDED", "others go on"


def test_a_segment_never_evaluated_fails_the_job_until_it_is_evaluated(remote: Remote) -> None:
    running = Running(remote)
    found = running.session.get(f"{remote.url}/data/core/ups/segment/definitions", timeout=5).json()[
        "segments"
    ]
    edge = next(segment for segment in found if segment["evaluationInfo"]["synchronous"]["enabled"])
    wanted = {"filter": {"segments": [{"segmentId": edge["id"]}]}}
    failed = running.end(running.create(**wanted))
    assert failed["status"] == "FAILED"
    assert failed["errors"][0]["code"] == "0100000003"
    assert edge["id"] in failed["errors"][0]["callStack"]
    assert running.batch(failed)["status"] == "failed"
    assert running.batch(failed)["errors"][0].keys() == {"code", "description", "rows"}
    running.session = remote.session()
    assert (
        running.end(running.create(**wanted, evaluationInfo={"segmentation": True}))["status"] == "SUCCEEDED"
    )
    running.session = remote.session()
    assert running.end(running.create(**wanted))["status"] == "SUCCEEDED", "now it was"


def test_a_storage_that_cannot_be_written_fails_the_job_with_what_it_said(remote: Remote) -> None:
    running = Running(remote)
    lake = remote.data_dir / "lake"
    shutil.rmtree(lake, ignore_errors=True)
    lake.write_text("not a folder")
    try:
        failed = running.end(running.create())
    finally:
        lake.unlink()
    assert failed["status"] == "FAILED"
    assert [error["code"] for error in failed["errors"]] == ["0090000009", "unknown"]
    assert "lake" in failed["errors"][0]["callStack"]
    running.session = remote.session()
    assert running.end(running.create())["status"] == "SUCCEEDED"


def test_a_permission_that_is_missing_refuses_a_create_and_fails_a_job_that_waits(remote: Remote) -> None:
    running = Running(remote)
    door = f"{remote.url}/_emulator/permissions"
    waiting = running.create()
    requests.put(door, json={"permissions": ["View Segments"]}, timeout=5)
    target = {"datasetId": remote.credentials["dataset_id"]}
    asked = {"destination": target, "schema": {"name": "_xdm.context.profile"}}
    refused = running.session.post(running.url, json=asked, timeout=5)
    assert refused.status_code == 403
    assert "Export Audience for Segment" in refused.json()["errors"]["403"][0]["message"]
    failed = running.end(waiting)
    assert failed["status"] == "FAILED"
    assert "'Export Audience for Segment' is missing" in failed["errors"][0]["callStack"]


def test_phases_are_those_a_watcher_could_have_measured(remote: Remote) -> None:
    running = Running(remote)
    done = running.end(running.create())
    metrics = done["metrics"]
    spans = [metrics[name] for name in ("profileExportTime", "aCPDatasetWriteTime")]
    assert all(span["totalTimeInMs"] > 0 for span in spans)
    assert metrics["totalTime"]["startTimeInMs"] < spans[0]["startTimeInMs"] < spans[0]["endTimeInMs"]
    assert (
        spans[0]["endTimeInMs"] <= spans[1]["startTimeInMs"] < spans[1]["endTimeInMs"] <= done["updateTime"]
    )


def test_a_changed_or_vanished_job_stops_and_frees_its_place(remote: Remote) -> None:
    running = Running(remote)
    first, second, third = (running.create() for _ in range(3))
    remote.advance(10)
    remote.patch_job(first["id"], status="SUCCEEDED")
    remote.vanish(second["id"])
    assert running.end(third)["status"] == "SUCCEEDED"
    assert len(running.files()) == 1


def children(pid: int) -> list[Path]:
    stats = [(path, path.read_text()) for path in Path("/proc").glob("[0-9]*/stat") if path.exists()]
    return [path for path, text in stats if int(text.rpartition(")")[2].split()[1]) == pid]


def test_no_child_outlives_the_emulator(start_remote: StartRemote) -> None:
    remote = start_remote("--jobs", "0", "--arrivals", "0")
    assert remote.process is not None
    born = children(remote.process.pid)
    assert born, "the one that made the store waits for more work"
    remote.kill()
    deadline = time.monotonic() + 5
    while any(path.exists() for path in born) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(path.exists() for path in born)


def used_ticks(pid: int) -> int:
    """Processor time so far, in hundredths of a second."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def test_an_idle_emulator_uses_no_processor_time(start_remote: StartRemote) -> None:
    remote = start_remote("--jobs", "0", "--arrivals", "0")
    assert requests.get(remote.url, timeout=5).ok
    assert remote.process is not None
    before = used_ticks(remote.process.pid)
    time.sleep(2)
    assert used_ticks(remote.process.pid) - before <= 1
