"""Faults on order: what a rule does, to whom, how often, and what it leaves alone."""

from __future__ import annotations

import time
from typing import Any

import pytest
import requests

from tests.remote import EXPORT_JOBS, HOSTILE_RECORD, Remote


def listed(remote: Remote, session: requests.Session | None = None) -> requests.Response:
    return (session or remote.session()).get(remote.url + EXPORT_JOBS, timeout=5)


def create(remote: Remote, session: requests.Session) -> requests.Response:
    target = {"datasetId": remote.credentials["dataset_id"]}
    asked = {"destination": target, "schema": {"name": "_xdm.context.profile"}}
    return session.post(remote.url + EXPORT_JOBS, json=asked, timeout=5)


@pytest.mark.parametrize(
    ("reply", "status", "kind", "body"),
    [
        ({"status": 503}, 503, "text/html", b""),
        ({"status": 502, "text": "<html>Bad Gateway</html>"}, 502, "text/html", b"<html>Bad Gateway</html>"),
        (
            {"status": 429, "json": {"error_code": "429050"}},
            429,
            "application/json",
            b'{"error_code": "429050"}',
        ),
        ({"status": 200, "json": {"records": []}, "truncate": 9}, 200, "application/json", b'{"records'),
    ],
    ids=["empty", "html", "json", "cut"],
)
def test_a_reply_on_order(remote: Remote, reply: dict[str, Any], status: int, kind: str, body: bytes) -> None:
    remote.fault({"reply": reply}, path=EXPORT_JOBS)
    got = listed(remote)
    assert (got.status_code, got.headers["Content-Type"], got.content) == (status, kind, body)


def test_a_reply_carries_the_headers_it_was_given(remote: Remote) -> None:
    remote.fault({"reply": {"status": 429, "headers": {"Retry-After": "7"}}}, path=EXPORT_JOBS)
    assert listed(remote).headers["Retry-After"] == "7"


def test_a_real_reply_can_be_cut_or_replaced_after_the_request_was_carried_out(remote: Remote) -> None:
    session = remote.session()
    remote.fault({"reply": {"after": True, "truncate": 20}}, method="POST", path=EXPORT_JOBS)
    cut = create(remote, session)
    assert len(cut.content) == 20
    job_id = listed(remote).json()["records"][0]["id"]
    remote.fault({"reply": {"after": True, "status": 204, "text": ""}}, method="DELETE", path=EXPORT_JOBS)
    gone = session.delete(f"{remote.url}{EXPORT_JOBS}/{job_id}", timeout=5)
    assert (gone.status_code, gone.content) == (204, b"")
    assert listed(remote).json()["records"][0]["status"] == "CANCELLING"


def test_a_connection_cut_before_leaves_nothing_behind(remote: Remote) -> None:
    session = remote.session()
    remote.fault({"reset": "before"}, method="POST", path=EXPORT_JOBS)
    with pytest.raises(requests.ConnectionError):
        create(remote, session)
    assert listed(remote).json()["records"] == []
    assert remote.requests(EXPORT_JOBS, method="POST")[0]["status"] is None


def test_a_connection_cut_after_leaves_the_job_behind(remote: Remote) -> None:
    session = remote.session()
    remote.fault({"reset": "after"}, method="POST", path=EXPORT_JOBS)
    with pytest.raises(requests.ConnectionError):
        create(remote, session)
    assert len(listed(remote).json()["records"]) == 1
    assert create(remote, session).ok, "the rule held once"


def test_a_cut_on_a_kept_connection_stops_that_connection_alone(remote: Remote) -> None:
    kept, other = remote.session(), remote.session()
    assert listed(remote, kept).ok
    assert listed(remote, other).ok
    remote.fault({"reset": "before"}, path=EXPORT_JOBS)
    with pytest.raises(requests.ConnectionError):
        listed(remote, kept)
    assert listed(remote, other).ok
    assert listed(remote, kept).ok, "a new connection of the same client works"
    assert "Traceback" not in (remote.data_dir / "stderr.txt").read_text()


def test_a_delayed_reply_keeps_nobody_else_waiting(remote: Remote) -> None:
    slow, quick = remote.session("dev"), remote.session("prod")
    remote.fault({"delay_s": 30}, path=EXPORT_JOBS, sandbox="dev")
    with pytest.raises(requests.ReadTimeout):
        slow.get(remote.url + EXPORT_JOBS, timeout=0.3)
    begun = time.monotonic()
    assert listed(remote, quick).ok
    assert time.monotonic() - begun < 5


def test_all_tokens_can_be_ended(remote: Remote) -> None:
    session = remote.session()
    remote.fault({"expire_tokens": True}, path=EXPORT_JOBS)
    assert listed(remote, session).json()["error_code"] == "401013"
    assert listed(remote, session).status_code == 401
    assert listed(remote).ok


def test_a_raw_record_can_stand_in_the_list(remote: Remote) -> None:
    remote.insert_job({"id": 722})
    remote.fault({"records": [HOSTILE_RECORD, None]}, method="GET", path=EXPORT_JOBS)
    assert listed(remote).json()["records"] == [HOSTILE_RECORD, None, {"id": 722}]
    assert listed(remote).json()["records"] == [{"id": 722}]


def test_a_rule_hits_only_what_it_matches(remote: Remote) -> None:
    session = remote.session()
    remote.fault({"reply": {"status": 500}}, method="POST", path=EXPORT_JOBS, sandbox="dev", times=None)
    remote.fault({"reply": {"status": 501}}, regex=r"/jobs/\d+$", times=None)
    assert listed(remote, session).status_code == 200
    assert create(remote, session).status_code == 200
    assert create(remote, remote.session("dev")).status_code == 500
    assert session.get(f"{remote.url}{EXPORT_JOBS}/722", timeout=5).status_code == 501
    assert requests.get(f"{remote.url}/credentials.json", timeout=5).ok, "its own doors are never faulty"


def test_a_rule_holds_as_often_as_it_says(remote: Remote) -> None:
    session = remote.session()
    rule = remote.fault({"reply": {"status": 500}}, path=EXPORT_JOBS, times=2)
    assert [listed(remote, session).status_code for _ in range(4)] == [500, 500, 200, 200]
    [told] = remote.faults()
    assert (told["rule_id"], told["hits"], told["times"]) == (rule, 2, 0)
    remote.fault({"reply": {"status": 500}}, path=EXPORT_JOBS, times=None)
    assert [listed(remote, session).status_code for _ in range(3)] == [500, 500, 500]
    remote.clear_faults()
    assert listed(remote, session).ok


@pytest.mark.parametrize(
    "rule",
    [
        {"do": {"explode": True}},
        {"do": {}, "match": {"colour": "red"}},
        {"do": {}, "match": {"regex": "("}},
        {"match": {}},
        {"do": 5},
        {"do": {}, "times": "often"},
        {"do": {"outcome": {"code": "12"}}},
        {"do": {"reply": {"code": 500}}},
        {"do": {"reset": "sometimes"}},
        [],
    ],
)
def test_a_rule_that_means_nothing_is_refused(remote: Remote, rule: Any) -> None:
    reply = requests.post(f"{remote.url}/_emulator/faults", json=rule, timeout=5)
    assert reply.status_code == 400
    assert reply.json()["message"]
    assert remote.faults() == []


def test_the_journal_tells_what_arrived_and_hides_what_is_secret(remote: Remote) -> None:
    session = remote.session()
    requests.post(
        f"{remote.url}/ims/token/v2",
        params={"client_id": "me", "client_secret": remote.credentials["client_secret"]},
        timeout=5,
    )
    session.headers["x-request-id"] = "trace-7"
    create(remote, session)
    journal = remote.requests()
    assert [(e["method"], e["path"], e["status"]) for e in journal] == [
        ("POST", "/ims/token/v3", 200),
        ("POST", "/ims/token/v2", 400),
        ("POST", EXPORT_JOBS, 200),
    ]
    made = journal[-1]
    assert made["json"]["destination"]["datasetId"] == remote.credentials["dataset_id"]
    assert (made["sandbox"], made["request_id"]) == ("prod", "trace-7")
    assert {"authorization", "x-api-key", "x-gw-ims-org-id", "x-sandbox-name"} <= set(made["headers"])
    assert remote.credentials["client_secret"] not in str(journal)
    assert str(session.headers["Authorization"]).removeprefix("Bearer ") not in str(journal)
    assert [e["path"] for e in remote.requests("/ims/", method="POST")] == ["/ims/token/v3", "/ims/token/v2"]
    remote.clear_requests()
    assert remote.requests() == []


def test_the_platform_dates_its_replies_by_its_own_clock(remote: Remote) -> None:
    before = remote.now_ms()
    assert remote.advance(5_000) >= before + 5_000_000
    told = requests.get(remote.url, timeout=5).headers["Date"]
    here = time.strftime("%a, %d %b %Y %H:%M", time.gmtime())
    assert here not in told
