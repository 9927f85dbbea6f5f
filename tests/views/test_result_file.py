"""Downloads: the very bytes, whole or in ranges, for those who may, each noted; the token stays here."""

from __future__ import annotations

import hashlib
import io
from typing import Any

import duckdb
import pytest
from django.test import Client
from django.urls import reverse

from jobs.client.errors import PlatformError
from jobs.client.lake import Size
from jobs.models import Activity, ExportJob, Role, Sandbox, Verb
from jobs.results import download
from jobs.results.download import Opened
from jobs.results.files import File
from jobs.views.result_file import file_headers
from tests import make
from tests.emulator.world import World

pytestmark = pytest.mark.django_db
FILES = "/data/foundation/export/files"


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
def original(world: World) -> bytes:
    return world.get(f"{FILES}/{world.file_id}", params={"path": world.file_name}).content


@pytest.fixture
def address(done: ExportJob, world: World) -> str:
    return link(done, world)


def link(job: ExportJob, world: World, *, batch: str = "", file: str = "", path: str = "") -> str:
    where = reverse("jobs:result_file", args=[job.pk, batch or world.batch_id, file or world.file_id])
    return f"{where}?path={path or world.file_name}"


def body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


def leave(answer: Any) -> None:
    """What a server does when the browser goes away in the middle."""
    assert next(answer._iterator)
    answer._iterator.close()


def test_the_file_arrives_byte_for_byte_and_its_rows_are_those_the_job_counts(
    operator: Client, address: str, original: bytes, world: World, tmp_path: Any
) -> None:
    answer = operator.get(address)
    data = body(answer)
    assert answer.status_code == 200 and data == original
    assert answer.headers["Content-Length"] == str(len(original))
    (tmp_path / "got.parquet").write_bytes(data)
    with duckdb.connect() as one_of_its_own:
        got = one_of_its_own.execute("SELECT count(*) FROM read_parquet(?)", [str(tmp_path / "got.parquet")])
        counted = got.fetchone()
    assert counted == (world.done["metrics"]["totalExportedProfileCounter"],)


def test_in_pieces_it_is_the_same_file(
    operator: Client, address: str, original: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "PIECE", 1000)
    pieces = list(operator.get(address).streaming_content)  # type: ignore[attr-defined]
    assert b"".join(pieces) == original
    assert len(pieces) > 3 and max(map(len, pieces)) == 1000


@pytest.mark.parametrize(
    ("asked", "first", "last"), [("bytes=0-99", 0, 99), ("bytes=100-", 100, -1), ("bytes=-8", -8, -1)]
)
def test_a_range_is_a_206_with_these_bytes(
    operator: Client, address: str, original: bytes, asked: str, first: int, last: int
) -> None:
    size = len(original)
    first, last = first % size, last % size
    answer = operator.get(address, headers={"Range": asked})
    assert answer.status_code == 206
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{size}"
    assert answer.headers["Content-Length"] == str(last - first + 1)
    assert body(answer) == original[first : last + 1]


def test_a_range_outside_is_a_416_and_takes_nothing(operator: Client, address: str, original: bytes) -> None:
    answer = operator.get(address, headers={"Range": f"bytes={len(original)}-"})
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == f"bytes */{len(original)}"
    assert not Activity.objects.exists()


def test_a_range_of_another_version_gives_the_whole_file(
    operator: Client, address: str, original: bytes
) -> None:
    mine = operator.head(address).headers["ETag"]
    same = operator.get(address, headers={"Range": "bytes=0-3", "If-Range": mine})
    other = operator.get(address, headers={"Range": "bytes=0-3", "If-Range": '"another"'})
    assert body(same) == b"PAR1" and body(other) == original


def test_head_tells_the_size_and_is_not_noted(operator: Client, address: str, original: bytes) -> None:
    answer = operator.head(address)
    assert answer.status_code == 200 and answer.content == b""
    assert answer.headers["Content-Length"] == str(len(original))
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert not Activity.objects.exists()


def test_it_is_saved_under_a_plain_name_never_shown_and_never_kept(
    operator: Client, address: str, world: World
) -> None:
    answer = operator.head(address)
    saved = answer.headers["Content-Disposition"]
    assert saved == f'attachment; filename="{world.batch_id}-{world.file_name}"'
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize(
    ("name", "saved"),
    [
        ('../../etc/"passwd\r\nX: y', "B-passwd-X-y"),
        ("<script>.html", "B-script-.html"),
        ("…", "B"),
        ("ü b.parquet", "B-b.parquet"),
        (".htaccess", "B-htaccess"),
    ],
)
def test_no_name_of_the_platform_gets_into_a_header_as_it_is(name: str, saved: str) -> None:
    found = Opened(File("F", name, None, None), Size(4, ""))
    assert file_headers(found, "B")["Content-Disposition"] == f'attachment; filename="{saved}"'


def test_every_taking_is_noted_with_file_batch_and_bytes(
    operator: Client, address: str, original: bytes, done: ExportJob, world: World
) -> None:
    body(operator.get(address, headers={"Range": "bytes=0-99"}))
    part = Activity.objects.get()
    assert (part.verb, part.actor_name, part.job) == (Verb.RESULT_DOWNLOADED, "olga", done)
    assert part.after == {"batch": world.batch_id, "file": world.file_name, "bytes": 100, "range": "0–99"}
    body(operator.get(address))
    assert Activity.objects.first().after["bytes"] == len(original)  # type: ignore[union-attr]


def test_viewers_and_strangers_get_no_byte(done: ExportJob, address: str, world: World) -> None:
    viewer = make.user("vera")
    make.member(viewer, done.sandbox.connection, Role.VIEWER)
    assert make.signed_in(Client(), viewer).get(address).status_code == 403
    assert make.signed_in(Client(), make.user("stranger")).get(address).status_code == 404
    assert Client().get(address).status_code == 302
    assert world.remote.requests(FILES) == [] and not Activity.objects.exists()


def test_only_files_of_this_jobs_batches_can_be_asked_for(
    operator: Client, place: Sandbox, done: ExportJob, world: World
) -> None:
    failed = make.kept(place, world.failed)
    for odd in (
        link(done, world, batch=world.failed_batch_id),
        link(failed, world),
        link(failed, world, batch=world.failed_batch_id),
        link(done, world, file="somebody-elses-1"),
        link(done, world, path="other.parquet"),
        link(done, world, path="x" * 600),
        reverse("jobs:result_file", args=[done.pk, world.batch_id, world.file_id]),
    ):
        assert operator.get(odd).status_code == 404, odd
    assert not Activity.objects.exists()


def test_the_token_reaches_neither_the_browser_nor_another_host(
    operator: Client, address: str, world: World
) -> None:
    world.remote.quirks("links-elsewhere")
    answer = operator.get(address)
    said = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
    assert "Bearer" not in said and "adobe.io" not in said and "eyJ" not in said
    assert body(answer)[:4] == b"PAR1"


def test_an_error_before_the_first_byte_is_a_page_that_says_so(
    operator: Client, address: str, world: World
) -> None:
    world.remote.fault({"reply": {"status": 503, "text": ""}}, method="HEAD", path=FILES, times=None)
    answer = operator.get(address)
    assert answer.status_code == 502 and b"fault on its own side" in answer.content
    assert not Activity.objects.exists()


def test_an_error_in_the_middle_breaks_off_and_gives_the_place_back(
    operator: Client, address: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "PIECE", 1000)
    for _ in range(download.AT_ONCE + 1):
        world.remote.clear_faults()
        answer = operator.get(address)
        pieces = iter(answer.streaming_content)  # type: ignore[attr-defined]
        assert len(next(pieces)) == 1000
        world.remote.fault({"reply": {"status": 404, "json": {}}}, method="GET", path=FILES, times=None)
        with pytest.raises(PlatformError):
            next(pieces)


def test_more_downloads_than_there_is_room_for_are_asked_to_wait(operator: Client, address: str) -> None:
    open_ones = [operator.get(address) for _ in range(download.AT_ONCE)]
    turned_away = operator.get(address)
    assert turned_away.status_code == 503 and turned_away.headers["Retry-After"] == "30"
    assert Activity.objects.count() == download.AT_ONCE
    for answer in open_ones:
        leave(answer)
    again = operator.get(address)
    assert again.status_code == 200
    leave(again)


def test_what_is_downloaded_twice_is_the_same(operator: Client, address: str) -> None:
    marks = {hashlib.sha256(io.BytesIO(body(operator.get(address))).read()).hexdigest() for _ in range(2)}
    assert len(marks) == 1
