"""Which objects of a catalog list are shown, and in which order: property, orderBy, tags, properties.

The words are those of the Catalog guide (platform.md §4.1): they work on top-level properties only. What cannot
be read is refused with 400, naming the parameter.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.http import QueryDict

from emulator.refusals import foundation, ups

Body = Mapping[str, Any]
Test = Callable[[Body], bool]

NAME = r"[A-Za-z_@][A-Za-z0-9_@]{0,63}"
PROPERTY = re.compile(rf"(!?)({NAME})(?:(==|!=|<=|>=|=|~|<|>)(.*))?", re.DOTALL)
ORDER = re.compile(rf"(?:(asc|desc):)?({NAME})")
EQUAL = re.compile(r"([A-Za-z.]{1,60})==(.*)", re.DOTALL)
TAG = re.compile(r"([^:]{1,128}):(.+)", re.DOTALL)
NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,9})?", re.ASCII)
MOST = 20  # conditions in one request


def chosen(found: Iterable[tuple[str, Body]], asked: QueryDict) -> list[tuple[str, Body]]:
    """(id, body) of those that meet every condition, ordered as asked; as they come if nothing was asked."""
    tests = [*map(_property, asked.getlist("property")), *map(_tag, asked.getlist("tags"))]
    if len(tests) > MOST:
        raise foundation(400, f"property and tags may be given {MOST} times at most")
    rows = [(key, body) for key, body in found if all(test(body) for test in tests)]
    for name, is_down in reversed(order(asked)):
        rows.sort(key=lambda row: _sortable(row[1].get(name)), reverse=is_down)
    return rows


def order(asked: QueryDict) -> list[tuple[str, bool]]:
    """(name, descending) of `orderBy=name,desc:created`; `sort` is its older name."""
    parameter = "orderBy" if "orderBy" in asked else "sort"
    wanted: list[tuple[str, bool]] = []
    for word in filter(None, asked.get(parameter, "").split(",")):
        read = ORDER.fullmatch(word)
        if read is None or len(wanted) >= MOST:
            raise foundation(400, f"{parameter} must be like name,desc:created, not '{word[:60]}'")
        wanted.append((read[2], read[1] == "desc"))
    return wanted


def narrowed(body: Body, asked: QueryDict) -> Body:
    """Only the `properties` asked for; what is missing is left out."""
    names = [name for name in asked.get("properties", "").split(",") if name]
    return {name: body[name] for name in names if name in body} if names else body


def named(value: Any, words: str) -> bool:
    """The simple filter: `a,b` is one of these, `!a,b` none of them."""
    is_not, rest = words.startswith("!"), words.removeprefix("!")
    return (str(value) in rest.split(",")) is not is_not


def equal(text: str) -> Test:
    """`path==value` on the objects of a ups list; 400 for anything else."""
    read = EQUAL.fullmatch(text)
    if read is None:
        raise ups(400, f"property must be like audienceId==value, not '{text[:60]}'")
    path, value = read[1].split("."), read[2]

    def test(one: Body) -> bool:
        held: Any = one
        for word in path:
            held = held.get(word) if isinstance(held, dict) else None
        return held is not None and (str(held).lower() if isinstance(held, bool) else str(held)) == value

    return test


def _property(text: str) -> Test:
    """`name`, `!name`, or a comparison; `~` takes `^`, `$` and `*` and is no full regular expression."""
    read = PROPERTY.fullmatch(text)
    if read is None or (read[1] and read[3]):
        raise foundation(400, f"property must be like name, !name or name==value, not '{text[:60]}'")
    is_not, name, sign, value = read.groups()
    if sign is None:
        return lambda body: (name in body) is not bool(is_not)
    if sign == "~" or (sign in ("=", "==") and "*" in value):
        pattern = _pattern(value if sign == "~" else f"^{value}$")
        return lambda body: name in body and pattern.search(_text(body[name])) is not None
    return lambda body: name in body and _compared(body[name], sign, value)


def _pattern(value: str) -> re.Pattern[str]:
    """Literal but for the anchors and `*` (or `.*`), so that no pattern can be expensive."""
    start, end = "^" if value.startswith("^") else "", "$" if value.endswith("$") else ""
    middle = value[len(start) : len(value) - len(end)] if len(value) > len(start) else ""
    parts = middle.replace(".*", "*").split("*")[:8]
    return re.compile(start + ".*".join(map(re.escape, parts)) + end, re.DOTALL)


def _compared(stored: Any, sign: str, value: str) -> bool:
    """Numbers as numbers, everything else as text; booleans are true and false."""
    left, right = _comparable(stored), _comparable(value)
    if type(left) is not type(right):
        left, right = _text(stored), value
    results = {
        "==": left == right,
        "=": left == right,
        "!=": left != right,
        "<": left < right,  # type: ignore[operator]
        "<=": left <= right,  # type: ignore[operator]
        ">": left > right,  # type: ignore[operator]
        ">=": left >= right,  # type: ignore[operator]
    }
    return results[sign]


def _comparable(value: Any) -> float | str:
    text = _text(value)
    return float(text) if NUMBER.fullmatch(text) else text


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _sortable(value: Any) -> tuple[bool, float, str]:
    """Missing ones first, numbers before words."""
    is_number = isinstance(value, int | float)
    return (
        value is not None,
        float(value) if is_number else 0.0,
        "" if is_number or value is None else str(value),
    )


def _tag(text: str) -> Test:
    """`key:value`, `*` in the value stands for anything; the tag holds a list of values."""
    read = TAG.fullmatch(text)
    if read is None:
        raise foundation(400, f"tags must be like key:value, not '{text[:60]}'")
    pattern = _pattern(f"^{read[2]}$")

    def test(body: Body) -> bool:
        tags = body.get("tags")
        values = tags.get(read[1], []) if isinstance(tags, dict) else []
        return any(
            pattern.search(_text(value)) for value in (values if isinstance(values, list) else [values])
        )

    return test
