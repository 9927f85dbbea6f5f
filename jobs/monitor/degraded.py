"""What does not work as it should at this moment, and what that means, as sentences for the dashboard."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from jobs.connect import budget
from jobs.models import Connection, Sandbox

NOTEWORTHY_OFFSET_MS = 60_000


def degraded(places: list[Sandbox], *, now: datetime) -> list[str]:
    """Sentences about what these sandboxes rely on; none when all is well. Asks Redis once.

    Whether the sandboxes themselves are read in time is told by `watching`.
    """
    return [*_shared_memory(), *_connections({place.connection for place in places}, now)]


def _shared_memory() -> Iterator[str]:
    if not budget.is_shared():
        yield (
            "Redis does not answer: no passes are handed out until it does, and each process keeps to "
            f"1/{budget.ALONE} of the request rate. Nothing is lost; what is due is found when it is back."
        )


def _connections(connections: Iterable[Connection], now: datetime) -> Iterator[str]:
    for connection in sorted(connections, key=lambda each: each.name):
        if connection.paused_until is not None and connection.paused_until > now:
            yield f"Calls to {connection.name} rest until {connection.paused_until:%H:%M:%S} UTC, then one is tried."
        if abs(connection.clock_offset_ms or 0) > NOTEWORTHY_OFFSET_MS:
            ahead = "ahead of" if (connection.clock_offset_ms or 0) > 0 else "behind"
            seconds = abs(connection.clock_offset_ms or 0) // 1000
            yield f"The clock of {connection.name}'s platform is {seconds} s {ahead} ours."
