"""Results of a job: batches as the platform tells them, disagreements in words, nothing that is not for this person."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from jobs.models import Activity, CatalogEntry, EntryKind, ExportJob, Role, Sandbox
from jobs.results import overview
from tests import make
from tests.emulator.world import World

pytestmark = pytest.mark.django_db
BATCHES = "/data/foundation/catalog/batches"
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def place(world: World) -> Sandbox:
    return make.connected(world.remote)


@pytest.fixture
def done(place: Sandbox, world: World) -> ExportJob:
    return make.kept(place, world.done)


@pytest.fixture
def viewer(client: Client, place: Sandbox) -> Client:
    person = make.user("vera")
    make.member(person, place.connection, Role.VIEWER)
    return make.signed_in(client, person)


@pytest.fixture
def operator(client: Client, place: Sandbox) -> Client:
    person = make.user("olga")
    make.member(person, place.connection, Role.OPERATOR)
    return make.signed_in(client, person)


def address(job: ExportJob) -> str:
    return reverse("jobs:job_results", args=[job.pk])


def shown(client: Client, job: ExportJob, **query: Any) -> str:
    """The words of the page, numbers with plain spaces."""
    answer = client.get(address(job), query)
    assert answer.status_code == 200
    return plain(answer)


def plain(answer: Any) -> str:
    text = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return " ".join(html.unescape(text).replace("\N{NARROW NO-BREAK SPACE}", " ").split())


def test_batch_files_sizes_and_counts_stand_there_with_the_segments_name(
    operator: Client, done: ExportJob, world: World
) -> None:
    segment = world.done["filter"]["segments"][0]["segmentId"]
    CatalogEntry.objects.create(
        sandbox=done.sandbox, kind=EntryKind.SEGMENT, remote_id=segment, name="Gold", seen_at=timezone.now()
    )
    said = shown(operator, done)
    records = world.done["metrics"]["totalExportedProfileCounter"]
    assert "Success Gold" in said and f"{records} records" in said and "1 file" in said
    assert world.file_name in said and "KiB" in said and "Preview" in said and "Download" in said
    assert "The job counts" not in said


def test_a_viewer_sees_what_was_written_but_no_way_to_the_rows(viewer: Client, done: ExportJob) -> None:
    answer = viewer.get(address(done))
    assert b"part-" in answer.content
    assert b"/rows/" not in answer.content and b"Download" not in answer.content
    assert "needs the role operator" in plain(answer)
    assert not Activity.objects.exists()


def test_a_mismatch_with_the_jobs_own_counter_is_pointed_out(
    operator: Client, place: Sandbox, world: World
) -> None:
    counted = world.done["metrics"]["totalExportedProfileCounter"]
    metrics = world.done["metrics"] | {"totalExportedProfileCounter": counted + 2}
    job = make.kept(place, world.done | {"metrics": metrics})
    said = shown(operator, job)
    assert (
        f"The job counts {counted + 2} exported profiles, but its batch holds {counted} records: 2 fewer."
        in said
    )


def test_a_failed_batch_says_why_and_that_there_are_no_files(
    operator: Client, place: Sandbox, world: World
) -> None:
    said = shown(operator, make.kept(place, world.failed))
    assert "Failed" in said and "0090000009" in said
    assert "holds no files one could rely on" in said and "Download" not in said


def test_a_job_that_succeeded_with_a_batch_that_did_not_is_odd(
    operator: Client, place: Sandbox, world: World
) -> None:
    target = world.done["destination"] | {"batchId": world.failed_batch_id}
    said = shown(operator, make.kept(place, world.done | {"destination": target}))
    assert "The job succeeded, but the catalog calls its batch “failed”." in said


def test_a_batch_the_catalog_does_not_know_leaves_the_others(
    operator: Client, place: Sandbox, world: World
) -> None:
    batches = [{"segmentId": f"S{n}", "batchId": each} for n, each in enumerate(["0" * 32, world.batch_id])]
    target = {
        "datasetId": world.remote.credentials["dataset_id"],
        "segmentPerBatch": True,
        "batches": batches,
    }
    said = shown(operator, make.kept(place, world.done | {"destination": target}))
    assert "does not know it" in said and world.file_name in said


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (
            {
                "reply": {
                    "status": 403,
                    "json": {"title": "Forbidden", "status": 403, "detail": "no Manage Datasets"},
                }
            },
            "may not do this",
        ),
        ({"reply": {"status": 503, "text": ""}}, "fault on its own side"),
        ({"reply": {"status": 200, "json": {"data": "no list"}}}, "not the list that is documented"),
    ],
)
def test_an_error_of_the_platform_is_a_sentence_and_one_can_try_again(
    operator: Client, done: ExportJob, world: World, fault: dict[str, Any], words: str
) -> None:
    path = "/data/foundation/export/batches" if "200" in str(fault) else BATCHES
    world.remote.fault(fault, method="GET", path=path, times=None)
    said = shown(operator, done)
    assert words in said and "Try again" in said
    assert "Traceback" not in said


def test_a_platform_that_is_away_is_a_sentence_too(client: Client) -> None:
    job = make.job(make.sandbox())
    said = shown(make.signed_in(client, make.superuser()), job)
    assert "nothing listens at 127.0.0.1:9" in said


def test_a_job_without_a_batch_asks_the_platform_nothing(
    operator: Client, place: Sandbox, world: World
) -> None:
    job = make.job(place, destination={"datasetId": "DS1", "batchId": ""}, status="FAILED")
    assert "names no batch: it wrote nothing" in shown(operator, job)
    assert world.remote.requests(BATCHES) == []


def test_strangers_and_batches_of_others_do_not_exist(
    client: Client, operator: Client, done: ExportJob
) -> None:
    assert operator.get(address(done), {"batch": "of-somebody-else"}).status_code == 404
    stranger = make.signed_in(Client(), make.user("stranger"))
    assert stranger.get(address(done)).status_code == 404
    assert Client().get(address(done)).status_code == 302


def test_the_fragment_is_the_section_alone_and_the_jobs_page_asks_for_it_once_it_has_ended(
    operator: Client, place: Sandbox, done: ExportJob
) -> None:
    part = operator.get(address(done), headers={"HX-Request": "true", "HX-Target": "job-results"})
    assert part.content.lstrip().startswith(b'<section class="card" id="job-results"')
    page = operator.get(reverse("jobs:job", args=[done.pk])).content.decode()
    assert f'hx-get="{address(done)}" hx-trigger="load"' in page
    assert f'<a href="{address(done)}">' in page  # without scripts
    running = operator.get(reverse("jobs:job", args=[make.job(place).pk])).content.decode()
    assert "/results/" in running and 'hx-trigger="load"' not in running


def test_hostile_names_are_text(operator: Client, done: ExportJob, world: World) -> None:
    body = {"data": [{"name": f"{HOSTILE}.parquet", "length": "7"}]}
    fault = {"reply": {"status": 200, "json": body}}
    world.remote.fault(fault, method="GET", path="/data/foundation/export/files", times=None)
    answer = operator.get(address(done))
    assert HOSTILE.encode() not in answer.content and b"&lt;img src=x" in answer.content


def test_a_directory_is_looked_into_and_links_elsewhere_change_nothing(
    operator: Client, done: ExportJob, world: World
) -> None:
    world.remote.quirks("file-directory", "links-elsewhere")
    answer = operator.get(address(done))
    assert world.file_name.encode() in answer.content and b"adobe.io" not in answer.content


def test_many_files_come_in_parts(
    operator: Client, done: ExportJob, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overview, "MOST_FILES", 2)
    entries = [{"dataSetFileId": f"{world.batch_id}-{n}", "records": "1", "size": "2"} for n in range(5)]
    listing = {"data": entries, "_page": {"limit": 100, "count": 5}}
    for path, body in (("batches", listing), ("files", {"data": [{"name": "p.parquet", "length": "2"}]})):
        reply = {"reply": {"status": 200, "json": body}}
        world.remote.fault(reply, method="GET", path=f"/data/foundation/export/{path}", times=None)
    assert "1–2 of 5" in shown(operator, done) and "More files" in shown(operator, done)
    last = shown(operator, done, batch=world.batch_id, start=4)
    assert "5–5 of 5" in last and "Earlier files" in last and "More files" not in last


def test_looking_changes_nothing_and_costs_few_queries(
    operator: Client, done: ExportJob, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(8):
        operator.get(address(done))
    assert not Activity.objects.exists()
