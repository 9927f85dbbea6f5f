"""Makes of a reply what its call is documented to give, or says that it is something else."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import TypeVar

import orjson

from jobs.client.error_words import UNKNOWN_OUTCOME, failed
from jobs.client.errors import PlatformError, Unreadable, from_response
from jobs.client.pages import WrongShape
from jobs.client.records import RemoteJob, Unusable, read_job
from jobs.client.values import as_text, cut, storable
from jobs.client.wire import Reply

T = TypeVar("T")


def parsed(reply: Reply, *, what: str, safe: bool = True) -> object:
    """The JSON of a reply, or Unreadable.

    orjson reads it; where it refuses what other servers write (NaN, half surrogates, bytes that are no
    UTF-8), the standard library does, so that one odd record does not lose its page.
    """
    try:
        return orjson.loads(reply.body)
    except ValueError:
        pass
    try:
        text = reply.body.decode("utf-8-sig", "replace")
        return json.loads(text, parse_int=_bounded_int, parse_float=float, parse_constant=float)
    except (ValueError, RecursionError):
        pass
    raise from_response(reply.status, reply.headers, reply.body, what=what, safe=safe, hide=reply.hide)


def unreadable(reply: Reply, *, what: str, why: str, safe: bool = True) -> Unreadable:
    """The error for a reply of the wrong shape; `why` completes "the reply …"."""
    advice = "Check that the platform URL leads to the platform." if safe else UNKNOWN_OUTCOME
    sentence = f"{failed(what)}: the reply {why}. {advice}"
    return Unreadable(sentence, status=reply.status, maybe_received=True)


def _bounded_int(digits: str) -> int | float:
    return int(digits) if len(digits) <= 40 else math.inf


def shaped(reply: Reply, what: str, read: Callable[[object], T]) -> T:
    """What `read` makes of the reply's JSON; a body of another shape is Unreadable."""
    body = parsed(reply, what=what)
    try:
        return read(body)
    except WrongShape:
        pass
    raise unreadable(reply, what=what, why="is JSON, but not the list that is documented")


def job(reply: Reply, what: str, *, safe: bool = True) -> RemoteJob:
    """The export job a reply holds."""
    body = parsed(reply, what=what, safe=safe)
    try:
        return read_job(body)
    except Unusable as unusable:
        why = f"is no export job ({unusable.reason.rstrip('.')})"
    raise unreadable(reply, what=what, why=why, safe=safe)


def new_dataset_id(reply: Reply, what: str) -> str:
    """The part after the last slash of `["@/dataSets/<id>"]` (§2.6 item 21), else of the Location header."""
    body = parsed(reply, what=what, safe=False)
    first = body[0] if isinstance(body, list) and body else None
    reference = first if isinstance(first, str) else reply.headers.get("Location", "")
    dataset_id = storable(reference.rstrip("/").rpartition("/")[2])
    if not dataset_id:
        raise unreadable(reply, what=what, why="names no dataset", safe=False)
    return dataset_id


def message(reply: Reply) -> str:
    """The words of a cancel reply, if it has any; whatever else stands there is ignored."""
    try:
        body = parsed(reply, what="reading the reply")
    except PlatformError:
        return ""
    return cut(storable(as_text(body.get("message")) or ""), 500) if isinstance(body, dict) else ""
