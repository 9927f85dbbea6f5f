"""What the platform says about data at rest: batches of the catalog and the files of Data Access (platform.md §5)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from jobs.client.fields import Fields
from jobs.client.values import ID_LIMIT, WORD_LIMIT, as_int, as_text, plain

MESSAGE_LIMIT = 2000
PATH_LIMIT = 500
MOST_ERRORS = 20
# The names of metrics vary from writer to writer; the first that is there is taken.
_WRITTEN = ("recordsWritten", "outputRecordCount", "recordCount", "outputRecordsCount")
_FAILED = ("recordsFailed", "failedRecordCount", "partialRecordsFailed")
_BYTES = ("outputByteSize", "outputRecordSize", "bytesWritten", "outputSize")


class BatchError(NamedTuple):
    """An entry of a batch's `errors`: its keys are others than those of a job's; `rows` counts what it hit."""

    code: str
    description: str
    rows: int


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch as the catalog tells it. Texts are empty and numbers None where it says nothing.

    `problems` are sentences on what could not be understood.
    """

    batch_id: str
    status: str
    created_at: datetime | None
    updated_at: datetime | None
    dataset_ids: tuple[str, ...]
    records_written: int | None
    records_failed: int | None
    size: int | None
    errors: tuple[BatchError, ...]
    problems: tuple[str, ...]


class Entry(NamedTuple):
    """One entry of a batch, or of a directory below it: an id that leads to files, and what is said of them."""

    file_id: str
    records: int | None
    size: int | None


class Named(NamedTuple):
    """A file below an entry's id: its `path` is what a download asks for."""

    path: str
    length: int | None


class Listing(NamedTuple):
    """What an id of Data Access holds: files by name, or further ids where it is a directory; `total` if said."""

    files: tuple[Named, ...]
    entries: tuple[Entry, ...]
    total: int | None


def read_batch(batch_id: str, raw: object) -> Batch | None:
    """The batch of an entry of the catalog; None where there is no object."""
    if not isinstance(raw, dict):
        return None
    entry = Fields(plain(raw, []))
    metrics = entry.child("metrics")
    related = entry.children("relatedObjects")
    datasets = [
        each.text("id") for each in related if each.text("type", limit=WORD_LIMIT).lower() == "dataset"
    ]
    return Batch(
        batch_id=batch_id,
        status=entry.text("status", limit=WORD_LIMIT),
        created_at=entry.time("created"),
        updated_at=entry.time("updated"),
        dataset_ids=tuple(filter(None, datasets)),
        records_written=_first(metrics, _WRITTEN),
        records_failed=_first(metrics, _FAILED),
        size=_first(metrics, _BYTES),
        errors=tuple(_errors(entry)),
        problems=tuple(entry.problems),
    )


def read_listing(data: list[object], total: object = None) -> Listing:
    """Files and further ids of a `data` list; entries that are neither, or lead nowhere, are left out."""
    rows = [Fields(plain(raw, [])) for raw in data if isinstance(raw, dict)]
    files = [Named(path, row.whole("length")) for row in rows if (path := _path(row))]
    entries = [
        Entry(file_id, row.whole("records"), row.whole("size"))
        for row in rows
        if (file_id := _whole_text(row, "dataSetFileId", ID_LIMIT)) and not _path(row)
    ]
    return Listing(tuple(files), tuple(entries), as_int(total))


def _first(metrics: Fields, names: tuple[str, ...]) -> int | None:
    """The first of these metrics that is a count."""
    return next((metrics.whole(name) for name in names if metrics.raw.get(name) not in (None, "")), None)


def _path(row: Fields) -> str:
    return _whole_text(row, "name", PATH_LIMIT)


def _whole_text(row: Fields, key: str, limit: int) -> str:
    """The text as it is or not at all: a cut or replaced name would ask for another file."""
    text = as_text(row.raw.get(key)) or ""
    return text if len(text) <= limit and text.isprintable() and "\ufffd" not in text else ""


def _errors(entry: Fields) -> Iterator[BatchError]:
    for error in list(entry.children("errors"))[:MOST_ERRORS]:
        rows = error.raw.get("rows")
        yield BatchError(
            error.text("code", "errorCode", limit=WORD_LIMIT),
            error.text("description", "msg", "message", limit=MESSAGE_LIMIT),
            len(rows) if isinstance(rows, list) else as_int(rows) or 0,
        )
