"""What tests of the client share: a client of the emulator, one of any address, and a clock that does not run."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from jobs.client.api import Client
from jobs.client.credential import Credential, MemoryTokenStore, Token
from jobs.client.retry import Retry
from jobs.client.wire import Timeouts
from tests.remote import SCOPES, Remote

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
SECRET = "s3cret-of-the-client"
TOKEN = "token-of-the-platform-0123456789"


def sample(name: str) -> Any:
    """A sample of the vendor's guides by its file's name."""
    return json.loads((SAMPLES / f"{name}.json").read_text())


@pytest.fixture
def waits() -> list[float]:
    """The seconds the client wanted to wait, none of which went by."""
    return []


@pytest.fixture
def retry(waits: list[float]) -> Retry:
    return Retry(sleep=waits.append, jitter=lambda: 1.0)


@pytest.fixture
def credential(remote: Remote) -> Credential:
    known = remote.credentials
    return Credential(known["token_url"], known["client_id"], known["client_secret"], SCOPES, known["org_id"])


@pytest.fixture
def client(remote: Remote, credential: Credential, retry: Retry) -> Client:
    """A client of the emulator's first sandbox."""
    return Client(remote.url, credential, remote.credentials["sandbox"], MemoryTokenStore(), retry=retry)


@pytest.fixture
def client_of(retry: Retry) -> Callable[..., Client]:
    """A client of any address that already has a token."""

    def make(url: str, *, sandbox: str = "prod", timeouts: Timeouts | None = None) -> Client:
        credential = Credential(f"{url}/ims/token/v3", "client-1", SECRET, SCOPES, "ORG@AdobeOrg")
        store = MemoryTokenStore()
        store.put(credential.key, Token(TOKEN, datetime.now(UTC) + timedelta(hours=5)))
        return Client(url, credential, sandbox, store, timeouts or Timeouts(2, 2, 2), retry=retry)

    return make
