"""One budget of requests for all processes of a connection, in Redis; while Redis is away, a small one for each."""

from __future__ import annotations

import logging
import time
from functools import lru_cache
from typing import Any

from django.conf import settings
from redis import Redis
from redis.exceptions import RedisError

from jobs.client.throttle import LocalSlots

log = logging.getLogger(__name__)

# How many processes may be at work that cannot hear of each other: each keeps to this part of the rate.
ALONE = 4
_TRY_AGAIN_S = 5.0

# The key holds the next free moment in microseconds of the server's clock, so that ours need not agree.
_RESERVE = """
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local slot = math.max(now, tonumber(redis.call('GET', KEYS[1]) or 0))
if slot - now <= tonumber(ARGV[2]) then
  redis.call('SET', KEYS[1], string.format('%d', slot + ARGV[1]), 'PX', 7200000)
end
return slot - now
"""
_CLOSE = """
local t = redis.call('TIME')
local until_ = t[1] * 1000000 + t[2] + ARGV[1]
local slot = math.max(until_, tonumber(redis.call('GET', KEYS[1]) or 0))
return redis.call('SET', KEYS[1], string.format('%d', slot), 'PX', 7200000)
"""


class SharedSlots:
    """Slots of one connection for all processes; see client.throttle.Slots."""

    def __init__(self, name: str) -> None:
        self._key = f"exportui:budget:{name}"
        self._own = LocalSlots()
        self._away_until = 0.0

    def reserve(self, *, every_s: float, within_s: float) -> float:
        asked = (round(every_s * 1e6), round(within_s * 1e6))
        microseconds = self._run(_RESERVE, *asked)
        if microseconds is None:
            return self._own.reserve(every_s=every_s * ALONE, within_s=within_s)
        return int(microseconds) / 1e6

    def close(self, seconds: float) -> None:
        """Closed in this process too, should Redis go away meanwhile."""
        self._own.close(seconds)
        self._run(_CLOSE, round(seconds * 1e6))

    def _run(self, script: str, *asked: int) -> Any:
        """What the script says; None while Redis is away, which is tried again every five seconds."""
        if time.monotonic() < self._away_until:
            return None
        try:
            return _redis().eval(script, 1, self._key, *asked)
        except RedisError as problem:
            if not self._away_until:
                log.warning("The budget is kept by each process alone (%s).", type(problem).__name__)
            self._away_until = time.monotonic() + _TRY_AGAIN_S
            return None


def is_shared() -> bool:
    """Whether the processes can hear of each other: Redis answers."""
    try:
        return bool(_redis().ping())
    except RedisError:
        return False


@lru_cache(maxsize=1000)
def slots_of(connection_id: int) -> SharedSlots:
    """The one object of this process for a connection: what it remembers alone is shared by its threads."""
    return SharedSlots(str(connection_id))


@lru_cache(maxsize=1)
def _redis() -> Redis:
    return Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=2)
