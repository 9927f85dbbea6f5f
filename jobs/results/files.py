"""The files of a batch: found by walking what Data Access lists, and opened only as one of that list."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from django.core.cache import cache

from jobs.client.errors import NotFound
from jobs.client.lake import Lake
from jobs.client.stored import Entry
from jobs.models import Sandbox

DEEPEST = 3
MOST_LOOKUPS = 100
REMEMBERED_S = 600


class File(NamedTuple):
    """A file of a batch; `length` in bytes and `records` where the platform says so."""

    file_id: str
    path: str
    length: int | None
    records: int | None

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path.rstrip("/").rpartition("/")[2] or self.path


class Place(NamedTuple):
    """A batch of a sandbox, and the calls that read it."""

    sandbox: Sandbox
    lake: Lake
    batch_id: str

    @property
    def entries(self) -> list[Entry]:
        return list(self.lake.batch_files(self.batch_id))


def files_below(place: Place, entries: Sequence[Entry], *, until: float) -> tuple[list[File], int]:
    """The files of these entries, and how many entries were looked into before `until` (monotonic seconds)."""
    found: list[File] = []
    for index, entry in enumerate(entries):
        if time.monotonic() > until:
            return found, index
        found += _walk(place, entry, DEEPEST)
    return found, len(entries)


def located(place: Place, file_id: str, path: str) -> File:
    """The file of this batch by its id and path; NotFound for any other, whatever else the credential may read.

    What was listed within the last ten minutes is remembered, for a download is often asked for in ranges.
    """
    remembered = cache.get(_key(place, file_id)) or ()
    known = next((File(*each) for each in remembered if each[1] == path), None)
    if known:
        return known
    entries = sorted(place.entries, key=lambda entry: entry.file_id != file_id)
    for entry in entries[:MOST_LOOKUPS]:
        for file in _walk(place, entry, DEEPEST):
            if (file.file_id, file.path) == (file_id, path):
                return file
        if entry.file_id == file_id:
            break
    raise NotFound(
        f"Batch {place.batch_id} has no such file. Open the results anew: it may have been replaced."
    )


def _walk(place: Place, entry: Entry, deepest: int) -> Iterator[File]:
    """The files an entry leads to, directories opened up to three levels deep."""
    listing = place.lake.file(entry.file_id)
    alone = len(listing.files) == 1 and not listing.entries
    files = [
        File(entry.file_id, named.path, named.length, entry.records if alone else None)
        for named in listing.files
    ]
    cache.set(_key(place, entry.file_id), [tuple(file) for file in files], timeout=REMEMBERED_S)
    yield from files
    if deepest > 1:
        for inner in listing.entries:
            if inner.file_id != entry.file_id:
                yield from _walk(place, inner, deepest - 1)


def _key(place: Place, file_id: str) -> str:
    whole = f"{place.sandbox.pk}\n{place.batch_id}\n{file_id}"
    return f"result-file:{hashlib.sha256(whole.encode()).hexdigest()}"
