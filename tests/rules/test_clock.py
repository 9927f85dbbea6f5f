"""The platform's clock is compared with ours by its Date header, which counts whole seconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from jobs.rules.clock import has_moved, offset_ms

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize("ahead_s", [-3600, 0, 90])
def test_the_offset_is_that_of_the_middle_of_the_call(ahead_s: int) -> None:
    told = NOW + timedelta(seconds=ahead_s)
    found = offset_ms(
        told,
        asked_at=NOW + timedelta(milliseconds=400),
        answered_at=NOW + timedelta(milliseconds=600),
    )
    assert found == ahead_s * 1000


def test_only_a_noteworthy_difference_is_written_down() -> None:
    assert has_moved(None, 0)
    assert has_moved(0, 1500)
    assert not has_moved(200, -700)
