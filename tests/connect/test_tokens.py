"""Tokens are shared by all processes, and so is the word that none was given."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from jobs.client import token as module
from jobs.client.credential import Credential, MemoryTokenStore, Token
from jobs.client.errors import CredentialRefused
from jobs.client.retry import Retry
from jobs.client.token import TokenSource
from jobs.connect.tokens import SharedTokenStore
from tests.client.wire import WireServer, keeps, reply

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
NEVER = Retry(repeats=0)


def credential(server: WireServer) -> Credential:
    return Credential(f"{server.url}/ims/token/v3", "client", "wrong-secret", "openid", "ORG@AdobeOrg")


def in_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a process remembers by itself is empty in the next one."""
    monkeypatch.setattr(module, "_refusals", {})


def test_a_wrong_secret_is_tried_once_by_all_processes_together(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = keeps(reply(b'{"error": "invalid_client"}', status="401 No"))
    with WireServer(refused) as server:
        for _ in range(5):
            in_another_process(monkeypatch)
            with pytest.raises(CredentialRefused, match="client secret is wrong"):
                TokenSource(credential(server), SharedTokenStore(), retry=NEVER).token(NOW)
    assert len(server.received) == 1


def test_a_corrected_secret_is_tried_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = keeps(reply(b'{"error": "invalid_client"}', status="401 No"))
    with WireServer(refused) as server:
        wrong = credential(server)
        right = Credential(wrong.token_url, wrong.client_id, "another", wrong.scopes, wrong.org_id)
        for each in (wrong, right):
            with pytest.raises(CredentialRefused):
                TokenSource(each, SharedTokenStore(), retry=NEVER).token(NOW)
    assert len(server.received) == 2


@pytest.mark.parametrize(("left", "is_used"), [(timedelta(minutes=5), True), (timedelta(seconds=-1), False)])
def test_while_the_endpoint_is_down_a_token_is_used_until_it_ends(left: timedelta, is_used: bool) -> None:
    """It was to be renewed ten minutes early: that is what those ten minutes are for."""
    down = keeps(reply(b"", status="503 Busy"))
    with WireServer(down) as server:
        store, known = MemoryTokenStore(), credential(server)
        store.put(known.key, Token("tok-old", NOW + left))
        source = TokenSource(known, store, retry=NEVER)
        if is_used:
            assert source.token(NOW).value == "tok-old"
        else:
            with pytest.raises(module.PlatformError):
                source.token(NOW)
    assert len(server.received) == 1
