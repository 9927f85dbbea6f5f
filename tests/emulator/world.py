"""A platform in use: an emulator of its own with one export that succeeded, one that failed, one that runs."""

from __future__ import annotations

import time
from typing import Any

import requests

from tests.remote import EXPORT_JOBS, Remote

TERMINAL = {"SUCCEEDED", "FAILED", "CANCELLED"}
PATIENCE_S = 60
DATASETS = "/data/foundation/catalog/dataSets"


def payload(remote: Remote, **more: Any) -> dict[str, Any]:
    """The smallest payload, with these fields over it."""
    target = {"datasetId": remote.credentials["dataset_id"]}
    return {"destination": target, "schema": {"name": "_xdm.context.profile"}} | more


def one_segment(remote: Remote) -> dict[str, Any]:
    """A filter for the segment that the credentials name."""
    return {
        "segments": [
            {"segmentId": remote.credentials["segment_id"], "segmentNs": "ups", "status": ["realized"]}
        ]
    }


def create(remote: Remote, session: requests.Session, **more: Any) -> dict[str, Any]:
    """A new job's record."""
    reply = session.post(remote.url + EXPORT_JOBS, json=payload(remote, **more), timeout=30)
    assert reply.status_code == 200, reply.text
    return reply.json()


def ended(remote: Remote, session: requests.Session, job: dict[str, Any]) -> dict[str, Any]:
    """The record of the job when it is over; the platform's clock is helped along."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        shown = session.get(f"{remote.url}{EXPORT_JOBS}/{job['id']}", timeout=30).json()
        if shown["status"] in TERMINAL:
            return shown
        remote.advance(20)
        time.sleep(0.05)  # what is being waited for happens in another process
    raise AssertionError(f"never over: {shown}")


class World:
    """`done` has written a batch, `failed` could not; `parts` fills the braces of a path."""

    def __init__(self, remote: Remote) -> None:
        self.remote, self.session = remote, remote.session()
        remote.fault({"outcome": {"code": "0090000009"}}, method="POST", path=EXPORT_JOBS)
        failing = create(remote, self.session)
        succeeding = create(remote, self.session, filter=one_segment(remote))
        self.failed = ended(remote, self.session, failing)
        self.done = ended(remote, self.session, succeeding)
        assert (self.done["status"], self.failed["status"]) == ("SUCCEEDED", "FAILED"), self.done.get(
            "errors"
        )
        self.batch_id, self.failed_batch_id = (
            job["destination"]["batchId"] for job in (self.done, self.failed)
        )
        files = self.get(f"/data/foundation/export/batches/{self.batch_id}/files").json()["data"]
        self.file_id = files[0]["dataSetFileId"]
        named = self.get(f"/data/foundation/export/files/{self.file_id}").json()["data"]
        self.file_name = named[0]["name"]
        self.policy_id = self.get("/data/core/ups/config/mergePolicies").json()["children"][0]["id"]
        self.evaluation_id = self.get("/data/core/ups/segment/jobs").json()["children"][0]["id"]

    @property
    def parts(self) -> dict[str, Any]:
        known = self.remote.credentials
        return {
            "dataset": known["dataset_id"],
            "segment": known["segment_id"],
            "job": self.done["id"],
            "failed_job": self.failed["id"],
            "batch": self.batch_id,
            "failed_batch": self.failed_batch_id,
            "file": self.file_id,
            "name": self.file_name,
            "policy": self.policy_id,
            "evaluation": self.evaluation_id,
        }

    def get(self, path: str, **more: Any) -> requests.Response:
        return self.call("GET", path, **more)

    def call(self, method: str, path: str, **more: Any) -> requests.Response:
        return self.session.request(method, self.remote.url + path, timeout=30, allow_redirects=False, **more)
