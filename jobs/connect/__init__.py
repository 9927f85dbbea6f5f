"""From a connection to a client: the one place where a secret leaves the database."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from django.utils import timezone

from jobs.client.api import Client
from jobs.client.credential import Credential
from jobs.client.errors import CredentialRefused, PlatformError
from jobs.client.retry import Retry
from jobs.client.throttle import Throttle
from jobs.client.wire import Timeouts
from jobs.connect.budget import slots_of
from jobs.connect.tokens import SharedTokenStore
from jobs.models import Connection, Sandbox, SealedError

STORE = SharedTokenStore()


class Patience(NamedTuple):
    """How long a caller can wait, and how often it tries again at once."""

    retry: Retry = Retry()
    timeouts: Timeouts | None = None  # the client's own


USUAL = Patience()
# A pass of the watcher comes again by itself: it gives up sooner, and holds up nobody.
WATCHERS = Patience(Retry(repeats=1, longest_wait_s=2.0, budget_s=15.0))
# For somebody who sits and waits: one repeat at most, and an error instead of a minute of silence.
HASTE = Patience(
    Retry(repeats=1, longest_wait_s=2.0, budget_s=8.0), Timeouts(connect=3.05, read=8.0, body=15.0)
)


def client_for(sandbox: Sandbox, *, haste: bool = False) -> Client:
    """A client that speaks as the sandbox's connection; CredentialRefused when its secret cannot be read."""
    return _client(sandbox.connection, sandbox.name, HASTE if haste else USUAL)


def watcher_for(sandbox: Sandbox) -> Client:
    """The same for the watcher, which repeats a failed call at once only once."""
    return _client(sandbox.connection, sandbox.name, WATCHERS)


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


def _client(connection: Connection, sandbox: str, patience: Patience = USUAL) -> Client:
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
    throttle = Throttle(slots_of(connection.pk), per_second=connection.requests_per_second)
    return Client(
        connection.platform_url,
        credential,
        sandbox=sandbox,
        store=STORE,
        retry=patience.retry,
        timeouts=patience.timeouts,
        throttle=throttle,
    )


def _note(connection: Connection, error: PlatformError | None, expires_at: datetime | None) -> None:
    connection.credential_checked_at = timezone.now()
    connection.credential_error = error.sentence if isinstance(error, CredentialRefused) else ""
    connection.token_expires_at = expires_at or connection.token_expires_at
    connection.save(update_fields=["credential_checked_at", "credential_error", "token_expires_at"])
