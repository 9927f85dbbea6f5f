"""Batches and files: read whatever shape they have, by ids alone, in pieces that are what was asked for."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from jobs.client.api import Client
from jobs.client.credential import Credential, MemoryTokenStore
from jobs.client.errors import NotFound, PlatformDown, Unreadable
from jobs.client.lake import MAX_PIECE, Lake
from jobs.client.retry import Retry
from jobs.client.stored import read_batch, read_listing
from jobs.rules.byte_range import Span
from tests.client.wire import WireServer, in_turn, keeps, reply
from tests.emulator.world import World
from tests.remote import SCOPES

ClientOf = Callable[..., Client]


def typed(body: Any, **more: Any) -> bytes:
    return reply(json.dumps(body).encode(), headers="Content-Type: application/json\r\n", **more)


@pytest.fixture
def lake(world: World, retry: Retry) -> Lake:
    """The data lake of a platform on which an export has succeeded."""
    known = world.remote.credentials
    credential = Credential(
        known["token_url"], known["client_id"], known["client_secret"], SCOPES, known["org_id"]
    )
    return Client(world.remote.url, credential, known["sandbox"], MemoryTokenStore(), retry=retry).lake


def test_a_batch_tells_state_dataset_and_counts(lake: Lake, world: World) -> None:
    batch = lake.batch(world.batch_id)
    assert (batch.batch_id, batch.status) == (world.batch_id, "success")
    assert batch.dataset_ids == (world.remote.credentials["dataset_id"],)
    assert batch.records_written == world.done["metrics"]["totalExportedProfileCounter"] > 0
    assert batch.records_failed == 0 and batch.size and batch.created_at and batch.problems == ()


def test_other_names_of_the_metrics_mean_the_same(lake: Lake, world: World) -> None:
    usual = lake.batch(world.batch_id)
    world.remote.quirks("batch-metrics-names")
    assert lake.batch(world.batch_id) == usual


def test_a_failed_batch_says_why(lake: Lake, world: World) -> None:
    batch = lake.batch(world.failed_batch_id)
    assert batch.status == "failed"
    assert batch.errors[0].code == "0090000009" and batch.errors[0].description


def test_a_file_is_found_measured_and_read_to_the_last_byte(lake: Lake, world: World) -> None:
    (entry,) = lake.batch_files(world.batch_id)
    (named,) = lake.file(entry.file_id).files
    size = lake.size(entry.file_id, named.path)
    assert size.length == named.length and size.etag
    whole = lake.read(entry.file_id, named.path, Span(0, size.length - 1), of=size.length)
    ends = lake.read(entry.file_id, named.path, Span(size.length - 4, size.length - 1), of=size.length)
    assert whole[:4] == whole[-4:] == ends == b"PAR1" and len(whole) == size.length


def test_a_directory_leads_on_and_links_to_another_host_are_not_followed(lake: Lake, world: World) -> None:
    world.remote.quirks("file-directory", "links-elsewhere")
    (entry,) = lake.batch_files(world.batch_id)
    directory = lake.file(entry.file_id)
    assert directory.files == ()
    (inner,) = directory.entries
    assert lake.file(inner.file_id).files[0].path.endswith(".parquet")


def test_the_first_rows_of_a_dataset_are_objects(lake: Lake, world: World) -> None:
    rows = lake.dataset_preview(world.remote.credentials["dataset_id"])
    assert 0 < len(rows) <= 100 and all(isinstance(row, dict) for row in rows)


def test_what_the_platform_does_not_know_is_not_found(lake: Lake) -> None:
    for call in (
        lambda: lake.batch("0" * 32),
        lambda: list(lake.batch_files("0" * 32)),
        lambda: lake.file("nope"),
        lambda: lake.size("nope", "x.parquet"),
        lambda: lake.read("nope", "x.parquet", Span(0, 1), of=2),
        lambda: lake.dataset_preview("nope"),
    ):
        with pytest.raises(NotFound):
            call()


@pytest.mark.parametrize("odd_id", ["", "..", "a\nb"])
def test_an_id_that_would_leave_the_path_is_never_sent(client_of: ClientOf, odd_id: str) -> None:
    with WireServer(keeps(typed({}))) as server:
        with pytest.raises(NotFound):
            client_of(server.url).lake.batch(odd_id)
        assert server.received == []


def test_all_pages_of_a_batch_are_read_and_a_list_that_repeats_itself_ends(client_of: ClientOf) -> None:
    def page(first: int, count: int) -> bytes:
        entries = [{"dataSetFileId": f"B-{n}"} for n in range(first, first + count)]
        return typed({"data": entries, "_page": {"limit": 100, "count": 150}})

    with WireServer(in_turn(keeps(page(0, 100)), keeps(page(100, 50)))) as server:
        assert len(list(client_of(server.url).lake.batch_files("B"))) == 150
        assert b"start=100&limit=100" in server.received[1]
    with WireServer(keeps(page(0, 100))) as server:
        assert len(list(client_of(server.url).lake.batch_files("B"))) == 100
        assert len(server.received) == 2


@pytest.mark.parametrize(
    ("headers", "status", "body"),
    [
        ("Content-Range: bytes 0-9/20\r\n", "206 Partial Content", b"0123456789"),  # of another version
        ("Content-Range: bytes 1-10/10\r\n", "206 Partial Content", b"0123456789"),
        ("", "206 Partial Content", b"0123456789"),
        ("Content-Range: bytes 0-9/10\r\n", "206 Partial Content", b"0123"),
        ("", "200 OK", b"something else"),
    ],
)
def test_bytes_that_are_not_those_asked_for_are_never_handed_on(
    client_of: ClientOf, headers: str, status: str, body: bytes
) -> None:
    with WireServer(keeps(reply(body, status=status, headers=headers))) as server, pytest.raises(Unreadable):
        client_of(server.url).lake.read("F", "p", Span(0, 9), of=10)


def test_a_piece_is_asked_for_as_it_is_and_cut_out_of_a_reply_that_ignores_ranges(
    client_of: ClientOf,
) -> None:
    with WireServer(keeps(reply(b"0123456789"))) as server:
        assert client_of(server.url).lake.read("F", "a b/c?.parquet", Span(2, 4), of=10) == b"234"
        (request,) = server.received
        assert b"Range: bytes=2-4\r\n" in request and b"Accept-Encoding: identity\r\n" in request
        assert b"GET /data/foundation/export/files/F?path=a+b%2Fc%3F.parquet " in request


def test_a_piece_that_broke_off_is_fetched_again(client_of: ClientOf, waits: list[float]) -> None:
    head = {"status": "206 Partial Content", "headers": "Content-Range: bytes 0-3/4\r\n"}
    broken = reply(b"01", length=4, **head)  # type: ignore[arg-type]

    def cut(connection: Any, number: int) -> None:
        connection.sendall(broken)
        connection.close()

    with WireServer(in_turn(cut, keeps(reply(b"0123", **head)))) as server:  # type: ignore[arg-type]
        assert client_of(server.url).lake.read("F", "p", Span(0, 3), of=4) == b"0123"
    assert len(waits) == 1


def test_a_size_that_is_not_told_and_a_failing_platform_are_errors(client_of: ClientOf) -> None:
    mute = keeps(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    with WireServer(mute) as server, pytest.raises(Unreadable, match="how large"):
        client_of(server.url).lake.size("F", "p")
    with WireServer(keeps(reply(b"", status="503 Down"))) as server, pytest.raises(PlatformDown):
        client_of(server.url).lake.size("F", "p")


def test_nobody_asks_for_more_than_a_piece(client_of: ClientOf) -> None:
    with pytest.raises(ValueError, match="piece"):
        client_of("http://127.0.0.1:9").lake.read("F", "p", Span(0, MAX_PIECE), of=MAX_PIECE * 2)


ODD: list[Any] = [
    None,
    7,
    "x",
    [],
    {},
    {"status": ["a"]},
    {"metrics": [1], "errors": "x", "relatedObjects": 5},
]


@pytest.mark.parametrize("raw", ODD, ids=repr)
def test_any_batch_is_read_or_refused_and_never_breaks(raw: Any) -> None:
    batch = read_batch("B", raw)
    assert (batch is not None) == isinstance(raw, dict)


def test_counts_written_as_text_and_errors_with_rows_are_understood() -> None:
    raw = {
        "metrics": {"recordsWritten": "12", "recordsFailed": -1},
        "errors": [{"code": 7, "description": "d", "rows": [1, 2]}],
    }
    batch = read_batch("B", raw)
    assert batch and (batch.records_written, batch.records_failed) == (12, None)
    assert batch.errors == (("7", "d", 2),)
    assert batch.problems


def test_entries_that_lead_nowhere_are_left_out_and_names_are_never_cut() -> None:
    data: list[Any] = [
        7,
        {},
        {"name": "ok.parquet", "length": "12"},
        {"name": "bad\x00name"},
        {"name": "x" * 600},
        {"dataSetFileId": "B-1", "records": "5", "size": "x"},
        {"dataSetFileId": {"a": 1}},
    ]
    listing = read_listing(data, "2")
    assert listing.files == (("ok.parquet", 12),)
    assert listing.entries == (("B-1", 5, None),)
    assert listing.total == 2
