"""How well a sandbox can be read: noted after every attempt, so that pages can say since when and why not."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils import timezone

from jobs.client.api import Client
from jobs.client.errors import CredentialRefused, PlatformError, Throttled, TimedOut, Unreachable
from jobs.connect import watcher_for
from jobs.models import Connection, Sandbox
from jobs.rules import cadence

log = logging.getLogger(__name__)


@contextmanager
def reading(sandbox: Sandbox) -> Iterator[Client]:
    """A client to read the sandbox with; an error of the platform is noted on the sandbox and goes on up."""
    try:
        with watcher_for(sandbox) as client:
            yield client
    except PlatformError as error:
        note_failure(sandbox, error, now=timezone.now())
        raise


def note_success(sandbox: Sandbox, *, token_expires_at: datetime, now: datetime) -> None:
    """The list was read: whatever was wrong is over, and the next reading is due as usual."""
    Sandbox.objects.filter(pk=sandbox.pk).update(
        last_ok_at=now,
        failing_since=None,
        failure_count=0,
        last_error="",
        next_discovery_at=now + cadence.DISCOVERY_EVERY,
    )
    accepted = {"credential_error": "", "token_expires_at": token_expires_at, "paused_until": None}
    connection = Connection.objects.filter(pk=sandbox.connection_id)
    if not connection.filter(**accepted).exists():
        connection.update(credential_checked_at=now, pause_count=0, **accepted)
    if sandbox.failing_since:
        log.info("%s can be read again", sandbox.ref)


def note_failure(sandbox: Sandbox, error: PlatformError, *, now: datetime) -> None:
    """The sandbox could not be read: its jobs stay as they were, and it is tried again after a growing pause.

    Trouble that all sandboxes of a connection share is said of all of them, and then nobody calls for a while;
    any other answer shows that the connection itself works.
    """
    if is_shared(error):
        _pause(sandbox.connection, error, now=now)
    elif error.status is not None:
        Connection.objects.filter(pk=sandbox.connection_id).update(paused_until=None, pause_count=0)
    pause = cadence.after_failure(sandbox.failure_count + 1, now=now, retry_after_s=error.retry_after_s)
    Sandbox.objects.filter(pk=sandbox.pk).update(
        failing_since=Coalesce("failing_since", now),
        failure_count=F("failure_count") + 1,
        last_error=error.sentence,
        next_discovery_at=pause,
    )
    log.warning("%s could not be read: %s", sandbox.ref, error.sentence)


def is_shared(error: PlatformError) -> bool:
    """Whether an error says something of the whole connection: nobody is there, the credential is refused, or the
    platform asks for rest. A timeout or a fault of its own may be one sandbox's trouble.
    """
    if isinstance(error, TimedOut):
        return False
    return isinstance(error, Unreachable | CredentialRefused | Throttled)


def _pause(connection: Connection, error: PlatformError, *, now: datetime) -> None:
    """Opens the circuit: it stands in the database, so that all workers see it."""
    count = connection.pause_count + 1
    until = cadence.after_failure(count, now=now, retry_after_s=error.retry_after_s)
    refused = {}
    if isinstance(error, CredentialRefused):
        until = max(until, now + cadence.REFUSED_AGAIN)
        refused = {"credential_error": error.sentence, "credential_checked_at": now}
    Connection.objects.filter(pk=connection.pk).update(paused_until=until, pause_count=count, **refused)
    connection.sandboxes.watched().update(
        failing_since=Coalesce("failing_since", now), last_error=error.sentence
    )
