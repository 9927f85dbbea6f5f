"""Requests are spaced: in fake time never more than the rate in any second, however many ask at once."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable

import pytest

from jobs.client.api import Client
from jobs.client.credential import Credential, MemoryTokenStore
from jobs.client.errors import Throttled
from jobs.client.retry import Retry
from jobs.client.throttle import LocalSlots, Throttle
from tests.remote import EXPORT_JOBS, Remote


class Clock:
    """A clock that moves when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def most_in_a_second(moments: list[float]) -> int:
    """The fullest window of one second that begins with a request."""
    return max(sum(begin <= at < begin + 1 for at in moments) for begin in moments)


def sent_by_workers(count: int, *, per_second: float, idle: Callable[[], float], until: float) -> list[float]:
    """When requests go out if so many workers share the slots, each idle for a while between its requests."""
    clock, moments = Clock(), []
    slots = LocalSlots(clock)
    waiting = [(clock.now + idle(), worker) for worker in range(count)]
    heapq.heapify(waiting)
    while waiting[0][0] < 100 + until:
        clock.now, worker = heapq.heappop(waiting)
        wait = slots.reserve(every_s=1.02 / per_second, within_s=1e9)
        moments.append(clock.now + wait)
        heapq.heappush(waiting, (clock.now + wait + idle(), worker))
    return moments


@pytest.mark.parametrize("workers", [1, 3, 40])
@pytest.mark.parametrize("per_second", [1, 10, 25])
def test_no_second_ever_holds_more_requests_than_the_rate(workers: int, per_second: int) -> None:
    rng = random.Random(f"{workers}/{per_second}")
    idle = lambda: rng.choice([0.0, 0.0, 0.01, 0.3, 2.5])  # noqa: E731
    moments = sent_by_workers(workers, per_second=per_second, idle=idle, until=60)
    assert len(moments) > 30
    assert most_in_a_second(moments) <= per_second


def test_workers_that_always_have_something_to_ask_use_nearly_all_of_the_rate() -> None:
    moments = sent_by_workers(8, per_second=10, idle=lambda: 0.0, until=60)
    assert len(moments) > 0.97 * 10 * 60


def test_a_request_after_a_rest_waits_for_nothing_and_saves_nothing_up() -> None:
    clock = Clock()
    slots = LocalSlots(clock)
    slots.reserve(every_s=0.1, within_s=10)
    clock.now += 3600
    assert slots.reserve(every_s=0.1, within_s=10) == 0
    assert slots.reserve(every_s=0.1, within_s=10) == pytest.approx(0.1)


def test_a_slot_that_is_too_far_off_is_not_taken_and_says_when_to_come_back() -> None:
    clock = Clock()
    slots = LocalSlots(clock)
    throttle = Throttle(slots, per_second=10, sleep=clock.sleep, clock=clock)
    throttle.rest(300)
    with pytest.raises(Throttled, match="Nothing was sent") as raised:
        throttle.take("listing")
    assert raised.value.retry_after_s == pytest.approx(300)
    clock.now += 299
    throttle.take("listing")
    assert clock.now == pytest.approx(400)


def test_a_shorter_rest_does_not_shorten_a_longer_one() -> None:
    clock = Clock()
    slots = LocalSlots(clock)
    slots.close(60)
    slots.close(5)
    assert slots.reserve(every_s=0.1, within_s=100) == pytest.approx(60)


def test_retry_after_closes_the_budget_for_everybody_who_shares_it(
    remote: Remote, credential: Credential
) -> None:
    clock = Clock()
    throttle = Throttle(LocalSlots(clock), per_second=10, sleep=clock.sleep, clock=clock)
    store, never = MemoryTokenStore(), Retry(repeats=0)
    one, other = (
        Client(remote.url, credential, remote.credentials["sandbox"], store, retry=never, throttle=throttle)
        for _ in range(2)
    )
    remote.fault({"reply": {"status": 429, "headers": {"Retry-After": "120"}}}, path=EXPORT_JOBS)
    with pytest.raises(Throttled):
        one.list_jobs()
    with pytest.raises(Throttled) as raised:
        other.list_jobs()
    assert raised.value.retry_after_s == pytest.approx(120)
    assert len(remote.requests(EXPORT_JOBS)) == 1
    assert other.requests == 0


def test_a_429_without_a_time_rests_for_a_second(remote: Remote, credential: Credential) -> None:
    clock = Clock()
    slots = LocalSlots(clock)
    throttle = Throttle(slots, per_second=10, sleep=clock.sleep, clock=clock)
    client = Client(
        remote.url,
        credential,
        remote.credentials["sandbox"],
        MemoryTokenStore(),
        retry=Retry(repeats=0),
        throttle=throttle,
    )
    remote.fault({"reply": {"status": 429}}, path=EXPORT_JOBS)
    with pytest.raises(Throttled):
        client.list_jobs()
    assert slots.reserve(every_s=0.1, within_s=10) == pytest.approx(1)


def test_who_oversleeps_takes_another_slot() -> None:
    """Eleven requests, of which one wakes up half a second late: no second holds more than ten all the same."""
    clock, moments = Clock(), []
    naps = iter([0.0] * 4 + [0.5] + [0.0] * 40)
    throttle = Throttle(
        LocalSlots(clock), per_second=10, sleep=lambda s: clock.sleep(s + next(naps)), clock=clock
    )
    for _ in range(30):
        throttle.take("listing")
        moments.append(clock.now)
    assert most_in_a_second(moments) <= 10


def test_a_machine_that_is_always_late_sends_all_the_same() -> None:
    clock = Clock()
    throttle = Throttle(LocalSlots(clock), per_second=10, sleep=lambda s: clock.sleep(s + 0.09), clock=clock)
    for _ in range(3):
        throttle.take("listing")
