"""The export form: from what is typed to the payload that is sent, and back."""

from __future__ import annotations

import json
from datetime import UTC, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from django.utils.datastructures import MultiValueDict
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.client.payload import PayloadErrors, read_payload
from jobs.forms.consequence import consequence
from jobs.forms.export import ExportForm
from jobs.forms.names import Names, Option, Options
from jobs.forms.segment_row import ROW_LIMIT, with_row, without_row
from jobs.forms.start import echoed, initial_from
from jobs.models import Connection, Sandbox

SAMPLES = sorted((Path(__file__).parent.parent / "samples").glob("payload_*.json"))
PLACE = Sandbox(connection=Connection(name="acme"), name="prod")
NAMES = Names(
    datasets=Options(
        "dataset",
        [
            Option("DS1", "Profile export", "Profile export"),
            Option("DS2", "Web events", "Web events", "not on the union schema"),
            Option("DS3", "Snapshot", "Snapshot", "a system dataset"),
        ],
    ),
    segments=Options(
        "segment",
        [
            Option("SEG1", "Spring buyers", "Spring buyers"),
            Option("SEG2", "Lapsed", "Lapsed (SEG2)"),
            Option("SEG3", "Lapsed", "Lapsed (SEG3)"),
        ],
    ),
    merge_policies=Options("merge policy", [Option("MP1", "Default", "Default (default)")]),
)
MINIMAL = {"destination": {"datasetId": "DS1"}, "schema": {"name": "_xdm.context.profile"}}


def form(data: dict[str, list[str]]) -> ExportForm:
    return ExportForm(MultiValueDict(data), names=NAMES, sandboxes=[PLACE])


def filled(**fields: str | list[str]) -> ExportForm:
    """The smallest right form, and these fields; `segments_0_segment` stands for `segments-0-segment`."""
    given: dict[str, Any] = {
        "sandbox": "acme/prod",
        "dataset": "DS1",
        "schema": "_xdm.context.profile",
        **fields,
    }
    named = {name.replace("__", "-"): value for name, value in given.items()}
    return form({name: value if isinstance(value, list) else [value] for name, value in named.items()})


def rebuilt(payload: dict[str, Any]) -> dict[str, Any]:
    made = form({**initial_from(payload).data, "sandbox": ["acme/prod"]})
    assert made.is_valid(), (made.errors, [row.errors for row in made.rows])
    return made.payload()


# --- what is sent -------------------------------------------------------------------------------------------------


def test_a_dataset_alone_exports_every_profile() -> None:
    made = filled()
    assert made.is_valid()
    assert made.payload() == MINIMAL
    assert consequence(made.payload()) == "Exports every profile of the sandbox."


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_every_payload_of_the_guides_comes_out_of_the_form_as_it_went_in(path: Path) -> None:
    payload = json.loads(path.read_text())
    assert rebuilt(payload) == payload


def test_the_full_payload_can_be_typed_by_hand() -> None:
    sample = Path(__file__).parent.parent / "samples" / "payload_segments_and_events.json"
    made = filled(
        dataset="5b7c86968f7b6501e21ba9df",
        profile_fields="identities.id\npersonalEmail.address",
        merge_policy="timestampOrdered-none-mp",
        merge_version="1",
        segments__0__segment="52c26d0d-45f2-47a2-ab30-ed06abc981ff",
        segments__0__namespace="ups",
        segments__0__statuses=["realized"],
        qualified_from="2018-01-01T00:00",
        qualified_until="2018-02-01T00:00:00",
        updated_after="2018-01-01T00:00",
        empty_profiles="on",
        events="on",
        event_fields="string",
        events_from="2018-01-01T00:00",
        events_until="2020-01-01T00:00",
        evaluate_first="on",
    )
    expected = json.loads(sample.read_text())
    del expected["destination"]["segmentPerBatch"]  # the default, which nobody typed
    assert made.is_valid(), made.errors
    assert made.payload() == expected


def test_what_the_form_cannot_show_is_kept_and_sent() -> None:
    payload = {
        **MINIMAL,
        "properties": {"checkBatchStatusForSuccess": True},
        "evaluationInfo": {"segmentation": False, "later": [1, {"x": None}]},
        "filter": {
            "segments": [{"segmentId": "SEG1", "sgementNs": "ups", "status": ["realized", "exiting"]}]
        },
    }
    assert rebuilt(payload) == payload
    assert initial_from(payload).unknown == {
        "properties": {"checkBatchStatusForSuccess": True},
        "evaluationInfo": {"later": [1, {"x": None}]},
    }


def test_an_event_list_that_is_empty_still_asks_for_events() -> None:
    payload = {**MINIMAL, "additionalFields": {"eventList": {}}}
    assert rebuilt(payload) == payload


def test_what_a_person_says_wins_over_what_was_kept() -> None:
    kept = json.dumps({"destination": {"segmentPerBatch": False}, "filter": "nonsense"})
    made = filled(extra=kept, segments__0__segment="SEG1", segment_per_batch="on")
    assert made.is_valid(), made.errors
    assert made.payload()["destination"] == {"datasetId": "DS1", "segmentPerBatch": True}
    assert made.payload()["filter"] == {"segments": [{"segmentId": "SEG1"}]}


def test_a_record_gives_back_its_request_without_what_the_platform_added() -> None:
    record = json.loads((Path(__file__).parent.parent / "samples" / "job_24115_finished.json").read_text())
    assert echoed(record) == {
        "mergePolicy": {"id": "0bf16e61-90e9-4204-b8fa-ad250360957b", "version": 1},
        "destination": {"datasetId": "5cf6bcf79ecc7c14530fe436", "segmentPerBatch": False},
        "schema": {"name": "_xdm.context.profile"},
    }


def test_events_that_are_switched_off_are_neither_sent_nor_judged() -> None:
    made = filled(event_fields="not a path", events_from="2020-01-01T00:00", events_until="2019-01-01T00:00")
    assert made.is_valid(), made.errors
    assert made.payload() == MINIMAL


# --- times --------------------------------------------------------------------------------------------------------


def test_a_time_is_read_in_the_zone_of_the_page(settings: Any) -> None:
    settings.EXPORTUI_TIME_ZONE = "Europe/Berlin"
    made = filled(updated_after="2026-07-01T09:30")
    assert made.is_valid()
    assert made.payload()["filter"] == {"fromIngestTimestamp": "2026-07-01T09:30:00+02:00"}


def test_an_offset_survives_until_somebody_changes_the_time(settings: Any) -> None:
    settings.EXPORTUI_TIME_ZONE = "Europe/Berlin"
    given = {"updated_after_given": "2018-10-25T13:22:04-07:00"}
    kept = filled(updated_after="2018-10-25T22:22:04", **given)
    changed = filled(updated_after="2018-10-25T22:22:05", **given)
    cleared = filled(updated_after="", **given)
    assert kept.is_valid()
    assert changed.is_valid()
    assert cleared.is_valid()
    assert kept.payload()["filter"]["fromIngestTimestamp"] == "2018-10-25T13:22:04-07:00"
    assert changed.payload()["filter"]["fromIngestTimestamp"] == "2018-10-25T22:22:05+02:00"
    assert "filter" not in cleared.payload()


def test_an_hour_that_the_clocks_skip_is_refused(settings: Any) -> None:
    settings.EXPORTUI_TIME_ZONE = "Europe/Berlin"
    made = filled(updated_after="2026-03-29T02:30")
    assert not made.is_valid()
    assert made.errors["updated_after"] == ["Clocks in Europe/Berlin skip this hour. Choose another time."]


@pytest.mark.parametrize(
    ("first", "last"), [("qualified_from", "qualified_until"), ("events_from", "events_until")]
)
def test_a_window_ends_after_it_begins(first: str, last: str) -> None:
    made = filled(events="on", **{first: "2026-01-02T00:00", last: "2026-01-02T00:00"})
    assert not made.is_valid()
    assert made.errors[last] == ["Must be later than the start."]


@pytest.mark.parametrize(
    "text", ["yesterday", "2026-02-30T10:00", "0001-01-01T00:00", "9999-12-31T23:59", "٢٠٢٦-01-01T00:00"]
)
def test_no_time_breaks_the_form(text: str) -> None:
    made = filled(updated_after=text)
    assert made.is_valid() or made.errors["updated_after"]
    assert "updated_after" in str(made["updated_after"])


# --- names and ids ------------------------------------------------------------------------------------------------


def test_a_name_stands_for_its_id_and_an_id_the_list_lacks_is_taken_as_it_is() -> None:
    made = filled(
        dataset="profile export",
        merge_policy="Default",
        segments__0__segment="Spring buyers",
        segments__1__segment="52c26d0d-45f2",
    )
    assert made.is_valid(), made.errors
    assert made.payload()["destination"] == {"datasetId": "DS1"}
    assert made.payload()["mergePolicy"] == {"id": "MP1"}
    assert [entry["segmentId"] for entry in made.payload()["filter"]["segments"]] == ["SEG1", "52c26d0d-45f2"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("Lapsed", "2 segments are called “Lapsed”. Choose one by its id: SEG2, SEG3."),
        (
            "Sprin buyers",
            "No segment of this sandbox is called “Sprin buyers”. Did you mean “Spring buyers”?",
        ),
        (
            "<b>x y</b>",
            "No segment of this sandbox is called “<b>x y</b>”. If the list lacks it, type its id.",
        ),
        ("x" * 500, "This has 500 characters; an id has at most 300."),
        ("x" * 2000, "This has 2000 characters; type a name or an id."),
        ("", "Choose a segment, or remove this row: without rows every profile is exported."),
    ],
)
def test_a_text_that_finds_nothing_is_answered_with_a_sentence(text: str, sentence: str) -> None:
    made = filled(segments__0__segment=text)
    assert not made.is_valid()
    assert made.rows.rows[0].errors["segment"] == [sentence]
    assert "segment" not in str(made.payload())


@pytest.mark.parametrize(
    ("dataset", "why"), [("DS2", "not on the union schema"), ("Snapshot", "a system dataset")]
)
def test_a_dataset_that_cannot_take_profiles_is_refused_with_the_reason(dataset: str, why: str) -> None:
    made = filled(dataset=dataset)
    assert not made.is_valid()
    assert why in made.errors["dataset"][0]


def test_a_name_in_the_form_is_text_whatever_it_holds() -> None:
    hostile = "<script>alert(1)</script>"
    options = Options(
        "dataset", [Option("X", hostile, hostile), Option("Y", "b", f"{hostile} b", f"{hostile}")]
    )
    names = Names(options, NAMES.segments, NAMES.merge_policies)
    for typed in ([], ["on"]):
        data = MultiValueDict({"dataset": ["X"], "schema": [hostile], "typed": typed})
        made = ExportForm(data, names=names, sandboxes=[PLACE])
        assert "<script>" not in str(made["dataset"])
        assert "&lt;script&gt;" in str(made["dataset"])


def test_a_long_list_is_typed_with_suggestions_and_not_repeated_in_each_row() -> None:
    many = Options("segment", [Option(f"S{n}", f"Segment {n}", f"Segment {n}") for n in range(4000)])
    names = Names(NAMES.datasets, many, NAMES.merge_policies)
    data = MultiValueDict({f"segments-{n}-segment": [f"S{n}"] for n in range(20)})
    made = ExportForm(data, names=names, sandboxes=[PLACE])
    html = "".join(str(row["segment"]) for row in made.rows)
    assert 'list="names-segment"' in html
    assert 'value="Segment 7"' in html
    assert len(html) < 10_000


def test_an_id_that_the_list_lacks_stays_chosen_in_it() -> None:
    assert '<option value="gone" selected>gone (not in the list)</option>' in str(
        filled(dataset="gone")["dataset"]
    )


# --- what belongs together ----------------------------------------------------------------------------------------


def test_several_segments_need_a_merge_policy() -> None:
    made = filled(segments__0__segment="SEG1", segments__1__segment="SEG2")
    assert not made.is_valid()
    assert made.errors["merge_policy"] == ["Several segments need one merge policy: each may have another."]


def test_a_segment_stands_in_one_row_only() -> None:
    made = filled(
        merge_policy="MP1",
        segments__0__segment="SEG1",
        segments__0__namespace="ups",
        segments__1__segment="SEG1",
    )
    assert not made.is_valid()
    assert made.rows.rows[1].errors["segment"] == ["Row 1 already has this segment."]
    assert not made.rows.rows[0].errors


def test_a_batch_for_each_segment_needs_segments() -> None:
    made = filled(segment_per_batch="on")
    assert not made.is_valid()
    assert made.errors["segment_per_batch"] == ["A batch for each segment needs segments."]


def test_segments_that_no_row_can_show_count_like_the_others() -> None:
    odd = [{"segmentId": "a b"}, {"segmentId": "c d"}]
    made = form({**initial_from({**MINIMAL, "filter": {"segments": odd}}).data, "sandbox": ["acme/prod"]})
    assert not made.is_valid()
    assert "merge_policy" in made.errors
    assert made.payload()["filter"] == {"segments": odd}


def test_a_version_needs_its_merge_policy() -> None:
    assert filled(merge_version="2").errors["merge_policy"] == ["A version needs its merge policy."]


def test_rules_of_the_payload_stand_beside_the_field_they_are_about() -> None:
    made = filled(extra=json.dumps({"filter": {"emptyProfiles": "maybe"}, "mergePolicy": 3}))
    assert not made.is_valid()
    assert made.errors["empty_profiles"] == ["Must be true or false."]
    assert made.errors["merge_policy"] == ["Must be an object."]


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"a":' * 50 + "1" + "}" * 50, "[]", "nonsense", '{"a":"\\u0000"}', "x" * 200_000]
)
def test_a_kept_part_that_is_too_much_or_no_json_is_refused(text: str) -> None:
    made = filled(extra=text)
    assert not made.is_valid()
    assert made.non_field_errors()
    assert made.payload() == MINIMAL


def test_more_rows_than_a_form_can_take_are_refused_with_a_sentence() -> None:
    rows = {f"segments__{n}__segment": f"id-{n}" for n in range(ROW_LIMIT + 1)}
    made = filled(merge_policy="MP1", **rows)
    assert not made.is_valid()
    assert "One export takes 100 segments here" in made.non_field_errors()[0]


def test_rows_are_added_and_removed_without_gaps() -> None:
    data: Any = MultiValueDict({f"segments-{n}-segment": [f"S{n}"] for n in (0, 2, 5)} | {"dataset": ["DS1"]})
    fewer = without_row(data, "segments-2")
    more = with_row(data)
    assert [fewer.get(f"segments-{n}-segment") for n in range(3)] == ["S0", "S5", None]
    assert more["segments-3-segment"] == ""
    assert more.getlist("segments-3-statuses") == ["realized"]
    assert more["dataset"] == fewer["dataset"] == "DS1"


@pytest.mark.parametrize(
    ("payload", "sentence"),
    [
        ({"filter": {"segments": [{}]}}, "Exports 1 segment into one batch."),
        ({"filter": {"segments": [{}, {}]}}, "Exports 2 segments into one batch."),
        (
            {"filter": {"segments": [{}, {}]}, "destination": {"segmentPerBatch": True}},
            "Exports one batch for each of the 2 segments.",
        ),
        (
            {"additionalFields": {"eventList": {}}, "fields": "a,b"},
            "Exports every profile of the sandbox, 2 fields of each, with their events.",
        ),
        ({"filter": "x", "fields": 3}, "Exports every profile of the sandbox."),
    ],
)
def test_the_consequence_is_said_in_words(payload: dict[str, Any], sentence: str) -> None:
    assert consequence(payload) == sentence


# --- anything at all ----------------------------------------------------------------------------------------------

IDS = st.text("aZ09_-.:@", max_size=20).map(lambda text: f"id-{text}")
ZONES = st.sampled_from([UTC, timezone(timedelta(hours=-7)), timezone(timedelta(hours=5, minutes=30))])
TIMES = st.datetimes(timezones=ZONES | st.none()).map(lambda moment: moment.isoformat())
ANYTHING = (
    st.text(max_size=40)
    | IDS
    | TIMES
    | st.sampled_from(["SEG1", "DS2", "Lapsed", "on", "realized", "{}", "1"])
)
FIELDS = [
    *[
        "sandbox",
        "dataset",
        "merge_policy",
        "merge_version",
        "profile_fields",
        "qualified_from",
        "qualified_until",
    ],
    *[
        "updated_after",
        "updated_after_given",
        "empty_profiles",
        "events",
        "event_fields",
        "events_from",
        "events_until",
    ],
    *["segment_per_batch", "evaluate_first", "schema", "extra", "key", "typed"],
    *[
        f"segments-{n}-{name}"
        for n in range(3)
        for name in ("segment", "namespace", "statuses", "extra", "DELETE")
    ],
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(FIELDS), st.lists(ANYTHING | JSON.map(json.dumps), min_size=1, max_size=2)
    )
)
def test_whatever_is_posted_is_a_valid_payload_or_has_errors_beside_its_fields(
    data: dict[str, list[str]],
) -> None:
    made = form(data)
    if made.is_valid():
        read_payload(made.payload())
    else:
        assert made.errors or any(row.errors for row in made.rows)
    assert json.dumps(made.payload())
    assert "".join(str(field) for field in [*made, *(field for row in made.rows for field in row)])


@st.composite
def payloads(draw: st.DrawFn) -> dict[str, Any]:
    """Create payloads as programs write them: any part may be missing, defaults may be spelled out."""

    def some(**parts: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
        return st.fixed_dictionaries({}, optional=parts)

    paths = st.lists(IDS, min_size=1, max_size=3).map(",".join)
    times = st.datetimes(timezones=ZONES).map(lambda at: at.replace(microsecond=0).isoformat())
    status = st.sampled_from([["realized"], ["realized", "existing"], ["exited"], "exited", ["exiting"]])
    segment = st.fixed_dictionaries(
        {"segmentId": IDS},
        optional={"segmentNs": st.sampled_from(["ups", "UPS", "AAM", "Other"]), "status": status},
    )
    made = draw(
        some(
            fields=paths,
            mergePolicy=st.fixed_dictionaries({"id": IDS}, optional={"version": st.integers(0, 9)}),
            filter=some(
                segments=st.lists(segment, max_size=3, unique_by=lambda entry: entry["segmentId"]),
                segmentQualificationTime=some(startTime=times),
                fromIngestTimestamp=times,
                emptyProfiles=st.booleans(),
                other=JSON,
            ),
            additionalFields=some(eventList=some(fields=paths, filter=some(toIngestTimestamp=times), x=JSON)),
            evaluationInfo=some(segmentation=st.booleans()),
            properties=some(checkBatchStatusForSuccess=st.booleans()),
        )
    )
    destination = {"datasetId": draw(IDS), **draw(some(segmentPerBatch=st.booleans()))}
    return {**made, "destination": destination, "schema": {"name": "_xdm.context.profile"}}


@settings(max_examples=100, deadline=None)
@given(payloads())
def test_a_valid_payload_goes_through_the_form_unchanged(payload: dict[str, Any]) -> None:
    try:
        read_payload(payload)
    except PayloadErrors:
        return
    assert rebuilt(payload) == payload
