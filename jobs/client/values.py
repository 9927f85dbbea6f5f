"""Reads single values of remote JSON, whatever their type, and makes text that a database can store."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import Any

ID_LIMIT = 200
WORD_LIMIT = 100
NAME_LIMIT = 500
MAX_DEPTH = 64
INT64 = 2**63
_NOT_STORABLE = re.compile("[\x00\ud800-\udfff]")
_NUMERIC = re.compile(r"[+-]?[0-9]{1,19}")
# What an epoch number is counted in follows from its size: each unit covers the years 1971 to 2199,
# and these windows do not overlap.
_FROM_S, _UNTIL_S = 31_536_000, 7_258_118_400
_UNITS_PER_S = {"seconds": 1, "milliseconds": 10**3, "microseconds": 10**6, "nanoseconds": 10**9}


def storable(text: str) -> str:
    """The text with NUL and lone surrogates, which PostgreSQL and UTF-8 refuse, as U+FFFD each."""
    return _NOT_STORABLE.sub("\ufffd", text)


def cut(text: str, limit: int) -> str:
    """At most `limit` characters; a cut text ends with an ellipsis."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def plain(value: object, notes: list[str], depth: int = 0) -> object:
    """A JSON value that can be dumped and stored anywhere; each kind of change is noted once.

    Text as in `storable`, NaN and infinities as null, integers beyond 64 bits as text, anything deeper than
    64 levels as a mark.
    """
    if isinstance(value, str):
        return _plain_text(value, notes)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return _plain_number(value, notes)
    if depth >= MAX_DEPTH:
        _note(notes, f"Parts deeper than {MAX_DEPTH} levels were left out.")
        return "…"
    if isinstance(value, dict):
        return {_plain_text(str(k), notes): plain(v, notes, depth + 1) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner, notes, depth + 1) for inner in value]
    _note(notes, f"A value of type {type(value).__name__} is not JSON and was left out.")
    return None


def is_plain(value: Any, depth: int = 0) -> bool:
    """Whether `plain` would leave the value as it is: several times as quick as finding out by doing it."""
    kind = type(value)
    if kind is str:
        return _NOT_STORABLE.search(value) is None
    if kind is int:
        return -INT64 <= value < INT64
    if kind is dict:
        return depth < MAX_DEPTH and all(
            type(key) is str and is_plain(key) and is_plain(inner, depth + 1) for key, inner in value.items()
        )
    if kind is list:
        return depth < MAX_DEPTH and all(is_plain(inner, depth + 1) for inner in value)
    if kind is float:
        return math.isfinite(value)
    return value is None or kind is bool


def _plain_text(value: str, notes: list[str]) -> str:
    clean = storable(value)
    if clean is not value and clean != value:
        _note(notes, "Characters that cannot be stored (NUL or half surrogates) were replaced by \ufffd.")
    return clean


def _plain_number(value: int | float, notes: list[str]) -> object:
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        _note(notes, "A number that is not finite (NaN or infinity) was read as missing.")
        return None
    if -INT64 <= value < INT64:
        return value
    _note(notes, "A whole number beyond 64 bits is kept as text.")
    return str(value) if value.bit_length() < 4096 else "…"


def _note(notes: list[str], sentence: str) -> None:
    if sentence not in notes:
        notes.append(sentence)


def as_text(value: object) -> str | None:
    """Text of a text or a number ("24115" for 24115, "24115" and 24115.0); None for anything else."""
    if isinstance(value, str):
        return value.strip()
    whole = None if isinstance(value, bool) else as_int(value)
    if whole is not None:
        return str(whole)
    return str(value) if isinstance(value, float) and math.isfinite(value) else None


def as_int(value: object) -> int | None:
    """A whole number within 64 bits of a number or its text; None for anything else, booleans included."""
    if isinstance(value, str) and _NUMERIC.fullmatch(value.strip()):
        value = int(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if -INT64 <= value < INT64 else None


def as_flag(value: object) -> bool | None:
    """True or False of a boolean, its text in any case, 0 or 1; None for anything else."""
    if isinstance(value, bool):
        return value
    word = as_text(value)
    return {"true": True, "1": True, "false": False, "0": False}.get((word or "").lower())


def epoch_ms(value: object) -> tuple[int, str] | None:
    """Epoch milliseconds and the unit they were sent in; None where no unit gives a year 1971 to 2199."""
    number = as_int(value)
    if number is None:
        return None
    for unit, per_second in _UNITS_PER_S.items():
        if _FROM_S * per_second <= number < _UNTIL_S * per_second:
            return number * 1000 // per_second, unit
    return None


def moment(ms: int) -> datetime:
    """The UTC time of epoch milliseconds."""
    return datetime.fromtimestamp(ms // 1000, UTC).replace(microsecond=ms % 1000 * 1000)


def iso_time(text: str) -> datetime | None:
    """The UTC time of ISO 8601 text; without an offset it is taken as UTC; None if there is no such time."""
    try:
        parsed = datetime.fromisoformat(text.strip().upper())
        aware = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
        return aware.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
