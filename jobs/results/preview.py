"""The first rows of a result, shown to a person who may see them and noted as seen."""

from __future__ import annotations

import threading
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from jobs.client.api import Client
from jobs.client.errors import PlatformError
from jobs.connect import client_for
from jobs.models import Activity, ExportJob, Verb
from jobs.results.download import Busy, Opened
from jobs.results.files import File, Place, located
from jobs.results.first_rows import NotReadable, Table, first_rows

MOST_ROWS = 50
MOST_COLUMNS = 200
MOST_CHARACTERS = 2000
# Each starts a process of some hundred megabytes.
AT_ONCE = 2
_slots = threading.BoundedSemaphore(AT_ONCE)


class Preview(NamedTuple):
    """Rows of a file. Where it could not be read, `instead_of` says why and the rows are the platform's own preview
    of the whole dataset, whichever batch they came with; None rows if it has none either.
    """

    file: File
    table: Table | None
    instead_of: str = ""


def preview(job: ExportJob, batch_id: str, *, file_id: str, path: str, actor: Any, now: datetime) -> Preview:
    """At most 50 rows; noted before any of them is fetched. Raises a PlatformError or Busy."""
    if not _slots.acquire(blocking=False):
        raise Busy
    try:
        with client_for(job.sandbox, haste=True) as client:
            file = located(Place(job.sandbox, client.lake, batch_id), file_id, path)
            found = Opened(file, client.lake.size(file.file_id, file.path))
            _note(job, batch_id, found, actor=actor, now=now)
            return _read(client, found, job.dataset_id)
    finally:
        _slots.release()


def _note(job: ExportJob, batch_id: str, found: Opened, *, actor: Any, now: datetime) -> None:
    Activity.note(
        Verb.RESULT_PREVIEWED,
        at=now,
        actor=actor,
        target=f"{found.file.name} of batch {batch_id}",
        sandbox=job.sandbox,
        job=job,
        after={"batch": batch_id, "file": found.file.path, "rows": MOST_ROWS, "of bytes": found.size.length},
    )


def _read(client: Client, found: Opened, dataset_id: str) -> Preview:
    file, length = found.file, found.size.length
    try:
        table = first_rows(
            lambda span: client.lake.read(file.file_id, file.path, span, of=length),
            length=length,
            limit=MOST_ROWS,
        )
        return Preview(file, table)
    except NotReadable as unreadable:
        return Preview(file, _of_dataset(client, dataset_id), unreadable.reason)


def _of_dataset(client: Client, dataset_id: str) -> Table | None:
    """The platform's preview of the dataset as a table; None where it shows nothing."""
    try:
        rows = client.lake.dataset_preview(dataset_id)[:MOST_ROWS]
    except PlatformError:
        return None
    names = list(dict.fromkeys(name for row in rows for name in row))
    shown = names[:MOST_COLUMNS]
    cells = [[_text(row.get(name)) for name in shown] for row in rows]
    return Table([(name, "") for name in shown], cells, None, len(names) - len(shown)) if rows else None


def _text(value: object) -> str | None:
    if value is None:
        return None
    return (value if isinstance(value, str) else orjson.dumps(value).decode())[:MOST_CHARACTERS]
