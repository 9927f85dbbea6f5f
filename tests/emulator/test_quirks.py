"""Quirks: each switch shows its contradiction, and only while it is on."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from tests.emulator.world import create, one_segment, payload
from tests.remote import EXPORT_JOBS, Remote

UPS = "/data/core/ups"
SANDBOXES = "/data/foundation/sandbox-management/"
OURS = ("x-api-key", "x-gw-ims-org-id", "x-sandbox-name")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SPAN = {"startTimeInMs": 1_000, "endTimeInMs": 3_000, "totalTimeInMs": 2_000}
BATCHES = [
    {"segmentId": "s1", "segmentNs": "ups", "status": ["realized"], "batchId": "b1"},
    {"segmentId": "s2", "segmentNs": "ups", "status": ["exited"], "batchId": "b2"},
]
RECORD: dict[str, Any] = {
    "id": 722,
    "jobType": "BATCH",
    "status": "SUCCEEDED",
    "schema": {"name": "_xdm.context.profile"},
    "mergePolicy": {"id": "mp", "version": 1},
    "fields": "identityMap",
    "filter": {},
    "destination": {"datasetId": "ds", "segmentPerBatch": False, "batchId": "b1"},
    "computeGatewayJobId": {"exportJob": "e", "pushJob": "p"},
    "metrics": {
        "totalTime": SPAN,
        "profileExportTime": SPAN,
        "aCPDatasetWriteTime": SPAN,
        "totalExportedProfileCounter": 20,
        "exportedProfileByNamespaceCounter": {"ECID": 20},
    },
    "creationTime": 1_538_615_973_895,
    "updateTime": 1_538_616_233_239,
}
MANY = {"datasetId": "ds", "segmentPerBatch": True, "batches": BATCHES}


def shown(remote: Remote, *quirks: str, **fields: Any) -> dict[str, Any]:
    """The record 722, with these fields over it, as it is shown with these quirks."""
    session = remote.session()
    remote.insert_job(RECORD | fields)
    remote.quirks(*quirks)
    one = session.get(f"{remote.url}{EXPORT_JOBS}/722", timeout=5).json()
    assert session.get(remote.url + EXPORT_JOBS, timeout=5).json()["records"] == [one]
    return one


def test_without_quirks_nothing_is_changed(remote: Remote) -> None:
    assert shown(remote) == RECORD


CHANGES: list[tuple[str, dict[str, Any], Callable[[dict[str, Any]], bool]]] = [
    ("id-uuid", {}, lambda job: UUID.fullmatch(job["id"]) is not None),
    ("id-text", {}, lambda job: job["id"] == "722"),
    ("dataset-id-spelling", {}, lambda job: job["destination"].get("dataSetId") == "ds"),
    ("dataset-id-spelling", {}, lambda job: "datasetId" not in job["destination"]),
    ("batches-object", {"destination": MANY}, lambda job: job["destination"]["batches"] == BATCHES[0]),
    ("batches-object", {}, lambda job: job["destination"]["batches"] == {"batchId": "b1"}),
    (
        "batch-status-mixed",
        {"destination": MANY},
        lambda job: [batch["status"] for batch in job["destination"]["batches"]] == [["realized"], "exited"],
    ),
    ("batch-id-empty", {"status": "FAILED"}, lambda job: job["destination"]["batchId"] == ""),
    ("batch-id-empty", {}, lambda job: job["destination"]["batchId"] == "b1"),
    ("segment-per-batch-absent", {}, lambda job: "segmentPerBatch" not in job["destination"]),
    ("errors-on-success", {}, lambda job: len(job["errors"]) == 1),
    ("errors-on-success", {"status": "PROCESSING"}, lambda job: "errors" not in job),
    ("errors-null", {}, lambda job: job["errors"] is None),
    ("metrics-partial", {}, lambda job: job["metrics"]["totalTime"] == {"startTimeInMs": 1_000}),
    ("metrics-partial", {}, lambda job: job["metrics"]["profileExportTime"] == {}),
    ("metrics-partial", {}, lambda job: "aCPDatasetWriteTime" not in job["metrics"]),
    ("metrics-absent", {}, lambda job: "metrics" not in job),
    (
        "counters-absent",
        {},
        lambda job: set(job["metrics"]) == {"totalTime", "profileExportTime", "aCPDatasetWriteTime"},
    ),
    (
        "compute-blank",
        {"computeGatewayJobId": {}},
        lambda job: job["computeGatewayJobId"] == {"exportJob": ""},
    ),
    ("compute-string", {}, lambda job: job["computeGatewayJobId"] == "e"),
    ("echo-absent", {}, lambda job: "fields" not in job and "filter" not in job),
    ("policy-differs", {}, lambda job: job["mergePolicy"]["id"] != "mp"),
    ("seconds", {}, lambda job: (job["creationTime"], job["updateTime"]) == (1_538_615_973, 1_538_616_233)),
    ("queued", {"status": "NEW"}, lambda job: job["status"] == "QUEUED"),
    ("status-unknown", {"status": "PROCESSING"}, lambda job: job["status"] == "FINALIZING"),
]


@pytest.mark.parametrize(
    ("quirk", "fields", "holds"), CHANGES, ids=[f"{n}-{c[0]}" for n, c in enumerate(CHANGES)]
)
def test_a_record_shows_the_quirk(
    remote: Remote, quirk: str, fields: dict[str, Any], holds: Callable[[dict[str, Any]], bool]
) -> None:
    one = shown(remote, quirk, **fields)
    assert holds(one), one
    remote.quirks()
    assert remote.session().get(f"{remote.url}{EXPORT_JOBS}/722", timeout=5).json() == RECORD | fields


def test_a_job_is_found_by_its_uuid_and_by_its_number_and_pages_go_on(remote: Remote) -> None:
    remote.quirks("id-uuid")
    session = remote.session()
    made = [create(remote, session) for _ in range(3)]
    assert all(UUID.fullmatch(job["id"]) for job in made)
    assert session.get(f"{remote.url}{EXPORT_JOBS}/{made[0]['id']}", timeout=5).json()["id"] == made[0]["id"]
    first = session.get(remote.url + EXPORT_JOBS, params={"limit": 2}, timeout=5).json()
    [offset] = parse_qs(urlsplit(first["link"]["next"]).query)["offset"]
    assert UUID.fullmatch(offset.partition("_")[2])
    second = session.get(remote.url + EXPORT_JOBS, params={"limit": 2, "offset": offset}, timeout=5).json()
    seen = [job["id"] for job in first["records"] + second["records"]]
    assert seen == [job["id"] for job in reversed(made)]
    other = made[0]["id"][:-1] + ("0" if made[0]["id"][-1] != "0" else "1")
    assert session.get(f"{remote.url}{EXPORT_JOBS}/{other}", timeout=5).status_code == 404


def cancel(remote: Remote, session: requests.Session) -> requests.Response:
    job = create(remote, session)
    return session.delete(f"{remote.url}{EXPORT_JOBS}/{job['id']}", timeout=5)


@pytest.mark.parametrize(
    ("quirk", "status", "typed"),
    [
        ("delete-204", 204, False),
        ("delete-204-typed", 204, True),
        ("delete-204-message", 204, True),
        ("delete-202", 202, True),
    ],
)
def test_a_cancellation_is_answered_in_every_way(
    remote: Remote, quirk: str, status: int, typed: bool
) -> None:
    remote.quirks(quirk)
    session = remote.session()
    reply = cancel(remote, session)
    assert reply.status_code == status
    assert ("Content-Type" in reply.headers) is typed
    assert (reply.content == b"") is (status == 204)
    again = session.get(remote.url + EXPORT_JOBS, timeout=5).json()
    assert again["records"][0]["status"] in ("CANCELLING", "CANCELLED"), (
        "the connection is usable, the job cancelled"
    )


def test_a_204_with_a_message_really_has_one(remote: Remote) -> None:
    """Clients do not read it, so this looks at the bare connection."""
    remote.quirks("delete-204-message")
    session = remote.session()
    job = create(remote, session)
    lines = [f"DELETE {EXPORT_JOBS}/{job['id']} HTTP/1.1", f"Host: 127.0.0.1:{remote.port}"]
    lines += [f"{name}: {session.headers[name]}" for name in ("Authorization", *OURS)]
    with socket.create_connection(("127.0.0.1", remote.port), timeout=10) as bare:
        bare.sendall("\r\n".join([*lines, "", ""]).encode())
        reply = b"".join(iter(lambda: bare.recv(4096), b""))
    head, _, body = reply.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 204")
    assert b"Connection: close" in head
    assert json.loads(body)["message"] == "Export job has been marked for cancelling"


def test_a_cancelled_job_can_be_gone(remote: Remote) -> None:
    remote.quirks("delete-removes")
    session = remote.session()
    job = create(remote, session)
    assert session.delete(f"{remote.url}{EXPORT_JOBS}/{job['id']}", timeout=5).ok
    assert session.get(f"{remote.url}{EXPORT_JOBS}/{job['id']}", timeout=5).status_code == 404
    assert session.get(remote.url + EXPORT_JOBS, timeout=5).json()["records"] == []


@pytest.mark.parametrize(
    ("quirk", "end"),
    [("next-absent", {"link": {}}), ("next-null", {"link": {"next": None}}), ("link-absent", {})],
)
def test_the_last_page_ends_in_every_way(remote: Remote, quirk: str, end: dict[str, Any]) -> None:
    for number in range(2):
        remote.insert_job(RECORD | {"id": number, "creationTime": 1_000 + number})
    remote.quirks(quirk)
    session = remote.session()
    first = session.get(remote.url + EXPORT_JOBS, params={"limit": 1}, timeout=5).json()
    assert first["link"]["next"]
    last = session.get(
        remote.url + first["link"]["next"].replace("/export", "/data/core/ups/export"), timeout=5
    ).json()
    assert {name: value for name, value in last.items() if name == "link"} == end


def test_the_next_link_can_keep_the_filter_and_the_offset_can_differ(remote: Remote) -> None:
    for number in range(3):
        remote.insert_job(RECORD | {"id": number, "creationTime": 1_000 + number})
    remote.quirks("next-keeps-filter", "page-offset-differs")
    asked = {"limit": 2, "status": "SUCCEEDED", "sort": "updateTime:asc"}
    page = remote.session().get(remote.url + EXPORT_JOBS, params=asked, timeout=5).json()
    query = parse_qs(urlsplit(page["link"]["next"]).query)
    assert (query["status"], query["sort"]) == (["SUCCEEDED"], ["updateTime:asc"])
    assert query["offset"] == ["1001_1"]
    assert page["page"]["pageOffset"] == "1002_2"


def test_a_create_can_be_answered_as_if_it_were_done(remote: Remote) -> None:
    remote.quirks("created-succeeded")
    session = remote.session()
    job = create(remote, session)
    assert (job["status"], len(job["errors"])) == ("SUCCEEDED", 1)
    assert session.get(f"{remote.url}{EXPORT_JOBS}/{job['id']}", timeout=5).json()["status"] == "NEW"


def test_the_list_can_be_filtered_by_every_status(remote: Remote) -> None:
    remote.insert_job(RECORD | {"status": "PROCESSING"})
    session, asked = remote.session(), {"status": "PROCESSING"}
    assert session.get(remote.url + EXPORT_JOBS, params=asked, timeout=5).status_code == 400
    remote.quirks("status-any")
    assert len(session.get(remote.url + EXPORT_JOBS, params=asked, timeout=5).json()["records"]) == 1


def test_lookups_show_their_quirks(remote: Remote) -> None:
    remote.quirks(
        *("reference-lower-case", "policy-booleans-text", "policy-next-empty", "etag-lower-case"),
        *("audience-next-number", "audience-pages-key", "audience-lifecycle-key"),
    )
    session = remote.session()
    asked = {"name": "Lower", "schemaRef": {"id": "https://ns.adobe.com/xdm/context/profile__union"}}
    made = session.post(f"{remote.url}/data/foundation/catalog/dataSets", json=asked, timeout=5).json()
    assert made[0].startswith("@/datasets/")
    policies = session.get(f"{remote.url}{UPS}/config/mergePolicies", timeout=5).json()
    assert {policy["default"] for policy in policies["children"]} == {"true", "false"}
    assert policies["_links"]["next"] == {"href": ""}
    sandboxes = session.get(remote.url + SANDBOXES, timeout=5).json()["sandboxes"]
    assert all("etag" in sandbox and "eTag" not in sandbox for sandbox in sandboxes)
    audiences = session.get(f"{remote.url}{UPS}/audiences", params={"limit": 2}, timeout=5).json()
    assert audiences["_pages"]["next"] == 1
    assert {audience["lifecycle"] for audience in audiences["children"]} == {"published"}


def test_audiences_can_be_switched_off(remote: Remote) -> None:
    remote.quirks("audiences-off")
    reply = remote.session().get(f"{remote.url}{UPS}/audiences", timeout=5)
    assert (reply.status_code, reply.json()["status"]) == (403, 403)
    assert "not enabled" in reply.json()["errors"]["403"][0]["message"]


def test_hostile_records_go_through_every_quirk(remote: Remote) -> None:
    odd: list[Any] = [
        None,
        [],
        "x",
        {"id": True, "destination": 5, "metrics": [], "computeGatewayJobId": None},
    ]
    odd.append({"id": 5, "destination": {"batches": "x", "datasetId": None}, "metrics": {"totalTime": 7}})
    for record in odd:
        remote.insert_job(record)
    for quirk in remote.quirks():
        remote.quirks(quirk)
        assert remote.session().get(remote.url + EXPORT_JOBS, timeout=5).status_code == 200, quirk


def test_quirks_are_listed_with_a_line_each_and_reset_switches_them_off(remote: Remote) -> None:
    known = remote.quirks("queued", "seconds")
    assert len(known) > 30
    assert all(len(line) > 15 for line in known.values())
    address = f"{remote.url}/_emulator/quirks"
    assert requests.get(address, timeout=5).json()["quirks"] == ["seconds", "queued"], (
        "in the order of the list"
    )
    remote.reset()
    assert requests.get(address, timeout=5).json()["quirks"] == []


@pytest.mark.parametrize(
    "asked", [["no-such"], ["next-null", "link-absent"], ["id-uuid", "id-text"], "seconds", [5], None]
)
def test_quirks_that_cannot_be_are_refused(remote: Remote, asked: Any) -> None:
    remote.quirks("seconds")
    reply = requests.put(f"{remote.url}/_emulator/quirks", json={"quirks": asked}, timeout=5)
    assert reply.status_code == 400
    assert requests.get(f"{remote.url}/_emulator/quirks", timeout=5).json()["quirks"] == ["seconds"]


def test_every_quirk_has_a_test(remote: Remote) -> None:
    here = Path(__file__).parent
    texts = "".join((here / f"{name}.py").read_text() for name in ("test_quirks", "test_downloads"))
    assert [name for name in remote.quirks() if f'"{name}"' not in texts] == []


def test_quirks_can_be_given_on_the_command_line(start_remote: Any) -> None:
    remote = start_remote(
        "--jobs", "0", "--arrivals", "0", "--quirks", "id-uuid,delete-204", "--fault", "reply-slow:0"
    )
    session = remote.session()
    job = session.post(
        remote.url + EXPORT_JOBS, json=payload(remote, filter=one_segment(remote)), timeout=10
    ).json()
    assert UUID.fullmatch(job["id"])
    remote.quirks()
    remote.reset()
    told = requests.get(f"{remote.url}/_emulator/quirks", timeout=5).json()["quirks"]
    assert told == ["id-uuid", "delete-204"], "a reset goes back to what the command line ordered"
    assert [rule["name"] for rule in remote.faults()] == ["reply-slow"]
