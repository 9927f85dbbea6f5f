"""Counters that agree are not spoken of; those that do not are told in words and numbers."""

from __future__ import annotations

import pytest

from jobs.rules import agreement, batch_state
from jobs.rules.batch_state import BatchState
from jobs.rules.status import JobStatus


def of_job(exported: int | None, *written: int | None, is_all: bool = True, with_events: bool = False) -> str:
    said = agreement.of_job(exported=exported, written=written, is_all=is_all, with_events=with_events)
    return said.replace("\N{NARROW NO-BREAK SPACE}", " ")


def test_fewer_records_than_profiles_are_told_with_both_numbers_and_the_gap() -> None:
    said = of_job(1200, 1000, 198)
    assert said == "The job counts 1 200 exported profiles, but its 2 batches hold 1 198 records: 2 fewer."


def test_more_records_than_profiles_may_be_events() -> None:
    assert of_job(10, 12) == "The job counts 10 exported profiles, but its batch holds 12 records: 2 more."
    assert of_job(10, 12, with_events=True).endswith(
        "It exported events too, which may be records of their own."
    )


@pytest.mark.parametrize("counts", [(10, 10), (10, 4, 6), (0, 0), (None, 5), (10, None, 5), (10,)])
def test_counts_that_agree_or_are_not_known_say_nothing(counts: tuple[int | None, ...]) -> None:
    assert of_job(*counts) == ""


def test_a_part_of_the_batches_proves_nothing() -> None:
    assert of_job(10, 4, is_all=False) == ""


def test_files_that_hold_less_than_the_catalog_counts_and_lost_records_are_told() -> None:
    said = agreement.of_batch(written=10, failed=3, in_files=[4, 5])
    assert said == [
        "The catalog counts 10 records, but its files hold 9: 1 fewer.",
        "3 records could not be written.",
    ]
    assert agreement.of_batch(written=10, failed=0, in_files=[4, 6]) == []
    assert agreement.of_batch(written=10, failed=None, in_files=[4, None]) == []
    assert agreement.of_batch(written=10, failed=None, in_files=[]) == []


@pytest.mark.parametrize(
    ("job", "word", "said"),
    [
        (JobStatus.SUCCEEDED, "success", ""),
        (JobStatus.SUCCEEDED, "active", ""),
        (JobStatus.SUCCEEDED, "deleted", ""),
        (
            JobStatus.SUCCEEDED,
            "loading",
            "The job succeeded, but the catalog calls its batch “being written”.",
        ),
        (JobStatus.SUCCEEDED, "failure", "The job succeeded, but the catalog calls its batch “failed”."),
        (JobStatus.FAILED, "success", "The job did not succeed, but the catalog counts this batch as whole."),
        (JobStatus.FAILED, "failed", ""),
        (JobStatus.PROCESSING, "loading", ""),
    ],
)
def test_a_batch_that_ended_otherwise_than_its_job_is_pointed_out(
    job: JobStatus, word: str, said: str
) -> None:
    assert agreement.of_states(job, batch_state.read(word)) == said


@pytest.mark.parametrize(
    ("one", "other", "state"),
    [("active", "success", BatchState.SUCCESS), ("failed", "FAILURE ", BatchState.FAILED)],
)
def test_two_words_of_the_catalog_are_one_state(one: str, other: str, state: BatchState) -> None:
    assert batch_state.read(one) is batch_state.read(other) is state


def test_a_word_nobody_has_heard_of_is_unknown_and_every_state_has_a_look() -> None:
    assert batch_state.read("frobnicated") is BatchState.UNKNOWN
    assert set(batch_state.LOOK) == set(BatchState)
