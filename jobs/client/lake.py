"""The calls that read what an export wrote: batches of the catalog, their files, and the bytes of a file.

Links in replies are never followed: addresses are made of ids and of the `path` a listing names, on our own base.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import NamedTuple

from jobs.client import replies
from jobs.client.addresses import below, short
from jobs.client.errors import PlatformError, Unreadable
from jobs.client.pages import container, keyed, page_limit
from jobs.client.stored import Batch, Entry, Listing, read_batch, read_listing
from jobs.client.transport import Transport
from jobs.client.values import plain
from jobs.client.wire import Reply
from jobs.rules.byte_range import Span, held

log = logging.getLogger(__name__)

BATCHES = "/data/foundation/catalog/batches"
EXPORT = "/data/foundation/export"
PAGE_SIZE = 100
MAX_PAGES = 100
MAX_PIECE = 8 * 1024 * 1024
MOST_PREVIEWED = 100
_AS_IT_IS = {"Accept": "*/*", "Accept-Encoding": "identity"}


class Size(NamedTuple):
    """How many bytes a file has, and the mark by which the platform tells its versions apart, or nothing."""

    length: int
    etag: str


class Lake:
    """Batches and files as one credential in one sandbox sees them; every call raises a PlatformError only."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def batch(self, batch_id: str) -> Batch:
        """The batch as the catalog knows it; NotFound if it does not."""
        what = f"reading batch {short(batch_id)}"
        reply = self._transport.get(below(BATCHES, batch_id, what), what=what)
        found = dict(replies.shaped(reply, what, keyed))
        batch = read_batch(batch_id, found.get(batch_id, next(iter(found.values()), None)))
        if batch is None:
            raise replies.unreadable(reply, what=what, why="holds no batch")
        return batch

    def batch_files(self, batch_id: str) -> Iterator[Entry]:
        """All entries of a batch, a hundred a call; each leads to files by `file`."""
        what = f"listing the files of batch {short(batch_id)}"
        yield from self._entries(f"{below(f'{EXPORT}/batches', batch_id, what)}/files", what)

    def file(self, file_id: str) -> Listing:
        """The first hundred things an entry holds: files by name, or further entries where it is a directory."""
        what = f"reading file {short(file_id)}"
        return self._page(below(f"{EXPORT}/files", file_id, what), what, start=0)[0]

    def size(self, file_id: str, path: str) -> Size:
        """How large a file is, by HEAD."""
        what = f"asking for the size of {short(path)}"
        reply = self._transport.head(
            below(f"{EXPORT}/files", file_id, what), what=what, params={"path": path}, headers=_AS_IT_IS
        )
        length = reply.headers.get("Content-Length", "")
        if not length.isdecimal() or len(length) > 18:
            raise replies.unreadable(reply, what=what, why="does not say how large the file is")
        return Size(int(length), reply.headers.get("ETag", "")[:200])

    def read(self, file_id: str, path: str, span: Span, *, of: int) -> bytes:
        """The bytes of a span, at most 8 MiB at once; `of` is how many the whole file has.

        One call answers within a minute (§5), so that whoever wants more asks again. What comes back is these
        bytes of a file of this size or Unreadable: a file that changed meanwhile is never patched together.
        """
        if not 0 < span.length <= MAX_PIECE:
            raise ValueError(f"a piece has 1 to {MAX_PIECE} bytes, not {span.length}")
        what = f"downloading {short(path)}"
        asked = {**_AS_IT_IS, "Range": f"bytes={span.first}-{span.last}"}
        address = below(f"{EXPORT}/files", file_id, what)
        reply = self._transport.get(address, what=what, params={"path": path}, headers=asked)
        return _piece(reply, span, of, what)

    def dataset_preview(self, dataset_id: str) -> list[dict[str, object]]:
        """The first hundred rows of a dataset, whichever batch they came with."""
        what = f"previewing dataset {short(dataset_id)}"
        path = f"{below(f'{EXPORT}/datasets', dataset_id, what)}/preview"
        reply = self._transport.get(path, what=what)
        rows = replies.shaped(reply, what, lambda body: container(body, "data"))
        clean = (plain(row, []) for row in rows[:MOST_PREVIEWED])
        return [row for row in clean if isinstance(row, dict)]

    def _entries(self, path: str, what: str) -> Iterator[Entry]:
        """Over all pages; the end is a page that is not full, or one that brings nothing new."""
        seen: set[str] = set()
        start = 0
        for _ in range(MAX_PAGES):
            listing, count, full = self._page(path, what, start=start)
            fresh = [entry for entry in listing.entries if entry.file_id not in seen]
            seen.update(entry.file_id for entry in fresh)
            yield from fresh
            start += count
            if count < full:
                return
            if not fresh:
                break
        log.warning("Stopped %s after %d entries: the pages repeat or do not end.", what, len(seen))

    def _page(self, path: str, what: str, *, start: int) -> tuple[Listing, int, int]:
        """A page, how many things it named, and how many a full one would name."""
        params = {"start": str(start), "limit": str(PAGE_SIZE)}
        reply = self._transport.get(path, what=what, params=params)
        return replies.shaped(reply, what, _read_page)


def _read_page(body: object) -> tuple[Listing, int, int]:
    data = container(body, "data")
    page = body.get("_page") if isinstance(body, dict) else None
    total = page.get("count") if isinstance(page, dict) else None
    return read_listing(data, total), len(data), page_limit(body, PAGE_SIZE)


def _piece(reply: Reply, span: Span, of: int, what: str) -> bytes:
    """The span of a 206, or cut out of a 200 that sent the whole file after all."""
    said = held(reply.headers.get("Content-Range", ""))
    if reply.headers.get("Content-Encoding", "identity").lower() not in ("", "identity"):
        raise _changed(reply, what, "is compressed, though its bytes were asked for as they are")
    if reply.status == 206 and said == (span, of) and len(reply.body) == span.length:
        return reply.body
    if reply.status == 200 and len(reply.body) == of:
        return reply.body[span.first : span.last + 1]
    raise _changed(reply, what, "does not hold the bytes that were asked for")


def _changed(reply: Reply, what: str, why: str) -> PlatformError:
    sentence = f"{what[:1].upper()}{what[1:]} failed: the reply {why}. Open the results anew and try again."
    return Unreadable(sentence, status=reply.status)
