"""The difference of two records: every changed leaf by its path, and nothing else."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.rules.changes import MAX_CHANGES, Change, changes

leaves = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ({"status": "NEW"}, {"status": "PROCESSING"}, [("status", "NEW", "PROCESSING")]),
        ({}, {"updateTime": 5}, [("updateTime", None, 5)]),
        ({"updateTime": 5}, {}, [("updateTime", 5, None)]),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, [("a.b", 1, 2)]),
        ({"e": [{"c": 1}]}, {"e": [{"c": 1}, {"c": 2}]}, [("e[1].c", None, 2)]),
        ({"e": [1, 2]}, {"e": [1]}, [("e[1]", 2, None)]),
        ({"m": {}}, {"m": {"total": 5}}, [("m.total", None, 5)]),
        ({}, {"m": {"total": 5, "export": 4}}, [("m.total", None, 5), ("m.export", None, 4)]),
        ({"b": []}, {"b": {}}, [("b", [], {})]),
        ({"n": 1}, {"n": "1"}, [("n", 1, "1")]),
        ({"n": 1}, {"n": True}, [("n", 1, True)]),
        ({"n": 1}, {"n": 1.0}, [("n", 1, 1.0)]),
        ({"n": None}, {"n": 0}, [("n", None, 0)]),
        ([1], [2], [("[0]", 1, 2)]),
        ("NEW", "FAILED", [("", "NEW", "FAILED")]),
    ],
)
def test_each_changed_leaf_is_named_by_its_path(
    before: Any, after: Any, found: list[tuple[str, Any, Any]]
) -> None:
    assert changes(before, after) == [Change(*one) for one in found]


@given(values)
def test_a_value_does_not_differ_from_its_copy(value: Any) -> None:
    assert changes(value, copy.deepcopy(value)) == []


@given(values, values)
def test_values_that_read_differently_have_a_change(before: Any, after: Any) -> None:
    assert bool(changes(before, after)) == (
        json.dumps(before, sort_keys=True) != json.dumps(after, sort_keys=True)
    )


def test_a_flood_of_changes_is_cut() -> None:
    assert len(changes([], list(range(10_000)))) == MAX_CHANGES


def test_a_new_key_stands_where_the_newer_record_has_it_and_a_lost_one_last() -> None:
    paths = [one.path for one in changes({"gone": 1, "b": 1}, {"a": 1, "b": 2})]
    assert paths == ["a", "b", "gone"]
