"""From a connection to a client: the one place where a secret leaves the database."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from django.core.cache import cache
from django.utils import timezone

from jobs.client.api import Client
from jobs.client.credential import Credential, Token
from jobs.client.errors import CredentialRefused, PlatformError
from jobs.client.retry import Retry
from jobs.client.wire import Timeouts
from jobs.models import Connection, Sandbox, Sealed, SealedError

LOCK_S = 60


class SharedTokenStore:
    """Tokens in the cache that all processes share, encrypted under the field keys; see client.TokenStore."""

    def get(self, key: str) -> Token | None:
        kept = cache.get(f"token:{key}")
        if kept is None:
            return None
        try:
            return Token(
                Sealed(kept["sealed"]).open(),
                datetime.fromtimestamp(kept["expires"], tz=UTC),
                kept["lifetime"],
            )
        except (SealedError, KeyError, TypeError, ValueError):
            return None

    def put(self, key: str, token: Token) -> None:
        kept = {
            "sealed": Sealed.seal(token.value).ciphertext,
            "expires": token.expires_at.timestamp(),
            "lifetime": token.lifetime_s,
        }
        cache.set(f"token:{key}", kept, timeout=token.lifetime_s)

    def drop(self, key: str, token_value: str) -> None:
        token = self.get(key)
        if token is not None and token.value == token_value:
            cache.delete(f"token:{key}")

    @contextmanager
    def lock(self, key: str) -> Iterator[None]:
        """Held by one process at a time; frees itself after a minute, when whoever held it has died."""
        name, mine = f"token-lock:{key}", uuid.uuid4().hex
        deadline = time.monotonic() + LOCK_S
        while not cache.add(name, mine, timeout=LOCK_S) and time.monotonic() < deadline:
            time.sleep(0.05)
        try:
            yield
        finally:
            if cache.get(name) == mine:
                cache.delete(name)


STORE = SharedTokenStore()


# For somebody who sits and waits: one repeat at most, and an error instead of a minute of silence.
HASTE = Timeouts(connect=3.05, read=8.0, body=15.0)
QUICK_RETRY = Retry(repeats=1, longest_wait_s=2.0, budget_s=8.0)


def client_for(sandbox: Sandbox, *, haste: bool = False) -> Client:
    """A client that speaks as the sandbox's connection; CredentialRefused when its secret cannot be read."""
    return _client(sandbox.connection, sandbox.name, haste=haste)


def client_of(connection: Connection) -> Client:
    """A client for the calls that need no sandbox, such as listing the sandboxes."""
    return _client(connection, "")


def verify(connection: Connection, *, sandbox: str = "") -> PlatformError | None:
    """Fetch a token and list the newest jobs of the sandbox (without one: the sandboxes); the error, or None.

    What was learnt of the credential is noted on the connection.
    """
    try:
        client = _client(connection, sandbox)
        expires_at = client.token_expires_at()
        if sandbox:
            client.list_jobs(limit=1)
        else:
            client.sandboxes()
    except PlatformError as error:
        _note(connection, error, None)
        return error
    _note(connection, None, expires_at)
    return None


def _client(connection: Connection, sandbox: str, *, haste: bool = False) -> Client:
    try:
        secret = connection.client_secret.open()
    except SealedError as error:
        raise CredentialRefused(str(error)) from None
    credential = Credential(
        token_url=connection.token_url,
        client_id=connection.client_id,
        client_secret=secret,
        scopes=connection.scopes,
        org_id=connection.org_id,
    )
    hurry: dict[str, Any] = {"timeouts": HASTE, "retry": QUICK_RETRY} if haste else {}
    return Client(connection.platform_url, credential, sandbox=sandbox, store=STORE, **hurry)


def _note(connection: Connection, error: PlatformError | None, expires_at: datetime | None) -> None:
    connection.credential_checked_at = timezone.now()
    connection.credential_error = error.sentence if isinstance(error, CredentialRefused) else ""
    connection.token_expires_at = expires_at or connection.token_expires_at
    connection.save(update_fields=["credential_checked_at", "credential_error", "token_expires_at"])
