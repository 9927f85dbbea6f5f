"""Ranges of bytes: what a header asks for, and what a reply says it holds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.rules.byte_range import Span, Unsatisfiable, held, wanted


@pytest.mark.parametrize(
    ("header", "span"),
    [
        ("bytes=0-99", Span(0, 99)),
        ("bytes=900-", Span(900, 999)),
        ("bytes=900-5000", Span(900, 999)),
        ("bytes=-10", Span(990, 999)),
        ("bytes=-5000", Span(0, 999)),
        ("BYTES= 5-5 ", Span(5, 5)),
    ],
)
def test_one_range_is_read_and_ends_with_the_file(header: str, span: Span) -> None:
    assert wanted(header, 1000) == span


@pytest.mark.parametrize(
    "header", ["", "bytes=-", "bytes=9-3", "bytes=0-1,5-6", "lines=1-2", "bytes=a-b", "bytes"]
)
def test_what_is_no_single_range_asks_for_the_whole(header: str) -> None:
    assert wanted(header, 1000) is None


@pytest.mark.parametrize(
    ("header", "length"), [("bytes=1000-", 1000), ("bytes=-0", 1000), ("bytes=0-0", 0), ("bytes=-5", 0)]
)
def test_a_range_outside_of_the_file_cannot_be_had(header: str, length: int) -> None:
    with pytest.raises(Unsatisfiable):
        wanted(header, length)


@given(st.text(max_size=40), st.integers(0, 10**15))
def test_any_text_gives_a_span_within_the_file_or_none(header: str, length: int) -> None:
    for asked in (header, f"bytes={header}"):
        try:
            span = wanted(asked, length)
        except Unsatisfiable:
            continue
        assert span is None or 0 <= span.first <= span.last < length


def test_a_content_range_names_its_span_and_the_whole() -> None:
    assert held("bytes 0-99/1000") == (Span(0, 99), 1000)


@pytest.mark.parametrize(
    "text", ["", "bytes */1000", "bytes 5-4/10", "bytes 0-10/10", "bytes 0-1/*", "items 0-1/2"]
)
def test_a_content_range_that_makes_no_sense_says_nothing(text: str) -> None:
    assert held(text) is None
