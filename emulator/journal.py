"""The journal of what reached the platform, newest last, with secrets and tokens masked."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponseBase
from django.utils.http import http_date

from emulator import clock, refusals

KEPT = 2_000
BODY_KEPT = 64 * 1024
SECRET = re.compile(
    r"""((?:client_secret|access_token|jwt_token)["']?\s*[:=]\s*["']?)[^&"'\s,}]+""", re.IGNORECASE
)
TOKEN = re.compile(r"eyJ[\w.-]{20,}")

_entries: deque[dict[str, Any]] = deque(maxlen=KEPT)


class JournalMiddleware:
    """Writes the journal, and stamps every reply with the platform's clock."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._answer(request) if is_platform(request.path) else self.get_response(request)
        response.headers["Date"] = http_date((clock.now_ms() + getattr(request, "clock_off_ms", 0)) / 1000)
        return response

    def _answer(self, request: HttpRequest) -> HttpResponseBase:
        try:
            entry = _entry(request)
        except RequestDataTooBig:
            return refusals.plain(413, "The request body is larger than 2 MB").response()
        _entries.append(entry)
        response = self.get_response(request)
        entry["status"] = response.status_code
        return response


def is_platform(path: str) -> bool:
    """Whether the path is one the platform has, not one of the emulator's own."""
    return path.startswith(("/data/", "/ims/"))


def entries(*, method: str = "", path: str = "") -> list[dict[str, Any]]:
    """Those of this method whose path begins so, oldest first."""
    found = list(_entries)
    return [e for e in found if e["path"].startswith(path) and (not method or e["method"] == method.upper())]


def clear() -> None:
    _entries.clear()


def masked(text: str) -> str:
    return TOKEN.sub("***", SECRET.sub(r"\1***", text))


def _entry(request: HttpRequest) -> dict[str, Any]:
    """`status` stays null when the connection was cut instead of answered."""
    body = masked(request.body[:BODY_KEPT].decode(errors="replace"))
    return {
        "at_ms": clock.now_ms(),
        "method": request.method,
        "path": request.path,
        "query": masked(request.META.get("QUERY_STRING", "")),
        "headers": sorted(name.lower() for name in request.headers),
        "sandbox": request.headers.get("x-sandbox-name", ""),
        "request_id": request.headers.get("x-request-id", ""),
        "body": body,
        "json": _as_json(body),
        "status": None,
    }


def _as_json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
