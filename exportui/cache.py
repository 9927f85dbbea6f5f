"""Memory shared by all processes, on Redis; while Redis is away each process remembers for itself."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

log = logging.getLogger(__name__)


class JsonSerializer:
    """Values are JSON, never pickle: who can write to Redis must not be able to run code here."""

    def dumps(self, value: Any) -> str | int:
        return value if type(value) is int else json.dumps(value)

    def loads(self, data: bytes) -> Any:
        return json.loads(data)


def sturdy(name: str) -> Callable[..., Any]:
    """The cache method `name` on Redis, else on the process's own memory."""

    def method(self: SharedCache, *args: Any, **kwargs: Any) -> Any:
        try:
            answer = getattr(super(SharedCache, self), name)(*args, **kwargs)
        except RedisError as problem:
            self.lose(problem)
            return getattr(self.own, name)(*args, **kwargs)
        self.find()
        return answer

    return method


class SharedCache(RedisCache):
    """A Redis cache that keeps working, per process, while Redis does not.

    It holds the counters of the sign-in limits. Failing open would lift them and failing closed would lock everybody
    out; so each process goes on counting alone. Sessions do not live here: they are rows of the database.
    """

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        options = params.get("OPTIONS", {}) | {"serializer": JsonSerializer()}
        super().__init__(server, params | {"OPTIONS": options})
        self.own = LocMemCache(server, params | {"OPTIONS": {}})
        self.is_lost = False

    def lose(self, problem: RedisError) -> None:
        if not self.is_lost:
            log.warning("Redis is away (%s); each process remembers for itself", type(problem).__name__)
        self.is_lost = True

    def find(self) -> None:
        """What was remembered alone ends with the outage, lest it come back as news in the next."""
        if self.is_lost:
            self.own.clear()
        self.is_lost = False

    add = sturdy("add")
    get = sturdy("get")
    set = sturdy("set")
    touch = sturdy("touch")
    delete = sturdy("delete")
    get_many = sturdy("get_many")
    has_key = sturdy("has_key")
    incr = sturdy("incr")
    set_many = sturdy("set_many")
    delete_many = sturdy("delete_many")
    clear = sturdy("clear")
