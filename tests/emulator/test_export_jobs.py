"""Export jobs over HTTP: created, read one by one and page by page, refused when the payload is wrong."""

from __future__ import annotations

import copy
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from tests.remote import EXPORT_JOBS, HOSTILE_RECORD, Remote

UNION = "https://ns.adobe.com/xdm/context/profile__union"


def payload(remote: Remote, **more: Any) -> dict[str, Any]:
    target = {"datasetId": remote.credentials["dataset_id"]}
    return {"destination": target, "schema": {"name": "_xdm.context.profile"}} | more


def full_payload(remote: Remote) -> dict[str, Any]:
    segment = {
        "segmentId": remote.credentials["segment_id"],
        "segmentNs": "ups",
        "status": ["realized", "exited"],
    }
    return payload(
        remote,
        fields="identityMap,person.name",
        mergePolicy={"id": "timestampOrdered-none-mp", "version": 1},
        filter={
            "segments": [segment],
            "segmentQualificationTime": {
                "startTime": "2025-01-01T00:00:00Z",
                "endTime": "2025-02-01T00:00:00+01:00",
            },
            "fromIngestTimestamp": "2025-01-01T13:22:04.5-07:00",
            "emptyProfiles": True,
        },
        additionalFields={
            "eventList": {
                "fields": "_id, timestamp",
                "filter": {"fromIngestTimestamp": "2025-01-01T00:00:00Z"},
            }
        },
        evaluationInfo={"segmentation": True},
        properties={"checkBatchStatusForSuccess": True},
    )


def create(remote: Remote, body: Any, **headers: str) -> requests.Response:
    return remote.session().post(remote.url + EXPORT_JOBS, json=body, headers=headers, timeout=5)


def read_all(remote: Remote, session: requests.Session, **params: Any) -> list[list[dict[str, Any]]]:
    """All pages, by the `offset` of `link.next`."""
    pages, offset = [], ""
    while True:
        page = session.get(remote.url + EXPORT_JOBS, params=params | {"offset": offset}, timeout=5).json()
        assert page["page"]["pageSize"] == len(page["records"])
        pages.append(page["records"])
        if not page["link"]["next"]:
            return pages
        assert page["link"]["next"].startswith("/export/jobs/?")
        [offset] = parse_qs(urlsplit(page["link"]["next"]).query)["offset"]


def test_a_created_job_is_new_and_echoes_the_request(remote: Remote) -> None:
    asked = full_payload(remote)
    reply = create(remote, asked, **{"x-request-id": "trace-1"})
    job = reply.json()
    assert reply.status_code == 200
    assert reply.headers["X-Location"] == f"/export/jobs/{job['id']}"
    assert (job["status"], job["jobType"], job["requestId"]) == ("NEW", "BATCH", "trace-1")
    assert job["imsOrgId"] == remote.credentials["org_id"]
    assert job["computeGatewayJobId"] == {}
    assert job["metrics"] == {"totalTime": {"startTimeInMs": job["creationTime"]}}
    assert job["creationTime"] == job["updateTime"]
    assert "errors" not in job
    for name in (
        "fields",
        "filter",
        "additionalFields",
        "mergePolicy",
        "evaluationInfo",
        "properties",
        "schema",
    ):
        assert job[name] == asked[name]
    assert job["destination"]["datasetId"] == remote.credentials["dataset_id"]
    assert job["destination"]["batchId"]
    assert remote.session().get(f"{remote.url}{EXPORT_JOBS}/{job['id']}/", timeout=5).json() == job


def test_a_smallest_payload_does_and_gets_an_id_of_its_own(remote: Remote) -> None:
    first, second = create(remote, payload(remote)).json(), create(remote, payload(remote)).json()
    assert first["id"] != second["id"]
    assert first["requestId"] != second["requestId"]
    assert "filter" not in first


def test_a_missing_merge_policy_is_that_of_the_segment(remote: Remote) -> None:
    session = remote.session()
    found = session.get(f"{remote.url}/data/core/ups/segment/definitions", timeout=5).json()["segments"]
    loyal = next(segment for segment in found if segment["name"].startswith("Loyalty"))
    one = payload(remote, filter={"segments": [{"segmentId": loyal["id"]}]})
    two = payload(remote, filter={"segments": [{"segmentId": s["id"]} for s in (loyal, found[0])]})
    assert create(remote, one).json()["mergePolicy"]["id"] == loyal["mergePolicyId"]
    assert create(remote, two).json()["mergePolicy"]["id"] != loyal["mergePolicyId"], "several: the default"


def test_segment_per_batch_makes_a_batch_for_each_segment(remote: Remote) -> None:
    session = remote.session()
    found = session.get(f"{remote.url}/data/core/ups/segment/definitions", timeout=5).json()["segments"][:2]
    asked = payload(remote, filter={"segments": [{"segmentId": s["id"]} for s in found]})
    asked["destination"] |= {"segmentPerBatch": True}
    destination = create(remote, asked).json()["destination"]
    assert [batch["segmentId"] for batch in destination["batches"]] == [s["id"] for s in found]
    assert len({batch["batchId"] for batch in destination["batches"]}) == 2
    assert "batchId" not in destination


WRONG: list[tuple[str, Any, str]] = [
    ("schema", None, "schema is required"),
    ("schema.name", None, "schema.name is required"),
    ("schema.name", "_xdm.context.other", "schema.name"),
    ("destination", None, "destination is required"),
    ("destination", "DS1", "destination must be an object"),
    ("destination.datasetId", None, "destination.datasetId is required"),
    ("destination.datasetId", 12, "destination.datasetId must be a string"),
    ("destination.datasetId", "nothing", "dataset 'nothing' not found"),
    ("destination.segmentPerBatch", "yes", "destination.segmentPerBatch must be true or false"),
    ("fields", ["identityMap"], "fields must be a string"),
    ("mergePolicy", "mp", "mergePolicy must be an object"),
    ("mergePolicy.id", "nothing", "mergePolicy.id"),
    ("mergePolicy.version", True, "mergePolicy.version must be a whole number"),
    ("filter", [], "filter must be an object"),
    ("filter.segments", {}, "filter.segments must be an array"),
    ("filter.segments", ["x"], "filter.segments[0] must be an object"),
    ("filter.segments", [{"segmentNs": "ups"}], "filter.segments[0].segmentId is required"),
    ("filter.segments", [{"segmentId": "nothing"}], "segment 'nothing' not found"),
    ("filter.segments", [{"segmentId": "a", "status": ["gone"]}], "filter.segments[0].status"),
    ("filter.segments", [{"segmentId": "a", "status": [{}]}], "filter.segments[0].status"),
    ("filter.segmentQualificationTime.startTime", "yesterday", "startTime must be a timestamp"),
    ("filter.segmentQualificationTime.startTime", "2025-02-30T00:00:00Z", "startTime must be a timestamp"),
    ("filter.segmentQualificationTime.endTime", "2024-01-01T00:00:00Z", "startTime must be before endTime"),
    ("filter.fromIngestTimestamp", 1_700_000_000, "filter.fromIngestTimestamp must be a string"),
    ("filter.emptyProfiles", 1, "filter.emptyProfiles must be true or false"),
    ("additionalFields.eventList", True, "additionalFields.eventList must be an object"),
    ("additionalFields.eventList.filter.toIngestTimestamp", "2024-01-01T00:00:00Z", "must be before"),
    (
        "evaluationInfo",
        {"segmentation": {"enabled": True}},
        "evaluationInfo.segmentation must be true or false",
    ),
]


@pytest.mark.parametrize(("path", "value", "words"), WRONG, ids=lambda value: str(value)[:40])
def test_a_wrong_payload_is_refused_naming_the_field(
    remote: Remote, path: str, value: Any, words: str
) -> None:
    asked: dict[str, Any] = copy.deepcopy(full_payload(remote))
    *parents, name = path.split(".")
    place = asked
    for parent in parents:
        place = place[parent]
    if value is None:
        del place[name]
    else:
        place[name] = value
    reply = create(remote, asked)
    assert reply.status_code == 400
    [error] = reply.json()["errors"]["400"]
    assert words in error["message"]
    assert reply.json()["requestId"]
    assert read_all(remote, remote.session()) == [[]], "nothing was created"


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{}", "text/plain", 415),
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'{"a": NaN}', "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b'{"schema": "\\ud800"}', "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"a":"' + b"x" * 3_000_000 + b'"}', "application/json", 413),
    ],
    ids=["text", "cut", "array", "nan", "bytes", "surrogate", "deep", "large"],
)
def test_a_body_that_is_no_json_object_is_refused(
    remote: Remote, body: bytes, kind: str, status: int
) -> None:
    headers = {"Content-Type": kind}
    reply = remote.session().post(remote.url + EXPORT_JOBS, data=body, headers=headers, timeout=10)
    assert reply.status_code == status
    assert reply.headers["Content-Type"] == "application/json"


def test_a_segment_of_another_namespace_is_taken_on_trust(remote: Remote) -> None:
    foreign = {"segmentId": "from-elsewhere", "segmentNs": "AdCloud"}
    assert create(remote, payload(remote, filter={"segments": [foreign]})).status_code == 200


def test_an_unknown_job_is_a_404_in_the_shape_of_the_service(remote: Remote) -> None:
    reply = remote.session().get(f"{remote.url}{EXPORT_JOBS}/999999", timeout=5)
    assert reply.status_code == reply.json()["status"] == 404
    assert "999999" in reply.json()["errors"]["404"][0]["message"]
    assert reply.json()["type"].endswith("-404")


def test_pages_hold_every_job_once_newest_first(start_remote: Any) -> None:
    remote = start_remote("--jobs", "120", "--arrivals", "0")
    session = remote.session()
    [everything] = read_all(remote, session, limit=1000)
    pages = read_all(remote, session, limit=7)
    assert all(len(page) == 7 for page in pages[:-1])
    ids = [record["id"] for page in pages for record in page]
    assert ids == [record["id"] for record in everything]
    assert len(set(ids)) == len(ids)
    created = [record["creationTime"] for record in everything]
    assert created == sorted(created, reverse=True)


def test_jobs_that_come_while_one_reads_shift_no_page(remote: Remote) -> None:
    session = remote.session()
    for number in range(4):
        remote.insert_job({"id": number, "creationTime": 1_000 + number})
    first = session.get(remote.url + EXPORT_JOBS, params={"limit": 2}, timeout=5).json()
    create(remote, payload(remote))
    [offset] = parse_qs(urlsplit(first["link"]["next"]).query)["offset"]
    second = session.get(remote.url + EXPORT_JOBS, params={"limit": 2, "offset": offset}, timeout=5).json()
    assert [record["id"] for record in first["records"] + second["records"]] == [3, 2, 1, 0]


def test_a_page_goes_on_behind_a_job_that_vanished(remote: Remote) -> None:
    for number in range(3):
        remote.insert_job({"id": number, "creationTime": 1_000})
    remote.vanish(1)
    params = {"limit": 2, "offset": "1000_1"}
    found = remote.session().get(remote.url + EXPORT_JOBS, params=params, timeout=5).json()["records"]
    assert [record["id"] for record in found] == [0]


def test_the_last_page_ends_with_an_empty_link(remote: Remote) -> None:
    for number in range(2):
        remote.insert_job({"id": number, "creationTime": 1_000 + number})
    assert [len(page) for page in read_all(remote, remote.session(), limit=2)] == [2]
    assert [len(page) for page in read_all(remote, remote.session(), limit=1)] == [1, 1]


def test_status_finds_new_succeeded_and_failed_alone(remote: Remote) -> None:
    session = remote.session()
    for number, status in enumerate(["NEW", "SUCCEEDED", "FAILED", "PROCESSING", "FAILED"]):
        remote.insert_job({"id": number, "status": status, "creationTime": 1_000 + number})
    [failed] = read_all(remote, session, status="FAILED", limit=10)
    assert [record["id"] for record in failed] == [4, 2]
    assert [[r["id"] for r in page] for page in read_all(remote, session, status="FAILED", limit=1)] == [
        [4],
        [2],
    ]
    refused = session.get(remote.url + EXPORT_JOBS, params={"status": "PROCESSING"}, timeout=5)
    assert refused.status_code == 400
    assert "PROCESSING" in refused.json()["errors"]["400"][0]["message"]


@pytest.mark.parametrize(
    "params", [{"limit": 0}, {"limit": "x"}, {"limit": "9" * 40}, {"offset": "x"}, {"start": -1}]
)
def test_a_query_that_makes_no_sense_is_refused(remote: Remote, params: dict[str, Any]) -> None:
    reply = remote.session().get(remote.url + EXPORT_JOBS, params=params, timeout=5)
    assert reply.status_code == 400
    assert next(iter(params)) in reply.json()["errors"]["400"][0]["message"]


@pytest.mark.parametrize(
    "params", [{"offset": 2}, {"start": 2}, {"page": 1}, {"page": 1, "sort": "updateTime:desc"}]
)
def test_the_older_ways_to_page_are_understood(remote: Remote, params: dict[str, Any]) -> None:
    for number in range(4):
        remote.insert_job({"id": number, "creationTime": 1_000 + number, "updateTime": 2_000 + number})
    page = remote.session().get(remote.url + EXPORT_JOBS, params={"limit": 2} | params, timeout=5).json()
    assert [record["id"] for record in page["records"]] == [1, 0]


def test_jobs_stay_in_their_sandbox(remote: Remote) -> None:
    remote.insert_job({"id": 722, "status": "FAILED"}, "dev")
    assert read_all(remote, remote.session("prod")) == [[]]
    assert remote.session("prod").get(f"{remote.url}{EXPORT_JOBS}/722", timeout=5).status_code == 404
    assert remote.session("dev").get(f"{remote.url}{EXPORT_JOBS}/722", timeout=5).json()["status"] == "FAILED"


@pytest.mark.parametrize(
    "raw", [HOSTILE_RECORD, None, [], "text", {"id": "e1a8-uuid", "destination": {"dataSetId": ""}}]
)
def test_a_record_put_in_by_hand_comes_out_as_it_went_in(remote: Remote, raw: Any) -> None:
    remote.insert_job(raw)
    assert read_all(remote, remote.session()) == [[raw]]


def test_a_record_can_be_changed_and_made_to_vanish(remote: Remote) -> None:
    session = remote.session()
    job = create(remote, payload(remote)).json()
    assert remote.patch_job(job["id"], status="SUCCEEDED", errors=[])["status"] == "SUCCEEDED"
    remote.advance(36_000)
    shown = session.get(f"{remote.url}{EXPORT_JOBS}/{job['id']}", timeout=5).json()
    assert shown == job | {"status": "SUCCEEDED", "errors": []}, "a changed record moves no more by itself"
    remote.vanish(job["id"])
    assert session.get(f"{remote.url}{EXPORT_JOBS}/{job['id']}", timeout=5).status_code == 404
    assert read_all(remote, session) == [[]]


def test_reset_takes_everything_back(remote: Remote) -> None:
    create(remote, payload(remote))
    remote.advance(1000)
    remote.fault({"delay_s": 0}, times=None)
    remote.reset()
    assert remote.requests() == []
    assert remote.faults() == []
    assert read_all(remote, remote.session()) == [[]]
