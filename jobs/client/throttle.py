"""Spaces requests so that none goes over a connection's rate, and waits for all when the platform asks for rest."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import Protocol

from jobs.client.error_words import failed
from jobs.client.errors import Throttled

# A request may reach the wire a little late: so much further apart than the rate alone would ask for.
SLACK = 1.02
LONGEST_WAIT_S = 10.0
LONGEST_REST_S = 3600.0
_REST_UNASKED_S = 1.0
_TRIES = 5


class Slots(Protocol):
    """Moments at which a request may be sent, each given out once to all who share a connection."""

    def reserve(self, *, every_s: float, within_s: float) -> float:
        """Seconds until the slot that is now the caller's; more than `within_s` means that none was taken."""
        ...

    def close(self, seconds: float) -> None:
        """Gives out no slot before so many seconds have gone by."""
        ...


class LocalSlots:
    """Slots for the threads of one process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._next = -math.inf
        self._guard = threading.Lock()

    def reserve(self, *, every_s: float, within_s: float) -> float:
        with self._guard:
            now = self._clock()
            slot = max(now, self._next)
            if slot - now <= within_s:
                self._next = slot + every_s
            return slot - now

    def close(self, seconds: float) -> None:
        with self._guard:
            self._next = max(self._next, self._clock() + seconds)


class Throttle:
    """Lets at most `per_second` requests go in any second: they are spaced evenly, never sent in a burst.

    Whoever wakes up later than the slack allows has missed the slot, and takes another: sent late, the request
    would stand too near to those of the next slots.
    """

    def __init__(
        self,
        slots: Slots,
        *,
        per_second: float,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._slots = slots
        self._every_s = SLACK / per_second
        self._sleep = sleep
        self._clock = clock

    def take(self, what: str) -> None:
        """Returns when the request may be sent; Throttled where that is further off than ten seconds."""
        for _ in range(_TRIES):
            if self._was_in_time(what):
                return

    def _was_in_time(self, what: str) -> bool:
        wait_s = self._slots.reserve(every_s=self._every_s, within_s=LONGEST_WAIT_S)
        if wait_s > LONGEST_WAIT_S:
            words = f"calls of this connection rest for {wait_s:.0f} s more. Nothing was sent."
            raise Throttled(f"{failed(what)}: {words}", retry_after_s=wait_s)
        if wait_s <= 0:
            return True
        due_at = self._clock() + wait_s
        self._sleep(wait_s)
        return self._clock() - due_at <= SLACK - 1

    def rest(self, retry_after_s: float | None) -> None:
        """The platform asked for fewer calls: nobody of this connection sends one before it said so."""
        asked = _REST_UNASKED_S if retry_after_s is None else retry_after_s
        self._slots.close(min(max(asked, _REST_UNASKED_S), LONGEST_REST_S))


def unlimited() -> Throttle:
    """For a client that shares its connection with nobody and is not asked to hold back."""
    return Throttle(LocalSlots(), per_second=math.inf)
