"""The commands that scripts rely on: connect, sync, api_token, tallies."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from jobs.models import Activity, ApiToken, Connection, ExportJob, Sandbox, Verb
from tests import make
from tests.remote import Remote

pytestmark = pytest.mark.django_db


def connect(remote: Remote, monkeypatch: pytest.MonkeyPatch, **changed: Any) -> str:
    known = remote.credentials
    monkeypatch.setenv("A_SECRET", changed.pop("secret", known["client_secret"]))
    options = {
        "org": known["org_id"],
        "client_id": known["client_id"],
        "client_secret_env": "A_SECRET",
        "sandbox": [known["sandbox"]],
        "platform_url": known["platform_url"],
        "token_url": known["token_url"],
    }
    out = io.StringIO()
    call_command("connect", "acme", stdout=out, **(options | changed))
    return out.getvalue()


def test_connect_makes_a_working_connection_and_prints_one_line(
    remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = connect(remote, monkeypatch)
    assert said.count("\n") == 1 and said.startswith("acme works")
    assert Sandbox.objects.get().ref == f"acme/{remote.credentials['sandbox']}"
    assert remote.credentials["client_secret"] not in said


def test_connect_reads_the_secret_from_standard_input(
    remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(remote.credentials["client_secret"] + "\n"))
    assert "works" in connect(remote, monkeypatch, client_secret_env=None)


def test_connect_again_updates_and_does_not_double(remote: Remote, monkeypatch: pytest.MonkeyPatch) -> None:
    connect(remote, monkeypatch)
    connect(remote, monkeypatch, label="prod")
    assert Connection.objects.get().label == "prod"
    assert Activity.objects.filter(verb=Verb.CONNECTION_CREATED).count() == 1


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"secret": "nope"}, "secret"),
        ({"org": "Nobody@AdobeOrg"}, "org"),
        ({"sandbox": ["nowhere"]}, "nowhere"),
        ({"platform_url": "http://platform.example.org"}, "https"),
        ({"token_url": "http://127.0.0.1:9/ims/token/v3"}, "127.0.0.1:9"),
        ({"secret": " "}, "client secret"),
        ({"platform_url": "not an address"}, "URL"),
    ],
)
def test_connect_says_clearly_what_the_platform_did_not_take(
    remote: Remote, monkeypatch: pytest.MonkeyPatch, changed: dict[str, Any], words: str
) -> None:
    with pytest.raises(CommandError, match=f"(?i){words}"):
        connect(remote, monkeypatch, **changed)


def test_sync_does_one_pass_and_sums_it_up(remote: Remote, monkeypatch: pytest.MonkeyPatch) -> None:
    connect(remote, monkeypatch)
    remote.insert_job(make.raw(id=1, status="SUCCEEDED"))
    remote.insert_job(make.raw(id=2))
    out = io.StringIO()
    call_command("sync", stdout=out)
    ref = f"acme/{remote.credentials['sandbox']}"
    assert out.getvalue().startswith(f"{ref}: new 2, changed 0, unchanged 0, requests 1, seconds ")
    assert ExportJob.objects.count() == 2


def test_sync_fails_with_the_reason_when_a_sandbox_cannot_be_read(
    remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(remote, monkeypatch)
    remote.fault({"reply": {"status": 403, "json": {"title": "Closed on Sundays"}}}, path="/data", times=None)
    err = io.StringIO()
    with pytest.raises(CommandError, match="could not read acme/"):
        call_command("sync", stderr=err)
    assert "Closed on Sundays" in err.getvalue()


def test_sync_of_a_sandbox_nobody_added_says_so() -> None:
    with pytest.raises(CommandError, match="no sandbox acme/prod"):
        call_command("sync", "acme/prod")


def test_api_token_is_printed_once_and_kept_as_a_digest() -> None:
    ana, out = make.user("ana"), io.StringIO()
    call_command("api_token", "ana", stdout=out)
    token = out.getvalue().strip()
    found = ApiToken.find(token)
    assert found is not None and found.user == ana
    assert token not in str(ApiToken.objects.values().get())


def test_api_token_of_nobody_is_an_error() -> None:
    with pytest.raises(CommandError, match="no user nobody"):
        call_command("api_token", "nobody")


def test_tallies_are_rebuilt() -> None:
    make.job(make.sandbox())
    out = io.StringIO()
    call_command("tallies", stdout=out)
    assert out.getvalue() == "acme/prod: 1 jobs counted\n"
