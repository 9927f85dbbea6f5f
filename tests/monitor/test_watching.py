"""What is said of a sandbox, a credential and the watcher: never green for data that may be old."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from jobs.models import Connection, Sandbox
from jobs.monitor import watching
from jobs.rules.status import Look

NOW = datetime(2026, 11, 22, 9, 41, tzinfo=UTC)
FINE = {
    "last_ok_at": NOW - timedelta(seconds=8),
    "next_discovery_at": NOW + timedelta(seconds=2),
    "first_contact_done_at": NOW - timedelta(days=3),
    "first_contact_jobs": 200,
}


def sandbox(**fields: Any) -> Sandbox:
    return Sandbox(name="prod", **(FINE | fields))


@pytest.mark.parametrize(
    ("fields", "look"),
    [
        ({}, watching.FRESH),
        ({"is_watched": False, "failing_since": NOW}, watching.UNWATCHED),
        ({"failing_since": NOW - timedelta(minutes=14)}, watching.FAILING),
        ({"failing_since": NOW, "first_contact_done_at": None}, watching.FAILING),
        ({"first_contact_done_at": None}, watching.FIRST_CONTACT),
        ({"first_contact_done_at": None, "first_contact_jobs": 0, "last_ok_at": None}, watching.UNREAD),
        ({"last_ok_at": None}, watching.OLD),
        ({"last_ok_at": NOW - timedelta(minutes=14)}, watching.OLD),
        ({"next_discovery_at": NOW - timedelta(seconds=59)}, watching.FRESH),
        ({"next_discovery_at": NOW - timedelta(seconds=61)}, watching.OLD),
    ],
)
def test_a_sandbox_is_up_to_date_only_while_it_is_being_read(fields: dict[str, Any], look: Look) -> None:
    assert watching.standing(sandbox(**fields), now=NOW) == look


@pytest.mark.parametrize(
    ("fields", "look"),
    [
        ({}, watching.UNTRIED),
        ({"credential_checked_at": NOW}, watching.ACCEPTED),
        ({"token_expires_at": NOW + timedelta(hours=1)}, watching.ACCEPTED),
        ({"token_expires_at": NOW - timedelta(seconds=1)}, watching.EXPIRED),
        (
            {"credential_error": "The secret is wrong.", "token_expires_at": NOW + timedelta(hours=1)},
            watching.REFUSED,
        ),
    ],
)
def test_a_credential_is_what_the_platform_last_said_to_it(fields: dict[str, Any], look: Look) -> None:
    assert watching.credential(Connection(name="acme", **fields), now=NOW) == look


def test_the_watcher_is_as_old_as_its_youngest_success() -> None:
    found = watching.watcher([sandbox(), sandbox(last_ok_at=NOW - timedelta(hours=2))], now=NOW)
    assert found.read_at == FINE["last_ok_at"]
    assert (found.watched, found.failing, found.overdue, found.behind_since) == (2, 0, 0, None)


def test_the_watcher_is_behind_since_the_oldest_reading_nobody_did() -> None:
    due = NOW - timedelta(minutes=20)
    found = watching.watcher([sandbox(), sandbox(next_discovery_at=due)], now=NOW)
    assert (found.behind_since, found.overdue) == (due, 1)


def test_a_sandbox_nobody_watches_does_not_put_the_watcher_behind() -> None:
    left = sandbox(is_watched=False, next_discovery_at=NOW - timedelta(days=9), failing_since=NOW)
    found = watching.watcher([left], now=NOW)
    assert (found.watched, found.failing, found.behind_since, found.read_at) == (0, 0, None, None)


def test_a_failing_sandbox_that_waits_for_its_next_try_is_not_overdue() -> None:
    waiting = sandbox(failing_since=NOW - timedelta(hours=1), next_discovery_at=NOW + timedelta(minutes=4))
    found = watching.watcher([waiting], now=NOW)
    assert (found.failing, found.overdue) == (1, 0)


def test_without_sandboxes_there_is_nothing_to_be_behind_with() -> None:
    assert watching.watcher([], now=NOW) == watching.Watcher(0, 0, None, None, 0)
