"""Known codes get advice with a source; unknown ones get an honest sentence, never an invented cause."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.rules.remedy import REMEDIES, remedy


@pytest.mark.parametrize("code", ["0100000003", "0090000009", "unknown", "0080000018"])
def test_the_four_codes_of_the_guides_are_known(code: str) -> None:
    assert remedy(code) is REMEDIES[code]


@pytest.mark.parametrize("code", ["", "100000003", "0090000010", "0"])
def test_a_code_nobody_documented_says_so(code: str) -> None:
    assert "no public meaning" in remedy(code).cause


@pytest.mark.parametrize("code", ["UNKNOWN", " unknown ", "Unknown"])
def test_the_word_unknown_is_known_however_it_is_spelled(code: str) -> None:
    assert remedy(code) is REMEDIES["unknown"]


@given(st.text())
def test_every_code_has_a_cause_a_next_step_and_a_source(code: str) -> None:
    assert all(remedy(code))
