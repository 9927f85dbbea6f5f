"""Reads JSON that a person or a program sent us, within limits that are checked before it is parsed."""

from __future__ import annotations

import json
import re

MAX_BYTES = 262_144
MAX_DEPTH = 20
_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"?', re.DOTALL)
_INT_DIGITS = 19


class PayloadErrors(Exception):
    """What is wrong with a payload: (dotted path, sentence) pairs; the path is empty for the whole of it."""

    def __init__(self, errors: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{path}: {text}" if path else text for path, text in errors))
        self.errors = errors


def load_json(text: str | bytes) -> object:
    """The value of JSON text of at most 256 KiB and 20 levels; PayloadErrors if it is anything else.

    Stricter than most parsers: no NaN, no whole number that a parser would round, no key twice in an object.
    """
    decoded = _decoded(text)
    if _depth(decoded) > MAX_DEPTH:
        raise PayloadErrors([("", f"The JSON is nested deeper than {MAX_DEPTH} levels.")])
    try:
        return json.loads(
            decoded, object_pairs_hook=_once_each, parse_constant=_no_constant, parse_int=_exact_int
        )
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        sentence = f"This is not JSON: {error.msg[:1].lower()}{error.msg[1:]} at {where}."
    except ValueError as error:
        sentence = str(error)
    raise PayloadErrors([("", sentence)])


def _decoded(text: str | bytes) -> str:
    size = len(text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text)
    if size > MAX_BYTES:
        raise PayloadErrors([("", f"The JSON has {size:,} bytes; {MAX_BYTES:,} are taken at most.")])
    try:
        return text if isinstance(text, str) else text.decode("utf-8")
    except UnicodeDecodeError:
        raise PayloadErrors([("", "The JSON is not UTF-8 text.")]) from None


def _depth(text: str) -> int:
    """How many brackets are open at once at most; those within strings do not count."""
    depth = deepest = 0
    for bracket in re.findall(r"[\[\]{}]", _STRINGS.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _once_each(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"The key “{key[:60]}” stands twice in one object; which one is meant?")
        found[key] = value
    return found


def _no_constant(word: str) -> object:
    raise ValueError(f"{word} is not JSON.")


def _exact_int(digits: str) -> int:
    if len(digits.lstrip("-")) > _INT_DIGITS - 1:
        raise ValueError(f"The number {digits[:30]} is too large to be kept exactly.")
    return int(digits)
