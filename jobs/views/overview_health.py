"""How well we see, in words: what is wrong first, then each sandbox and each credential."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from urllib.parse import urlencode

from django.urls import reverse

from jobs.models import Connection, Sandbox
from jobs.monitor import watching
from jobs.monitor.degraded import degraded
from jobs.monitor.watching import Watcher
from jobs.rules.status import Look
from jobs.templatetags.jinja import ago, exact, thousands

MOST_NOTICES = 3


class Notice(NamedTuple):
    kind: str
    text: str


class Place(NamedTuple):
    """A sandbox as a row: `notes` are (role, sentence) under its name, `about` says how far the data goes."""

    sandbox: Sandbox
    look: Look
    known: int
    url: str
    notes: list[tuple[str, str]]


class Credential(NamedTuple):
    connection: Connection
    look: Look


def notices(sandboxes: list[Sandbox], watcher: Watcher, *, now: datetime) -> list[Notice]:
    """What the person must know before believing the figures; nothing when all is well."""
    told = [Notice("warn", sentence) for sentence in degraded(sandboxes, now=now)]
    found = [*_behind(watcher), *_refused(sandboxes), *_unreadable(sandboxes), *told]
    more = len(found) - MOST_NOTICES
    rest = [Notice("warn", f"{more} more sandboxes or credentials have problems; see below.")]
    return found[:MOST_NOTICES] + (rest if more > 0 else [])


def _behind(watcher: Watcher) -> list[Notice]:
    if watcher.behind_since is None:
        return []
    return [
        Notice(
            "warn",
            f"The watcher is behind since {exact(watcher.behind_since)} ({ago(watcher.behind_since)}): "
            f"{watcher.overdue} of {watcher.watched} sandboxes should have been read by then, so this page may be "
            "old. Is the worker running?",
        )
    ]


def _refused(sandboxes: list[Sandbox]) -> list[Notice]:
    refused = {place.connection for place in sandboxes if place.connection.credential_error}
    return [
        Notice("bad", f"The credential of {one.name} is refused. {one.credential_error}")
        for one in sorted(refused, key=lambda one: one.name)
    ]


def _unreadable(sandboxes: list[Sandbox]) -> list[Notice]:
    """Sandboxes that cannot be read for a reason of their own; a refused credential is told once."""
    return [
        Notice(
            "warn",
            f"{place.ref} cannot be read since {exact(place.failing_since)}; its jobs are shown as they were "
            f"{ago(place.last_ok_at) if place.last_ok_at else 'never read'}. {place.last_error}",
        )
        for place in sandboxes
        if place.is_watched and place.failing_since and not place.connection.credential_error
    ]


def places(sandboxes: list[Sandbox], known: dict[int, int], *, now: datetime) -> list[Place]:
    """A row for each sandbox, those that need somebody first."""
    rows = [
        Place(
            sandbox=one,
            look=watching.standing(one, now=now),
            known=known.get(one.pk, 0),
            url=f"{reverse('jobs:overview')}?{urlencode({'sandbox': one.ref})}",
            notes=_notes(one),
        )
        for one in sandboxes
    ]
    gravity = [watching.FAILING, watching.OLD, watching.FIRST_CONTACT, watching.UNREAD, watching.FRESH]
    return sorted(rows, key=lambda row: gravity.index(row.look) if row.look in gravity else len(gravity))


def _notes(one: Sandbox) -> list[tuple[str, str]]:
    reading = one.is_watched and not one.first_contact_done_at and one.first_contact_jobs
    met = f"First contact: {thousands(one.first_contact_jobs)} jobs read so far, older ones follow."
    notes = [
        ("running", met if reading else ""),
        ("failed", f"Since {exact(one.failing_since)}: {one.last_error}" if one.failing_since else ""),
        ("odd", one.last_rejects),
        ("odd", f"Names could not be looked up. {one.catalog_error}" if one.catalog_error else ""),
    ]
    return [(role, text) for role, text in notes if text]


def credentials(sandboxes: list[Sandbox], *, now: datetime) -> list[Credential]:
    """The credential of each connection in sight, by name."""
    found = {place.connection.pk: place.connection for place in sandboxes}
    rows = [Credential(one, watching.credential(one, now=now)) for one in found.values()]
    return sorted(rows, key=lambda row: row.connection.name)
