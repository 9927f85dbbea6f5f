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
from jobs.client.errors import CredentialRefused, PlatformError
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
    accepted = {"credential_error": "", "token_expires_at": token_expires_at}
    connection = Connection.objects.filter(pk=sandbox.connection_id)
    if not connection.filter(**accepted).exists():
        connection.update(credential_checked_at=now, **accepted)
    if sandbox.failing_since:
        log.info("%s can be read again", sandbox.ref)


def note_failure(sandbox: Sandbox, error: PlatformError, *, now: datetime) -> None:
    """The sandbox could not be read: its jobs stay as they were, and it is tried again after a growing pause."""
    pause = cadence.after_failure(sandbox.failure_count + 1, now=now, retry_after_s=error.retry_after_s)
    Sandbox.objects.filter(pk=sandbox.pk).update(
        failing_since=Coalesce("failing_since", now),
        failure_count=F("failure_count") + 1,
        last_error=error.sentence,
        next_discovery_at=pause,
    )
    if isinstance(error, CredentialRefused):
        Connection.objects.filter(pk=sandbox.connection_id).update(
            credential_error=error.sentence, credential_checked_at=now
        )
    log.warning("%s could not be read: %s", sandbox.ref, error.sentence)
