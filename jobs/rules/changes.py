"""What differs between two readings of the same record, path by path."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson

MAX_CHANGES = 200
_ABSENT: Any = object()


class Change(NamedTuple):
    """One path whose value changed; None where it was absent before or is absent now."""

    path: str
    before: Any
    after: Any


def changes(before: Any, after: Any) -> list[Change]:
    """The changed leaves between two JSON values, in the order of the newer one; at most 200."""
    found = []
    for change in _walk(before, after, ""):
        found.append(change)
        if len(found) == MAX_CHANGES:
            break
    return found


def _walk(before: Any, after: Any, path: str) -> Iterator[Change]:
    if isinstance(after, dict | list) and _same(before, after):
        return
    if isinstance(before, dict) and isinstance(after, dict):
        keys = list(after) + [key for key in before if key not in after]
        for key in keys:
            yield from _walk(
                before.get(key, _ABSENT), after.get(key, _ABSENT), f"{path}.{key}" if path else str(key)
            )
    elif isinstance(before, list) and isinstance(after, list):
        for index in range(max(len(before), len(after))):
            yield from _walk(_at(before, index), _at(after, index), f"{path}[{index}]")
    elif isinstance(after, dict) and after and before is _ABSENT:
        yield from _walk({}, after, path)
    elif before is not after and (type(before) is not type(after) or before != after):
        yield Change(path, _shown(before), _shown(after))


def _same(before: Any, after: Any) -> bool:
    """Whether both are spelled alike, types and all: quicker than looking at each leaf, and mostly so."""
    try:
        return type(before) is type(after) and orjson.dumps(before) == orjson.dumps(after)
    except TypeError:
        return False


def _at(items: list[Any], index: int) -> Any:
    return items[index] if index < len(items) else _ABSENT


def _shown(value: Any) -> Any:
    return None if value is _ABSENT else value
