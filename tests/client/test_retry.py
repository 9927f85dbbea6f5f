"""When a safe call is made again, and how long before."""

from __future__ import annotations

from typing import Any

import pytest

from jobs.client.errors import (
    CredentialRefused,
    PlatformDown,
    PlatformError,
    Refused,
    Throttled,
    TimedOut,
    Unreachable,
    Unreadable,
)
from jobs.client.retry import NEVER, Retry


class Call:
    """Raises the errors in turn, then gives "done"."""

    def __init__(self, *errors: PlatformError) -> None:
        self.errors = list(errors)
        self.made = 0

    def __call__(self) -> str:
        self.made += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"


def patient(waits: list[float], **fields: Any) -> Retry:
    return Retry(**{"sleep": waits.append, "jitter": lambda: 1.0, "clock": lambda: sum(waits), **fields})


@pytest.mark.parametrize(
    "error",
    [
        Unreachable("x"),
        TimedOut("x", maybe_received=True),
        *(PlatformDown("x", status=status) for status in (500, 502, 503, 504)),
        Throttled("x", status=429),
    ],
    ids=lambda error: f"{type(error).__name__} {error.status}",
)
def test_what_may_pass_is_tried_again(error: PlatformError, waits: list[float]) -> None:
    call = Call(error)
    assert patient(waits).run(call) == "done"
    assert call.made == 2
    assert waits == [0.5]


@pytest.mark.parametrize(
    "error",
    [
        Refused("x", status=400),
        CredentialRefused("x", status=401),
        PlatformDown("x", status=501),
        Unreadable("x", status=200),
        Throttled("x", status=429, retry_after_s=10.5),
        PlatformDown("x", status=503, retry_after_s=3600),
    ],
    ids=lambda error: f"{type(error).__name__} {error.retry_after_s}",
)
def test_what_will_not_pass_soon_is_raised_at_once(error: PlatformError, waits: list[float]) -> None:
    call = Call(error)
    with pytest.raises(type(error)) as caught:
        patient(waits).run(call)
    assert caught.value is error
    assert (call.made, waits) == (1, [])


def test_three_repeats_with_doubling_waits_and_then_the_last_error(waits: list[float]) -> None:
    errors = [Unreachable(str(number)) for number in range(5)]
    call = Call(*errors)
    with pytest.raises(Unreachable, match="3"):
        patient(waits).run(call)
    assert waits == [0.5, 1.0, 2.0]


def test_chance_takes_up_to_half_of_a_wait_away(waits: list[float]) -> None:
    patient(waits, jitter=lambda: 0.0).run(Call(Unreachable("x"), Unreachable("x")))
    assert waits == [0.25, 0.5]


def test_retry_after_is_obeyed_up_to_ten_seconds(waits: list[float]) -> None:
    patient(waits).run(Call(Throttled("x", status=429, retry_after_s=10.0)))
    assert waits == [10.0]


def test_a_retry_after_of_nothing_still_waits_a_little(waits: list[float]) -> None:
    patient(waits).run(Call(Throttled("x", status=429, retry_after_s=0.0)))
    assert waits == [0.5]


def test_no_attempt_begins_after_the_budget_is_spent(waits: list[float]) -> None:
    call = Call(*[PlatformDown("x", status=503, retry_after_s=8.0)] * 4)
    with pytest.raises(PlatformDown):
        patient(waits, budget_s=20.0).run(call)
    assert waits == [8.0, 8.0]


def test_never_means_once(waits: list[float]) -> None:
    call = Call(Unreachable("x"))
    with pytest.raises(Unreachable):
        NEVER.run(call)
    assert call.made == 1
