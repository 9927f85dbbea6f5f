"""The first rows of a file: text whatever they hold, for those who may see them, each look noted."""

from __future__ import annotations

import html
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from jobs.models import Activity, ExportJob, Role, Sandbox, Verb
from jobs.results import first_rows, preview
from jobs.results.first_rows import NotReadable, Table
from tests import make
from tests.emulator.world import World

pytestmark = pytest.mark.django_db
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def place(world: World) -> Sandbox:
    return make.connected(world.remote)


@pytest.fixture
def done(place: Sandbox, world: World) -> ExportJob:
    return make.kept(place, world.done)


@pytest.fixture
def operator(client: Client, place: Sandbox) -> Client:
    person = make.user("olga")
    make.member(person, place.connection, Role.OPERATOR)
    return make.signed_in(client, person)


@pytest.fixture
def address(done: ExportJob, world: World) -> str:
    where = reverse("jobs:result_rows", args=[done.pk, world.batch_id, world.file_id])
    return f"{where}?path={world.file_name}"


def text_of(answer: Any) -> str:
    return html.unescape(answer.content.decode()).replace("\N{NARROW NO-BREAK SPACE}", " ")


def test_columns_rows_and_how_many_there_are_stand_in_a_table(
    operator: Client, address: str, world: World
) -> None:
    answer = operator.get(address)
    said = text_of(answer)
    records = world.done["metrics"]["totalExportedProfileCounter"]
    assert answer.status_code == 200 and "identityMap" in said
    assert f"of {records} rows" in said
    assert said.count("<tr>") == min(records, preview.MOST_ROWS) + 1
    assert "no-store" in answer.headers["Cache-Control"]


def test_a_look_is_noted_before_any_row_is_fetched(
    operator: Client, address: str, done: ExportJob, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*args: Any, **more: Any) -> Table:
        assert Activity.objects.count() == 1
        return Table([], [], 0)

    monkeypatch.setattr(preview, "first_rows", none)
    operator.get(address)
    row = Activity.objects.get()
    assert (row.verb, row.actor_name, row.job) == (Verb.RESULT_PREVIEWED, "olga", done)
    assert (
        row.after["batch"] == world.batch_id
        and row.after["file"] == world.file_name
        and row.after["of bytes"] > 0
    )


def test_viewers_and_strangers_see_no_row(done: ExportJob, address: str, world: World) -> None:
    viewer = make.user("vera")
    make.member(viewer, done.sandbox.connection, Role.VIEWER)
    assert make.signed_in(Client(), viewer).get(address).status_code == 403
    assert make.signed_in(Client(), make.user("stranger")).get(address).status_code == 404
    assert Client().get(address).status_code == 302
    assert world.remote.requests("/data/foundation/export") == [] and not Activity.objects.exists()


def test_hostile_columns_and_values_are_text_and_long_ones_fold(
    operator: Client, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = Table([(HOSTILE, f"STRUCT({HOSTILE})")], [[HOSTILE], [None], ["long " * 100]], 3)
    monkeypatch.setattr(preview, "first_rows", lambda *args, **more: table)
    answer = operator.get(address)
    assert HOSTILE.encode() not in answer.content
    assert answer.content.count(b"&lt;script&gt;") >= 2
    assert b"<details" in answer.content and b"null" in answer.content


def test_a_file_that_cannot_be_read_gives_the_datasets_rows_called_what_they_are(
    operator: Client, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(*args: Any, **more: Any) -> Table:
        raise NotReadable("This is no Parquet file, so its rows cannot be shown.")

    monkeypatch.setattr(preview, "first_rows", unreadable)
    said = text_of(operator.get(address))
    assert "This is no Parquet file" in said and "whichever export wrote them" in said
    assert "Rows of the dataset" in said and "identityMap" in said


def test_an_error_of_the_platform_is_a_sentence(operator: Client, address: str, world: World) -> None:
    fault = {"reply": {"status": 403, "json": {"title": "Forbidden", "status": 403}}}
    world.remote.fault(fault, method="HEAD", path="/data/foundation/export/files", times=None)
    answer = operator.get(address)
    assert answer.status_code == 200 and "may not do this" in text_of(answer)


def test_no_more_than_two_look_at_once(
    operator: Client, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(preview.AT_ONCE):
        assert preview._slots.acquire(blocking=False)
    try:
        assert "room for two at a time" in text_of(operator.get(address))
        assert not Activity.objects.exists()
    finally:
        for _ in range(preview.AT_ONCE):
            preview._slots.release()


def test_the_fragment_is_the_region_alone(operator: Client, address: str) -> None:
    part = operator.get(address, headers={"HX-Request": "true", "HX-Target": "result-rows"})
    assert part.content.lstrip().startswith(b'<div class="result-rows" id="result-rows">')


def test_nothing_stays_on_disc(
    operator: Client, address: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setattr(first_rows.tempfile, "tempdir", str(tmp_path))
    operator.get(address)
    assert list(tmp_path.iterdir()) == []
