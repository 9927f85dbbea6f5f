"""Faults on order: rules that make the platform misbehave for the next matching requests."""

from __future__ import annotations

import json
import os
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse

from emulator.failures import CODES
from emulator.journal import is_platform
from emulator.models import Token

MATCHES = {"method", "path", "regex", "sandbox"}
DEEDS = {"expire_tokens", "delay_s", "reset", "reply", "records", "outcome"}
REPLY = {"status", "headers", "json", "text", "truncate", "after"}
OUTCOME = {"code", "never", "warn", "profiles"}
RESET_AT_CLOSE = struct.pack("ii", 1, 0)


@dataclass
class Rule:
    """Whom it hits and what it does.

    match: `method`, `path` (a prefix), `regex` (found in the path), `sandbox`; what is left out matches all.
    times: for how many requests it still holds; None for all of them.
    do, in the order in which it happens:
      `expire_tokens`: true      every access token ends now
      `delay_s`: seconds         before anything else is done
      `reset`: "before"|"after"  the connection is cut before the request is handled, or once it is done
      `reply`: {status, headers, json|text, truncate: bytes, after: bool}
                                 this instead of handling the request; with `after` it is handled first, and
                                 its own body is kept unless json or text is given
      `records`: [...]           these raw records stand first in the job list, whatever they are
      `outcome`: {...}           how a job created by this request ends, see `jobs.ordered_ending`
    """

    rule_id: int
    do: Mapping[str, Any]
    match: Mapping[str, str] = field(default_factory=dict)
    times: int | None = 1
    hits: int = 0

    def hit_by(self, request: HttpRequest) -> bool:
        wanted = self.match
        return (
            wanted.get("method", request.method) == request.method
            and request.path.startswith(wanted.get("path", ""))
            and re.search(wanted.get("regex", ""), request.path) is not None
            and wanted.get("sandbox", "") in ("", request.headers.get("x-sandbox-name", ""))
        )


_rules: list[Rule] = []
_lock = threading.Lock()
_given = 0


def order(*, do: Mapping[str, Any], match: Mapping[str, str], times: int | None) -> Rule:
    """Place a rule; of those that match a request, the oldest acts. ValueError for one that means nothing."""
    global _given
    _check(do, match, times)
    with _lock:
        _given += 1
        rule = Rule(_given, do, match, times)
        _rules.append(rule)
    return rule


def _check(do: Mapping[str, Any], match: Mapping[str, str], times: int | None) -> None:
    if unknown := (set(match) - MATCHES) | (set(do) - DEEDS):
        raise ValueError(f"unknown in a fault rule: {', '.join(sorted(unknown))}")
    if unknown := (set(do.get("reply", {})) - REPLY) | (set(do.get("outcome", {})) - OUTCOME):
        raise ValueError(f"unknown in a fault rule: {', '.join(sorted(unknown))}")
    if do.get("outcome", {}).get("code", CODES[0]) not in CODES:
        raise ValueError(f"outcome.code may be {', '.join(CODES)}")
    if times is not None and type(times) is not int:
        raise ValueError("times must be a whole number or null")
    if do.get("reset", "before") not in ("before", "after") or do.get("delay_s", 0) < 0:
        raise ValueError("reset is before or after, delay_s at least 0")
    re.compile(match.get("regex", ""))


def rules() -> list[dict[str, Any]]:
    with _lock:
        return [asdict(rule) for rule in _rules]


def clear() -> None:
    with _lock:
        _rules.clear()


def take(request: HttpRequest) -> Mapping[str, Any]:
    """What to do to this request: {} when no rule holds for it."""
    with _lock:
        for rule in _rules:
            if rule.times != 0 and rule.hit_by(request):
                rule.hits += 1
                rule.times = None if rule.times is None else rule.times - 1
                return rule.do
    return {}


class FaultMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        do = take(request) if is_platform(request.path) else {}
        request.outcome = do.get("outcome", {})  # type: ignore[attr-defined]
        if do.get("expire_tokens"):
            Token.objects.all().delete()
        time.sleep(do.get("delay_s", 0))
        if do.get("reset") == "before":
            _cut(request)
        reply = do.get("reply")
        if reply is not None and not reply.get("after"):
            return _replied(HttpResponse(), reply)
        response = self.get_response(request)
        if do.get("reset") == "after":
            _cut(request)
        if "records" in do:
            _put_first(response, do["records"])
        return response if reply is None else _replied(response, reply)


def _replied(response: HttpResponseBase, reply: Mapping[str, Any]) -> HttpResponse:
    """A reply as ordered, over what handling the request gave."""
    content = response.content if isinstance(response, HttpResponse) else b""
    kind = response.headers.get("Content-Type", "") if reply.get("after") else "text/html"
    if "json" in reply:
        content, kind = json.dumps(reply["json"]).encode(), "application/json"
    elif "text" in reply:
        content = reply["text"].encode()
    headers = {"Content-Type": kind} | dict(reply.get("headers", {}))
    return HttpResponse(content[: reply.get("truncate")], status=reply.get("status", 200), headers=headers)


def _put_first(response: HttpResponseBase, records: list[Any]) -> None:
    """Only a list of jobs has a place for them; any other reply stays as it is."""
    page = json.loads(response.content) if isinstance(response, JsonResponse) else None
    if isinstance(response, JsonResponse) and isinstance(page, dict) and "records" in page:
        response.content = json.dumps(page | {"records": records + page["records"]}).encode()


def _cut(request: HttpRequest) -> None:
    """Reset the client's TCP connection now; the error raised makes the server give up on it quietly."""
    handler: BaseHTTPRequestHandler = request.META["emulator.handler"]
    handler.close_connection = True
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
    os.close(handler.connection.detach())
    raise ConnectionResetError("cut on order")
