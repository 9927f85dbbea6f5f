"""Equal requests have one digest; whatever the platform would do differently has another."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.rules.canonical import digest, payload_digest, record_digest

SEGMENT = {"segmentId": "S1", "segmentNs": "ups", "status": ["realized"]}
PAYLOAD: dict[str, Any] = {
    "fields": "identityMap,person.name",
    "filter": {"segments": [SEGMENT]},
    "destination": {"datasetId": "DS1", "segmentPerBatch": False},
    "schema": {"name": "_xdm.context.profile"},
}
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
objects = st.dictionaries(st.text(max_size=5), values, max_size=5)


def shuffled(value: Any) -> Any:
    """The same JSON value with the members of every object in another order."""
    if isinstance(value, dict):
        pairs = [(key, shuffled(inner)) for key, inner in value.items()]
        random.Random(7).shuffle(pairs)
        return dict(pairs)
    return [shuffled(inner) for inner in value] if isinstance(value, list) else value


def changed(**members: Any) -> dict[str, Any]:
    return PAYLOAD | members


@given(objects)
def test_the_order_of_keys_says_nothing(value: dict[str, Any]) -> None:
    assert digest(value) == digest(shuffled(value))
    assert record_digest(value) == record_digest(shuffled(value))
    assert payload_digest(value) == payload_digest(shuffled(value))


@given(values, values)
def test_only_equal_values_have_one_digest(one: Any, other: Any) -> None:
    assert (digest(one) == digest(other)) == (spelled(one) == spelled(other))


def spelled(value: Any) -> str:
    """Tells True from 1 and 1 from "1", and does not look at the order of keys."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{key!r}:{spelled(value[key])}" for key in sorted(value)) + "}"
    return "[" + ",".join(map(spelled, value)) + "]" if isinstance(value, list) else repr(value)


@pytest.mark.parametrize(
    "same",
    [
        changed(fields="person.name, identityMap"),
        changed(destination={"datasetId": "DS1"}),
        changed(emptyProfiles=False),
        changed(mergePolicy={}, snapshotName=None),
        changed(filter={"segments": [{"segmentId": "S1", "status": ["realized"]}]}),
        changed(filter={"segments": [SEGMENT | {"segmentNs": "UPS"}]}),
    ],
)
def test_defaults_blanks_and_order_do_not_make_another_export(same: dict[str, Any]) -> None:
    assert payload_digest(same) == payload_digest(PAYLOAD)


@pytest.mark.parametrize(
    "other",
    [
        changed(fields="identityMap"),
        changed(destination={"datasetId": "DS2"}),
        changed(destination={"datasetId": "DS1", "segmentPerBatch": True}),
        changed(filter={"segments": [SEGMENT | {"segmentId": "S2"}]}),
        changed(filter={"segments": [SEGMENT | {"status": ["existing"]}]}),
        changed(filter={"segments": [SEGMENT | {"segmentNs": "AAM"}]}),
        changed(additionalFields={"eventList": {}}),
        changed(additionalFields={"eventList": {"fields": "a"}}),
        changed(mergePolicy={"id": "MP1"}),
        changed(emptyProfiles=True),
        changed(somethingNew="x"),
    ],
)
def test_what_asks_for_another_export_has_another_digest(other: dict[str, Any]) -> None:
    assert payload_digest(other) != payload_digest(PAYLOAD)


def test_segments_are_a_set() -> None:
    one, other = SEGMENT, SEGMENT | {"segmentId": "S2"}
    first, second = (changed(filter={"segments": pair}) for pair in ([one, other], [other, one]))
    assert payload_digest(first) == payload_digest(second)


def test_a_record_that_changed_in_one_leaf_has_another_digest() -> None:
    assert record_digest({"status": "NEW", "metrics": {"a": 1}}) != record_digest(
        {"status": "NEW", "metrics": {"a": 2}}
    )


@pytest.mark.parametrize("odd", [{"n": 10**30}, {"t": "\ud800"}, {"f": 1e308}, {"": {"": []}}])
def test_whatever_json_can_hold_has_a_digest(odd: dict[str, Any]) -> None:
    assert len(digest(odd)) == len(payload_digest(odd)) == 64


def test_the_presence_of_an_empty_event_list_asks_for_events() -> None:
    with_events = changed(additionalFields={"eventList": {}})
    assert payload_digest(with_events) != payload_digest(changed(additionalFields={}))
