"""The first rows of a Parquet file far away: its beginning and its footer are fetched, a child process reads them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs.client.lake import MAX_PIECE
from jobs.rules.byte_range import Span

Read = Callable[[Span], bytes]

READER = Path(__file__).with_name("parquet.py")
AT_FIRST = 4 * 1024 * 1024
AT_MOST = 64 * 1024 * 1024
TAIL = 64 * 1024
MARK = b"PAR1"
WITHIN_S = 20


class NotReadable(Exception):
    """The rows cannot be shown; `reason` is a sentence."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Table:
    """Rows as text, null as None, long values cut; `total` rows are in the file, `left_out` columns not shown."""

    columns: list[tuple[str, str]]
    rows: list[list[str | None]]
    total: int | None
    left_out: int = 0


def first_rows(read: Read, *, length: int, limit: int) -> Table:
    """At most `limit` rows of a file of `length` bytes, of which `read` gives spans of up to 8 MiB.

    Fetches 4 MiB and the footer, and up to 64 MiB if the first group of rows is larger; what lies between is a hole
    in a file that is removed afterwards. Raises NotReadable, and whatever `read` raises.
    """
    with tempfile.TemporaryDirectory(prefix="first-rows-") as home:
        path = Path(home) / "part.parquet"
        with path.open("wb") as local:
            _reserve(local, length)
            copy = _Copy(read, local, length)
            copy.footer()
            copy.beginning(AT_FIRST)
            said = _child(path, held=copy.held, limit=limit)
            if "needs" in said:
                copy.beginning(_affordable(int(said["needs"])))
                said = _child(path, held=copy.held, limit=limit)
    if "needs" in said:
        raise NotReadable("The file ends before its first group of rows does.")
    return Table(
        [(name, kind) for name, kind in said["columns"]], said["rows"], said["total"], said["left_out"]
    )


class _Copy:
    """A local copy with a hole: the first `held` bytes and the end are there."""

    def __init__(self, read: Read, local: Any, length: int) -> None:
        self._read = read
        self._local = local
        self._length = length
        self.held = 0

    def footer(self) -> None:
        """Its length stands in the last eight bytes, before the mark that every Parquet file ends in."""
        tail = self._fetch(max(0, self._length - TAIL), self._length)
        if len(tail) < 12 or not tail.endswith(MARK):
            raise NotReadable("This is no Parquet file, so its rows cannot be shown.")
        size = int.from_bytes(tail[-8:-4], "little") + 8
        if size > min(self._length, AT_MOST):
            raise NotReadable(
                "The footer of this Parquet file is broken or too large, so its rows cannot be shown."
            )
        self._fetch(self._length - size, self._length - min(len(tail), size))

    def beginning(self, end: int) -> None:
        """Everything up to `end`, or to the end of the file."""
        self._fetch(self.held, min(end, self._length))
        self.held = max(self.held, min(end, self._length))

    def _fetch(self, start: int, end: int) -> bytes:
        """Writes the bytes to their place, in pieces; the last piece."""
        data = b""
        for first in range(start, end, MAX_PIECE):
            data = self._read(Span(first, min(first + MAX_PIECE, end) - 1))
            self._local.seek(first)
            self._local.write(data)
        self._local.flush()
        return data


def _reserve(local: Any, length: int) -> None:
    """A hole of the file's length, which takes no room; some file systems have none that large."""
    try:
        local.truncate(length)
    except OSError:
        raise NotReadable("The file is too large for a preview: download it instead.") from None


def _affordable(needs: int) -> int:
    if needs > AT_MOST:
        raise NotReadable(
            f"The first group of rows has {needs >> 20} MiB, too much for a preview: download the file."
        )
    return needs


def _child(path: Path, *, held: int, limit: int) -> dict[str, Any]:
    """What parquet.py prints. It gets none of our environment, so no secret either, and a limited time."""
    command = [sys.executable, "-I", str(READER), str(path), str(held), str(limit)]
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LD_LIBRARY_PATH")}
    try:
        done = subprocess.run(
            command,
            env=kept | {"TZ": "UTC"},
            cwd=path.parent,
            capture_output=True,
            timeout=WITHIN_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise NotReadable("Reading the rows took too long: download the file instead.") from None
    if done.returncode:
        words = done.stderr.decode("utf-8", "replace").replace(str(path), path.name).strip()[-300:]
        raise NotReadable(f"The file could not be read as Parquet. {words}")
    return json.loads(done.stdout)
