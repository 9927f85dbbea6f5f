"""The budget is one for all processes while Redis is there, and a small one for each while it is not."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from redis import Redis

from jobs.connect import budget
from jobs.connect.budget import ALONE, SharedSlots

EVERY_S = 0.1


def slots(name: str = "test") -> SharedSlots:
    """As another process would have them: the same name, nothing else in common."""
    return SharedSlots(name)


def reserved(own: SharedSlots) -> float:
    return own.reserve(every_s=EVERY_S, within_s=1e6)


@pytest.fixture
def redis(redis_server: str) -> Redis:
    client = Redis.from_url(redis_server)
    client.flushdb()
    return client


def test_processes_share_one_row_of_slots(redis: Redis) -> None:
    """Forty reservations of eight at once: every slot is given out once, in steps of the interval."""
    with ThreadPoolExecutor(8) as pool:
        waits = sorted(pool.map(lambda _: reserved(slots()), range(40)))
    steps = [later - earlier for earlier, later in pairwise(waits)]
    assert len(redis.keys("exportui:budget:*")) == 1
    assert waits[-1] >= 39 * EVERY_S - 1  # the time that went by meanwhile
    assert sum(steps) == pytest.approx(waits[-1] - waits[0])
    assert min(steps) > 0


def test_what_one_process_closes_is_closed_for_all(redis: Redis) -> None:
    slots().close(60)
    assert reserved(slots()) == pytest.approx(60, abs=1)


def test_connections_do_not_wait_for_each_other(redis: Redis) -> None:
    slots("one").close(60)
    assert reserved(slots("other")) == 0


def test_a_slot_too_far_off_is_not_taken(redis: Redis) -> None:
    own = slots()
    own.close(60)
    for _ in range(3):
        assert own.reserve(every_s=EVERY_S, within_s=10) > 10
    assert reserved(own) == pytest.approx(60, abs=1)


def test_a_redis_that_lost_everything_gives_out_slots_again(redis: Redis) -> None:
    own = slots()
    reserved(own)
    redis.flushdb()
    assert reserved(own) == 0
    assert reserved(own) == pytest.approx(EVERY_S, abs=0.05)


def test_without_redis_a_process_keeps_to_a_part_of_the_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = Redis.from_url("unix:///nonexistent/valkey.sock")
    monkeypatch.setattr(budget, "_redis", lambda: nowhere)
    own = slots()
    assert reserved(own) == 0
    assert reserved(own) == pytest.approx(EVERY_S * ALONE, abs=0.05)


def test_a_rest_asked_for_before_redis_went_away_still_holds(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = slots()
    own.close(60)
    nowhere = Redis.from_url("unix:///nonexistent/valkey.sock")
    monkeypatch.setattr(budget, "_redis", lambda: nowhere)
    assert reserved(own) == pytest.approx(60, abs=1)
