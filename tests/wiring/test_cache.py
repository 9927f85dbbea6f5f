"""The cache is shared while Redis is there, and private but working while it is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from exportui.cache import SharedCache


def cache_at(url: str) -> Any:
    return SharedCache(url, {"KEY_PREFIX": "t"})


def test_two_processes_see_the_same_value(redis_server: str) -> None:
    cache_at(redis_server).set("counter", [3.5, 1.0])
    assert cache_at(redis_server).get("counter") == [3.5, 1.0]


def test_a_lock_is_given_once(redis_server: str) -> None:
    mine, yours = cache_at(redis_server), cache_at(redis_server)
    assert mine.add("lock", True)
    assert not yours.add("lock", True)
    mine.delete("lock")
    assert yours.add("lock", True)


def test_counting_works_from_both_sides(redis_server: str) -> None:
    cache_at(redis_server).set("n", 1)
    assert cache_at(redis_server).incr("n") == 2
    assert cache_at(redis_server).get("n") == 2


def test_values_are_json_so_that_a_pickle_planted_in_redis_is_never_loaded(redis_server: str) -> None:
    cache = cache_at(redis_server)
    cache.set("x", {"a": 1})
    with Redis.from_url(redis_server) as raw:
        assert raw.get("t:1:x") == b'{"a": 1}'
        raw.set("t:1:x", b"cos\nsystem\n(S'true'\ntR.")
    with pytest.raises(ValueError):
        cache.get("x")


def test_without_redis_a_process_goes_on_counting_for_itself(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cache = cache_at(f"unix://{tmp_path}/nobody.sock?db=0")
    assert cache.add("lock", True)
    assert not cache.add("lock", True)
    cache.set("tries", [1, 2])
    assert cache.get("tries") == [1, 2]
    assert "Redis is away" in caplog.text


def test_what_was_remembered_alone_is_forgotten_when_redis_is_back(redis_server: str, tmp_path: Path) -> None:
    cache = cache_at(f"unix://{tmp_path}/nobody.sock?db=0")
    cache.set("tries", [1, 2])
    cache._cache._servers[:] = [redis_server]
    cache._cache._pools.clear()
    cache.set("other", 1)
    assert cache.get("tries") is None
    assert cache.own.get("tries") is None
