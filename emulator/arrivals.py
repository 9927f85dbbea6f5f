"""Somebody else launches a job now and then: decided by the clock, made when the next client reads."""

from __future__ import annotations

import threading
from random import Random

from django.conf import settings

from emulator import jobs, planning
from emulator.clock import now_ms
from emulator.models import Sandbox
from emulator.stock import Stock

BACKLOG = 50  # more than this many at once are not made up: nobody was looking for that long

_lock = threading.Lock()
_rng = Random()
_next_ms: int | None = None


def begin() -> None:
    """Start the trickle from now on; what would have come while the emulator was down is not made up."""
    global _next_ms
    with _lock:
        _rng.seed(now_ms())
        _next_ms = _after(now_ms())


def catch_up() -> None:
    """Make the jobs that are due, dated when they were due. Cheap when none is."""
    global _next_ms
    at_ms = now_ms()
    if _next_ms is None or _next_ms > at_ms:
        return
    with _lock:
        made = 0
        while _next_ms is not None and _next_ms <= at_ms:
            if made < BACKLOG:
                _launch(_next_ms)
            made += 1
            _next_ms = _after(_next_ms)


def _after(at_ms: int) -> int | None:
    per_ms = settings.ARRIVALS_PER_HOUR * settings.SPEED / 3_600_000
    return at_ms + 1 + round(_rng.expovariate(per_ms)) if per_ms else None


def _launch(at_ms: int) -> None:
    """In the default sandbox mostly; one in eleven fails."""
    sandboxes = list(Sandbox.objects.order_by("-is_default", "pk"))
    sandbox = _rng.choices(sandboxes, [4] + [1] * (len(sandboxes) - 1))[0]
    payload = Stock.of(sandbox).usual_payload(_rng)
    jobs.launch(sandbox, payload, now_ms=at_ms, outcome=planning.risk(_rng))
