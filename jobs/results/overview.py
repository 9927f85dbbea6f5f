"""What a job wrote, batch by batch, as the platform tells it at this moment."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from jobs.client.errors import NotFound, PlatformError
from jobs.client.lake import Lake
from jobs.client.records import RemoteBatch
from jobs.client.stored import Batch, Entry
from jobs.connect import client_for
from jobs.models import Sandbox
from jobs.results.files import File, Place, files_below
from jobs.rules import batch_state
from jobs.rules.batch_state import BatchState

MOST_FILES = 20
# A person waits for this, and the browser gives up after twenty seconds.
LOOKING_S = 8.0


class Files(NamedTuple):
    """Some files of a batch: those below entries `start` to `end` of `total`.

    `size` and `records` are sums over all entries, where each of them says its own.
    """

    files: Sequence[File] = ()
    start: int = 0
    end: int = 0
    total: int = 0
    size: int | None = None
    records: Sequence[int | None] = ()

    @property
    def is_cut(self) -> bool:
        return self.end < self.total


@dataclass(frozen=True, slots=True)
class Written:
    """A batch of a job: what the job says of it, what the catalog says, and its files.

    `trouble` is a sentence where the catalog does not know it; then `batch` is None.
    """

    asked: RemoteBatch
    batch: Batch | None = None
    files: Files = field(default_factory=Files)
    trouble: str = ""

    @property
    def state(self) -> BatchState:
        return batch_state.read(self.batch.status) if self.batch else BatchState.UNKNOWN

    @property
    def size(self) -> int | None:
        """Bytes by the files' own account, else by the catalog's metrics."""
        return self.files.size if self.files.size is not None else self.batch.size if self.batch else None

    @property
    def why_no_files(self) -> str:
        if self.files.total or not self.batch:
            return ""
        return batch_state.why_no_files(self.state) or "The platform lists no files in this batch."


class Results(NamedTuple):
    """The batches that could be read; `trouble` says why there are no more of them."""

    written: list[Written]
    trouble: str


def results(sandbox: Sandbox, batches: Sequence[RemoteBatch], *, start: int = 0) -> Results:
    """Batches with their first twenty files each, from entry `start` on; about eight seconds of looking at most.

    A batch the catalog does not know is told as such; any other error ends it, for the next would meet it too.
    """
    written: list[Written] = []
    until = time.monotonic() + LOOKING_S
    try:
        with client_for(sandbox, haste=True) as client:
            for asked in batches:
                if written and time.monotonic() > until:
                    return Results(written, "The platform answers slowly; the other batches were not read.")
                written.append(_written(sandbox, client.lake, asked, start=start, until=until))
    except PlatformError as error:
        return Results(written, error.sentence)
    return Results(written, "")


def _written(sandbox: Sandbox, lake: Lake, asked: RemoteBatch, *, start: int, until: float) -> Written:
    try:
        batch = lake.batch(asked.batch_id)
        has_files = not batch_state.why_no_files(batch_state.read(batch.status))
        place = Place(sandbox, lake, asked.batch_id)
        files = _files(place, start=start, until=until) if has_files else Files()
    except NotFound as error:
        return Written(asked, trouble=error.sentence)
    return Written(asked, batch, files)


def _files(place: Place, *, start: int, until: float) -> Files:
    entries = place.entries
    found, looked = files_below(place, entries[start : start + MOST_FILES], until=until)
    records = [entry.records for entry in entries]
    return Files(
        found, start, min(start + looked, len(entries)), len(entries), _size(entries, found), records
    )


def _size(entries: Sequence[Entry], files: Sequence[File]) -> int | None:
    """The sum of what the entries say of themselves, else of the files if they are all there."""
    sizes = [entry.size for entry in entries]
    if None in sizes and len(files) >= len(entries):
        sizes = [file.length for file in files]
    known = [size for size in sizes if size is not None]
    return sum(known) if known and len(known) == len(sizes) else None
