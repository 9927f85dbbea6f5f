"""Read what a client sends, JSON bodies and numbers in the query, or refuse it saying what is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest

from emulator.refusals import Refusal

Refuse = Callable[[int, str], Refusal]
LARGEST = 2**53
BULK = 100


def json_object(request: HttpRequest, refuse: Refuse) -> dict[str, Any]:
    """The body as an object; anything else is refused with 400."""
    value = _json(request, refuse)
    if not isinstance(value, dict):
        raise refuse(400, "The request body must be a JSON object")
    return value


def json_array(request: HttpRequest, refuse: Refuse) -> list[Any]:
    """The body as an array; anything else is refused with 400."""
    value = _json(request, refuse)
    if not isinstance(value, list):
        raise refuse(400, "The request body must be a JSON array")
    return value


def bulk_ids(request: HttpRequest, refuse: Refuse) -> set[str]:
    """The ids of `{"ids": [{"id": …}]}`; none, or more than 100, are refused."""
    entries = json_object(request, refuse).get("ids")
    if not isinstance(entries, list) or not 1 <= len(entries) <= BULK:
        raise refuse(400, f"ids must be an array of 1 to {BULK} objects with an id")
    for place, entry in enumerate(entries):
        if not isinstance(entry, dict) or not isinstance(entry.get("id"), str):
            raise refuse(400, f"ids[{place}].id must be a string")
    return {entry["id"] for entry in entries}


def _json(request: HttpRequest, refuse: Refuse) -> Any:
    try:
        value = json.loads(request.body, parse_constant=_not_json)
        json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        raise refuse(400, "The request body is nested too deeply") from None
    except ValueError as error:
        raise refuse(400, f"The request body is not valid JSON: {error}") from None
    return value


def whole_number(
    request: HttpRequest, name: str, *, default: int, least: int, most: int, refuse: Refuse
) -> int:
    """A number from the query between `least` and `most`."""
    text = request.GET.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 15 and least <= int(text) <= most):
        raise refuse(400, f"{name} must be a whole number from {least} to {most}, not '{text[:40]}'")
    return int(text)


def _not_json(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")
