"""A create payload leaves as it came, and what is wrong with it is said by path."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.client.payload import MAX_BYTES, PayloadErrors, load_json, read_payload
from tests.client.conftest import sample

PAYLOADS = [
    "payload_events_only",
    "payload_profiles_and_events",
    "payload_profiles_only",
    "payload_segments_and_events",
]
MINIMAL: dict[str, Any] = {"destination": {"datasetId": "DS1"}, "schema": {"name": "_xdm.context.profile"}}
SEGMENT = {"segmentId": "S1", "segmentNs": "ups", "status": ["realized"]}


def payload(**fields: Any) -> dict[str, Any]:
    return MINIMAL | fields


def errors(raw: Any) -> dict[str, str]:
    with pytest.raises(PayloadErrors) as caught:
        read_payload(raw)
    return dict(caught.value.errors)


@pytest.mark.parametrize("name", PAYLOADS)
def test_every_payload_of_the_guides_is_valid_and_leaves_as_it_came(name: str) -> None:
    assert read_payload(sample(name)).wire() == sample(name)


def test_the_two_required_parts_are_enough_and_nothing_is_added() -> None:
    assert read_payload(MINIMAL).wire() == MINIMAL


@pytest.mark.parametrize(
    "fields",
    [
        {"properties": {"checkBatchStatusForSuccess": True}},
        {"filter": {"segments": [SEGMENT | {"status": "exited"}]}},
        {"filter": {"segments": []}, "fields": ""},
        {"mergePolicy": {"id": "timestampOrdered-none-mp", "version": 1.5}},
        {"additionalFields": {"eventList": {}}},
        {"snapshotName": "x", "destination": {"datasetId": "D", "new": {"a": [None, 1]}}},
        {"filter": {"segments": [SEGMENT, SEGMENT]}, "mergePolicy": {"id": "M"}},
        {"filter": {"segments": [SEGMENT]}, "destination": {"datasetId": "D", "segmentPerBatch": True}},
        {"filter": {"fromIngestTimestamp": "2018-10-25t13:22:04.123456789-07:00"}},
        {"filter": {"segmentQualificationTime": {"endTime": "2018-10-25T13:22:04Z"}}},
    ],
)
def test_what_the_platform_may_know_passes_unchanged(fields: dict[str, Any]) -> None:
    assert read_payload(payload(**fields)).wire() == payload(**fields)


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"destination": {}}, "destination.datasetId"),
        ({"destination": {"datasetId": "  "}}, "destination.datasetId"),
        ({"destination": {"datasetId": 7}}, "destination.datasetId"),
        ({"destination": "DS1"}, "destination"),
        ({"schema": {}}, "schema.name"),
        ({"fields": ["a"]}, "fields"),
        ({"mergePolicy": {"version": 1}}, "mergePolicy.id"),
        ({"mergePolicy": {"id": "M", "version": "1"}}, "mergePolicy.version"),
        ({"mergePolicy": {"id": "M", "version": True}}, "mergePolicy.version"),
        ({"filter": {"segments": [{"segmentNs": "ups"}]}}, "filter.segments.0.segmentId"),
        ({"filter": {"segments": SEGMENT}}, "filter.segments"),
        ({"filter": {"segments": [SEGMENT | {"status": [1]}]}}, "filter.segments.0.status"),
        ({"filter": {"emptyProfiles": "true"}}, "filter.emptyProfiles"),
        ({"filter": {"fromIngestTimestamp": "2018-01-01"}}, "filter.fromIngestTimestamp"),
        ({"filter": {"fromIngestTimestamp": "2018-02-30T00:00:00Z"}}, "filter.fromIngestTimestamp"),
        ({"filter": {"fromIngestTimestamp": "2018-02-03T00:00:00"}}, "filter.fromIngestTimestamp"),
        ({"filter": {"fromIngestTimestamp": 1538615973895}}, "filter.fromIngestTimestamp"),
        ({"evaluationInfo": {"segmentation": {"enabled": True}}}, "evaluationInfo.segmentation"),
        ({"filter": {"segments": [SEGMENT, SEGMENT]}}, "mergePolicy"),
        ({"destination": {"datasetId": "D", "segmentPerBatch": True}}, "destination.segmentPerBatch"),
        (
            {
                "filter": {
                    "segmentQualificationTime": {
                        "startTime": "2018-01-01T01:00:00+01:00",
                        "endTime": "2018-01-01T00:00:00Z",
                    }
                }
            },
            "filter.segmentQualificationTime.endTime",
        ),
        (
            {
                "additionalFields": {
                    "eventList": {
                        "filter": {
                            "fromIngestTimestamp": "2019-01-01T00:00:00Z",
                            "toIngestTimestamp": "2018-01-01T00:00:00Z",
                        }
                    }
                }
            },
            "additionalFields.eventList.filter.toIngestTimestamp",
        ),
        ({"fields": "a\x00b"}, "fields"),
        ({"extra": {"half": "\ud800"}}, "extra.half"),
        ({"extra": float("nan")}, "extra"),
        ({"extra": 2**70}, "extra"),
    ],
)
def test_each_mistake_is_one_sentence_at_its_path(fields: dict[str, Any], path: str) -> None:
    found = errors(payload(**fields))
    assert list(found) == [path]
    assert found[path].endswith((".", "Z."))


@pytest.mark.parametrize("raw", [None, [], "x", 7, True])
def test_what_is_no_object_is_no_payload(raw: object) -> None:
    assert errors(raw) == {"": "Must be an object."}


def test_all_mistakes_are_told_at_once() -> None:
    assert set(errors({"filter": {"emptyProfiles": 1}})) == {"destination", "schema", "filter.emptyProfiles"}


def test_a_key_spelt_as_in_python_is_refused_and_not_silently_ignored() -> None:
    assert "mergePolicy" in errors(payload(merge_policy={"id": "M"}))[""]


def test_a_payload_nested_too_deep_is_refused_even_if_it_was_not_read_from_text() -> None:
    deep: Any = 1
    for _ in range(5000):
        deep = {"a": deep}
    assert any("deeper" in sentence for sentence in errors(payload(extra=deep)).values())


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abcdefA_", max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(st.text("abcdefXYZ", min_size=1, max_size=6), json_values, max_size=4),
    st.sampled_from(PAYLOADS),
)
def test_unknown_keys_at_every_level_are_kept(extra: dict[str, Any], name: str) -> None:
    raw = sample(name)
    for part in (raw, raw["destination"], raw["mergePolicy"], raw["schema"], raw.get("additionalFields", {})):
        part.update(extra)
    assert read_payload(raw).wire() == raw


@settings(max_examples=300, deadline=None)
@given(json_values | st.dictionaries(st.sampled_from(list(sample(PAYLOADS[3]))), json_values))
def test_any_json_is_a_payload_that_round_trips_or_a_list_of_mistakes(raw: Any) -> None:
    try:
        payload = read_payload(raw)
    except PayloadErrors as wrong:
        found = wrong.errors
    else:
        assert payload.wire() == raw
        return
    assert found
    assert all(isinstance(path, str) and sentence for path, sentence in found)


def test_json_text_is_read_as_it_stands() -> None:
    assert load_json(json.dumps(sample(PAYLOADS[0]))) == sample(PAYLOADS[0])
    assert load_json(b'{"a": "[[[[[[[[[[[[[[[[[[[[[[[[[[ \\" {"}') == {"a": '[[[[[[[[[[[[[[[[[[[[[[[[[[ " {'}


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "not JSON"),
        ('{"a": 1,}', "line 1"),
        ("{\n  'a': 1}", "line 2"),
        ('{"a": NaN}', "NaN"),
        ('{"a": 1, "a": 2}', "twice"),
        ('{"a": 12345678901234567890}', "too large"),
        ("[" * 21 + "]" * 21, "deeper"),
        ("[" * 200_000, "deeper"),
        ('{"a":' * 50_000, "deeper"),
        ('"' + "x" * MAX_BYTES + '"', "bytes"),
        (b"\xff\xfe", "UTF-8"),
        ('"' + "\\" * 100_001, "not JSON"),
    ],
)
def test_text_that_is_not_taken_says_why(text: str | bytes, word: str) -> None:
    with pytest.raises(PayloadErrors) as caught:
        load_json(text)
    [(path, sentence)] = caught.value.errors
    assert path == ""
    assert word in sentence
    assert len(sentence) < 200


@given(st.text(max_size=60) | st.text('[]{}",:\\ aen0123456789.-', max_size=60))
def test_any_text_is_a_value_or_one_sentence(text: str) -> None:
    try:
        value = load_json(text)
    except PayloadErrors as wrong:
        found = wrong.errors
    else:
        assert value == json.loads(text)
        return
    assert len(found) == 1
