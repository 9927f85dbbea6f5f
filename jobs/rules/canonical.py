"""One spelling for equal payloads and records, so that sameness is a comparison of two digests."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import orjson

_DEFAULTS: dict[str, Any] = {
    "segmentNs": "ups",
    "segmentPerBatch": False,
    "emptyProfiles": False,
    "segmentation": False,
}


def digest(value: object) -> str:
    """SHA-256 of a JSON value in one spelling: keys sorted, no blanks, not escaped."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def record_digest(raw: dict[str, Any]) -> str:
    """SHA-256 of a record as the platform sent it, whatever the order of its keys; quick, for every poll."""
    return hashlib.sha256(orjson.dumps(raw, option=orjson.OPT_SORT_KEYS)).hexdigest()


def payload_digest(payload: dict[str, Any]) -> str:
    """Digest of what a create payload means: documented defaults left out, lists that are sets sorted.

    Two payloads with one digest ask the platform for the same export (platform.md §2.2 for the defaults).
    """
    return digest(_meaning(payload))


def _meaning(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        pairs = {name: _meaning(inner, name) for name, inner in value.items()}
        return {name: inner for name, inner in pairs.items() if not _says_nothing(name, inner)}
    if isinstance(value, list):
        return sorted((_meaning(inner) for inner in value), key=digest)
    if key == "fields" and isinstance(value, str):
        return sorted({path.strip() for path in value.split(",") if path.strip()})
    if key == "segmentNs" and isinstance(value, str):
        return value.lower()
    return value


def _says_nothing(name: str, value: Any) -> bool:
    """Whether a member may be left out without changing what is asked for.

    An empty `eventList` does say something: its presence alone exports events (seed 002).
    """
    if name in ("eventList", "additionalFields"):
        return False
    return value in (None, "", [], {}) or (name in _DEFAULTS and value == _DEFAULTS[name])
