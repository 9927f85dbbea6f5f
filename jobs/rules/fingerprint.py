"""Which failures are the same failure: the most specific error with everything incidental cut out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from jobs.rules.canonical import digest

VERSION = 1
_LONGEST = 300
_GENERIC_CODES = {"unknown", ""}
_GENERIC_WORDS = ("job aborted", "error in export job")

# Ordered: the wider pattern first, so that a path swallows the host and the number inside it.
_HOLES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), hole)
    for pattern, hole in (
        (r"\b[a-z][a-z0-9+.-]*://[^\s'\",)>\]]+", "<path>"),
        (r"(?<![\w.])/(?:[\w.@-]+/)+[\w.@-]*", "<path>"),
        (r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "<id>"),
        (r"\b\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?", "<time>"),
        (r"\b(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?\b", "<host>"),
        (r"\b(?:[a-z0-9-]+\.){2,}(?:net|com|org|io|local|internal)(?::\d+)?\b", "<host>"),
        (r"\b(?=[0-9a-z]*\d)(?=[0-9a-z]*[a-z])[0-9a-z]{16,}\b", "<id>"),
        (r"\b0x[0-9a-f]+\b", "<id>"),
        (r"\d+(?:[.,]\d+)*", "<n>"),
    )
)


class AnError(Protocol):
    """An entry of a record's `errors`."""

    @property
    def code(self) -> str: ...
    @property
    def message(self) -> str: ...
    @property
    def call_stack(self) -> str: ...


class Signature(NamedTuple):
    """A kind of failure: its code, its message with holes, and the digest that names it."""

    code: str
    pattern: str
    digest: str


def signature(errors: Sequence[AnError]) -> Signature | None:
    """The kind of failure a job's errors stand for; None when it gave none."""
    chosen = most_specific(errors)
    if chosen is None:
        return None
    pattern = with_holes(chosen.message)
    return Signature(chosen.code, pattern, digest([VERSION, chosen.code, pattern]))


def most_specific(errors: Sequence[AnError]) -> AnError | None:
    """The error that says most: not the generic wrapper that Spark puts behind it (platform.md §6)."""
    return min(errors, key=_generic, default=None)


def _generic(error: AnError) -> int:
    words = error.message.lower()
    return (error.code.lower() in _GENERIC_CODES) * 2 + any(word in words for word in _GENERIC_WORDS)


def with_holes(message: str) -> str:
    """A message with paths, ids, times, hosts and numbers replaced by holes, on one line, at most 300 characters."""
    text = " ".join(message[:2000].split())
    for pattern, hole in _HOLES:
        text = pattern.sub(hole, text)
    return text[:_LONGEST]
