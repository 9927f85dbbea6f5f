"""Records become rows through one door: what is written, once, together, and what is left alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from jobs.client.records import read_job
from jobs.models import (
    ExportJob,
    FailureSignature,
    JobIdentifier,
    JobSnapshot,
    JobTally,
    OutcomeTally,
    Sandbox,
)
from jobs.rules.status import Flag
from jobs.sync import Recorded, record, record_gone, recount
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def sandbox() -> Sandbox:
    return make.sandbox()


def tallied(sandbox: Sandbox) -> dict[str, int]:
    rows = JobTally.objects.filter(sandbox=sandbox).exclude(jobs=0)
    return {row.status: row.jobs for row in rows}


def outcomes(sandbox: Sandbox) -> dict[str, int]:
    rows = OutcomeTally.objects.filter(sandbox=sandbox).exclude(jobs=0)
    return {row.status: row.jobs for row in rows}


def store(sandbox: Sandbox, *raws: dict, as_of: datetime | None = None) -> Recorded:
    return record(sandbox, [read_job(raw) for raw in raws], as_of=as_of or timezone.now())


def test_a_new_job_is_stored_with_all_its_parts(sandbox: Sandbox) -> None:
    raw = make.failed(id=722)
    assert store(sandbox, raw) == Recorded(new=1)
    job = sandbox.jobs.get(remote_id="722")
    assert (job.status, job.remote_status, job.dataset_id) == ("FAILED", "FAILED", "DS1")
    assert job.record.raw == raw
    assert [error.code for error in job.errors.all()] == ["0090000009", "unknown"]
    assert [snapshot.changes for snapshot in job.snapshots.all()] == [[]]
    assert job.failure is not None and job.failure.code == "0090000009"
    assert job.error_line.startswith("Error writing profiles")
    assert tallied(sandbox) == {"FAILED": 1}
    assert outcomes(sandbox) == {"FAILED": 1}


@pytest.mark.parametrize("value", ["722", "DS1", "SEG1", "BATCH722", "request-722", "compute-722"])
def test_a_job_is_found_by_every_identifier_it_carries(sandbox: Sandbox, value: str) -> None:
    number = 722
    store(
        sandbox,
        make.raw(
            id=number,
            destination={"datasetId": "DS1", "batchId": "BATCH722"},
            requestId="request-722",
            computeGatewayJobId={"exportJob": "compute-722"},
        ),
    )
    assert ExportJob.objects.named(value).get().remote_id == "722"


def test_an_unchanged_record_writes_no_history_and_moves_no_version(sandbox: Sandbox) -> None:
    raw = make.raw()
    first = timezone.now()
    store(sandbox, raw, as_of=first)
    version = Sandbox.objects.get(pk=sandbox.pk).version
    assert store(sandbox, raw, as_of=first + timedelta(seconds=5)) == Recorded(unchanged=1)
    job = sandbox.jobs.get()
    assert job.snapshots.count() == 1
    assert job.last_seen_at == first + timedelta(seconds=5)
    assert job.changed_at == first
    assert Sandbox.objects.get(pk=sandbox.pk).version == version


def test_a_change_is_a_snapshot_of_only_what_changed(sandbox: Sandbox) -> None:
    raw = make.raw(status="NEW", updateTime=1_700_000_000_000)
    now = timezone.now()
    store(sandbox, raw, as_of=now)
    after = raw | {"status": "SUCCEEDED", "updateTime": 1_700_000_060_000}
    assert store(sandbox, after, as_of=now + timedelta(seconds=3)) == Recorded(changed=1)
    newest = sandbox.jobs.get().snapshots.last()
    assert newest is not None
    assert {change.path: (change.before, change.after) for change in newest.differences} == {
        "status": ("NEW", "SUCCEEDED"),
        "updateTime": (1_700_000_000_000, 1_700_000_060_000),
    }


def test_the_tallies_follow_a_job_from_state_to_state(sandbox: Sandbox) -> None:
    raw, now = make.raw(status="NEW"), timezone.now()
    store(sandbox, raw, as_of=now)
    assert (tallied(sandbox), outcomes(sandbox)) == ({"NEW": 1}, {})
    store(sandbox, raw | {"status": "PROCESSING"}, as_of=now + timedelta(seconds=1))
    assert (tallied(sandbox), outcomes(sandbox)) == ({"PROCESSING": 1}, {})
    store(sandbox, raw | {"status": "SUCCEEDED"}, as_of=now + timedelta(seconds=2))
    assert (tallied(sandbox), outcomes(sandbox)) == ({"SUCCEEDED": 1}, {"SUCCEEDED": 1})


def test_rebuilt_tallies_equal_the_kept_ones(sandbox: Sandbox) -> None:
    for status in ("NEW", "SUCCEEDED", "FAILED", "FAILED", "SOMETHING"):
        store(sandbox, make.raw(status=status))
    kept = (tallied(sandbox), outcomes(sandbox))
    assert recount(sandbox) == 5
    assert (tallied(sandbox), outcomes(sandbox)) == kept


def test_an_older_reading_never_moves_a_job_back(sandbox: Sandbox) -> None:
    raw, now = make.raw(status="NEW"), timezone.now()
    store(sandbox, raw | {"status": "SUCCEEDED"}, as_of=now)
    assert store(sandbox, raw, as_of=now - timedelta(seconds=1)) == Recorded(unchanged=1)
    assert sandbox.jobs.get().status == "SUCCEEDED"


def test_a_finished_job_is_never_due_again_and_a_running_one_is(sandbox: Sandbox) -> None:
    running = make.job(sandbox)
    ended = make.job(sandbox, status="SUCCEEDED")
    assert running.next_poll_at is not None
    assert ended.next_poll_at is None


def test_a_word_we_do_not_know_is_kept_as_sent_and_watched(sandbox: Sandbox) -> None:
    job = make.job(sandbox, status="HIBERNATING")
    assert (job.status, job.remote_status) == ("UNKNOWN", "HIBERNATING")
    assert job.next_poll_at is not None


def test_the_same_id_in_two_sandboxes_is_two_jobs(sandbox: Sandbox) -> None:
    other = make.sandbox(sandbox.connection, name="dev")
    store(sandbox, make.raw(id=1))
    store(other, make.raw(id=1))
    assert ExportJob.objects.filter(remote_id="1").count() == 2


def test_the_same_job_twice_on_one_page_is_one_job(sandbox: Sandbox) -> None:
    assert store(sandbox, make.raw(id=1), make.raw(id="1", status="SUCCEEDED")) == Recorded(new=1)
    assert sandbox.jobs.get().status == "SUCCEEDED"


def test_a_job_the_platform_no_longer_finds_is_marked_gone_once(sandbox: Sandbox) -> None:
    job, now = make.job(sandbox), timezone.now() + timedelta(seconds=1)
    record_gone(job, as_of=now)
    record_gone(job, as_of=now + timedelta(seconds=1))
    job.refresh_from_db()
    assert (job.gone_at, job.status) == (now, "PROCESSING")
    assert job.snapshots.count() == 2


def test_a_job_that_is_gone_after_a_cancel_request_counts_as_cancelled(sandbox: Sandbox) -> None:
    job = make.job(sandbox)
    ExportJob.objects.filter(pk=job.pk).update(cancel_requested_at=timezone.now())
    record_gone(job, as_of=timezone.now() + timedelta(seconds=1))
    job.refresh_from_db()
    assert (job.status, job.next_poll_at) == ("CANCELLED", None)
    assert tallied(sandbox) == {"CANCELLED": 1}


def test_a_gone_job_that_is_listed_again_comes_back_to_life(sandbox: Sandbox) -> None:
    raw, now = make.raw(), timezone.now()
    store(sandbox, raw, as_of=now)
    record_gone(sandbox.jobs.get(), as_of=now + timedelta(seconds=1))
    store(sandbox, raw, as_of=now + timedelta(seconds=2))
    assert sandbox.jobs.get().gone_at is None


def test_errors_are_replaced_not_piled_up(sandbox: Sandbox) -> None:
    raw, now = make.failed(), timezone.now()
    store(sandbox, raw, as_of=now)
    fewer = raw | {"errors": raw["errors"][:1]}
    store(sandbox, fewer, as_of=now + timedelta(seconds=1))
    assert sandbox.jobs.get().errors.count() == 1


def test_alike_failures_share_one_signature(sandbox: Sandbox) -> None:
    for number in (1, 2):
        message = f"Error writing profiles to output path 'adl://store/snapshot/{number}'"
        make.failed_job(sandbox, errors=[{"code": "0090000009", "msg": message, "callStack": ""}])
    assert FailureSignature.objects.count() == 1


def test_a_batch_of_new_jobs_costs_a_fixed_number_of_queries(
    sandbox: Sandbox, django_assert_max_num_queries: Any
) -> None:
    few, many = [make.failed() for _ in range(2)], [make.failed() for _ in range(100)]
    store(sandbox, *few)
    with django_assert_max_num_queries(25):
        store(sandbox, *many)


@pytest.mark.parametrize(
    "nasty",
    [
        {"metrics": {"totalTime": {"totalTimeInMs": 10**30}, "totalExportedProfileCounter": -4}},
        {"status": "S" * 5000, "requestId": "r" * 5000},
        {"destination": {"datasetId": "d\x00" * 2000}},
        {"filter": {"segments": [{"segmentId": f"s{n}"} for n in range(500)]}},
        {"creationTime": 10**17, "updateTime": -5},
        {"errors": [{"code": n, "msg": "m" * 10_000} for n in range(200)], "status": "FAILED"},
        {"errors": "boom", "metrics": [], "filter": 3, "mergePolicy": None, "destination": "x"},
    ],
)
def test_hostile_values_are_stored_within_bounds_and_lose_no_job(sandbox: Sandbox, nasty: dict) -> None:
    raw, now = make.raw(), timezone.now()
    store(sandbox, raw | nasty, as_of=now)
    store(sandbox, raw, as_of=now + timedelta(seconds=1))
    store(sandbox, raw | nasty, as_of=now + timedelta(seconds=2))
    assert sandbox.jobs.get().snapshots.count() == 3


def test_an_outcome_counts_in_the_hour_the_job_ended(sandbox: Sandbox) -> None:
    ended = datetime(2026, 3, 1, 10, 59, 59, tzinfo=UTC)
    make.job(sandbox, status="SUCCEEDED", updateTime=int(ended.timestamp() * 1000))
    assert OutcomeTally.objects.get().hour == datetime(2026, 3, 1, 10, tzinfo=UTC)


def test_identifiers_and_snapshots_go_with_their_job(sandbox: Sandbox) -> None:
    make.failed_job(sandbox).delete()
    assert not JobIdentifier.objects.exists() and not JobSnapshot.objects.exists()


def at(job_raw: dict, seconds: int, **fields: Any) -> dict:
    """The record with an update time so many seconds later."""
    return job_raw | {"updateTime": job_raw["updateTime"] + seconds * 1000} | fields


def test_a_reading_that_lags_behind_is_doubted_and_soon_asked_for_again(sandbox: Sandbox) -> None:
    """A list from a cache, asked for after the record itself: an older update time."""
    raw, now = make.raw(), timezone.now()
    store(sandbox, at(raw, 60, status="SUCCEEDED"), as_of=now)
    assert store(sandbox, raw, as_of=now + timedelta(seconds=1)) == Recorded(unchanged=1)
    job = sandbox.jobs.get()
    assert (job.status, job.snapshots.count(), job.stepped_back_at) == ("SUCCEEDED", 1, None)
    assert job.next_poll_at is not None and job.next_poll_at <= now + timedelta(seconds=10)
    store(sandbox, at(raw, 60, status="SUCCEEDED"), as_of=now + timedelta(seconds=7))
    job.refresh_from_db()
    assert (job.doubted_at, job.doubt_digest, job.next_poll_at) == (None, "", None)
    assert job.snapshots.count() == 1


def test_a_step_back_that_is_said_twice_is_kept_and_flagged(sandbox: Sandbox) -> None:
    raw, now = make.raw(), timezone.now()
    store(sandbox, at(raw, 60, status="SUCCEEDED"), as_of=now)
    store(sandbox, raw, as_of=now + timedelta(seconds=1))
    assert store(sandbox, raw, as_of=now + timedelta(seconds=3)) == Recorded(unchanged=1)
    assert store(sandbox, raw, as_of=now + timedelta(seconds=7)) == Recorded(changed=1)
    job = sandbox.jobs.get()
    assert (job.status, job.doubted_at) == ("PROCESSING", None)
    assert job.stepped_back_at == now + timedelta(seconds=7)
    assert Flag.STEPPED_BACK in job.flags(now)
    assert tallied(sandbox) == {"PROCESSING": 1}
    assert outcomes(sandbox) == {}


def test_a_clock_ahead_of_ours_hides_no_step_back(sandbox: Sandbox) -> None:
    """Update times are compared as sent: what we show is never in the future, and would look alike."""
    raw = make.raw(updateTime=int((timezone.now() + timedelta(hours=5)).timestamp() * 1000))
    now = timezone.now()
    store(sandbox, at(raw, 60, status="SUCCEEDED"), as_of=now)
    store(sandbox, raw, as_of=now + timedelta(seconds=1))
    assert sandbox.jobs.get().status == "SUCCEEDED"


def test_a_job_that_moves_again_after_its_end_is_flagged_at_once(sandbox: Sandbox) -> None:
    raw, now = make.raw(), timezone.now()
    store(sandbox, at(raw, 60, status="SUCCEEDED"), as_of=now)
    store(sandbox, at(raw, 90), as_of=now + timedelta(seconds=1))
    job = sandbox.jobs.get()
    assert (job.status, job.stepped_back_at) == ("PROCESSING", now + timedelta(seconds=1))


def test_around_the_usual_end_of_its_kind_a_job_is_asked_for_more_often(sandbox: Sandbox) -> None:
    now = timezone.now()
    began = int((now - timedelta(hours=3)).timestamp() * 1000)
    took = {"totalTime": {"totalTimeInMs": 3 * 3600 * 1000}}
    lone = make.job(sandbox, as_of=now, creationTime=began, updateTime=began)
    for _ in range(3):
        make.job(sandbox, status="SUCCEEDED", metrics=took, destination={"datasetId": "DS2"})
    known = make.job(
        sandbox, as_of=now, creationTime=began, updateTime=began, destination={"datasetId": "DS2"}
    )
    assert lone.next_poll_at == now + timedelta(minutes=2)
    assert known.next_poll_at == now + timedelta(seconds=10)


def test_unchanged_jobs_of_one_age_are_touched_in_a_fixed_number_of_queries(
    sandbox: Sandbox, django_assert_max_num_queries: Any
) -> None:
    many, now = [make.raw() for _ in range(200)], timezone.now()
    store(sandbox, *many, as_of=now)
    with django_assert_max_num_queries(8):
        assert store(sandbox, *many, as_of=now + timedelta(seconds=5)).unchanged == 200
