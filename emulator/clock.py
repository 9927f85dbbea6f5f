"""The platform's clock: real time, moved ahead on order, kept over restarts."""

from __future__ import annotations

import time

from emulator.models import Tenant

_offset_ms = 0


def now_ms() -> int:
    """Platform time in epoch milliseconds."""
    return time.time_ns() // 1_000_000 + _offset_ms


def load() -> None:
    """Take up the offset that an earlier run left behind, so that no job lies in the future."""
    _set(Tenant.objects.get().clock_offset_ms)


def advance(ms: int) -> None:
    _set(_offset_ms + ms)
    Tenant.objects.update(clock_offset_ms=_offset_ms)


def offset_ms() -> int:
    return _offset_ms


def _set(ms: int) -> None:
    global _offset_ms
    _offset_ms = ms
