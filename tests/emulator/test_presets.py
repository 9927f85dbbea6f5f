"""Faults by name: each does what its line says, by chance as often as it says, and never more."""

from __future__ import annotations

import json
import time
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.emulator.world import create, ended, payload
from tests.remote import EXPORT_JOBS, HOSTILE_RECORD, SCOPES, Remote


def listed(remote: Remote, session: requests.Session, **params: Any) -> requests.Response:
    return session.get(remote.url + EXPORT_JOBS, params=params, timeout=5)


def post(remote: Remote, session: requests.Session) -> requests.Response:
    return session.post(remote.url + EXPORT_JOBS, json=payload(remote), timeout=10)


def count(remote: Remote, session: requests.Session) -> int:
    return len(listed(remote, session).json()["records"])


REPLIES: list[tuple[str, int, dict[str, Any] | None]] = [
    ("forbidden-gateway", 403, {"error_code": "403025"}),
    ("forbidden-region", 403, {"error_code": "403027"}),
    ("forbidden-service", 403, {"status": 403}),
    ("forbidden-inside-out", 403, {"requestId": "emulated-fault"}),
    ("throttled", 429, {"error_code": "429050"}),
    ("throttled-seconds", 429, {"error_code": "429050"}),
    ("throttled-date", 429, {"error_code": "429050"}),
    ("throttled-service", 429, {"title": "RequestRateTooLarge"}),
    ("unavailable-seconds", 503, None),
    ("reply-html", 200, None),
]


@pytest.mark.parametrize(("name", "status", "part"), REPLIES)
def test_a_list_is_refused_as_the_fault_says_and_then_answered(
    remote: Remote, name: str, status: int, part: dict[str, Any] | None
) -> None:
    session = remote.session()
    remote.preset(name)
    reply = listed(remote, session)
    assert reply.status_code == status
    if part is not None:
        assert part.items() <= reply.json().items()
    assert listed(remote, session).status_code == 200, "it struck once"


def test_a_throttled_reply_says_when_to_come_again_in_every_form(remote: Remote) -> None:
    session = remote.session()
    told = {}
    for name in ("throttled", "throttled-seconds", "throttled-date", "unavailable-seconds"):
        remote.preset(name)
        told[name] = listed(remote, session).headers.get("Retry-After")
    assert (told["throttled"], told["throttled-seconds"], told["unavailable-seconds"]) == (None, "2", "2")
    seconds = parsedate_to_datetime(str(told["throttled-date"])).timestamp() - time.time()
    assert 0 < seconds < 5


@pytest.mark.parametrize("status", [500, 502, 503])
@pytest.mark.parametrize("kind", ["empty", "html", "cut"])
def test_server_errors_come_with_every_kind_of_body(remote: Remote, status: int, kind: str) -> None:
    session = remote.session()
    remote.preset(f"error-{status}-{kind}")
    reply = listed(remote, session)
    assert reply.status_code == status
    if kind == "empty":
        assert reply.content == b""
    elif kind == "html":
        assert reply.text.startswith("<!doctype html>")
    else:
        assert reply.headers["Content-Type"] == "application/json"
        with pytest.raises(json.JSONDecodeError):
            reply.json()


@pytest.mark.parametrize(("name", "status"), [("conflict", 409), ("unprocessable", 422), ("invalid", 400)])
def test_a_create_is_refused_and_not_carried_out(remote: Remote, name: str, status: int) -> None:
    session = remote.session()
    remote.preset(name)
    assert post(remote, session).status_code == status
    assert count(remote, session) == 0


def test_a_job_that_exists_can_be_answered_with_404_once(remote: Remote) -> None:
    session = remote.session()
    job = create(remote, session)
    remote.preset("not-found")
    address = f"{remote.url}{EXPORT_JOBS}/{job['id']}"
    assert [session.get(address, timeout=5).status_code for _ in range(2)] == [404, 200]


def test_tokens_end_and_the_identity_service_fails(remote: Remote) -> None:
    session, known = remote.session(), remote.credentials
    remote.preset("token-expired")
    assert listed(remote, session).json()["error_code"] == "401013"
    form = {name: known[name] for name in ("client_id", "client_secret")}
    form |= {"grant_type": "client_credentials", "scope": SCOPES}
    remote.preset("token-refused")
    remote.preset("token-down")
    replies = [requests.post(known["token_url"], data=form, timeout=5) for _ in range(3)]
    assert [reply.status_code for reply in replies] == [400, 503, 200]
    assert replies[0].json()["error"] == "invalid_client"


def test_the_true_reply_can_be_cut(remote: Remote) -> None:
    session = remote.session()
    remote.preset("reply-cut")
    reply = listed(remote, session)
    assert (reply.status_code, len(reply.content)) == (200, 60)


def test_a_reply_can_break_off(remote: Remote) -> None:
    session = remote.session()
    remote.preset("reply-breaks-off")
    with pytest.raises(requests.exceptions.RequestException):
        listed(remote, session)
    assert listed(remote, session).ok


def test_a_reply_can_stall_while_others_are_answered(remote: Remote) -> None:
    session = remote.session()
    remote.preset("reply-stalls")
    with pytest.raises(requests.exceptions.RequestException):
        session.get(remote.url + EXPORT_JOBS, timeout=0.5)
    assert listed(remote, remote.session()).ok


def test_a_reply_can_go_on_for_ever_without_ever_being_silent(remote: Remote) -> None:
    session = remote.session()
    remote.preset("reply-endless")
    begun = time.monotonic()
    with session.get(remote.url + EXPORT_JOBS, timeout=1, stream=True) as reply:
        for number, _ in enumerate(reply.iter_content(1)):
            if number == 8:
                break
    assert time.monotonic() - begun > 1.2, "longer than the timeout of a read, which never strikes"
    assert listed(remote, remote.session()).ok
    assert "Traceback" not in (remote.data_dir / "stderr.txt").read_text()


@pytest.mark.parametrize("name", ["reply-slow", "reply-very-slow", "create-lost-slow"])
def test_a_slow_reply_is_slower_than_patience(remote: Remote, name: str) -> None:
    session = remote.session()
    remote.preset(name)
    with pytest.raises(requests.exceptions.ReadTimeout):
        session.post(remote.url + EXPORT_JOBS, json=payload(remote), timeout=1.5)
    remote.clear_faults()
    made = count(remote, remote.session())
    assert made == (1 if name == "create-lost-slow" else 0), "carried out before the reply, or not yet"


@pytest.mark.parametrize(
    ("name", "made"), [("create-reset-before", 0), ("create-reset-after", 1), ("reset", 0)]
)
def test_a_create_can_be_cut_before_or_after_it_was_carried_out(remote: Remote, name: str, made: int) -> None:
    session = remote.session()
    remote.preset(name)
    with pytest.raises(requests.ConnectionError):
        post(remote, session)
    assert count(remote, remote.session()) == made


def test_a_create_can_be_carried_out_and_answered_with_503(remote: Remote) -> None:
    session = remote.session()
    remote.preset("create-lost-503")
    reply = post(remote, session)
    assert (reply.status_code, reply.content) == (503, b"")
    assert count(remote, session) == 1


def test_hostile_records_stand_where_the_fault_says(remote: Remote) -> None:
    session = remote.session()
    job = create(remote, session)
    remote.preset("hostile-record")
    records = listed(remote, session).json()["records"]
    assert HOSTILE_RECORD.items() <= records[0].items()
    assert [records[1], records[2]["id"]] == [None, job["id"]]
    remote.preset("hostile-job")
    assert session.get(f"{remote.url}{EXPORT_JOBS}/{job['id']}", timeout=5).json() == records[0]
    remote.preset("hostile-list")
    assert isinstance(listed(remote, session).json()["records"], dict)


def test_every_field_of_the_hostile_record_has_a_wrong_type(remote: Remote) -> None:
    session = remote.session()
    job = create(remote, session, fields="identityMap", filter={}, additionalFields={})
    remote.preset("hostile-job")
    hostile = session.get(f"{remote.url}{EXPORT_JOBS}/{job['id']}", timeout=5).json()
    assert {name for name in job if name in hostile and type(job[name]) is type(hostile[name])} == set()
    assert {"id", "status", "destination", "metrics", "schema", "creationTime"} <= hostile.keys()


def test_a_job_vanishes_for_good(remote: Remote) -> None:
    session = remote.session()
    job, other = create(remote, session), create(remote, session)
    remote.preset("job-vanishes")
    address = f"{remote.url}{EXPORT_JOBS}/{job['id']}"
    assert [session.get(address, timeout=5).status_code for _ in range(2)] == [404, 404]
    assert [record["id"] for record in listed(remote, session).json()["records"]] == [other["id"]]


def test_a_job_never_ends(remote: Remote) -> None:
    session = remote.session()
    remote.preset("job-never-ends")
    job = create(remote, session)
    remote.advance(80_000)
    assert session.get(f"{remote.url}{EXPORT_JOBS}/{job['id']}", timeout=5).json()["status"] == "PROCESSING"


@pytest.mark.parametrize("code", ["0100000003", "0090000009", "unknown", "0080000018"])
def test_a_job_fails_with_each_documented_error(remote: Remote, code: str) -> None:
    session = remote.session()
    remote.preset(f"job-fails-{code}")
    job = ended(remote, session, create(remote, session))
    assert (job["status"], job["errors"][0]["code"]) == ("FAILED", code)


def test_a_job_succeeds_with_an_error(remote: Remote) -> None:
    session = remote.session()
    remote.preset("job-warns")
    job = ended(remote, session, create(remote, session))
    assert (job["status"], len(job["errors"])) == ("SUCCEEDED", 1)


def test_a_job_finds_nobody_and_another_miscounts(remote: Remote) -> None:
    session = remote.session()
    remote.preset("job-empty")
    empty = ended(remote, session, create(remote, session))
    assert empty["metrics"]["totalExportedProfileCounter"] == 0
    remote.preset("job-miscounts")
    job = ended(remote, session, create(remote, session))
    batch_id = job["destination"]["batchId"]
    address = f"{remote.url}/data/foundation/catalog/batches/{batch_id}"
    written = session.get(address, timeout=5).json()[batch_id]["metrics"]["recordsWritten"]
    assert job["metrics"]["totalExportedProfileCounter"] == written + 7


@pytest.mark.parametrize(("name", "off_s"), [("clock-ahead", 600), ("clock-behind", -600)])
def test_every_time_that_is_told_is_off(remote: Remote, name: str, off_s: int) -> None:
    session = remote.session()
    true = create(remote, session)
    address = f"{remote.url}{EXPORT_JOBS}/{true['id']}"
    remote.preset(name)
    reply = session.get(address, timeout=5)
    told = reply.json()
    assert told["creationTime"] - true["creationTime"] == off_s * 1000
    assert told["metrics"]["totalTime"]["startTimeInMs"] == told["creationTime"]
    assert abs(parsedate_to_datetime(reply.headers["Date"]).timestamp() - time.time() - off_s) < 30
    assert session.get(address, timeout=5).json()["creationTime"] == true["creationTime"]


def test_a_fault_strikes_by_its_chance_and_the_same_seed_strikes_the_same(start_remote: Any) -> None:
    struck = []
    for _ in range(2):
        remote = start_remote("--jobs", "0", "--arrivals", "0", "--fault", "error-503-empty:0.3")
        session = remote.session()
        struck.append([listed(remote, session).status_code == 503 for _ in range(120)])
    assert struck[0] == struck[1]
    assert 15 <= sum(struck[0]) <= 60
    [rule] = remote.faults()
    assert (rule["name"], rule["chance"], rule["hits"]) == ("error-503-empty", 0.3, sum(struck[0]))


def test_a_fault_that_is_not_drawn_leaves_the_request_to_the_next_one(remote: Remote) -> None:
    session = remote.session()
    remote.preset("error-503-empty", times=None, chance=0)
    remote.preset("throttled", times=None)
    assert [listed(remote, session).status_code for _ in range(5)] == [429] * 5


def test_a_fault_can_be_narrowed_to_a_place(remote: Remote) -> None:
    prod, dev = remote.session("prod"), remote.session("dev")
    remote.preset("throttled", times=None, sandbox="dev")
    assert (listed(remote, prod).status_code, listed(remote, dev).status_code) == (200, 429)


@pytest.mark.parametrize(
    "asked",
    [
        {"preset": "no-such"},
        {"preset": 5},
        {"preset": "throttled", "chance": 2},
        {"preset": "throttled", "chance": "often"},
        {"preset": "throttled", "match": {"colour": "red"}},
        {"do": {"stall": "x"}},
    ],
)
def test_a_fault_that_cannot_be_is_refused(remote: Remote, asked: dict[str, Any]) -> None:
    reply = requests.post(f"{remote.url}/_emulator/faults", json=asked, timeout=5)
    assert reply.status_code == 400
    assert remote.faults() == []


def test_a_single_rule_can_be_taken_back(remote: Remote) -> None:
    kept, gone = remote.preset("throttled", times=None), remote.preset("reset", times=None)
    assert requests.delete(f"{remote.url}/_emulator/faults/{gone}", timeout=5).ok
    assert [rule["rule_id"] for rule in remote.faults()] == [kept]


def test_every_fault_has_a_line_and_a_test(remote: Remote) -> None:
    known = remote.presets()
    text = Path(__file__).read_text()
    made = {f"error-{status}-{kind}" for status in (500, 502, 503) for kind in ("empty", "html", "cut")}
    made |= {f"job-fails-{code}" for code in ("0100000003", "0090000009", "unknown", "0080000018")}
    assert [name for name in known if f'"{name}"' not in text and name not in made] == []
    assert made <= known.keys()
    assert all(len(line) > 10 for line in known.values())


def test_an_unknown_fault_on_the_command_line_is_one_sentence(start_remote: Any) -> None:
    with pytest.raises(RuntimeError, match="no such fault: nonsense"):
        start_remote("--fault", "nonsense")
    with pytest.raises(RuntimeError, match="only one of these"):
        start_remote("--quirks", "id-uuid,id-text")
