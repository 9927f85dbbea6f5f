"""Phases, the gaps nobody reported, and how durations are said."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.rules.duration import human, outside, timeline, total_ms

INT64 = 2**63


class Times(NamedTuple):
    """A phase as the platform reports it."""

    name: str
    start_ms: int | None = None
    end_ms: int | None = None
    duration_ms: int | None = None


# Job 24115 of the guides: 88 % of its time lies outside both phases.
JOB_24115 = [
    Times("totalTime", 1547053539564, 1547054743929, 1204365),
    Times("profileExportTime", 1547053667591, 1547053778195, 110604),
    Times("aCPDatasetWriteTime", 1547054660416, 1547054698918, 38502),
]


def test_the_gaps_of_job_24115_have_names_and_lengths() -> None:
    assert [(phase.label, phase.duration_ms, phase.reported) for phase in timeline(JOB_24115)] == [
        ("Waiting before the export", 128027, False),
        ("Profile export", 110604, True),
        ("Hand-over between export and write", 882221, False),
        ("Dataset write", 38502, True),
        ("Closing after the write", 45011, False),
    ]


def test_phases_and_gaps_together_fill_the_total() -> None:
    assert sum(phase.duration_ms or 0 for phase in timeline(JOB_24115)) == total_ms(JOB_24115)


def test_order_of_the_record_does_not_matter() -> None:
    assert timeline(JOB_24115[::-1]) == timeline(JOB_24115)


def test_a_total_alone_is_one_gap_in_which_nothing_was_reported() -> None:
    (only,) = timeline([Times("totalTime", 1000, 61000, 60000)])
    assert (only.label, only.reported, only.duration_ms) == ("Nothing reported inside", False, 60000)


def test_a_total_that_only_began_is_shown_as_running() -> None:
    (only,) = timeline([Times("totalTime", 1000)])
    assert (only.label, only.running, only.end_ms, only.duration_ms) == ("Total", True, None, None)


def test_a_running_phase_has_no_gap_behind_it() -> None:
    found = timeline([Times("totalTime", 0), Times("profileExportTime", 60_000)])
    assert [(phase.label, phase.running) for phase in found] == [
        ("Waiting before the export", False),
        ("Profile export", True),
    ]


def test_between_two_phases_a_running_job_shows_an_open_gap() -> None:
    *_, last = timeline([Times("totalTime", 0), Times("profileExportTime", 0, 60_000, 60_000)])
    assert (last.label, last.reported, last.running, last.end_ms) == ("After the export", False, True, None)


def test_nothing_runs_in_a_job_that_has_ended() -> None:
    found = timeline([Times("totalTime", 0), Times("profileExportTime", 60_000)], ended=True)
    assert not any(phase.running for phase in found)
    assert [phase.label for phase in found] == ["Waiting before the export", "Profile export"]
    assert found[-1].end_ms is None


def test_an_ended_job_without_an_end_of_its_total_gets_no_endless_gap() -> None:
    found = timeline([Times("totalTime", 0), Times("profileExportTime", 0, 60_000, 60_000)], ended=True)
    assert [phase.label for phase in found] == ["Profile export"]


def test_an_ended_job_that_reported_a_start_alone_has_no_timeline() -> None:
    assert timeline([Times("totalTime", 1000)], ended=True) == []


def test_no_gap_is_made_up_inside_a_phase_that_has_no_end() -> None:
    times = [Times("totalTime", 0), Times("profileExportTime", 0), Times("aCPDatasetWriteTime", 90_000)]
    assert [phase.label for phase in timeline(times)] == ["Profile export", "Dataset write"]


def test_a_missing_end_follows_from_the_platforms_own_sum() -> None:
    (phase,) = timeline([Times("profileExportTime", 1000, None, 500)])
    assert (phase.end_ms, phase.running) == (1500, False)


def test_an_end_before_the_start_is_no_end() -> None:
    (phase,) = timeline([Times("profileExportTime", 5000, 1000)])
    assert (phase.end_ms, phase.duration_ms, phase.running) == (None, None, True)


def test_overlapping_phases_leave_no_gap_between_them() -> None:
    times = [
        Times("totalTime", 0, 100_000, 100_000),
        Times("profileExportTime", 0, 80_000, 80_000),
        Times("aCPDatasetWriteTime", 40_000, 100_000, 60_000),
    ]
    assert all(phase.reported for phase in timeline(times))


def test_less_than_a_second_is_no_gap() -> None:
    times = [Times("totalTime", 0, 10_999, 10_999), Times("profileExportTime", 999, 10_000, 9001)]
    assert [phase.label for phase in timeline(times)] == ["Profile export"]


def test_phases_nobody_has_heard_of_keep_their_name() -> None:
    times = [Times("totalTime", 0, 60_000), Times("shuffleTime", 30_000, 40_000)]
    labels = [phase.label for phase in timeline(times)]
    assert labels == ["Unreported before shuffleTime", "shuffleTime", "Unreported before the end"]


def test_a_phase_without_a_start_has_no_place_on_the_timeline() -> None:
    assert timeline([Times("profileExportTime", None, None, 500)]) == []


def test_the_total_is_the_platforms_sum_even_when_it_contradicts_its_times() -> None:
    assert total_ms([Times("totalTime", 0, 1000, 999_999)]) == 999_999
    assert total_ms([Times("totalTime", 1000, 5000)]) == 4000
    assert total_ms([Times("totalTime", 5000, 1000)]) is None
    assert total_ms([Times("totalTime", 5000)]) is None
    assert total_ms([]) is None


def test_times_months_before_the_creation_lie_outside() -> None:
    assert outside(JOB_24115, created_ms=1559674261657, updated_ms=1559674261868)


def test_times_after_the_last_update_lie_outside() -> None:
    assert outside([Times("totalTime", 0, 120_000)], created_ms=0, updated_ms=30_000)


def test_times_within_the_life_of_the_record_do_not_lie_outside() -> None:
    times = [Times("totalTime", 1538615973895, 1538616233239, 259344)]
    assert not outside(times, created_ms=1538615973895, updated_ms=1538616233239)
    assert not outside(times, created_ms=1538615973895 + 59_000, updated_ms=1538616233239 - 59_000)
    assert not outside(times, created_ms=None, updated_ms=None)
    assert not outside([], created_ms=0, updated_ms=0)


@pytest.mark.parametrize(
    ("ms", "said"),
    [
        (None, "–"),
        (-1, "–"),
        (0, "0 ms"),
        (543, "543 ms"),
        (1000, "1 s"),
        (46_598, "46.6 s"),
        (59_949, "59.9 s"),
        (59_999, "1 m 0 s"),
        (60_000, "1 m 0 s"),
        (505_864, "8 m 25 s"),
        (3_600_000, "1 h 0 m"),
        (11_520_000, "3 h 12 m"),
        (187_200_000, "2 d 4 h"),
    ],
)
def test_durations_are_said_in_two_units_at_most(ms: int | None, said: str) -> None:
    assert human(ms) == said


number = st.none() | st.integers(-INT64, INT64 - 1)
phase = st.builds(
    Times,
    st.sampled_from(["totalTime", "profileExportTime", "aCPDatasetWriteTime", "x"]),
    number,
    number,
    number,
)


@given(st.lists(phase, max_size=8), st.booleans())
def test_whatever_is_reported_gives_a_timeline_in_order_and_without_negative_lengths(
    times: list[Times], ended: bool
) -> None:
    found = timeline(times, ended=ended)
    reported = [each.start_ms for each in found if each.reported]
    assert reported == sorted(reported)
    assert all(each.duration_ms is None or each.duration_ms >= 0 for each in found)
    assert all(each.end_ms is None or each.end_ms >= each.start_ms for each in found)
    assert not (ended and any(each.running for each in found))


@given(st.integers(-INT64, INT64 - 1))
def test_every_duration_can_be_said(ms: int) -> None:
    assert human(ms)
