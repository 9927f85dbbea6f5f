"""Decides when a safe call is made again, and waits in between.

urllib3's own Retry is not used: it decides before it knows how long `Retry-After` is, cannot repeat a reply
that broke off in its body, and sleeps on the real clock. Below us it is therefore switched off
(transport.py).
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from jobs.client.errors import PlatformDown, PlatformError, Throttled, Unreachable

T = TypeVar("T")
_REPEATABLE_STATUSES = frozenset({429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Retry:
    """At most `repeats` more attempts; waits double from `base_s` to `cap_s`, up to half taken off at random.

    `Retry-After` is obeyed up to `longest_wait_s`; a longer one is the caller's to plan with, so the error
    goes up with its `retry_after_s`. No attempt begins later than `budget_s` after the first one began.
    """

    repeats: int = 3
    base_s: float = 0.5
    cap_s: float = 4.0
    longest_wait_s: float = 10.0
    budget_s: float = 45.0
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random
    clock: Callable[[], float] = time.monotonic

    def run(self, call: Callable[[], T]) -> T:
        """The result of `call`, or its last error. Only for calls that may be made any number of times."""
        latest = self.clock() + self.budget_s
        for repeat in range(self.repeats):
            try:
                return call()
            except PlatformError as error:
                wait_s = self.wait_s(error, repeat)
                if wait_s is None or self.clock() + wait_s > latest:
                    raise
            self.sleep(wait_s)
        return call()

    def wait_s(self, error: PlatformError, repeat: int) -> float | None:
        """Seconds to wait before repeat number `repeat` (from 0); None if the error is not worth one."""
        if not _worth_repeating(error):
            return None
        backoff = min(self.cap_s, self.base_s * 2.0**repeat) * (0.5 + 0.5 * self.jitter())
        if error.retry_after_s is None:
            return backoff
        return None if error.retry_after_s > self.longest_wait_s else max(error.retry_after_s, backoff)


def _worth_repeating(error: PlatformError) -> bool:
    if isinstance(error, Unreachable):
        return True
    return isinstance(error, Throttled | PlatformDown) and error.status in _REPEATABLE_STATUSES


NEVER = Retry(repeats=0)
