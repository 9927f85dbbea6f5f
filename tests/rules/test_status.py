"""Every word the platform may send means one state, and every state has a look of its own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.rules.status import ACTIVE, FLAG_LOOK, LOOK, TABS, TERMINAL, Flag, JobStatus, read


@pytest.mark.parametrize("status", list(JobStatus))
def test_each_known_word_is_read_as_itself(status: JobStatus) -> None:
    assert read(status.value) is status


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("succeeded", JobStatus.SUCCEEDED),
        (" FAILED\n", JobStatus.FAILED),
        ("Processing", JobStatus.PROCESSING),
        ("CANCELED", JobStatus.UNKNOWN),
        ("COMPLETED", JobStatus.UNKNOWN),
        ("", JobStatus.UNKNOWN),
        (None, JobStatus.UNKNOWN),
        (0, JobStatus.UNKNOWN),
        (True, JobStatus.UNKNOWN),
        (["NEW"], JobStatus.UNKNOWN),
        ({"status": "NEW"}, JobStatus.UNKNOWN),
    ],
)
def test_case_and_blanks_do_not_matter_and_strangers_are_unknown(sent: object, meant: JobStatus) -> None:
    assert read(sent) is meant


@given(st.one_of(st.text(), st.none(), st.integers(), st.lists(st.text())))
def test_nothing_that_can_be_sent_breaks_the_reading(sent: object) -> None:
    assert read(sent) in JobStatus


def test_no_state_is_both_going_on_and_over() -> None:
    assert not ACTIVE & TERMINAL


def test_only_unknown_is_neither_going_on_nor_over() -> None:
    assert set(JobStatus) - ACTIVE - TERMINAL == {JobStatus.UNKNOWN}


def test_every_state_and_flag_has_a_look() -> None:
    assert set(LOOK) == set(JobStatus)
    assert set(FLAG_LOOK) == set(Flag)
    assert all(look.word and look.icon and look.role for look in LOOK.values())


def test_no_two_states_share_a_word() -> None:
    assert len({look.word for look in LOOK.values()}) == len(LOOK)


def test_every_state_stands_under_exactly_one_tab_besides_all() -> None:
    under = [status for tab in TABS[1:] for status in tab.statuses]
    assert TABS[0].statuses == ()
    assert sorted(under) == sorted(JobStatus)
