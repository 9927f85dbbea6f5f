"""The records of the vendor's guides, with all their contradictions, read as they are meant."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from jobs.client.records import RemoteBatch, RemoteError, RemotePhase, RemoteSegment, Unusable, read_job
from tests.client.conftest import sample

JOBS = [
    "job_100_batches",
    "job_100_created",
    "job_100_succeeded_with_errors",
    "job_11037_succeeded",
    "job_24115_created",
    "job_24115_finished",
    "job_722_failed_profile_guide",
    "job_722_failed_segmentation_guide",
    "job_726_succeeded",
]


def record(**fields: Any) -> dict[str, Any]:
    return {"id": 1, "status": "NEW", **fields}


@pytest.mark.parametrize("name", JOBS)
def test_every_record_of_the_guides_is_understood_whole_and_kept_as_sent(name: str) -> None:
    raw = sample(name)
    job = read_job(raw)
    assert job.problems == ()
    assert job.raw == raw
    assert job.remote_id == str(raw["id"])
    assert job.remote_status == raw["status"]
    assert job.job_type == "BATCH"
    assert job.schema_name == "_xdm.context.profile"
    assert job.created_at is not None
    assert job.created_at.timestamp() * 1000 == raw["creationTime"]


def test_job_722_fails_with_two_errors_and_their_stacks_in_both_guides() -> None:
    for name in ("job_722_failed_segmentation_guide", "job_722_failed_profile_guide"):
        job = read_job(sample(name))
        assert job.errors == (
            RemoteError(
                "0090000009",
                "Error writing profiles to output path "
                "'adl://va7devprofilesnapshot.azuredatalakestore.net/snapshot/722'",
                "com.adobe.aep.unifiedprofile.common.logging.Logger",
            ),
            RemoteError("unknown", "Job aborted.", "org.apache.spark.SparkException: Job aborted."),
        )


def test_job_722_has_an_odd_batch_in_one_guide_and_an_empty_one_in_the_other() -> None:
    segmentation = read_job(sample("job_722_failed_segmentation_guide"))
    profile = read_job(sample("job_722_failed_profile_guide"))
    assert [batch.batch_id for batch in segmentation.batches] == ["IWEQ6920712f9475762D"]
    assert profile.batches == ()
    assert profile.segment_per_batch is None
    assert profile.segments == (RemoteSegment("7a93d2ff-a220-4bae-9a4e-5f3c35032be3", "", ()),)


def test_job_100_succeeded_and_still_shows_its_error() -> None:
    job = read_job(sample("job_100_succeeded_with_errors"))
    assert job.remote_status == "SUCCEEDED"
    assert [error.code for error in job.errors] == ["0100000003"]
    assert job.profiles_exported == 20
    assert job.profiles_by_namespace == {"namespace1": 10, "namespace2": 5}
    assert job.fields == ("identities.id", "personalEmail.address")
    assert (job.merge_policy_id, job.merge_policy_version) == ("timestampOrdered-none-mp", "1")


def test_a_created_job_has_no_compute_job_yet_and_a_phase_without_an_end() -> None:
    for name in ("job_24115_created", "job_100_created"):
        job = read_job(sample(name))
        assert job.compute_jobs == {}
        assert [(phase.name, phase.end_ms, phase.duration_ms) for phase in job.phases] == [
            ("totalTime", None, None)
        ]


def test_job_24115_spells_its_dataset_otherwise_and_measures_times_before_its_creation() -> None:
    job = read_job(sample("job_24115_finished"))
    assert job.dataset_id == "5cf6bcf79ecc7c14530fe436"
    assert job.phases[0] == RemotePhase("totalTime", 1547053539564, 1547054743929, 1204365)
    assert [phase.name for phase in job.phases] == ["totalTime", "profileExportTime", "aCPDatasetWriteTime"]
    assert set(job.compute_jobs) == {"exportJob", "pushJob"}
    assert job.created_at == datetime(2019, 6, 4, 18, 51, 1, 657000, UTC)


def test_batches_give_their_statuses_as_a_list_or_as_text() -> None:
    job = read_job(sample("job_100_batches"))
    assert job.segment_per_batch is True
    assert job.batches == (
        RemoteBatch("da5cfb4de32c4b93a09f7e37fa53ad52", "segment1", "ups", ("realized",)),
        RemoteBatch("df4gssdfb93a09f7e37fa53ad52", "segment2", "AdCloud", ("exited",)),
    )


def test_event_fields_with_blanks_stay_in_the_echo_and_profile_fields_are_trimmed() -> None:
    job = read_job(sample("job_100_created"))
    assert job.additional_fields["eventList"]["fields"] == "_id, _experience"
    assert read_job(record(fields="_id, _experience,")).fields == ("_id", "_experience")
    assert read_job(record(fields=["a", " b "])).fields == ("a", "b")


@pytest.mark.parametrize(
    "destination",
    [
        {"batches": {"batchId": "B", "segmentId": "S", "status": "realized"}},
        {"batches": {"x": {"batchId": "B", "segmentId": "S", "status": ["realized"]}}},
        {
            "batches": [{"batchId": "B", "segmentId": "S", "status": "realized"}, {"batchId": ""}],
            "batchId": "B",
        },
    ],
    ids=["lone object", "map of objects", "list beside a batch id"],
)
def test_batches_come_in_any_container_and_each_once(destination: dict[str, Any]) -> None:
    job = read_job(record(destination=destination))
    assert job.batches == (RemoteBatch("B", "S", "", ("realized",)),)


@pytest.mark.parametrize(
    ("sent", "text"),
    [(24115, "24115"), ("24115", "24115"), (24115.0, "24115"), (" a-b ", "a-b"), (0, "0"), ("../x", "../x")],
)
def test_an_id_is_text_whatever_it_was(sent: object, text: str) -> None:
    assert read_job({"id": sent}).remote_id == text


@pytest.mark.parametrize(
    "sent",
    [None, "", "  ", True, [], {}, 1.5, 1e20, math.nan, math.inf, 2**80, "x" * 201, "a\x00b", "\ud800"],
)
def test_a_record_without_an_exact_id_is_unusable_and_says_why(sent: object) -> None:
    with pytest.raises(Unusable) as caught:
        read_job({"id": sent})
    assert caught.value.reason.startswith("The record")


@pytest.mark.parametrize("raw", [None, [], "x", 1, True])
def test_what_is_no_object_is_unusable(raw: object) -> None:
    with pytest.raises(Unusable):
        read_job(raw)


@pytest.mark.parametrize(
    ("sent", "unit"),
    [
        (1538615973895, ""),
        ("1538615973895", ""),
        (1538615973895.0, ""),
        (1538615973895000, "microseconds"),
        (1538615973895000000, "nanoseconds"),
    ],
)
def test_a_time_is_read_by_its_size_and_another_unit_is_noted(sent: object, unit: str) -> None:
    job = read_job(record(creationTime=sent))
    assert job.created_at == datetime(2018, 10, 4, 1, 19, 33, 895000, UTC)
    assert bool(unit) == any(unit in problem for problem in job.problems if unit)


def test_seconds_and_written_times_are_times_too() -> None:
    assert read_job(record(creationTime=1538615973)).created_at == datetime(
        2018, 10, 4, 1, 19, 33, tzinfo=UTC
    )
    written = read_job(record(creationTime="2018-10-04T03:19:33+02:00"))
    assert written.created_at == datetime(2018, 10, 4, 1, 19, 33, tzinfo=UTC)


@pytest.mark.parametrize(
    "sent", [-1, 1, 9e18, 1e300, 10**15 * 10, "soon", "2018-02-30T00:00:00Z", True, [1], {"ms": 1}, math.nan]
)
def test_an_impossible_time_is_missing_and_noted(sent: object) -> None:
    job = read_job(record(creationTime=sent))
    assert job.created_at is None
    assert job.problems


def test_a_time_of_zero_is_simply_not_set() -> None:
    job = read_job(record(creationTime=0, updateTime=None))
    assert (job.created_at, job.updated_at, job.problems) == (None, None, ())


@pytest.mark.parametrize(
    ("sent", "flag"),
    [(True, True), ("false", False), ("TRUE", True), (0, False), (None, None), ("maybe", None)],
)
def test_a_flag_may_be_written_out(sent: object, flag: bool | None) -> None:
    assert read_job(record(destination={"segmentPerBatch": sent})).segment_per_batch is flag


def test_an_error_code_that_became_a_number_is_text_again() -> None:
    codes = [
        error.code for error in read_job(record(errors=[{"code": c} for c in (80000018, 8.0000018e7)])).errors
    ]
    assert codes == ["80000018", "80000018"]


@pytest.mark.parametrize(
    ("sent", "messages"),
    [
        ("boom", ["boom"]),
        ({"msg": "boom"}, ["boom"]),
        (["boom", {"message": "bang"}, None, 7], ["boom", "bang", "7"]),
        ([{"description": "no such row"}], ["no such row"]),
        (7, []),
    ],
)
def test_errors_of_other_shapes_are_errors_too(sent: object, messages: list[str]) -> None:
    assert [error.message for error in read_job(record(errors=sent)).errors] == messages


def test_a_plain_compute_job_id_is_the_export_job_s() -> None:
    assert read_job(record(computeGatewayJobId="U1")).compute_jobs == {"exportJob": "U1"}
    assert read_job(record(computeGatewayJobId={"exportJob": "", "pushJob": "P"})).compute_jobs == {
        "pushJob": "P"
    }


def test_the_guide_s_misspelt_namespace_is_read() -> None:
    job = read_job(record(filter={"segments": {"segmentId": "S", "sgementNs": "ups", "status": "realized"}}))
    assert job.segments == (RemoteSegment("S", "ups", ("realized",)),)


def test_two_spellings_of_the_dataset_that_differ_are_noted() -> None:
    job = read_job(record(destination={"datasetId": "A", "dataSetId": "B"}))
    assert job.dataset_id == "A"
    assert any("differ" in problem for problem in job.problems)
    assert read_job(record(destination={"datasetId": "A", "dataSetId": "A"})).problems == ()


def test_phases_that_are_new_to_us_are_kept_and_empty_ones_left_out() -> None:
    job = read_job(
        record(metrics={"totalTime": {}, "warmUpTime": {"totalTimeInMs": "12"}, "aCPDatasetWriteTime": 5})
    )
    assert job.phases == (RemotePhase("warmUpTime", None, None, 12),)
    assert any("aCPDatasetWriteTime" in problem for problem in job.problems)


def test_negative_counts_and_durations_are_not_believed() -> None:
    metrics = {
        "totalExportedProfileCounter": -1,
        "totalTime": {"startTimeInMs": 1538615973895, "totalTimeInMs": -5},
    }
    job = read_job(record(metrics=metrics))
    assert job.profiles_exported is None
    assert job.phases == (RemotePhase("totalTime", 1538615973895, None, None),)
    assert len(job.problems) == 2


def test_objects_where_words_belong_are_noted_by_path_and_the_rest_is_read() -> None:
    job = read_job(
        record(
            status=["FAILED"],
            destination="nowhere",
            metrics=[None],
            filter=12,
            mergePolicy="mp",
            requestId={},
        )
    )
    assert (job.remote_status, job.dataset_id, job.phases, job.filter) == ("", "", (), {})
    assert job.merge_policy_id == "mp"
    noted = " ".join(job.problems)
    assert all(path in noted for path in ("status", "destination", "metrics", "filter"))


def test_a_missing_status_is_noted() -> None:
    assert read_job({"id": 1}).problems == ("status is missing.",)


def test_a_million_characters_are_cut_for_display_and_kept_in_the_record() -> None:
    long = "x" * 1_000_000
    job = read_job(
        record(status=long, errors=[{"code": long, "msg": long, "callStack": long}], requestId=long)
    )
    error = job.errors[0]
    assert (len(error.code), len(error.message), len(error.call_stack)) == (100, 10_000, 50_000)
    assert error.message.endswith("…")
    assert (len(job.remote_status), len(job.request_id)) == (100, 200)
    assert job.raw["errors"][0]["msg"] == long


def test_what_no_database_takes_is_replaced_in_fields_and_record_alike() -> None:
    job = read_job(record(requestId="a\x00b\ud800c", errors=[{"msg": "x\x00"}], big=2**70, nan=math.nan))
    assert job.request_id == "a\ufffdb\ufffdc"
    assert job.raw["errors"] == [{"msg": "x\ufffd"}]
    assert job.raw["big"] == str(2**70)
    assert job.raw["nan"] is None
    assert len(job.problems) == 3
    assert orjson.loads(orjson.dumps(job.raw)) == job.raw


def test_nesting_without_end_is_cut_and_noted() -> None:
    deep: Any = "bottom"
    for _ in range(5000):
        deep = [deep]
    job = read_job(record(filter={"deep": deep}))
    assert any("levels" in problem for problem in job.problems)
    assert orjson.dumps(job.raw)


def test_problems_are_few_even_if_everything_is_wrong() -> None:
    job = read_job(record(filter={"segments": [{"segmentId": {"n": n}} for n in range(1000)]}))
    assert len(job.problems) == 30


def test_a_list_without_end_is_read_in_part_and_noted() -> None:
    job = read_job(record(filter={"segments": [{"segmentId": str(n)} for n in range(6000)]}))
    assert len(job.segments) == 5000
    assert any("6,000" in problem for problem in job.problems)
