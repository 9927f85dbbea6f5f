"""Exports are real: what a client downloads equals an independent reckoning on the store, and the job's counters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.emulator.reckoning import Reckoning, sorted_rows, table
from tests.remote import EXPORT_JOBS, Remote

FILES = "/data/foundation/export"
HOUR_S = 3600


class Platform:
    """An emulator in a hurry, what its first sandbox holds, and exports of it."""

    def __init__(self, remote: Remote) -> None:
        self.remote, self.session = remote, remote.session()
        self.reckoning = Reckoning(remote.data_dir / "store" / remote.credentials["sandbox"])
        found = self._get("/data/core/ups/segment/definitions")["segments"]
        self.segments = {segment["name"]: segment for segment in found}
        self.policies = {
            policy["name"]: policy for policy in self._get("/data/core/ups/config/mergePolicies")["children"]
        }
        self.by_id = {policy["id"]: policy for policy in self.policies.values()}
        none = self.policies["Without stitching"]
        self.by_id["timestampOrdered-none-mp"] = none

    def export(self, **more: Any) -> dict[str, Any]:
        """The finished job."""
        target = {"datasetId": self.remote.credentials["dataset_id"]} | more.pop("destination", {})
        asked = {"destination": target, "schema": {"name": "_xdm.context.profile"}} | more
        reply = self.session.post(self.remote.url + EXPORT_JOBS, json=asked, timeout=30)
        assert reply.status_code == 200, reply.text
        self.remote.advance(HOUR_S)
        self.session = self.remote.session()
        job = self._get(f"{EXPORT_JOBS}/{reply.json()['id']}")
        assert job["status"] == "SUCCEEDED", job.get("errors")
        return job

    def download(self, batch_id: str, folder: Path) -> list[dict[str, Any]]:
        """The rows of a batch, by the files that Data Access gives out."""
        for listed in self._get(f"{FILES}/batches/{batch_id}/files")["data"]:
            for part in self._get(f"{FILES}/files/{listed['dataSetFileId']}")["data"]:
                path = f"{FILES}/files/{listed['dataSetFileId']}?path={part['name']}"
                content = self.session.get(self.remote.url + path, timeout=30).content
                assert len(content) == int(part["length"])
                (folder / f"{batch_id}-{part['name']}").write_bytes(content)
        return table(folder / f"{batch_id}-*.parquet")

    def segment(self, name: str, **more: Any) -> dict[str, Any]:
        return {"segmentId": self.segments[name]["id"], "segmentNs": "ups"} | more

    def _get(self, path: str) -> dict[str, Any]:
        reply = self.session.get(self.remote.url + path, timeout=30)
        assert reply.ok, reply.text
        return reply.json()


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    options = ("--jobs", "0", "--arrivals", "0", "--profiles", "400")
    remote = Remote(tmp_path_factory.mktemp("exports"), *options).start()
    yield Platform(remote)
    remote.stop()


def ago(platform: Platform, days: float) -> str:
    at = datetime.utcfromtimestamp(platform.remote.now_ms() / 1000 - days * 86_400)
    return at.isoformat(timespec="seconds") + "Z"


Make = Callable[[Platform], dict[str, Any]]


def segments(*names: str, **more: Any) -> Make:
    return lambda p: {"filter": {"segments": [p.segment(name, **more) for name in names]}}


def policy(name: str) -> Make:
    return lambda p: {"mergePolicy": {"id": p.policies[name]["id"], "version": 1}}


def events(fields: str | None = None, since: float | None = None, until: float | None = None) -> Make:
    def make(p: Platform) -> dict[str, Any]:
        bounds = {"fromIngestTimestamp": since, "toIngestTimestamp": until}
        window = {name: ago(p, days) for name, days in bounds.items() if days is not None}
        told = ({} if fields is None else {"fields": fields}) | ({"filter": window} if window else {})
        return {"additionalFields": {"eventList": told}}

    return make


def filtered(**more: Any) -> Make:
    """`since` and the window `qualified` are given as days ago."""

    def make(p: Platform) -> dict[str, Any]:
        wanted = dict(more)
        if "since" in wanted:
            wanted["fromIngestTimestamp"] = ago(p, wanted.pop("since"))
        if "qualified" in wanted:
            bounds = zip(("startTime", "endTime"), wanted.pop("qualified"), strict=True)
            wanted["segmentQualificationTime"] = {
                name: ago(p, days) for name, days in bounds if days is not None
            }
        return {"filter": wanted}

    return make


def fields(text: str) -> Make:
    return lambda p: {"fields": text}


def per_batch(p: Platform) -> dict[str, Any]:
    return {"destination": {"segmentPerBatch": True}}


def nothing(p: Platform) -> dict[str, Any]:
    return {}


NEWS, LOYAL, CHURN, CART = (
    "Newsletter subscribers",
    "Loyalty Gold and Platinum",
    "Likely to churn",
    "Cart abandoners, 7 days",
)
SOME = "identityMap,person.name"
MATRIX: dict[str, tuple[Make, ...]] = {
    "everything": (nothing,),
    "no fields named": (fields(""),),
    "one map": (fields("identityMap"),),
    "one leaf": (fields("personalEmail.address"),),
    "a part of a struct": (fields("person.name"),),
    "two leaves of a struct": (fields("person.name.firstName, person.birthDate"),),
    "a part and what is in it": (fields("person.name.firstName,person"),),
    "fields of the guide": (fields("identities.id,personalEmail.address"),),
    "two parts of an array": (fields("identities.id,identities.namespace.code"),),
    "deep leaves": (fields("consents.marketing.email.val,consents.marketing.push"),),
    "memberships": (fields("_id,segmentMembership"),),
    "tenant fields and time": (fields("_id,_emulated,extSourceSystemAudit.lastUpdatedDate"),),
    "empty profiles": (filtered(emptyProfiles=True),),
    "empty profiles unwanted": (filtered(emptyProfiles=False),),
    "updated lately": (filtered(since=30),),
    "updated never": (filtered(since=0),),
    "updated lately, also empty": (filtered(since=60, emptyProfiles=True),),
    "a segment": (segments(NEWS), fields(SOME)),
    "a segment of another policy": (segments(LOYAL), fields("_id,loyalty,person")),
    "realized alone": (segments(NEWS, status=["realized"]),),
    "existing alone": (segments(NEWS, status=["existing"]),),
    "exited alone": (segments(NEWS, status=["exited"]),),
    "no status at all": (segments(NEWS, status=[]),),
    "several segments": (segments(NEWS, LOYAL, CHURN), policy("Default time-based")),
    "a batch for each segment": (segments(NEWS, LOYAL, CHURN), per_batch),
    "a batch for each segment with events": (segments(CART, CHURN), per_batch, events("_id")),
    "a batch for each of no segments": (per_batch, fields("_id")),
    "a segment from elsewhere": (
        lambda p: {"filter": {"segments": [{"segmentId": "x", "segmentNs": "AdCloud"}]}},
    ),
    "qualified since": (filtered(qualified=(30, None)), fields("_id")),
    "qualified until": (filtered(qualified=(None, 30)), fields("_id")),
    "policy by time": (policy("Default time-based"),),
    "policy by precedence": (policy("CRM first"),),
    "policy without stitching": (policy("Without stitching"), filtered(emptyProfiles=True)),
    "policy by its old name": (lambda p: {"mergePolicy": {"id": "timestampOrdered-none-mp"}}, events("_id")),
    "events": (events(),),
    "events of some fields": (events("_id, timestamp, web.webPageDetails.name"), fields("identityMap")),
    "events of the guide": (events("environment.browserDetails.name,environment.browserDetails.version"),),
    "events with arrays": (events("productListItems.SKU,_experience"), fields("_id")),
    "events since": (events("_id,receivedTimestamp", since=100), fields("_id")),
    "events until": (events("_id", until=100), fields("_id")),
    "events between": (events("_id,commerce.order", since=200, until=20), fields("_id")),
    "events and the filter's time": (filtered(since=80), events("_id", since=300), fields("_id")),
    "events of empty profiles": (filtered(emptyProfiles=True), events("eventType"), fields("identityMap")),
    "all together": (
        lambda p: {
            "filter": {
                "segments": [p.segment(NEWS, status=["realized", "existing"]), p.segment(CART)],
                "segmentQualificationTime": {"startTime": ago(p, 90), "endTime": ago(p, 0)},
                "fromIngestTimestamp": ago(p, 95),
                "emptyProfiles": True,
            },
            "destination": {"segmentPerBatch": True},
        },
        fields("identityMap,person.name,loyalty.tier"),
        policy("CRM first"),
        events("_id,timestamp", since=250),
    ),
}


@pytest.mark.parametrize("name", MATRIX)
def test_the_files_hold_what_was_asked_for_and_the_counters_say_so(
    platform: Platform, name: str, tmp_path: Path
) -> None:
    asked: dict[str, Any] = {}
    for make in MATRIX[name]:
        asked |= make(platform)
    job = platform.export(**asked)
    merge_policy = platform.by_id[job["mergePolicy"]["id"]]
    destination, total = job["destination"], 0
    named = destination.get("batches") or [{"batchId": destination["batchId"], "segmentId": ""}]
    counted: dict[str, int] = {}
    for batch in named:
        rows = platform.download(batch["batchId"], tmp_path)
        expected = platform.reckoning.rows(asked, policy=merge_policy, segment=batch["segmentId"])
        assert sorted_rows(rows) == sorted_rows(expected)
        total += len(rows)
        by_namespace = platform.reckoning.by_namespace(asked, policy=merge_policy, segment=batch["segmentId"])
        counted = {code: counted.get(code, 0) + by_namespace.get(code, 0) for code in counted | by_namespace}
    assert job["metrics"]["totalExportedProfileCounter"] == total
    assert job["metrics"]["exportedProfileByNamespaceCounter"] == counted


def test_each_way_to_ask_changes_the_result(platform: Platform) -> None:
    """The matrix would prove little if filters and policies made no difference on this store."""
    reckon, policies = platform.reckoning, platform.policies
    default, crm, apart = (policies[n] for n in ("Default time-based", "CRM first", "Without stitching"))
    everybody = {"filter": {"emptyProfiles": True}}
    by_time, by_order = (sorted_rows(reckon.rows(everybody, policy=p)) for p in (default, crm))
    assert len(by_time) == len(by_order) == 400
    assert len(set(by_time) - set(by_order)) > 50
    assert len(reckon.rows(everybody, policy=apart)) > 600
    assert 0 < len(reckon.rows({}, policy=default)) < 400
    for statuses in (["realized"], ["existing"], ["exited"]):
        asked = {"filter": {"segments": [platform.segment(NEWS, status=statuses)]}}
        assert 5 < len(reckon.rows(asked, policy=default)) < 300


def test_an_evaluation_ordered_with_the_export_comes_first_and_is_recorded(
    platform: Platform, tmp_path: Path
) -> None:
    """Everybody in a segment was in it already: newly realized becomes existing. And an edge segment gets members."""
    edge = platform.segment("Product page, last session")
    asked = [platform.segment(LOYAL, status=["realized"]), edge]
    before = platform._get("/data/core/ups/segment/jobs")["_page"]["totalCount"]
    job = platform.export(
        filter={"segments": asked},
        destination={"segmentPerBatch": True},
        evaluationInfo={"segmentation": True},
        fields="_id",
    )
    assert platform._get("/data/core/ups/segment/jobs")["_page"]["totalCount"] == before + 1
    loyal, product = job["destination"]["batches"]
    assert platform.download(loyal["batchId"], tmp_path) == []
    assert isinstance(platform.download(product["batchId"], tmp_path), list)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"fields": "identityMap,person.nickname"}, "fields: 'person.nickname' is not a field"),
        ({"fields": "identityMap.ECID"}, "fields: 'identityMap.ECID'"),
        ({"additionalFields": {"eventList": {"fields": "person"}}}, "eventList.fields: 'person'"),
    ],
)
def test_a_field_that_the_schema_does_not_have_is_refused(
    platform: Platform, wrong: dict[str, Any], words: str
) -> None:
    target = {"datasetId": platform.remote.credentials["dataset_id"]}
    asked = {"destination": target, "schema": {"name": "_xdm.context.profile"}} | wrong
    reply: requests.Response = platform.session.post(
        platform.remote.url + EXPORT_JOBS, json=asked, timeout=30
    )
    assert reply.status_code == 400
    assert words in reply.json()["errors"]["400"][0]["message"]


def test_an_ordered_miscount_contradicts_the_files(platform: Platform, tmp_path: Path) -> None:
    platform.remote.fault({"outcome": {"miscount": -3}}, method="POST", path=EXPORT_JOBS)
    job = platform.export(fields="_id")
    rows = platform.download(job["destination"]["batchId"], tmp_path)
    assert job["metrics"]["totalExportedProfileCounter"] == len(rows) - 3
