"""Failures that are the same to a person have one signature, and different ones do not."""

from __future__ import annotations

import uuid
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.rules.fingerprint import most_specific, signature, with_holes


class Entry(NamedTuple):
    code: str
    message: str
    call_stack: str = ""


SPARK = Entry("unknown", "Job aborted.", "org.apache.spark.SparkException: Job aborted.")
WRITE = Entry("0090000009", "Error writing profiles to output path 'adl://store/snapshot/722'")
GENERAL = Entry("0100000003", "Error in Export Job")


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (
            "Error writing profiles to output path 'adl://ups.azuredatalakestore.net/snapshot/722'",
            "Error writing profiles to output path '<path>'",
        ),
        ("Job 722 failed after 3 attempts", "Job <n> failed after <n> attempts"),
        ("Took 1,204.5 s", "Took <n> s"),
        ("No such file: /mnt/data/part-0001.parquet", "No such file: <path>"),
        ("dataset 5b7c86968f7b6501e21ba9df is gone", "dataset <id> is gone"),
        ("segment 4edc8488-2aeb-4c2c-a8a5-d5b9a4b7a1b2!", "segment <id>!"),
        ("since 2026-11-22T09:41:03.120Z nothing", "since <time> nothing"),
        ("since 2026-11-22 09:41 nothing", "since <time> nothing"),
        ("cannot reach 10.0.4.17:9092", "cannot reach <host>"),
        ("cannot reach node-7.eu.store.internal:443 now", "cannot reach <host> now"),
        ("at 0x7f3a", "at <id>"),
        ("  two\n lines\tand  blanks ", "two lines and blanks"),
        ("Request rate is large", "Request rate is large"),
        ("org.apache.spark.SparkException: Job aborted.", "org.apache.spark.SparkException: Job aborted."),
        ("", ""),
    ],
)
def test_what_is_incidental_becomes_a_hole(message: str, said: str) -> None:
    assert with_holes(message) == said


@given(st.text())
def test_a_pattern_is_one_line_of_at_most_300_characters(message: str) -> None:
    said = with_holes(message)
    assert len(said) <= 300
    assert said == " ".join(said.split())


@given(st.integers(0, 10**12), st.integers(0, 10**12), st.uuids(), st.uuids())
def test_the_same_failure_of_two_jobs_has_one_signature(
    one: int, other: int, first: uuid.UUID, second: uuid.UUID
) -> None:
    def said(number: int, run: uuid.UUID) -> Entry:
        return Entry("0090000009", f"Error writing to 'adl://store/{number}/x' in run {run}, try {number}")

    assert signature([said(one, first)]) == signature([said(other, second)])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (WRITE, WRITE._replace(code="0090000010")),
        (WRITE, WRITE._replace(message="Error reading profiles from input path 'adl://store/722'")),
        (Entry("", "a"), Entry("a", "")),
    ],
)
def test_another_code_or_another_message_is_another_failure(one: Entry, other: Entry) -> None:
    assert signature([one]) != signature([other])


def test_the_call_stack_does_not_make_another_failure() -> None:
    assert signature([WRITE]) == signature([WRITE._replace(call_stack="a.b.C.run(C.scala:17)")])


@pytest.mark.parametrize(
    "errors",
    [[WRITE, SPARK], [SPARK, WRITE], [GENERAL, WRITE], [GENERAL, SPARK, WRITE], [WRITE, GENERAL]],
)
def test_the_wrapper_around_an_error_never_hides_it(errors: list[Entry]) -> None:
    assert most_specific(errors) is WRITE


def test_a_code_that_says_something_beats_one_that_says_nothing() -> None:
    assert most_specific([SPARK, GENERAL]) is GENERAL


def test_of_two_specific_errors_the_first_counts() -> None:
    assert most_specific([WRITE, WRITE._replace(code="0080000018")]) is WRITE


def test_a_lone_wrapper_is_still_a_signature() -> None:
    found = signature([SPARK])
    assert found is not None
    assert (found.code, found.pattern) == ("unknown", "Job aborted.")


def test_no_error_is_no_signature() -> None:
    assert signature([]) is None
    assert most_specific([]) is None


def test_a_message_of_a_megabyte_does_not_take_long() -> None:
    assert with_holes("a1" * 500_000)
    assert with_holes("/" * 1_000_000)
    assert with_holes("a." * 500_000)
