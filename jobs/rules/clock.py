"""How far the platform's clock is from ours, told by the Date header of its replies."""

from __future__ import annotations

from datetime import datetime, timedelta

# The header counts whole seconds: on average it is half a second behind.
_HALF_A_SECOND = timedelta(milliseconds=500)
_MILLISECOND = timedelta(milliseconds=1)
# Less than this is the header's own coarseness and the way of the reply.
NOTEWORTHY_MS = 1000


def offset_ms(told: datetime, *, asked_at: datetime, answered_at: datetime) -> int:
    """The platform's time less ours, in milliseconds, good to about half a second and half the way there."""
    middle = asked_at + (answered_at - asked_at) / 2
    return round((told + _HALF_A_SECOND - middle) / _MILLISECOND)


def has_moved(known_ms: int | None, found_ms: int) -> bool:
    """Whether a measured offset is worth writing down."""
    return known_ms is None or abs(found_ms - known_ms) > NOTEWORTHY_MS
