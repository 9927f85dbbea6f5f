"""Files of a batch: listed in pages, downloaded whole and in ranges, byte by byte what lies on the disk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.emulator.world import World, create

EXPORT = "/data/foundation/export"
CATALOG = "/data/foundation/catalog"


def stored(world: World) -> bytes:
    [path] = (world.remote.data_dir / "lake" / "prod" / world.batch_id).glob("*.parquet")
    return path.read_bytes()


def download(world: World, **headers: str) -> requests.Response:
    path = f"{EXPORT}/files/{world.file_id}?path={world.file_name}"
    return world.get(path, headers={"Accept-Encoding": "identity", **headers})


def test_a_file_comes_whole_and_says_what_it_is(world: World) -> None:
    reply = download(world)
    assert reply.status_code == 200
    assert reply.content == stored(world)
    assert reply.content.startswith(b"PAR1")
    assert reply.headers["Content-Type"] == "application/parquet"
    assert reply.headers["Accept-Ranges"] == "bytes"
    assert int(reply.headers["Content-Length"]) == len(reply.content)


def test_its_length_is_told_beforehand(world: World) -> None:
    length = len(stored(world))
    path = f"{EXPORT}/files/{world.file_id}"
    [entry] = world.get(path).json()["data"]
    head = world.call("HEAD", f"{path}?path={world.file_name}")
    assert entry["length"] == head.headers["Content-Length"] == str(length)
    assert head.content == b""
    assert world.get(entry["_links"]["self"]["href"].removeprefix(world.remote.url)).content == stored(world)


@given(first=st.integers(0, 400_000), length=st.integers(1, 400_000))
@settings(max_examples=25, deadline=None)
def test_a_range_is_exactly_those_bytes(world: World, first: int, length: int) -> None:
    whole = stored(world)
    first %= len(whole)
    reply = download(world, Range=f"bytes={first}-{first + length - 1}")
    last = min(first + length, len(whole)) - 1
    assert reply.status_code == 206
    assert reply.content == whole[first : last + 1]
    assert reply.headers["Content-Range"] == f"bytes {first}-{last}/{len(whole)}"
    assert int(reply.headers["Content-Length"]) == len(reply.content)


def test_open_ended_and_last_bytes(world: World) -> None:
    whole = stored(world)
    assert download(world, Range=f"bytes={len(whole) - 5}-").content == whole[-5:]
    assert download(world, Range="bytes=-4").content == b"PAR1"
    assert download(world, Range=f"bytes=-{len(whole) + 10}").content == whole
    assert download(world, Range="bytes=0-0").content == whole[:1]


def test_pieces_make_the_whole(world: World) -> None:
    whole, step = stored(world), 50_000
    pieces = [
        download(world, Range=f"bytes={first}-{first + step - 1}").content
        for first in range(0, len(whole), step)
    ]
    assert b"".join(pieces) == whole


@pytest.mark.parametrize(
    "header", ["bytes=5-2", "bytes=a-b", "lines=1-2", "bytes=", "bytes=-", "bytes=0-1,5-6"]
)
def test_a_range_that_makes_no_sense_gets_the_whole_file(world: World, header: str) -> None:
    reply = download(world, Range=header)
    assert (reply.status_code, len(reply.content)) == (200, len(stored(world)))


@pytest.mark.parametrize("header", ["bytes=99999999999-", "bytes=99999999999-99999999999999", "bytes=-0"])
def test_a_range_outside_of_the_file_is_a_416_with_its_length(world: World, header: str) -> None:
    reply = download(world, Range=header)
    assert reply.status_code == 416
    assert reply.headers["Content-Range"] == f"bytes */{len(stored(world))}"


def test_a_range_holds_only_for_the_file_one_began_with(world: World) -> None:
    etag = download(world).headers["ETag"]
    assert download(world, Range="bytes=0-9", **{"If-Range": etag}).status_code == 206
    assert download(world, Range="bytes=0-9", **{"If-Range": '"other"'}).status_code == 200


@pytest.mark.parametrize("path", ["../../../emulator.sqlite3", "/etc/passwd", "", "part-00000.parquet%00"])
def test_no_path_leads_out_of_the_batch(world: World, path: str) -> None:
    assert world.get(f"{EXPORT}/files/{world.file_id}?path={path}").status_code == 404


def test_another_sandbox_sees_nothing_of_it(world: World) -> None:
    other = world.remote.session("dev")
    for path in (
        f"{CATALOG}/batches/{world.batch_id}",
        f"{EXPORT}/batches/{world.batch_id}/files",
        f"{EXPORT}/files/{world.file_id}?path={world.file_name}",
        f"{EXPORT}/datasets/{world.parts['dataset']}/preview",
    ):
        assert other.get(world.remote.url + path, timeout=10).status_code == 404


def test_a_file_is_read_piece_by_piece(world: World) -> None:
    """A file far larger than the server: its memory does not grow with it."""
    assert world.remote.process is not None
    status = Path(f"/proc/{world.remote.process.pid}/status")
    if not status.exists():
        pytest.skip("no /proc")
    [path] = (world.remote.data_dir / "lake" / "prod" / world.batch_id).glob("*.parquet")
    kept = path.read_bytes()
    with path.open("ab") as file:
        file.truncate(300_000_000)
    try:
        with world.get(f"{EXPORT}/files/{world.file_id}?path={world.file_name}", stream=True) as reply:
            assert sum(len(piece) for piece in reply.iter_content(1 << 20)) == 300_000_000
    finally:
        path.write_bytes(kept)
    peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    assert int(peak.split()[1]) < 120 * 1024


def until_cut(reply: requests.Response) -> bytes:
    """What came of a body before its connection was cut."""
    taken = b""
    try:
        for piece in reply.iter_content(10):
            taken += piece
    except requests.exceptions.RequestException:
        return taken
    raise AssertionError("it came whole")


def test_a_download_breaks_off_and_is_taken_up_again(world: World) -> None:
    whole = stored(world)
    path = f"{EXPORT}/files/{world.file_id}?path={world.file_name}"
    world.remote.preset("reply-breaks-off", path=f"{EXPORT}/files/")
    reply = world.get(path, stream=True, headers={"Accept-Encoding": "identity"})
    assert int(reply.headers["Content-Length"]) == len(whole)
    taken = until_cut(reply)
    assert taken == whole[: len(taken)]
    assert taken + download(world, Range=f"bytes={len(taken)}-").content == whole
    world.remote.preset("reply-cut", path=f"{EXPORT}/files/")
    assert download(world).content == whole[:60]


def test_data_access_shows_its_quirks(world: World) -> None:
    remote = world.remote
    try:
        remote.quirks("batch-metrics-names", "file-directory", "links-elsewhere")
        batch = world.get(f"{CATALOG}/batches/{world.batch_id}").json()[world.batch_id]
        assert {"outputRecordCount", "outputByteSize"} <= batch["metrics"].keys()
        [entry] = world.get(f"{EXPORT}/batches/{world.batch_id}/files").json()["data"]
        href = entry["_links"]["self"]["href"]
        assert href == f"https://platform.adobe.io:443{EXPORT}/files/{world.file_id}"
        [inner] = world.get(f"{EXPORT}/files/{world.file_id}").json()["data"]
        assert inner["dataSetFileId"] != world.file_id
        [named] = world.get(f"{EXPORT}/files/{inner['dataSetFileId']}").json()["data"]
        path = f"{EXPORT}/files/{inner['dataSetFileId']}?path={named['name']}"
        assert world.get(path).content == stored(world)
        assert world.get(f"{EXPORT}/files/{world.file_id}?path={named['name']}").status_code == 404
    finally:
        remote.quirks()


def test_counts_of_the_catalog_are_those_of_the_job(world: World) -> None:
    batch = world.get(f"{CATALOG}/batches/{world.batch_id}").json()[world.batch_id]
    entries = world.get(f"{EXPORT}/batches/{world.batch_id}/files").json()["data"]
    assert batch["status"] == "success"
    assert batch["relatedObjects"] == [{"type": "dataSet", "id": world.parts["dataset"]}]
    assert batch["metrics"]["recordsWritten"] == sum(int(entry["records"]) for entry in entries)
    assert batch["metrics"]["recordsWritten"] == world.done["metrics"]["totalExportedProfileCounter"]


def test_the_preview_shows_the_first_hundred_rows(world: World) -> None:
    rows = world.get(f"{EXPORT}/datasets/{world.parts['dataset']}/preview").json()["data"]
    assert len(rows) == min(100, world.done["metrics"]["totalExportedProfileCounter"])
    assert all("identityMap" in row for row in rows)


def test_a_dataset_without_exports_has_no_preview(world: World) -> None:
    found = world.get(f"{CATALOG}/dataSets?name=Churn model input").json()
    assert world.get(f"{EXPORT}/datasets/{next(iter(found))}/preview").json() == {"data": []}


def test_a_failed_batch_tells_its_errors_as_files(world: World) -> None:
    batch = world.get(f"{CATALOG}/batches/{world.failed_batch_id}").json()[world.failed_batch_id]
    path = f"{EXPORT}/batches/{world.failed_batch_id}/meta?path=row_errors_sample.json"
    sample = world.get(path)
    assert [json.loads(line) for line in sample.text.splitlines()] == batch["errors"]
    assert world.get(path, headers={"Range": "bytes=0-9"}).content == sample.content[:10]
    names = world.get(f"{EXPORT}/batches/{world.failed_batch_id}/failed").json()["data"]
    assert world.get(f"{EXPORT}/batches/{world.failed_batch_id}/failed?path={names[0]['name']}").ok


def test_the_batch_of_a_running_job_is_loading_and_has_no_files(world: World) -> None:
    world.remote.fault({"outcome": {"never": True}}, method="POST")
    job = create(world.remote, world.session)
    batch_id = job["destination"]["batchId"]
    assert world.get(f"{CATALOG}/batches/{batch_id}").json()[batch_id]["status"] == "loading"
    assert world.get(f"{EXPORT}/batches/{batch_id}/files").json()["data"] == []
    world.call("DELETE", f"/data/core/ups/export/jobs/{job['id']}")


def test_a_dataset_follows_its_exports(world: World) -> None:
    dataset_id = world.parts["dataset"]
    before = world.get(f"{CATALOG}/dataSets/{dataset_id}").json()[dataset_id]
    job = create(world.remote, world.session)
    after = world.get(f"{CATALOG}/dataSets/{dataset_id}").json()[dataset_id]
    assert after["lastBatchId"] == job["destination"]["batchId"] != before["lastBatchId"]
    newest = world.get(f"{CATALOG}/lastBatches?dataSetId={dataset_id}").json()
    assert list(newest) == [after["lastBatchId"]]
    assert newest[after["lastBatchId"]]["status"] == after["lastBatchStatus"]


def test_batches_are_paged_and_narrowed(world: World) -> None:
    every = world.get(f"{CATALOG}/batches?limit=100").json()
    paged: dict[str, Any] = {}
    for start in range(len(every)):
        paged |= world.get(f"{CATALOG}/batches?limit=1&start={start}").json()
    assert list(paged) == list(every)
    created = [batch["created"] for batch in every.values()]
    assert created == sorted(created, reverse=True)
    ascending = world.get(f"{CATALOG}/batches?limit=100&orderBy=created").json()
    assert [batch["created"] for batch in ascending.values()] == sorted(created)
    middle = sorted(created)[len(created) // 2]
    after = world.get(f"{CATALOG}/batches?limit=100&createdAfter={middle}").json()
    assert {key for key, batch in every.items() if batch["created"] > middle} == set(after)
