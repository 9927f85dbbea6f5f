"""Every call against a real platform process, with its faults on order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from jobs.client.api import UNION_SCHEMA, Client
from jobs.client.credential import Credential, MemoryTokenStore
from jobs.client.errors import (
    CredentialRefused,
    NotAllowed,
    NotFound,
    PlatformDown,
    PlatformError,
    Refused,
    Throttled,
    TimedOut,
    Unreachable,
)
from jobs.client.retry import Retry
from jobs.client.wire import Timeouts
from tests.client.conftest import sample
from tests.remote import EXPORT_JOBS, HOSTILE_RECORD, Remote

TOKENS = "/ims/token"


def payload(remote: Remote, **fields: Any) -> dict[str, Any]:
    target = {"destination": {"datasetId": remote.credentials["dataset_id"]}}
    return target | {"schema": {"name": "_xdm.context.profile"}} | fields


@pytest.fixture
def other(remote: Remote, credential: Credential, retry: Retry) -> Callable[..., Client]:
    """A client that differs from the right one in the fields given."""

    def make(
        url: str = "", sandbox: str | None = None, timeouts: Timeouts | None = None, **fields: str
    ) -> Client:
        name = remote.credentials["sandbox"] if sandbox is None else sandbox
        changed = replace(credential, **fields)
        return Client(url or remote.url, changed, name, MemoryTokenStore(), timeouts, retry=retry)

    return make


def test_a_job_is_made_read_and_cancelled(remote: Remote, client: Client) -> None:
    segment = {"segmentId": remote.credentials["segment_id"], "segmentNs": "ups", "status": ["realized"]}
    made = client.create_job(payload(remote, filter={"segments": [segment]}), request_id="trace-1")
    assert made.remote_status == "NEW"
    assert made.segments[0].segment_id == remote.credentials["segment_id"]
    assert client.get_job(made.remote_id).remote_id == made.remote_id
    done = client.cancel_job(made.remote_id)
    assert done.message == "Export job has been marked for cancelling"
    assert client.get_job(made.remote_id).remote_status in ("CANCELLING", "CANCELLED")
    [sent] = remote.requests(EXPORT_JOBS, method="POST")
    assert sent["request_id"] == "trace-1"
    assert client.requests == 4


def test_each_call_carries_the_four_headers_and_the_list_of_sandboxes_no_sandbox(
    remote: Remote, client: Client
) -> None:
    client.list_jobs()
    client.sandboxes()
    listed, sandboxes = remote.requests("/data/")
    four = {"authorization", "x-api-key", "x-gw-ims-org-id", "x-sandbox-name"}
    assert four <= {name.lower() for name in listed["headers"]}
    assert "x-sandbox-name" not in {name.lower() for name in sandboxes["headers"]}
    assert listed["sandbox"] == remote.credentials["sandbox"]


def test_the_whole_list_is_read_by_following_the_offset(remote: Remote, client: Client) -> None:
    at = remote.now_ms()
    ids = [
        remote.insert_job({"id": number, "status": "NEW"}, created_ms=at + number) for number in range(1, 8)
    ]
    pages, offset = [client.list_jobs(limit=3)], ""
    while (offset := pages[-1].next_offset or "") and len(pages) < 9:
        pages.append(client.list_jobs(limit=3, offset=offset))
    assert [[job.remote_id for job in page.jobs] for page in pages if page.jobs] == [
        ["7", "6", "5"],
        ["4", "3", "2"],
        ["1"],
    ]
    assert sorted(ids) == sorted(job.remote_id for page in pages for job in page.jobs)


def test_the_list_can_be_of_one_status_and_tells_the_server_s_time(remote: Remote, client: Client) -> None:
    remote.insert_job({"id": 1, "status": "FAILED"})
    remote.insert_job({"id": 2, "status": "SUCCEEDED"})
    page = client.list_jobs(status="FAILED")
    assert [job.remote_id for job in page.jobs] == ["1"]
    assert page.server_time is not None
    assert abs(page.server_time - datetime.now(UTC)) < timedelta(seconds=30)


def test_one_hostile_record_is_reported_and_the_page_kept(remote: Remote, client: Client) -> None:
    remote.insert_job(sample("job_722_failed_profile_guide"))
    remote.fault({"records": [HOSTILE_RECORD, None, "x", {**HOSTILE_RECORD, "id": 5}]}, path=EXPORT_JOBS)
    page = client.list_jobs()
    assert [job.remote_id for job in page.jobs] == ["5", "722"]
    assert len(page.rejected) == 3
    assert len(page.jobs[0].problems) >= 6
    assert len(page.jobs[1].errors) == 2


def test_a_job_twice_on_a_page_is_taken_once(remote: Remote, client: Client) -> None:
    remote.fault({"records": [{"id": 5, "status": "NEW"}, {"id": "5", "status": "FAILED"}]}, path=EXPORT_JOBS)
    page = client.list_jobs()
    assert [(job.remote_id, job.remote_status) for job in page.jobs] == [("5", "NEW")]
    assert "twice" in page.rejected[0].reason


def test_the_look_ups_name_what_an_export_needs(remote: Remote, client: Client) -> None:
    datasets = {dataset.dataset_id: dataset for dataset in client.datasets()}
    usable = datasets[remote.credentials["dataset_id"]]
    assert usable.is_union
    assert usable.schema_id == UNION_SCHEMA
    assert not all(dataset.is_union for dataset in datasets.values())
    assert client.dataset(usable.dataset_id) == replace(usable)
    assert remote.credentials["segment_id"] in {segment.segment_id for segment in client.segments()}
    assert [policy.is_default for policy in client.merge_policies()].count(True) == 1
    assert {sandbox.name for sandbox in client.sandboxes()} == set(remote.credentials["sandboxes"])
    assert {"Email", "ECID"} <= {namespace.code for namespace in client.namespaces()}


def test_a_new_dataset_can_take_an_export(remote: Remote, client: Client) -> None:
    dataset_id = client.create_dataset("Audience export <b>")
    dataset = client.dataset(dataset_id)
    assert (dataset.name, dataset.is_union) == ("Audience export <b>", True)
    made = client.create_job(payload(remote, destination={"datasetId": dataset_id}), request_id="r")
    assert made.dataset_id == dataset_id


def test_all_datasets_come_however_many_pages_they_fill(remote: Remote, client: Client) -> None:
    made = {client.create_dataset(f"D {number}") for number in range(105)}
    ids = [dataset.dataset_id for dataset in client.datasets()]
    assert made < set(ids)
    assert len(ids) == len(set(ids))


def test_an_expired_token_is_renewed_without_anybody_noticing(remote: Remote, client: Client) -> None:
    client.list_jobs()
    remote.fault({"expire_tokens": True}, path=EXPORT_JOBS)
    client.list_jobs()
    remote.fault({"expire_tokens": True}, path=EXPORT_JOBS, method="POST")
    assert client.create_job(payload(remote), request_id="r").remote_status == "NEW"
    assert len(remote.requests(TOKENS)) == 3
    posted = remote.requests(EXPORT_JOBS, method="POST")
    assert [request["status"] for request in posted] == [401, 200]


def test_the_token_proves_the_credential_and_is_shared(remote: Remote, client: Client) -> None:
    left = client.token_expires_at() - datetime.now(UTC)
    assert timedelta(hours=23) < left <= timedelta(hours=24)
    client.list_jobs()
    assert len(remote.requests(TOKENS)) == 1


@pytest.mark.parametrize(
    ("fields", "kind", "words"),
    [
        ({"client_secret": "wrong"}, CredentialRefused, "client secret is wrong"),
        ({"client_id": "nobody"}, CredentialRefused, "client id"),
        ({"scopes": "nonsense"}, CredentialRefused, "scope"),
        ({"org_id": "0000@AdobeOrg"}, CredentialRefused, "organisation"),
        ({"org_id": "acme"}, CredentialRefused, "organisation"),
        ({"org_id": ""}, CredentialRefused, "organisation"),
        ({"sandbox": "nope"}, NotAllowed, "sandbox name"),
        ({"sandbox": "PROD"}, NotAllowed, "sandbox name"),
    ],
)
def test_each_wrong_setting_is_named_in_one_sentence_and_is_not_tried_again(
    fields: dict[str, str],
    kind: type[PlatformError],
    words: str,
    other: Callable[..., Client],
    waits: list[float],
    remote: Remote,
) -> None:
    with pytest.raises(kind) as caught:
        other(**fields).list_jobs()
    assert type(caught.value) is kind
    assert words in caught.value.sentence
    assert not caught.value.retry_helps
    assert waits == []
    assert remote.credentials["client_secret"] not in f"{caught.value!r}{vars(caught.value)}"


def test_the_sandboxes_can_be_read_although_the_sandbox_is_wrong(other: Callable[..., Client]) -> None:
    assert other(sandbox="nope").sandboxes()


def test_an_address_without_a_platform_is_named(remote: Remote, other: Callable[..., Client]) -> None:
    with pytest.raises(NotFound, match="platform URL"):
        other(url=f"{remote.url}/somewhere").list_jobs()
    with pytest.raises(CredentialRefused, match="token URL"):
        other(token_url=f"{remote.url}/somewhere").list_jobs()


def test_a_job_the_platform_does_not_know_is_not_found(client: Client) -> None:
    for call in (lambda: client.get_job("999999"), lambda: client.cancel_job("999999")):
        with pytest.raises(NotFound, match="999999") as caught:
            call()
        assert caught.value.request_id


def test_a_refused_payload_is_told_in_the_platform_s_own_words(remote: Remote, client: Client) -> None:
    with pytest.raises(Refused) as caught:
        client.create_job(payload(remote, destination={"datasetId": "nope"}), request_id="r")
    assert "nope" in caught.value.detail
    assert caught.value.detail in caught.value.sentence
    assert not caught.value.maybe_received


def test_reads_outlast_throttling_faults_and_breaks(
    remote: Remote, client: Client, waits: list[float]
) -> None:
    remote.fault({"reply": {"status": 429, "headers": {"Retry-After": "3"}}}, path=EXPORT_JOBS)
    remote.fault({"reply": {"status": 503}}, path=EXPORT_JOBS)
    remote.fault({"reset": "before"}, path=EXPORT_JOBS)
    assert client.list_jobs().jobs == ()
    assert waits == [3.0, 1.0, 2.0]


def test_a_long_retry_after_is_left_to_the_caller(remote: Remote, client: Client, waits: list[float]) -> None:
    remote.fault({"reply": {"status": 429, "headers": {"Retry-After": "600"}}}, path=EXPORT_JOBS)
    with pytest.raises(Throttled, match="Wait 600 seconds") as caught:
        client.list_jobs()
    assert caught.value.retry_after_s == 600
    assert waits == []


def test_a_platform_that_stays_down_is_given_up_after_three_repeats(
    remote: Remote, client: Client, waits: list[float]
) -> None:
    page = "<html><head><title>502 Bad Gateway</title></head></html>"
    remote.fault({"reply": {"status": 502, "text": page}}, path=EXPORT_JOBS, times=None)
    with pytest.raises(PlatformDown, match="502 Bad Gateway"):
        client.list_jobs()
    assert len(waits) == 3


def test_a_create_whose_reply_is_lost_made_one_job_and_is_called_unknown(
    remote: Remote, client: Client
) -> None:
    remote.fault({"reset": "after"}, path=EXPORT_JOBS, method="POST")
    with pytest.raises(Unreachable, match="is not known") as caught:
        client.create_job(payload(remote), request_id="r")
    assert caught.value.maybe_received
    assert len(client.list_jobs().jobs) == 1


def test_a_slow_reply_times_out(remote: Remote, other: Callable[..., Client], waits: list[float]) -> None:
    remote.fault({"delay_s": 5}, path=EXPORT_JOBS, method="POST")
    with pytest.raises(TimedOut, match="did not answer in time") as caught:
        other(timeouts=Timeouts(1, 0.2, 1)).create_job(payload(remote), request_id="r")
    assert caught.value.maybe_received
    assert waits == []


def test_a_platform_that_was_away_is_found_again(start_remote: Callable[..., Remote], retry: Retry) -> None:
    away = start_remote("--jobs", "3", "--arrivals", "0")
    known = away.credentials
    credential = Credential(
        known["token_url"], known["client_id"], known["client_secret"], "openid,AdobeID", known["org_id"]
    )
    client = Client(away.url, credential, known["sandbox"], MemoryTokenStore(), retry=retry)
    before = client.list_jobs()
    away.stop()
    with pytest.raises(Unreachable, match="nothing listens"):
        client.list_jobs()
    away.start()
    assert [job.remote_id for job in client.list_jobs().jobs] == [job.remote_id for job in before.jobs]
