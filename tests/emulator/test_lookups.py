"""What can be looked up before an export: datasets, segments, merge policies, sandboxes, namespaces."""

from __future__ import annotations

from typing import Any

import pytest

from tests.remote import Remote

DATASETS = "/data/foundation/catalog/dataSets"
SEGMENTS = "/data/core/ups/segment/definitions"
POLICIES = "/data/core/ups/config/mergePolicies"
UNION = "https://ns.adobe.com/xdm/context/profile__union"


def test_datasets_are_an_object_by_id_in_pages(remote: Remote) -> None:
    session, seen = remote.session(), {}
    for start in range(0, 20, 4):
        page = session.get(remote.url + DATASETS, params={"limit": 4, "start": start}, timeout=5).json()
        assert not seen.keys() & page.keys()
        seen |= page
    assert len(seen) == 10
    assert sum(dataset["schemaRef"]["id"] == UNION for dataset in seen.values()) == 6
    assert sum("Profile-Snapshot-Export" in dataset["name"] for dataset in seen.values()) == 1
    assert seen[remote.credentials["dataset_id"]]["schemaRef"]["id"] == UNION


def test_properties_narrow_what_is_shown_of_a_dataset(remote: Remote) -> None:
    params = {"properties": "name,lastBatchId", "limit": 100}
    found = remote.session().get(remote.url + DATASETS, params=params, timeout=5).json()
    assert all("name" in shown and shown.keys() <= {"name", "lastBatchId"} for shown in found.values())
    assert any("lastBatchId" not in shown for shown in found.values()), "what is missing is left out"


@pytest.mark.parametrize(
    "params", [{"limit": 0}, {"limit": 101}, {"limit": "ten"}, {"start": -1}, {"limit": 10**30}]
)
def test_a_page_of_datasets_that_cannot_be_is_refused(remote: Remote, params: dict[str, Any]) -> None:
    reply = remote.session().get(remote.url + DATASETS, params=params, timeout=5)
    assert reply.status_code == 400
    assert reply.json()["title"] == "BadRequestError"
    assert next(iter(params)) in reply.json()["detail"]


def test_one_dataset_and_one_that_is_not(remote: Remote) -> None:
    session, dataset_id = remote.session(), remote.credentials["dataset_id"]
    assert session.get(f"{remote.url}{DATASETS}/{dataset_id}", timeout=5).json().keys() == {dataset_id}
    missing = session.get(f"{remote.url}{DATASETS}/nothing", timeout=5)
    assert missing.status_code == 404
    assert missing.json()["title"] == "NotFoundError"
    assert missing.json()["detail"] == "DataSet not found."


def test_a_dataset_of_another_sandbox_is_not_there(remote: Remote) -> None:
    reply = remote.session("dev").get(f"{remote.url}{DATASETS}/{remote.credentials['dataset_id']}", timeout=5)
    assert reply.status_code == 404


def test_a_new_dataset_has_a_name_of_its_own_and_can_be_exported_to(remote: Remote) -> None:
    session = remote.session()
    asked = {
        "name": "Fresh target",
        "schemaRef": {"id": UNION, "contentType": "application/vnd.adobe.xed+json"},
    }
    made = session.post(remote.url + DATASETS, json=asked, timeout=5)
    assert made.status_code == 201
    [reference] = made.json()
    assert reference == made.headers["Location"]
    dataset_id = reference.removeprefix("@/dataSets/")
    assert (
        session.get(f"{remote.url}{DATASETS}/{dataset_id}", timeout=5).json()[dataset_id]["name"]
        == "Fresh target"
    )
    payload = {"destination": {"datasetId": dataset_id}, "schema": {"name": "_xdm.context.profile"}}
    assert session.post(f"{remote.url}/data/core/ups/export/jobs", json=payload, timeout=5).status_code == 200

    again = session.post(remote.url + DATASETS, json=asked, timeout=5)
    assert again.status_code == 400
    assert "exists already" in again.json()["detail"]
    assert remote.session("dev").post(remote.url + DATASETS, json=asked, timeout=5).status_code == 201


@pytest.mark.parametrize(
    ("asked", "word"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "x" * 600}, "name"),
        ({"name": "x"}, "schemaRef"),
        ({"name": "x", "schemaRef": {"id": 5}}, "schemaRef"),
        ([], "object"),
    ],
)
def test_a_dataset_that_lacks_something_is_refused(remote: Remote, asked: Any, word: str) -> None:
    reply = remote.session().post(remote.url + DATASETS, json=asked, timeout=5)
    assert reply.status_code == 400
    assert word in reply.json()["detail"]


def test_segments_are_paged_by_link_until_it_is_empty(remote: Remote) -> None:
    session, seen, start = remote.session(), [], "0"
    while start:
        page = session.get(remote.url + SEGMENTS, params={"limit": 5, "start": start}, timeout=5).json()
        assert page["page"]["totalCount"] == 12
        assert page["page"]["totalPages"] == 3
        assert page["page"]["pageSize"] == len(page["segments"])
        seen += page["segments"]
        start = page["link"].get("next", "").partition("start=")[2].partition("&")[0]
    assert len({segment["id"] for segment in seen}) == len(seen) == 12
    assert remote.credentials["segment_id"] in {segment["id"] for segment in seen}
    kinds = [kind for s in seen for kind, told in s["evaluationInfo"].items() if told["enabled"]]
    assert set(kinds) == {"batch", "continuous", "synchronous"}
    assert all(segment["name"] and segment["mergePolicyId"] for segment in seen)


def test_one_segment_and_one_that_is_not(remote: Remote) -> None:
    session, segment_id = remote.session(), remote.credentials["segment_id"]
    assert session.get(f"{remote.url}{SEGMENTS}/{segment_id}", timeout=5).json()["id"] == segment_id
    missing = session.get(f"{remote.url}{SEGMENTS}/nothing", timeout=5)
    assert missing.status_code == missing.json()["status"] == 404
    assert missing.json()["errors"]["404"][0]["message"]


def test_merge_policies_are_paged_by_an_opaque_start(remote: Remote) -> None:
    session, seen, href = remote.session(), [], "@/mergePolicies?limit=2"
    while href:
        page = session.get(f"{remote.url}{POLICIES}?{href.partition('?')[2]}", timeout=5).json()
        assert page["_page"]["totalCount"] == 3
        seen += page["children"]
        href = page["_links"]["next"].get("href", "")
    assert len({policy["id"] for policy in seen}) == len(seen) == 3
    assert [policy["default"] for policy in seen].count(True) == 1
    assert session.get(remote.url + POLICIES, params={"start": "7"}, timeout=5).status_code == 400


def test_sandboxes_are_those_two(remote: Remote) -> None:
    page = remote.session().get(f"{remote.url}/data/foundation/sandbox-management/", timeout=5).json()
    assert [(s["name"], s["type"], s["isDefault"], s["state"]) for s in page["sandboxes"]] == [
        ("prod", "production", True, "active"),
        ("dev", "development", False, "active"),
    ]
    assert page["_page"]["count"] == 2
    assert page["_links"]["page"]["templated"] is True


def test_namespaces_are_a_plain_array(remote: Remote) -> None:
    found = remote.session().get(f"{remote.url}/data/core/idnamespace/identities", timeout=5).json()
    assert [namespace["code"] for namespace in found] == ["ECID", "Email", "CRMID", "Phone"]


def test_a_path_that_no_service_has_is_a_404_in_json(remote: Remote) -> None:
    reply = remote.session().get(f"{remote.url}/data/core/ups/nothing", timeout=5)
    assert reply.status_code == 404
    assert reply.json()["code"] == "404"
