"""A file on its way to a person, piece by piece; the platform's token stays here."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple, Self

from jobs.client.api import Client
from jobs.client.errors import PlatformError
from jobs.client.lake import Size
from jobs.connect import client_for
from jobs.models import Activity, ExportJob, Verb
from jobs.results.files import File, Place, located
from jobs.rules.byte_range import Span

log = logging.getLogger(__name__)

# One call to the platform and what one download holds in memory; a slow reader never holds a call open.
PIECE = 4 * 1024 * 1024
# Each download keeps a thread of the web server, which has eight.
AT_ONCE = 3
_slots = threading.BoundedSemaphore(AT_ONCE)


class Busy(Exception):
    """As many files are being downloaded as this process has room for."""


class Opened(NamedTuple):
    """A file that exists, and how large it is now."""

    file: File
    size: Size

    @property
    def etag(self) -> str:
        """Tells this version of this file from any other."""
        whole = "\n".join((self.file.file_id, self.file.path, str(self.size.length), self.size.etag))
        return f'"{hashlib.sha256(whole.encode()).hexdigest()[:32]}"'


def opened(job: ExportJob, batch_id: str, *, file_id: str, path: str) -> Opened:
    """The file of the job's batch; raises a PlatformError."""
    with client_for(job.sandbox, haste=True) as client:
        file = located(Place(job.sandbox, client.lake, batch_id), file_id, path)
        return Opened(file, client.lake.size(file.file_id, file.path))


def download(
    job: ExportJob, batch_id: str, found: Opened, span: Span, *, actor: Any, now: datetime
) -> Pieces:
    """The bytes of the span, noted as taken by that person before the first of them leaves. Raises Busy."""
    if not _slots.acquire(blocking=False):
        raise Busy
    try:
        _note(job, batch_id, found, span, actor=actor, now=now)
        return Pieces(client_for(job.sandbox), found, span)
    except BaseException:
        _slots.release()
        raise


def _note(job: ExportJob, batch_id: str, found: Opened, span: Span, *, actor: Any, now: datetime) -> None:
    is_whole = span.length == found.size.length
    asked = {"bytes": span.length} | ({} if is_whole else {"range": f"{span.first}–{span.last}"})
    Activity.note(
        Verb.RESULT_DOWNLOADED,
        at=now,
        actor=actor,
        target=f"{found.file.name} of batch {batch_id}",
        sandbox=job.sandbox,
        job=job,
        after={"batch": batch_id, "file": found.file.path, **asked},
    )


class Pieces:
    """The bytes of a span in pieces of at most 4 MiB, each fetched when it is wanted.

    Must be closed, read or not. An error of the platform in the middle breaks the reply off: its length was
    promised, so whoever reads sees that it is not whole.
    """

    def __init__(self, client: Client, found: Opened, span: Span) -> None:
        self._client = client
        self._found = found
        self._span = span
        self._next = span.first
        self._open = True

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._next > self._span.last:
            raise StopIteration
        piece = Span(self._next, min(self._next + PIECE - 1, self._span.last))
        file = self._found.file
        try:
            data = self._client.lake.read(file.file_id, file.path, piece, of=self._found.size.length)
        except PlatformError as error:
            log.warning("A download broke off at byte %d: %s", self._next, error.sentence)
            raise
        self._next = piece.last + 1
        return data

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Gives back the connection and the place among the downloads; a second time does nothing."""
        if self._open:
            self._open = False
            _slots.release()
            self._client.close()
