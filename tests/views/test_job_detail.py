"""The page of one job: what the records of the guides look like on it, what it must never do, and what it costs."""

from __future__ import annotations

import html
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from jobs.client.records import read_job
from jobs.launch.cancel import request_cancel
from jobs.models import (
    CatalogEntry,
    EntryKind,
    ExportJob,
    Launch,
    LaunchState,
    Role,
    Sandbox,
)
from jobs.sync import record, record_gone
from tests import make

SAMPLES = Path(__file__).parent.parent / "samples"

pytestmark = pytest.mark.django_db


@pytest.fixture
def place() -> Sandbox:
    return make.sandbox(make.connection("acme", label="prod"), "prod")


@pytest.fixture
def operator(client: Client, place: Sandbox) -> Client:
    person = make.user("olga")
    make.member(person, place.connection, Role.OPERATOR)
    return make.signed_in(client, person)


def sample(name: str, place: Sandbox) -> ExportJob:
    raw = json.loads((SAMPLES / f"{name}.json").read_text())
    record(place, [read_job(raw)], as_of=timezone.now())
    return place.jobs.get(remote_id=str(raw["id"]))


def shown(client: Client, job: ExportJob, **query: str) -> str:
    answer = client.get(reverse("jobs:job", args=[job.pk]), query)
    assert answer.status_code == 200
    return answer.content.decode()


def text_of(page: str) -> str:
    """What a reader sees: no tags, one blank between words."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


# --- the records of the guides ------------------------------------------------------------------------------------


def test_job_722_names_its_cause_before_code_message_and_stack(operator: Client, place: Sandbox) -> None:
    page = shown(operator, sample("job_722_failed_profile_guide", place))
    said = text_of(page)
    order = [
        "Why it failed",
        "The exported profiles could not be written",
        "relaunch in a few minutes",
        "0090000009",
        "Error writing profiles to output path",
        "com.adobe.aep.unifiedprofile.common.logging.Logger",
        "only the wrapper of another error",
        "Job aborted.",
        "org.apache.spark.SparkException: Job aborted.",
    ]
    places = [said.find(words) for words in order]
    assert -1 not in places
    assert places == sorted(places)


def test_the_specific_error_stands_first_even_when_the_platform_puts_the_wrapper_first(
    operator: Client, place: Sandbox
) -> None:
    errors = make.failed()["errors"][::-1]
    said = text_of(shown(operator, make.failed_job(place, errors=errors)))
    assert said.index("0090000009") < said.index("Job aborted.")


def test_job_722_shows_the_wait_before_the_export_as_a_gap(operator: Client, place: Sandbox) -> None:
    said = text_of(shown(operator, sample("job_722_failed_profile_guide", place)))
    assert "Waiting before the export 7 m 35 s 90 %" in said
    assert "Profile export 46.6 s 9 %" in said


def test_job_722_has_no_batch_and_says_so(operator: Client, place: Sandbox) -> None:
    assert "Batch none" in text_of(shown(operator, sample("job_722_failed_profile_guide", place)))


def test_job_100_succeeded_with_errors_is_green_and_doubted(operator: Client, place: Sandbox) -> None:
    said = text_of(shown(operator, sample("job_100_succeeded_with_errors", place)))
    assert "Succeeded" in said
    assert "Errors the platform reported" in said
    assert "reports errors all the same" in said
    assert "0100000003" in said
    assert "Why it failed" not in said


def test_job_100_counts_profiles_in_total_and_per_namespace(operator: Client, place: Sandbox) -> None:
    CatalogEntry.objects.create(
        sandbox=place,
        kind=EntryKind.NAMESPACE,
        remote_id="namespace1",
        name="Loyalty number",
        seen_at=timezone.now(),
    )
    page = shown(operator, sample("job_100_succeeded_with_errors", place))
    said = text_of(page)
    assert "20 in total" in said
    assert "Loyalty number namespace1 10" in said
    assert "namespace2 5" in said
    assert '<progress class="is-succeeded" max="20" value="10"' in page


def test_job_24115_with_its_other_spelling_of_dataset_and_its_disagreeing_clock(
    operator: Client, place: Sandbox
) -> None:
    page = shown(operator, sample("job_24115_finished", place))
    said = text_of(page)
    assert 'data-copy="5cf6bcf79ecc7c14530fe436"' in page
    assert "The platform's own numbers disagree" in said
    assert "Hand-over between export and write 14 m 42 s 73 %" in said
    assert "2019-01-09" not in said.split("The record as the platform last sent it")[0]


def test_job_24115_does_not_repeat_its_request_and_the_page_does_not_invent_one(
    operator: Client, place: Sandbox
) -> None:
    said = text_of(shown(operator, sample("job_24115_finished", place)))
    assert "The record does not repeat the request." in said
    assert "all profiles" not in said.lower()


def test_a_job_just_made_has_empty_compute_ids_and_shows_none(operator: Client, place: Sandbox) -> None:
    for name in ("job_100_created", "job_24115_created"):
        assert "Compute gateway" not in text_of(shown(operator, sample(name, place)))


def test_batches_stand_beside_the_segment_they_belong_to_also_when_status_is_a_text(
    operator: Client, place: Sandbox
) -> None:
    said = text_of(shown(operator, sample("job_100_batches", place)))
    assert "for segment1, realized" in said
    assert "for segment2, exited" in said


def test_the_request_reads_as_a_list(operator: Client, place: Sandbox) -> None:
    said = text_of(shown(operator, sample("job_100_batches", place)))
    assert "as the platform's record repeats it" in said
    assert "identities.id personalEmail.address" in said
    assert "Qualified from 2018-01-01 00:00:00 UTC until 2018-02-01 00:00:00 UTC" in said
    assert "Profile updated from 2018-01-01 00:00:00 UTC" in said
    assert "Events _id _experience" in said
    assert "Empty profiles yes" in said
    assert "One batch per segment yes" in said
    assert "Evaluate first" not in said, "what was not said is not shown as no"


@pytest.mark.parametrize("name", sorted(path.stem for path in SAMPLES.glob("job_*.json")))
def test_every_sample_has_a_page_and_its_raw_record(operator: Client, place: Sandbox, name: str) -> None:
    job = sample(name, place)
    assert str(job.remote_id) in shown(operator, job)
    answer = operator.get(reverse("jobs:job_record", args=[job.pk]))
    assert json.loads(answer.content) == json.loads((SAMPLES / f"{name}.json").read_text())


# --- names, request, facts ----------------------------------------------------------------------------------------


def test_the_title_says_what_goes_whither_in_names(operator: Client, place: Sandbox) -> None:
    for kind, remote_id, name in (
        (EntryKind.SEGMENT, "SEG1", "High value customers"),
        (EntryKind.DATASET, "DS1", "Audience export"),
        (EntryKind.MERGE_POLICY, "MP1", "Default timestamp"),
    ):
        CatalogEntry.objects.create(
            sandbox=place, kind=kind, remote_id=remote_id, name=name, seen_at=timezone.now()
        )
    job = make.job(place)
    page = shown(operator, job)
    assert "High value customers → Audience export" in text_of(page)
    assert "Default timestamp" in page
    assert "/jobs/?sandbox=acme%2Fprod&amp;dataset=DS1" in page
    assert "/jobs/?sandbox=acme%2Fprod&amp;segment=SEG1" in page
    assert "<title>High value customers → Audience export" in page
    assert "prod" in re.search(r"<title>(.*?)</title>", page)[1]  # type: ignore[index]


def test_many_segments_are_counted_in_the_title_and_all_listed(operator: Client, place: Sandbox) -> None:
    segments = [{"segmentId": f"segment-{n}", "segmentNs": "ups"} for n in range(12)]
    page = shown(operator, make.job(place, filter={"segments": segments}))
    assert "segment-0, segment-1 +10 → DS1" in text_of(page)
    assert "4 more segments" in page
    assert 'data-copy="segment-11"' in page


def test_no_segments_mean_all_profiles_when_the_record_repeats_its_request(
    operator: Client, place: Sandbox
) -> None:
    assert "All profiles → DS1" in text_of(shown(operator, make.job(place, filter={})))


def test_a_launch_of_ours_shows_the_payload_we_sent(operator: Client, place: Sandbox) -> None:
    job = make.job(place, filter={}, fields=None)
    payload = {
        "destination": {"datasetId": "DS1"},
        "schema": {"name": "_xdm.context.profile"},
        "filter": {"segments": [{"segmentId": "SENT-BY-US", "status": ["exited"]}]},
        "evaluationInfo": {"segmentation": True},
    }
    person = make.user("leo")
    Launch.objects.create(
        sandbox=place,
        actor=person,
        key="k",
        payload=payload,
        digest="d",
        request_id="r",
        state=LaunchState.ACCEPTED,
        requested_at=timezone.now(),
        job=job,
    )
    ExportJob.objects.filter(pk=job.pk).update(launched_by=person)
    said = text_of(shown(operator, job))
    assert "as sent from here" in said
    assert "SENT-BY-US – exited" in said
    assert "Evaluate first yes" in said
    assert "launched by leo" in said
    assert "Launched from here; this is how it was first seen." in said


def test_what_could_not_be_understood_is_said(operator: Client, place: Sandbox) -> None:
    said = text_of(shown(operator, make.job(place, metrics="soon", destination=[1])))
    assert "Not understood in the record" in said
    assert "metrics is not an object" in said


def test_an_unknown_state_shows_the_platforms_own_word(operator: Client, place: Sandbox) -> None:
    said = text_of(shown(operator, make.job(place, status="HIBERNATING")))
    assert "“HIBERNATING”, a word this dashboard does not know" in said


def test_a_sandbox_that_cannot_be_read_is_said_on_the_page_of_a_moving_job(
    operator: Client, place: Sandbox
) -> None:
    job = make.job(place)
    Sandbox.objects.filter(pk=place.pk).update(
        failing_since=timezone.now() - timedelta(minutes=4), last_error="Connection refused."
    )
    said = text_of(shown(operator, job))
    assert "could not be read since 4 m ago" in said
    assert "Connection refused." in said


def test_a_job_the_platform_forgot_says_so(operator: Client, place: Sandbox) -> None:
    job = make.job(place)
    record_gone(job, as_of=timezone.now())
    assert "does not know this job any more" in text_of(shown(operator, job))


# --- history ------------------------------------------------------------------------------------------------------


def history_of(page: str) -> str:
    return text_of(page.split('id="job-history"')[1].split('id="job-raw"')[0])


def test_history_is_newest_first_with_what_changed_in_words(operator: Client, place: Sandbox) -> None:
    raw = make.raw(status="NEW", metrics={})
    now = timezone.now()
    record(place, [read_job(raw)], as_of=now - timedelta(seconds=40))
    later = raw | {
        "status": "SUCCEEDED",
        "metrics": {
            "totalTime": {"startTimeInMs": 1538615973895, "totalTimeInMs": 259344},
            "totalExportedProfileCounter": 1234567,
        },
    }
    record(place, [read_job(later)], as_of=now - timedelta(seconds=20))
    job = place.jobs.get()
    page = shown(operator, job)
    said = history_of(page)
    assert said.index("Succeeded") < said.index("First seen here")
    assert "Status NEW → SUCCEEDED" in said
    assert "Started 2018-10-04 01:19:33 UTC" in said
    assert "Total time 4 m 19 s" in said
    assert "Profiles exported 1 234 567" in said.replace("\N{NARROW NO-BREAK SPACE}", " ")
    for snapshot in job.snapshots.all():
        assert f'id="s-{snapshot.pk}"' in page


def test_a_running_job_that_was_met_late_is_adopted_honestly(operator: Client, place: Sandbox) -> None:
    created = int((timezone.now() - timedelta(hours=3)).timestamp() * 1000)
    said = history_of(shown(operator, make.job(place, creationTime=created)))
    assert "Adopted while it was already running, 3 h 0 m after its creation." in said
    assert "What happened before is not known here." in said


def test_readings_in_which_only_the_update_time_moved_are_folded(operator: Client, place: Sandbox) -> None:
    raw, now = make.raw(), timezone.now()
    for n in range(5):
        moved = raw | {"updateTime": raw["updateTime"] + n}
        record(place, [read_job(moved)], as_of=now - timedelta(seconds=50 - n))
    job = place.jobs.get()
    page = shown(operator, job)
    said = history_of(page)
    assert "The record was touched 4 times since" in said
    assert said.count("only its update time moved") == 1
    for snapshot in job.snapshots.all():
        assert f'id="s-{snapshot.pk}"' in page, "folded moments keep their anchors"


def test_long_values_in_the_history_are_folded(operator: Client, place: Sandbox) -> None:
    raw, now = make.raw(), timezone.now()
    record(place, [read_job(raw)], as_of=now - timedelta(seconds=9))
    record(place, [read_job(raw | {"fields": "a.very.long.path," * 30})], as_of=now)
    page = shown(operator, place.jobs.get())
    assert re.search(r"<details[^>]*><summary><span[^>]*>fields</span> changed</summary>", page)


def test_a_history_of_hundreds_is_cut_and_can_be_had_whole(operator: Client, place: Sandbox) -> None:
    raw, now = make.raw(), timezone.now()
    record(place, [read_job(raw)], as_of=now - timedelta(hours=1))
    job = place.jobs.get()
    first = job.snapshots.get()
    rows = [
        first.__class__(
            job=job,
            seen_at=now - timedelta(seconds=300 - n),
            status="PROCESSING",
            changes=[["fields", n, n + 1]],
        )
        for n in range(250)
    ]
    first.__class__.objects.bulk_create(rows)
    page = shown(operator, job)
    assert f'id="s-{first.pk}"' not in page
    assert "?history=all" in page
    whole = shown(operator, job, history="all")
    assert f'id="s-{first.pk}"' in whole
    assert "&amp;history=all" in whole, "the living part keeps what was asked for"


# --- cancellation, told in three moments --------------------------------------------------------------------------


def cancelling(client: Client, job: ExportJob) -> str:
    page = shown(client, job)
    assert 'id="job-cancelling"' in page
    return text_of(page.split('id="job-cancelling"')[1].split("</section>")[0])


def asked_to_stop(place: Sandbox, **changed: Any) -> ExportJob:
    job = make.job(place)
    request_cancel(job, actor=make.user("cora"), reason="wrong segment", now=timezone.now())
    ExportJob.objects.filter(pk=job.pk).update(**changed)
    return job


def test_a_request_without_an_answer_is_on_its_way(operator: Client, place: Sandbox) -> None:
    said = cancelling(operator, asked_to_stop(place))
    assert "cora requested cancellation wrong segment" in said
    assert "no answer yet" in said
    assert "It stopped" not in said


def test_a_marked_job_that_goes_on_is_said_to_go_on(operator: Client, place: Sandbox) -> None:
    since = timezone.now() - timedelta(minutes=9, seconds=2)
    said = cancelling(operator, asked_to_stop(place, cancel_acknowledged_at=since))
    assert "The platform marked the job for cancelling" in said
    assert "Still running 9 m 2 s after that; it may still finish" in said


def test_a_job_that_finished_anyway_is_not_called_cancelled(operator: Client, place: Sandbox) -> None:
    ended = timezone.now() + timedelta(minutes=1)
    changed = {"cancel_acknowledged_at": ended, "status": "SUCCEEDED", "ended_at": ended}
    said = cancelling(operator, asked_to_stop(place, **changed))
    assert "It finished anyway: succeeded" in said
    assert "Still" not in said


def test_a_job_that_had_ended_before_it_was_asked_to_is_not_said_to_have_finished_anyway(
    operator: Client, place: Sandbox
) -> None:
    ended = timezone.now() - timedelta(minutes=1)
    said = cancelling(operator, asked_to_stop(place, status="FAILED", ended_at=ended))
    assert "By the platform's own clock it had already ended: failed" in said
    assert "anyway" not in said


def test_a_job_that_really_stopped(operator: Client, place: Sandbox) -> None:
    ended = timezone.now()
    changed = {"cancel_acknowledged_at": ended, "status": "CANCELLED", "ended_at": ended}
    assert "It stopped" in cancelling(operator, asked_to_stop(place, **changed))


def test_a_job_that_vanished_counts_as_cancelled_and_says_why(operator: Client, place: Sandbox) -> None:
    job = asked_to_stop(place)
    record_gone(job, as_of=timezone.now())
    assert "no longer knows the job, so it counts as cancelled" in cancelling(operator, job)


def test_a_refused_request_can_be_made_again(operator: Client, place: Sandbox) -> None:
    job = asked_to_stop(place, cancel_requested_at=None, cancel_error="You lack the permission.")
    said = cancelling(operator, job)
    assert "did not take the request" in said
    assert "You lack the permission." in said
    assert 'data-dialog="cancel-job"' in shown(operator, job)


def test_a_job_nobody_wants_to_stop_has_no_such_card(operator: Client, place: Sandbox) -> None:
    assert 'id="job-cancelling"' not in shown(operator, make.job(place))


# --- who sees what ------------------------------------------------------------------------------------------------


def test_an_operator_may_cancel_and_launch_again(operator: Client, place: Sandbox) -> None:
    job = make.job(place)
    page = shown(operator, job)
    assert f'href="/jobs/{job.pk}/cancel/" data-dialog="cancel-job"' in page
    assert '<dialog id="cancel-job"' in page
    assert f"/jobs/new/?from={job.pk}" in page


def test_the_reason_why_not_stands_with_the_disabled_action(operator: Client, place: Sandbox) -> None:
    assert "The job has ended." in shown(operator, make.job(place, status="SUCCEEDED"))
    asked = asked_to_stop(place)
    assert "Already requested now." in shown(operator, asked)
    assert "<dialog" not in shown(operator, asked)


def test_a_viewer_sees_the_job_and_no_way_to_change_it(client: Client, place: Sandbox) -> None:
    viewer = make.user("vera")
    make.member(viewer, place.connection, Role.VIEWER)
    job = make.job(place)
    page = shown(make.signed_in(client, viewer), job)
    assert "This needs the operator role" in page
    assert f"/jobs/{job.pk}/cancel/" not in page
    assert "?from=" not in page


@pytest.mark.parametrize("name", ["job", "job_record", "job_cancel"])
def test_a_stranger_finds_nothing(client: Client, place: Sandbox, name: str) -> None:
    job = make.job(place)
    make.signed_in(client, make.user("stranger"))
    assert client.get(reverse(f"jobs:{name}", args=[job.pk])).status_code == 404


@pytest.mark.parametrize("name", ["job", "job_record", "job_cancel"])
def test_who_is_not_signed_in_is_asked_to(client: Client, place: Sandbox, name: str) -> None:
    answer = client.get(reverse(f"jobs:{name}", args=[make.job(place).pk]))
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("pk", [0, 999_999, 10**30])
def test_a_number_that_no_job_has_is_a_friendly_404(operator: Client, pk: int) -> None:
    answer = operator.get(f"/jobs/{pk}/")
    assert answer.status_code == 404
    assert "There is no such page" in answer.content.decode()


# --- cost ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 50])
def test_the_page_costs_at_most_twelve_queries(
    operator: Client, place: Sandbox, size: int, django_assert_max_num_queries: Any
) -> None:
    segments = [{"segmentId": f"segment-{n}"} for n in range(size)]
    raw, start = make.raw(filter={"segments": segments}), datetime(2026, 1, 1, tzinfo=UTC)
    for n in range(size):
        moved = raw | {"fields": f"field{n}"}
        record(place, [read_job(moved)], as_of=start + timedelta(seconds=n))
    job = place.jobs.get()
    assert job.snapshots.count() == size
    with django_assert_max_num_queries(12):
        shown(operator, job)
