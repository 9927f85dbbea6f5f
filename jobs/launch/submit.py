"""Sending an export: written down first, claimed by one worker, sent once."""

from __future__ import annotations

import logging
import uuid
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from jobs.client.api import Client
from jobs.client.errors import PlatformError
from jobs.client.records import RemoteJob
from jobs.connect import client_for
from jobs.launch.outbox import SEND_LAUNCH, hand_over
from jobs.models import Activity, ExportJob, Launch, LaunchState, Sandbox, Verb
from jobs.rules.canonical import payload_digest
from jobs.sync import record

log = logging.getLogger(__name__)


def launch(sandbox: Sandbox, payload: dict[str, Any], *, actor: Any, key: str = "", now: datetime) -> Launch:
    """Write down the wish to export and hand it to a worker, which sends it: see `send`.

    The same key in the same sandbox gives the launch that already stands, and nothing is sent again.
    """
    key = key or uuid.uuid4().hex
    try:
        with transaction.atomic():
            wish = Launch.objects.create(
                sandbox=sandbox,
                actor=actor,
                key=key,
                payload=payload,
                digest=payload_digest(payload),
                request_id=str(uuid.uuid4()),
                requested_at=now,
            )
            Activity.note(
                Verb.LAUNCH_REQUESTED,
                at=now,
                actor=actor,
                target=sandbox.ref,
                sandbox=sandbox,
                launch=wish,
                after=payload,
            )
            hand_over(SEND_LAUNCH, wish.pk)
    except IntegrityError:
        return Launch.objects.get(sandbox=sandbox, key=key)
    return wish


def send(launch_id: int) -> Launch | None:
    """POST a queued launch once and note the answer; None when somebody else has it or it was sent before.

    The state becomes SENDING in a transaction of its own before anything leaves, so a worker that dies afterwards
    leaves a launch that is never sent again (see `reconcile`).
    """
    mine = Launch.objects.filter(pk=launch_id, state=LaunchState.QUEUED)
    if not mine.update(state=LaunchState.SENDING, sent_at=timezone.now()):
        return None
    wish = Launch.objects.select_related("sandbox__connection", "actor").get(pk=launch_id)
    as_of = timezone.now()
    client: Client | None = None
    try:
        client = client_for(wish.sandbox)
        remote = client.create_job(wish.payload, request_id=wish.request_id)
    except PlatformError as error:
        _note_failure(wish, error, has_left=client is not None and client.requests > 0)
    else:
        accept(wish, remote, as_of=as_of, verb=Verb.LAUNCH_ACCEPTED)
    return wish


def accept(wish: Launch, remote: RemoteJob, *, as_of: datetime, verb: Verb) -> None:
    """Store the job that the platform made of a launch and tie the two together."""
    with transaction.atomic():
        record(wish.sandbox, [remote], as_of=as_of)
        link(wish, wish.sandbox.jobs.get(remote_id=remote.remote_id), verb=verb)


def link(wish: Launch, job: ExportJob, *, verb: Verb) -> None:
    """Settle a launch with its job."""
    now = timezone.now()
    with transaction.atomic():
        wish.state, wish.job, wish.answered_at, wish.error = LaunchState.ACCEPTED, job, now, {}
        wish.save(update_fields=["state", "job", "answered_at", "error"])
        ExportJob.objects.filter(pk=job.pk).update(launched_by=wish.actor, changed_at=now)
        Sandbox.objects.filter(pk=wish.sandbox_id).moved()
        Activity.note(
            verb,
            at=now,
            actor=wish.actor,
            target=f"job {job.remote_id}",
            sandbox=wish.sandbox,
            job=job,
            launch=wish,
        )


def _note_failure(wish: Launch, error: PlatformError, *, has_left: bool) -> None:
    """A refusal settles a launch; a reply that was lost or makes no sense leaves it unknown."""
    unknown = error.maybe_received
    wish.state = LaunchState.UNKNOWN if unknown else LaunchState.REJECTED
    wish.answered_at = timezone.now()
    wish.error = {
        "sentence": error.sentence,
        "detail": error.detail,
        "status": error.status,
        "code": error.code,
        "request_id": error.request_id,
        "has_left": has_left,
    }
    with transaction.atomic():
        wish.save(update_fields=["state", "answered_at", "error"])
        Activity.note(
            Verb.LAUNCH_UNKNOWN if unknown else Verb.LAUNCH_REJECTED,
            at=wish.answered_at,
            actor=wish.actor,
            target=wish.sandbox.ref,
            sandbox=wish.sandbox,
            launch=wish,
            reason=error.sentence,
        )
    log.warning("launch %s is %s: %s", wish.pk, wish.state, error.sentence)
