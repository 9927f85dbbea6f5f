"""The page for people: what it shows, and that its switches obey nobody but the page itself."""

from __future__ import annotations

import re
from typing import Any

import pytest
import requests

from tests.remote import EXPORT_JOBS, Remote


def switch(remote: Remote, kind: str, *, origin: str | None = "", **fields: Any) -> requests.Response:
    """Send a form as the browser does from the page ("" as origin), or from elsewhere."""
    headers = {} if origin is None else {"Origin": origin or remote.url}
    return requests.post(
        f"{remote.url}/switches/{kind}", data=fields, headers=headers, timeout=5, allow_redirects=False
    )


def page(remote: Remote, path: str = "/") -> requests.Response:
    return requests.get(remote.url + path, timeout=5)


def test_it_says_what_it_is_and_how_to_use_it(remote: Remote) -> None:
    remote.insert_job({"id": 722, "status": "FAILED", "errors": [{"msg": "Job <b>aborted</b>."}]})
    text = page(remote).text
    assert "developers' tool" in text
    for name in ("client_id", "client_secret", "org_id", "dataset_id", "segment_id", "token_url"):
        assert remote.credentials[name] in text
    assert {"prod", "dev", "722", "FAILED"} <= set(re.findall(r"[\w-]+", text))
    assert "Job &lt;b&gt;aborted&lt;/b&gt;." in text
    assert text.count("curl -s") >= 3
    for name in [*remote.quirks(), *remote.presets()]:
        assert f"<code>{name}</code>" in text


def test_it_loads_nothing_from_anywhere_and_cannot_be_framed(remote: Remote) -> None:
    for path in ("/", "/schema"):
        reply = page(remote, path)
        policy = reply.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert reply.headers["X-Frame-Options"] == "DENY"
        assert re.findall(r"""(?:src|href)=["'](?:https?:)?//""", reply.text) == []
        assert " style=" not in reply.text
        assert re.search(r"\son\w+=", reply.text) is None


def test_hostile_jobs_do_not_break_it(remote: Remote) -> None:
    odd: list[Any] = [None, [], "x", {"id": {}, "errors": "x", "metrics": 5, "status": 7}, {"id": "<script>"}]
    for record in odd:
        remote.insert_job(record)
    remote.insert_job({"id": 1}, created_ms=10**15 - 1)
    reply = page(remote)
    assert reply.status_code == 200
    assert "<script>" not in reply.text.replace("<script nonce=", "")


def test_every_field_can_be_browsed(remote: Remote) -> None:
    text = page(remote, "/schema").text
    for path in (
        "person.name.firstName",
        "identityMap",
        "identities.id",
        "personalEmail.address",
        "web.webPageDetails.name",
    ):
        assert f"<code>{path}</code>" in text


def test_a_fault_is_switched_on_and_off(remote: Remote) -> None:
    reply = switch(remote, "faults", deed="on", name="throttled", chance="100", times="")
    assert (reply.status_code, reply.headers["Location"]) == (303, "/#faults")
    [rule] = remote.faults()
    assert (rule["name"], rule["times"], rule["chance"]) == ("throttled", None, 1.0)
    assert remote.session().get(remote.url + EXPORT_JOBS, timeout=5).status_code == 429
    assert "struck 1 times" in page(remote).text
    switch(remote, "faults", deed="on", name="throttled", chance="25", times="3")
    [rule] = remote.faults()
    assert (rule["chance"], rule["times"]) == (0.25, 3), "switched on again: the new wish holds alone"
    switch(remote, "faults", deed="off", name="throttled")
    assert remote.faults() == []


def test_a_rule_of_a_program_is_shown_and_removed(remote: Remote) -> None:
    rule_id = remote.fault({"delay_s": 0.25}, times=None)
    switch(remote, "faults", deed="on", name="reset")
    assert "delay_s" in page(remote).text
    switch(remote, "faults", deed="remove", rule_id=rule_id)
    assert [rule["name"] for rule in remote.faults()] == ["reset"]
    switch(remote, "faults", deed="clear")
    assert remote.faults() == []


def test_quirks_permissions_and_the_clock_are_switched(remote: Remote) -> None:
    before = remote.now_ms()
    assert switch(remote, "quirks", quirk=["id-uuid", "next-null"]).status_code == 303
    assert requests.get(f"{remote.url}/_emulator/quirks", timeout=5).json()["quirks"] == [
        "id-uuid",
        "next-null",
    ]
    switch(remote, "quirks")
    assert requests.get(f"{remote.url}/_emulator/quirks", timeout=5).json()["quirks"] == []
    switch(remote, "permissions", permission=["View Segments", "Everything"])
    assert requests.get(f"{remote.url}/_emulator/permissions", timeout=5).json()["permissions"] == [
        "View Segments"
    ]
    switch(remote, "clock", minutes="10")
    assert remote.now_ms() - before >= 600_000


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("faults", {"deed": "on", "name": "no-such"}),
        ("faults", {"deed": "on", "name": "throttled", "chance": "many"}),
        ("faults", {}),
        ("quirks", {"quirk": ["id-uuid", "id-text"]}),
        ("clock", {"minutes": "-5"}),
        ("clock", {"minutes": "nan"}),
    ],
)
def test_a_form_that_means_nothing_is_refused(remote: Remote, kind: str, fields: dict[str, Any]) -> None:
    assert switch(remote, kind, **fields).status_code == 400
    assert remote.faults() == []


@pytest.mark.parametrize(
    "origin", [None, "null", "https://elsewhere.example", "http://127.0.0.1:1", "https://127.0.0.1"]
)
@pytest.mark.parametrize("kind", ["faults", "quirks", "permissions", "clock"])
def test_a_form_from_elsewhere_changes_nothing(remote: Remote, kind: str, origin: str | None) -> None:
    fields = {"deed": "on", "name": "throttled", "quirk": "id-uuid", "minutes": "5"}
    assert switch(remote, kind, origin=origin, **fields).status_code == 403
    assert remote.faults() == []
    assert requests.get(f"{remote.url}/_emulator/quirks", timeout=5).json()["quirks"] == []
    assert len(requests.get(f"{remote.url}/_emulator/permissions", timeout=5).json()["permissions"]) > 3


def test_what_a_browser_calls_cross_site_is_refused_whatever_its_origin(remote: Remote) -> None:
    headers = {"Origin": remote.url, "Sec-Fetch-Site": "cross-site"}
    reply = requests.post(f"{remote.url}/switches/quirks", headers=headers, timeout=5, allow_redirects=False)
    assert reply.status_code == 403


def test_another_name_for_this_machine_reaches_nothing(remote: Remote) -> None:
    headers = {"Host": "elsewhere.example", "Origin": "http://elsewhere.example"}
    reply = requests.post(f"{remote.url}/switches/faults", data={"deed": "clear"}, headers=headers, timeout=5)
    assert reply.status_code == 400
    assert requests.get(f"{remote.url}/switches/faults", timeout=5).status_code == 405
