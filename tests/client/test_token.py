"""Tokens are fetched once, shared, renewed early, and not asked for again right after a refusal."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest

from jobs.client.credential import Credential, MemoryTokenStore, Token
from jobs.client.errors import CredentialRefused, PlatformDown, PlatformError, Refused, Throttled, Unreadable
from jobs.client.retry import Retry
from jobs.client.token import TokenSource
from jobs.client.wire import Timeouts
from tests.client.wire import WireServer, in_turn, reply, sends

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
SECRET = "s3cret & of=the client+1"


class Ims:
    """A token endpoint that answers as it is told, and what it was asked."""

    def __init__(self) -> None:
        self.replies = [self.granted()]
        self.server = WireServer(self._answer)
        self.credential = Credential(
            f"{self.server.url}/ims/token/v3", "client-1", SECRET, "openid, AdobeID session", "ORG@AdobeOrg"
        )

    @staticmethod
    def granted(value: str = "", **fields: Any) -> bytes:
        body = {"access_token": value or "tok-1", "token_type": "bearer", "expires_in": 86399, **fields}
        return reply(json.dumps(body).encode())

    def refuse(self, status: str, **body: str) -> None:
        self.replies = [reply(json.dumps(body).encode(), status=status)]

    @property
    def asked(self) -> int:
        return len(self.server.received)

    def form(self) -> dict[str, list[str]]:
        return parse_qs(self.server.received[-1].partition(b"\r\n\r\n")[2].decode(), strict_parsing=True)

    def _answer(self, connection: socket.socket, number: int) -> None:
        connection.sendall(self.replies[min(number, len(self.replies)) - 1])


@pytest.fixture
def ims() -> Iterator[Ims]:
    ims = Ims()
    with ims.server:
        yield ims


def source(
    ims: Ims, store: MemoryTokenStore | None = None, retry: Retry | None = None, **fields: Any
) -> TokenSource:
    store = MemoryTokenStore() if store is None else store
    return TokenSource(
        ims.credential, store, retry=retry or Retry(repeats=0), timeouts=Timeouts(2, 2, 2), **fields
    )


def test_the_credential_goes_into_the_body_as_a_form_and_never_into_the_url(ims: Ims) -> None:
    token = source(ims).token(NOW)
    head = ims.server.received[0].partition(b"\r\n\r\n")[0].decode()
    assert head.startswith("POST /ims/token/v3 HTTP/1.1\r\n")
    assert "application/x-www-form-urlencoded" in head
    assert ims.form() == {
        "grant_type": ["client_credentials"],
        "client_id": ["client-1"],
        "client_secret": [SECRET],
        "scope": ["openid,AdobeID,session"],
    }
    assert (token.value, token.expires_at) == ("tok-1", NOW + timedelta(seconds=86399))


def test_a_token_is_used_until_ten_minutes_before_its_end(ims: Ims) -> None:
    tokens = source(ims)
    tokens.token(NOW)
    tokens.token(NOW + timedelta(seconds=86399 - 601))
    assert ims.asked == 1
    tokens.token(NOW + timedelta(seconds=86399 - 600))
    assert ims.asked == 2


def test_a_short_lived_token_is_used_for_nine_tenths_of_its_life(ims: Ims) -> None:
    ims.replies = [ims.granted(expires_in=300)]
    tokens = source(ims)
    tokens.token(NOW)
    tokens.token(NOW + timedelta(seconds=269))
    assert ims.asked == 1
    tokens.token(NOW + timedelta(seconds=270))
    assert ims.asked == 2


@pytest.mark.parametrize(
    ("sent", "seconds"),
    [
        (86399992, 86399),
        ("86399", 86399),
        (1_000_000, 1_000_000),
        (None, 3600),
        ("soon", 3600),
        (0, 3600),
        (-5, 3600),
    ],
)
def test_a_lifetime_is_seconds_unless_it_is_too_long_to_be(ims: Ims, sent: object, seconds: int) -> None:
    ims.replies = [ims.granted(expires_in=sent)]
    assert source(ims).token(NOW).expires_at == NOW + timedelta(seconds=seconds)


def test_one_token_is_fetched_however_many_ask_at_once(ims: Ims) -> None:
    store, start = MemoryTokenStore(), threading.Barrier(8)

    def ask() -> str:
        start.wait()
        return source(ims, store).token(NOW).value

    with ThreadPoolExecutor(8) as pool:
        values = [asked.result() for asked in [pool.submit(ask) for _ in range(8)]]
    assert values == ["tok-1"] * 8
    assert ims.asked == 1


def test_renewing_fetches_once_and_takes_what_another_has_renewed_meanwhile(ims: Ims) -> None:
    ims.replies = [ims.granted("tok-1"), ims.granted("tok-2"), ims.granted("tok-3")]
    store = MemoryTokenStore()
    mine, theirs = source(ims, store), source(ims, store)
    stale = mine.token(NOW)
    assert mine.renew(stale, NOW).value == "tok-2"
    assert theirs.renew(stale, NOW).value == "tok-2"
    assert ims.asked == 2


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (
            "401 Unauthorized",
            {"error": "invalid_client", "error_description": "invalid client_secret"},
            "client secret",
        ),
        ("400 Bad Request", {"error": "invalid_scope", "error_description": "invalid scope: x"}, "scope"),
        ("400 Bad Request", {"error": "unauthorized_client"}, "server-to-server"),
        ("403 Forbidden", {"error": "access_denied"}, "secret"),
        ("404 Not Found", {"error": "no"}, "token URL"),
    ],
)
def test_a_refusal_says_what_to_check_in_the_endpoint_s_own_words(
    ims: Ims, status: str, body: dict[str, str], words: str
) -> None:
    ims.refuse(status, **body)
    with pytest.raises(CredentialRefused) as caught:
        source(ims).token(NOW)
    assert words in caught.value.sentence
    assert caught.value.code == body["error"]
    assert caught.value.detail in (body.get("error_description"), body["error"])
    assert not caught.value.retry_helps


def test_a_refused_secret_is_not_tried_again_for_thirty_seconds_by_any_client_of_the_process(
    ims: Ims,
) -> None:
    ims.refuse("401 Unauthorized", error="invalid_client")
    seconds = [0.0]
    for waited in (0.0, 29.0):
        seconds[0] = waited
        with pytest.raises(CredentialRefused):
            source(ims, clock=lambda: seconds[0]).token(NOW)
    assert ims.asked == 1
    seconds[0] = 30.0
    ims.replies = [ims.granted()]
    assert source(ims, clock=lambda: seconds[0]).token(NOW).value == "tok-1"


def test_a_corrected_secret_is_tried_at_once(ims: Ims) -> None:
    ims.refuse("401 Unauthorized", error="invalid_client")
    with pytest.raises(CredentialRefused):
        source(ims).token(NOW)
    ims.credential = replace(ims.credential, client_secret="corrected")
    ims.replies = [ims.granted()]
    assert source(ims).token(NOW).value == "tok-1"


def test_a_fault_of_the_endpoint_is_tried_again_and_is_no_refusal(
    ims: Ims, retry: Retry, waits: list[float]
) -> None:
    ims.replies = [reply(b"", status="503 Unavailable"), reply(b"", status="502 Bad Gateway"), ims.granted()]
    assert source(ims, retry=retry).token(NOW).value == "tok-1"
    assert waits == [0.5, 1.0]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (reply(b"", status="500 Oops"), PlatformDown),
        (reply(b"", status="429 Slow", headers="Retry-After: 600\r\n"), Throttled),
        (reply(b"<html>Sign in</html>"), Unreadable),
        (reply(b"[]"), Unreadable),
        (reply(b'{"access_token": 7}'), Unreadable),
        (reply(b'{"access_token": "bad\\r\\nX-Evil: 1"}'), Unreadable),
        (reply(b'{"access_token": "\\u00e4"}'), Unreadable),
    ],
)
def test_every_other_answer_is_a_typed_error_of_a_call_that_was_not_sent(
    ims: Ims, answer: bytes, kind: type[PlatformError]
) -> None:
    ims.replies = [answer]
    with pytest.raises(kind) as caught:
        source(ims).token(NOW)
    assert not caught.value.maybe_received
    assert "Fetching an access token" in caught.value.sentence


@pytest.mark.parametrize(
    "url", ["http://ims.example.com/token", "ftp://x/y", "ims", "https://u:p@ims.example.com", "https://x:y"]
)
def test_a_secret_is_sent_to_no_address_that_is_not_encrypted(url: str) -> None:
    credential = Credential(url, "c", SECRET, "s", "o")
    with pytest.raises(Refused, match="token URL"):
        TokenSource(credential, MemoryTokenStore()).token(NOW)


def test_neither_credential_nor_token_nor_key_shows_a_secret() -> None:
    credential = Credential("https://ims", "c", SECRET, "s", "o")
    token = Token("tok-1", NOW)
    assert SECRET not in f"{credential!r} {credential} {credential.key}"
    assert "tok-1" not in f"{token!r} {token}"
    assert replace(credential, client_secret="other").key != credential.key


def test_a_store_forgets_a_token_only_if_it_is_still_that_one() -> None:
    store = MemoryTokenStore()
    store.put("k", Token("new", NOW))
    store.drop("k", "old")
    assert store.get("k") == Token("new", NOW)
    store.drop("k", "new")
    assert store.get("k") is None


def test_a_token_endpoint_that_hangs_up_is_unreachable_for_a_moment(retry: Retry, waits: list[float]) -> None:
    with WireServer(in_turn(sends(), sends(), sends(Ims.granted()))) as server:
        credential = Credential(server.url, "c", SECRET, "s", "o")
        tokens = TokenSource(credential, MemoryTokenStore(), retry=retry, timeouts=Timeouts(2, 2, 2))
        assert tokens.token(NOW).value == "tok-1"
    assert waits == [0.5, 1.0]
