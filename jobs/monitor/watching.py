"""How well we see: the state of each sandbox, of each credential, and of the watcher itself."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from jobs.models import Connection, Sandbox
from jobs.rules.status import Look

OVERDUE_AFTER = timedelta(seconds=60)
OLD_AFTER = timedelta(minutes=3)

UNWATCHED = Look("Not watched", "player-pause", "cancelled")
FAILING = Look("Cannot be read", "cloud-off", "failed")
UNREAD = Look("Not read yet", "clock", "waiting")
FIRST_CONTACT = Look("Reading history", "history", "running")
OLD = Look("Out of date", "zzz", "stale")
FRESH = Look("Up to date", "circle-check", "succeeded")

REFUSED = Look("Refused", "plug-x", "failed")
UNTRIED = Look("Not used yet", "key", "waiting")
EXPIRED = Look("Token ran out", "key", "stale")
ACCEPTED = Look("Accepted", "key", "succeeded")


class Watcher(NamedTuple):
    """The watching as a whole: `read_at` is the youngest success, `behind_since` the oldest reading nobody did."""

    watched: int
    failing: int
    read_at: datetime | None
    behind_since: datetime | None
    overdue: int


def standing(sandbox: Sandbox, *, now: datetime) -> Look:
    """How well a sandbox is seen; bad news first, and never green for data that may be old."""
    if not sandbox.is_watched:
        return UNWATCHED
    if sandbox.failing_since:
        return FAILING
    if not sandbox.first_contact_done_at:
        return FIRST_CONTACT if sandbox.first_contact_jobs else UNREAD
    if not sandbox.last_ok_at or now - sandbox.last_ok_at > OLD_AFTER or is_overdue(sandbox, now=now):
        return OLD
    return FRESH


def is_overdue(sandbox: Sandbox, *, now: datetime) -> bool:
    """Whether the list should have been read a minute ago and nobody is at it; a pause moves the due time."""
    due, lease = sandbox.next_discovery_at, sandbox.leased_until
    is_late = due is not None and now - due > OVERDUE_AFTER
    return sandbox.is_watched and is_late and (lease is None or lease < now)


def credential(connection: Connection, *, now: datetime) -> Look:
    """What the platform last said to the connection's credential."""
    if connection.credential_error:
        return REFUSED
    if connection.token_expires_at is None:
        return UNTRIED if connection.credential_checked_at is None else ACCEPTED
    return ACCEPTED if connection.token_expires_at > now else EXPIRED


def watcher(places: list[Sandbox], *, now: datetime) -> Watcher:
    """The watching of these sandboxes, told by their due times alone: no process is asked how it feels."""
    watched = [place for place in places if place.is_watched]
    late = [place.next_discovery_at for place in watched if is_overdue(place, now=now)]
    return Watcher(
        watched=len(watched),
        failing=sum(place.failing_since is not None for place in watched),
        read_at=max((place.last_ok_at for place in watched if place.last_ok_at), default=None),
        behind_since=min((due for due in late if due), default=None),
        overdue=len(late),
    )
