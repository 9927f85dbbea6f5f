"""Byte ranges of a download: what a Range header asks for, and the bytes in small pieces."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

RANGE = re.compile(r"bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})", re.ASCII | re.IGNORECASE)
PIECE = 256 * 1024


def wanted(header: str, length: int) -> tuple[int, int] | None:
    """(first, last) byte asked for, or None: the whole file, because nothing or nonsense was asked.

    Several ranges at once are answered with the whole file, as RFC 9110 §14.2 allows. ValueError for a range
    that lies outside of the file.
    """
    read = RANGE.fullmatch(header.strip())
    if read is None or not (read[1] or read[2]):
        return None
    if not read[1]:
        first, last = max(0, length - int(read[2])), length - 1
    else:
        first, last = int(read[1]), min(length - 1, int(read[2] or length))
        if read[2] and int(read[2]) < int(read[1]):
            return None
    if first > last or first >= length:
        raise ValueError(header)
    return first, last


def pieces(file: BinaryIO, first: int, last: int) -> Iterator[bytes]:
    """The bytes from first to last, both included, never more than `PIECE` in memory; the file is closed."""
    with file:
        file.seek(first)
        left = last - first + 1
        while left > 0 and (piece := file.read(min(PIECE, left))):
            left -= len(piece)
            yield piece
