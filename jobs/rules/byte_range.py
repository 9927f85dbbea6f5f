"""Which bytes of a file a Range header asks for, and which ones a reply says it holds."""

from __future__ import annotations

import re
from typing import NamedTuple

_ONE_RANGE = re.compile(r"bytes=[ \t]*([0-9]{0,18})-([0-9]{0,18})[ \t]*", re.IGNORECASE)
_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})", re.IGNORECASE)


class Unsatisfiable(Exception):
    """A range that lies outside of the file: 416."""


class Span(NamedTuple):
    """Bytes from `first` to `last`, both of them included."""

    first: int
    last: int

    @property
    def length(self) -> int:
        return self.last - self.first + 1


def wanted(header: str, length: int) -> Span | None:
    """The one range of `header` within a file of `length` bytes; None where the whole file is to be sent.

    Several ranges and anything malformed count as not asked (RFC 9110 §14.2 lets a server ignore them). Raises
    Unsatisfiable.
    """
    found = _ONE_RANGE.fullmatch(header.strip())
    if not found or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if not first:
        return _suffix(int(last), length)
    if last and int(last) < int(first):
        return None
    if int(first) >= length:
        raise Unsatisfiable
    return Span(int(first), min(int(last), length - 1) if last else length - 1)


def _suffix(count: int, length: int) -> Span:
    if not count or not length:
        raise Unsatisfiable
    return Span(max(0, length - count), length - 1)


def held(content_range: str) -> tuple[Span, int] | None:
    """Which bytes a `Content-Range` names and how many the file has; None if it says no such thing."""
    found = _CONTENT_RANGE.fullmatch(content_range.strip())
    if not found:
        return None
    first, last, total = map(int, found.groups())
    return (Span(first, last), total) if first <= last < total else None
