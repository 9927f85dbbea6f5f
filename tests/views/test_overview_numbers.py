"""A share is rounded so that it never says all or none when it is not."""

from __future__ import annotations

import pytest

from jobs.views.overview_numbers import percent


@pytest.mark.parametrize(
    ("rate", "said"),
    [
        (None, "–"),
        (0, "0 %"),
        (1, "100 %"),
        (0.5, "50.0 %"),
        (0.9999, "99.9 %"),
        (0.00001, "0.1 %"),
        (135 / 140, "96.4 %"),
    ],
)
def test_a_share_as_a_person_reads_it(rate: float | None, said: str) -> None:
    assert percent(rate).replace("\N{NARROW NO-BREAK SPACE}", " ") == said
