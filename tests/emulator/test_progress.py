"""A job by the platform's clock: through its phases to its end, cancelled, or never ending."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import requests

from tests.remote import EXPORT_JOBS, Remote

HOUR_S = 3600


class Exports:
    """The export jobs of one sandbox, as a client sees them."""

    def __init__(self, remote: Remote) -> None:
        self.remote, self.session = remote, remote.session()
        self.url = remote.url + EXPORT_JOBS

    def create(self, *, dataset_id: str = "") -> dict[str, Any]:
        target = {"datasetId": dataset_id or self.remote.credentials["dataset_id"]}
        asked = {"destination": target, "schema": {"name": "_xdm.context.profile"}}
        reply = self.session.post(self.url, json=asked, timeout=5)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def get(self, job: dict[str, Any]) -> dict[str, Any]:
        return self.session.get(f"{self.url}/{job['id']}", timeout=5).json()

    def cancel(self, job: dict[str, Any]) -> requests.Response:
        return self.session.delete(f"{self.url}/{job['id']}", timeout=5)

    def to(self, job: dict[str, Any], status: str) -> dict[str, Any]:
        """Advance the clock second by second until the job has this status."""
        for _ in range(120):
            shown = self.get(job)
            if shown["status"] == status:
                return shown
            self.remote.advance(1)
        raise AssertionError(f"never {status}, but {shown['status']}")


@pytest.fixture
def exports(remote: Remote) -> Exports:
    return Exports(remote)


def test_a_job_goes_through_its_states_in_order_and_its_metrics_grow(exports: Exports) -> None:
    job = exports.create()
    seen = [job]
    while seen[-1]["status"] not in ("SUCCEEDED", "FAILED") and len(seen) < 400:
        exports.remote.advance(0.2)
        seen.append(exports.get(job))
    states = list(dict.fromkeys(record["status"] for record in seen))
    assert states == ["NEW", "PROCESSING", "SUCCEEDED"]
    phases = list(dict.fromkeys(tuple(record["metrics"]) for record in seen))
    assert phases[0] == ("totalTime",)
    assert phases[1] == ("totalTime", "profileExportTime")
    assert phases[2] == ("totalTime", "profileExportTime", "aCPDatasetWriteTime")
    for earlier, later in pairwise(seen):
        assert earlier["updateTime"] <= later["updateTime"]
        assert earlier["destination"] == later["destination"], "the batch is named from the first moment on"
        if earlier["status"] == "PROCESSING" == later["status"]:
            assert "totalExportedProfileCounter" not in earlier["metrics"]
    running = next(record for record in seen if "profileExportTime" in record["metrics"])
    assert running["metrics"]["profileExportTime"].keys() == {"startTimeInMs"}
    assert running["computeGatewayJobId"].keys() == {"exportJob"}


def test_a_finished_job_has_measured_phases_and_counters(exports: Exports) -> None:
    done = exports.to(exports.create(), "SUCCEEDED")
    total, export, write = (
        done["metrics"][name] for name in ("totalTime", "profileExportTime", "aCPDatasetWriteTime")
    )
    for span in (total, export, write):
        assert span["totalTimeInMs"] == span["endTimeInMs"] - span["startTimeInMs"] > 0
    assert total["startTimeInMs"] == done["creationTime"] < export["startTimeInMs"]
    assert export["endTimeInMs"] < write["startTimeInMs"], "there is a gap nobody reports on"
    assert write["endTimeInMs"] < total["endTimeInMs"] == done["updateTime"]
    assert done["metrics"]["totalExportedProfileCounter"] > 0
    by_namespace = done["metrics"]["exportedProfileByNamespaceCounter"]
    assert by_namespace.keys() == {"ECID", "Email", "CRMID", "Phone"}
    assert max(by_namespace.values()) <= done["metrics"]["totalExportedProfileCounter"]
    assert done["computeGatewayJobId"].keys() == {"exportJob", "pushJob"}
    assert "errors" not in done


def test_a_demo_export_takes_half_a_minute_to_a_minute_at_the_usual_speed(exports: Exports) -> None:
    made = [exports.to(exports.create(), "SUCCEEDED") for _ in range(6)]
    taken = [job["metrics"]["totalTime"]["totalTimeInMs"] / 1000 for job in made]
    assert all(15 < seconds < 75 for seconds in taken), taken


def test_speed_divides_every_duration(start_remote: Any) -> None:
    remote = start_remote("--jobs", "0", "--arrivals", "0", "--speed", "2000")
    exports = Exports(remote)
    job = exports.create()
    remote.advance(1)
    assert exports.get(job)["status"] == "SUCCEEDED"


def test_the_list_moves_on_with_the_clock_and_its_filter_too(exports: Exports) -> None:
    job = exports.create()
    exports.remote.advance(HOUR_S)
    page = exports.session.get(exports.url, params={"status": "SUCCEEDED"}, timeout=5).json()
    assert [record["id"] for record in page["records"]] == [job["id"]]
    assert exports.session.get(exports.url, params={"status": "NEW"}, timeout=5).json()["records"] == []


@pytest.mark.parametrize("begun", ["NEW", "PROCESSING"])
def test_a_cancelled_job_is_cancelling_and_then_cancelled(exports: Exports, begun: str) -> None:
    job = exports.create()
    exports.to(job, begun)
    reply = exports.cancel(job)
    assert reply.status_code == 200
    assert reply.json() == {"status": True, "message": "Export job has been marked for cancelling"}
    assert exports.get(job)["status"] == "CANCELLING"
    assert exports.cancel(job).status_code == 200, "asking twice does no harm"
    exports.remote.advance(HOUR_S)
    done = exports.get(job)
    assert done["status"] == "CANCELLED"
    assert "totalExportedProfileCounter" not in done["metrics"]
    assert done["metrics"]["totalTime"]["endTimeInMs"] == done["updateTime"]
    assert "aCPDatasetWriteTime" not in done["metrics"], "nothing goes on after the cancellation"


def test_a_finished_job_cannot_be_cancelled(exports: Exports) -> None:
    job = exports.create()
    exports.remote.advance(HOUR_S)
    before = exports.get(job)
    reply = exports.cancel(job)
    assert reply.status_code == 400
    assert "SUCCEEDED" in reply.json()["errors"]["400"][0]["message"]
    assert exports.get(job) == before


def test_a_job_that_is_not_there_cannot_be_cancelled(exports: Exports) -> None:
    assert exports.cancel({"id": 999_999}).status_code == 404


def test_a_target_off_the_union_schema_lets_the_job_fail_with_a_cause_one_can_find(exports: Exports) -> None:
    datasets = f"{exports.remote.url}/data/foundation/catalog/dataSets"
    found = exports.session.get(datasets, params={"name": "CRM customers"}, timeout=5).json()
    [(dataset_id, dataset)] = found.items()
    job = exports.create(dataset_id=dataset_id)
    assert job["status"] == "NEW"
    exports.remote.advance(HOUR_S)
    done = exports.get(job)
    assert done["status"] == "FAILED"
    assert done["errors"][0]["code"] == "0100000003"
    assert dataset_id in done["errors"][0]["callStack"]
    assert dataset["schemaRef"]["id"] in done["errors"][0]["callStack"]


@pytest.mark.parametrize("code", ["0100000003", "0090000009", "unknown", "0080000018"])
def test_each_documented_failure_can_be_ordered(exports: Exports, code: str) -> None:
    exports.remote.fault({"outcome": {"code": code}}, method="POST", path=EXPORT_JOBS)
    failing, sound = exports.create(), exports.create()
    assert "errors" not in failing
    exports.remote.advance(HOUR_S)
    done = exports.get(failing)
    assert done["status"] == "FAILED"
    assert done["errors"][0]["code"] == code
    assert all("\n\tat " in error["callStack"] for error in done["errors"])
    assert all(error["msg"] for error in done["errors"])
    assert "totalExportedProfileCounter" not in done["metrics"]
    assert exports.get(sound)["status"] == "SUCCEEDED", "only the next one was meant to fail"


def test_a_job_can_be_ordered_never_to_end_and_is_cancelled_all_the_same(exports: Exports) -> None:
    exports.remote.fault({"outcome": {"never": True}}, method="POST", path=EXPORT_JOBS)
    job = exports.create()
    exports.remote.advance(1000 * HOUR_S)
    exports.session = exports.remote.session()
    assert exports.get(job)["status"] == "PROCESSING"
    exports.cancel(job)
    exports.remote.advance(HOUR_S)
    assert exports.get(job)["status"] == "CANCELLED"


def test_a_job_can_be_ordered_to_succeed_with_errors_or_with_nobody(exports: Exports) -> None:
    exports.remote.fault({"outcome": {"warn": True, "profiles": 0}}, method="POST", path=EXPORT_JOBS)
    job = exports.create()
    exports.remote.advance(HOUR_S)
    done = exports.get(job)
    assert done["status"] == "SUCCEEDED"
    assert done["errors"]
    assert done["metrics"]["totalExportedProfileCounter"] == 0
    assert done["metrics"]["exportedProfileByNamespaceCounter"] == {}
