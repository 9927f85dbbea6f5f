"""Reads what an error reply says, in any of the shapes the platform is known to use (platform.md §3)."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime

import orjson

from jobs.client.values import as_int, as_text, cut, storable

_PARSED_BYTES = 262_144
_LIMIT = 2000
_INNER_LEVELS = 3
_TAGS = re.compile(
    r"<(?:script|style)\b.*?(?:</(?:script|style)[^>]*>|\Z)|<[^>]*>?", re.DOTALL | re.IGNORECASE
)
_SECRETS = re.compile(
    r"eyJ[\w-]{8,}(?:\.[\w-]*){0,2}|(?<=bearer )\S+|(?<=client_secret=)[^&\s]+|(?<=access_token=)[^&\s]+",
    re.IGNORECASE,
)
_ABOUT_SANDBOX = re.compile(r"x-sandbox-name|(?:^|: )sandbox\b|(?:unknown|invalid|no such) sandbox", re.I)
_TYPE_CODE = re.compile(r"[A-Z]{2,}-[0-9]+(?:-[0-9]+)?\Z")

JsonObject = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Said:
    """What the platform said: its words, a code, the type URI, an id for its support, when to come back."""

    detail: str = ""
    code: str = ""
    kind: str = ""
    request_id: str = ""
    retry_after_s: float | None = None
    is_html: bool = False

    @property
    def about_sandbox(self) -> bool:
        """Whether the words complain about the sandbox that was named; no document shows how."""
        return _ABOUT_SANDBOX.search(self.detail) is not None


def read(body: bytes, headers: Mapping[str, str], *, hide: tuple[str, ...] = ()) -> Said:
    """One parser for all shapes, tried in the order of platform.md §3; never raises.

    Secrets in `hide`, and whatever looks like a token, are blotted out of the words.
    """
    said = _of_text(body.decode("utf-8", "replace") if len(body) <= _PARSED_BYTES else _head(body))
    waits = [seconds for seconds in (_retry_after(headers), said.retry_after_s) if seconds is not None]
    return Said(
        detail=cut(_blot(said.detail, hide), _LIMIT),
        code=cut(_blot(said.code, hide), 100),
        kind=cut(_blot(said.kind, hide), 300),
        request_id=cut(_blot(said.request_id or headers.get("x-request-id", ""), hide), 200),
        retry_after_s=max(waits, default=None),
        is_html=said.is_html,
    )


def _head(body: bytes) -> str:
    return body[: _LIMIT * 4].decode("utf-8", "replace")


def _of_text(text: str, level: int = 0) -> Said:
    try:
        value = orjson.loads(text)
    except ValueError:
        return Said(detail=_raw(text), is_html=text.lstrip()[:1] == "<")
    if isinstance(value, list):
        value = next((item for item in value if isinstance(item, dict)), None)
    said = _of_object(value, level) if isinstance(value, dict) else Said()
    return said if said.detail else replace(said, detail=_raw(text) if value else "")


def _of_object(body: JsonObject, level: int) -> Said:
    words = _first_shape(body, level)
    return replace(
        words,
        code=words.code or _code_of_type(words.kind or _text(body, "type")),
        kind=words.kind or _text(body, "type"),
        request_id=_request_id(body) or words.request_id,
        retry_after_s=_milliseconds(body.get("retryAfterMs")) or words.retry_after_s,
    )


def _first_shape(body: JsonObject, level: int) -> Said:
    errors = body.get("errors")
    if _text(body, "error_code"):
        return _said(body, ("message",), ("error_code",), level)
    if isinstance(errors, dict | list) and errors:
        return _errors_map(body, errors, level)
    if _text(body, "title") or _text(body, "detail"):
        return _titled(body, level)
    if _text(body, "message"):
        return _said(body, ("message", "cause"), ("code", "statusCode"), level)
    return _last_resort(body, level)


def _last_resort(body: JsonObject, level: int) -> Said:
    """Shapes I, K and OAuth's: `errorMessage`, `error` with `error_description` or `description`."""
    inner = body.get("error")
    if isinstance(inner, dict) and level < _INNER_LEVELS:
        return _of_object(inner, level + 1)
    said = _said(body, ("errorMessage", "error_description", "description"), ("error", "code"), level)
    return said if said.detail else replace(said, detail=said.code)


def _errors_map(body: JsonObject, errors: object, level: int) -> Said:
    """Shapes B, B′ and C: every message joined, the first code kept; `type` and `title` in or beside it."""
    entries = [_entry(item, level) for item in _entries(errors)]
    inside = errors if isinstance(errors, dict) else {}
    details = list(dict.fromkeys(entry.detail for entry in entries if entry.detail))
    title = _text(body, "title") or _text(inside, "title")
    return Said(
        detail="; ".join(details) or title,
        code=next((entry.code for entry in entries if entry.code), ""),
        kind=_text(body, "type") or _text(inside, "type"),
        request_id=next((entry.request_id for entry in entries if entry.request_id), "")
        or _request_id(inside),
    )


def _entries(errors: object) -> Iterator[object]:
    """The entries of a list, or of a map status → list; B′'s neighbours of the lists are not entries."""
    if isinstance(errors, list):
        yield from errors[:50]
    elif isinstance(errors, dict):
        for value in list(errors.values())[:50]:
            yield from value[:50] if isinstance(value, list) else [value] if isinstance(value, dict) else []


def _entry(item: object, level: int) -> Said:
    if isinstance(item, dict):
        said = _said(item, ("message", "msg", "detail", "description", "title"), ("code", "errorCode"), level)
        return replace(said, request_id=_request_id(item) or said.request_id)
    return Said(detail=as_text(item) or "")


def _titled(body: JsonObject, level: int) -> Said:
    """Shapes E, F, G, H, I and L: the title, and the detail where it adds to it."""
    title, words = _text(body, "title"), _said(body, ("detail", "description"), ("code", "errorCode"), level)
    report = body.get("report")
    code = words.code or (_text(report, "code") if isinstance(report, dict) else "")
    both = f"{title}: {words.detail}" if title and words.detail and title != words.detail else ""
    return replace(words, detail=both or words.detail or title, code=code)


def _said(body: JsonObject, message: tuple[str, ...], code: tuple[str, ...], level: int) -> Said:
    """First message and first code found; a message that is itself JSON is read in its turn, three deep."""
    words = next(filter(None, (_text(body, key) for key in message)), "")
    own = next(filter(None, (_text(body, key) for key in code)), "")
    if words.startswith(("{", "[")) and level < _INNER_LEVELS:
        inner = _of_text(words[:_PARSED_BYTES], level + 1)
        return replace(inner, code=own or inner.code)
    return Said(detail=words, code=own)


def _text(body: JsonObject, key: str) -> str:
    return as_text(body.get(key)) or ""


def _request_id(body: JsonObject) -> str:
    """`requestId`, or the ids of `report` (shapes G and J)."""
    report = body.get("report")
    inner = report if isinstance(report, dict) else {}
    context = inner.get("additionalContext")
    deepest = _text(context, "request-id") if isinstance(context, dict) else ""
    return _text(body, "requestId") or _text(inner, "registryRequestId") or deepest


def _code_of_type(kind: str) -> str:
    """`XDM-1012-404` of `http://ns.adobe.com/aep/errors/XDM-1012-404`."""
    found = _TYPE_CODE.search(kind[-100:])
    return found.group() if found else ""


def _raw(text: str) -> str:
    """The first words of a reply that is not JSON, without markup."""
    return " ".join(html.unescape(_TAGS.sub(" ", text[: _LIMIT * 4])).split())


def _blot(text: str, hide: tuple[str, ...]) -> str:
    for secret in hide:
        text = text.replace(secret, "•••") if len(secret) >= 4 else text
    return storable(_SECRETS.sub("•••", text))


def _milliseconds(value: object) -> float | None:
    number = as_int(value)
    return number / 1000 if number is not None and number >= 0 else None


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds of a Retry-After header, given as seconds or as a date (measured from the reply's own Date)."""
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return float(min(int(value[:9]), 10**8))
    due, sent = http_date(value), http_date(headers.get("Date", ""))
    if due is None:
        return None
    return max(0.0, due - (sent if sent is not None else time.time()))


def http_date(value: str) -> float | None:
    """Epoch seconds of an HTTP date; None if it is none."""
    try:
        return parsedate_to_datetime(value).timestamp()
    except (TypeError, ValueError, OverflowError, IndexError):
        return None
