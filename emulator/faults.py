"""Faults on order: rules that make the platform misbehave for the next matching requests."""

from __future__ import annotations

import json
import os
import re
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from random import Random
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.utils.http import http_date

from emulator import clock, quirks, runner
from emulator.failures import CODES
from emulator.journal import is_platform
from emulator.models import Job, Token
from emulator.presets import PRESETS

MATCHES = {"method", "path", "regex", "sandbox"}
DEEDS = {
    "expire_tokens",
    "vanish",
    "delay_s",
    "reset",
    "reply",
    "records",
    "outcome",
    "delay_after_s",
    "clock_off_s",
    "break_off",
    "stall",
    "endless_s",
}
NUMBERS = {"delay_s", "delay_after_s", "clock_off_s", "break_off", "stall", "endless_s"}
REPLY = {"status", "headers", "json", "text", "truncate", "after", "retry_s"}
OUTCOME = {"code", "never", "warn", "profiles", "miscount"}
RESET_AT_CLOSE = struct.pack("ii", 1, 0)
TIMES = {
    *("creationTime", "updateTime", "createTime", "startTimeInMs", "endTimeInMs", "startTime", "endTime"),
    *("created", "updated", "updateEpoch", "createEpoch"),
}
ITEM_ID = re.compile(r"/export/jobs/([^/]+)/?$")


@dataclass
class Rule:
    """Whom it hits and what it does.

    match: `method`, `path` (a prefix), `regex` (found in the path), `sandbox`; what is left out matches all.
    times: for how many requests it still holds; None for all of them.
    chance: how probably it strikes a request that it matches, from 0 to 1; drawn from the seed, rule by rule.
    name: of the preset it was made from.
    do, in the order in which it happens:
      `expire_tokens`: true      every access token ends now
      `vanish`: true             the job named in the path is gone for good
      `delay_s`: seconds         before anything else is done
      `reset`: "before"|"after"  the connection is cut before the request is handled, or once it is done
      `reply`: {status, headers, json|text, truncate: bytes, after: bool}
                                 this instead of handling the request; with `after` it is handled first, and
                                 its own status and body are kept unless others are given; `retry_s` makes a
                                 Retry-After that is a date
      `delay_after_s`: seconds   once the request is done
      `records`: [...]           these raw records stand first in the job list, whatever they are
      `clock_off_s`: seconds     every time in the reply is that much off, its Date as well
      `break_off`: bytes         the connection is cut after so many bytes of the body
      `stall`: bytes             the body stops there, until the client gives up
      `endless_s`: seconds       a byte of white space at this interval instead of the body, until it gives up
      `outcome`: {...}           how a job created by this request ends, see `jobs.launch`
    """

    rule_id: int
    do: Mapping[str, Any]
    match: Mapping[str, str] = field(default_factory=dict)
    times: int | None = 1
    chance: float = 1.0
    name: str = ""
    hits: int = 0
    rng: Random = field(default_factory=Random, repr=False)

    def told(self) -> dict[str, Any]:
        """As JSON."""
        shown = ("rule_id", "name", "match", "times", "chance", "hits", "do")
        return {key: getattr(self, key) for key in shown}

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


def order(
    *, do: Mapping[str, Any], match: Mapping[str, str], times: int | None, chance: float = 1.0, name: str = ""
) -> Rule:
    """Place a rule; of those that match a request, the oldest acts. ValueError for one that means nothing."""
    global _given
    _check(do, match, times, chance)
    with _lock:
        _given += 1
        rule = Rule(_given, do, match, times, chance, name, rng=Random(f"{settings.SEED}/fault/{_given}"))
        _rules.append(rule)
    return rule


def order_preset(
    name: str, *, match: Mapping[str, str] | None = None, times: int | None = None, chance: float = 1.0
) -> Rule:
    """Place one of `PRESETS`; `match` narrows its place. ValueError for an unknown name."""
    if name not in PRESETS:
        raise ValueError(f"no such fault: {name}; known are {', '.join(PRESETS)}")
    preset = PRESETS[name]
    return order(do=preset.do, match={**preset.match, **(match or {})}, times=times, chance=chance, name=name)


def order_words(words: Iterable[str]) -> None:
    """`NAME` or `NAME:0.2`, as the command line gives them. ValueError for one that cannot be."""
    for word in words:
        name, _, chance = word.partition(":")
        order_preset(name, chance=float(chance) if chance else 1.0)


def _check(do: Mapping[str, Any], match: Mapping[str, str], times: int | None, chance: float) -> None:
    if unknown := (set(match) - MATCHES) | (set(do) - DEEDS):
        raise ValueError(f"unknown in a fault rule: {', '.join(sorted(unknown))}")
    if unknown := (set(do.get("reply", {})) - REPLY) | (set(do.get("outcome", {})) - OUTCOME):
        raise ValueError(f"unknown in a fault rule: {', '.join(sorted(unknown))}")
    if do.get("outcome", {}).get("code", CODES[0]) not in CODES:
        raise ValueError(f"outcome.code may be {', '.join(CODES)}")
    if times is not None and type(times) is not int:
        raise ValueError("times must be a whole number or null")
    if wrong := [key for key in NUMBERS & set(do) if type(do[key]) not in (int, float)]:
        raise ValueError(f"{', '.join(sorted(wrong))} must be a number")
    if do.get("reset", "before") not in ("before", "after") or do.get("delay_s", 0) < 0:
        raise ValueError("reset is before or after, delay_s at least 0")
    if type(chance) not in (int, float) or not 0 <= chance <= 1:
        raise ValueError("chance must be a number from 0 to 1")
    re.compile(match.get("regex", ""))


def rules() -> list[dict[str, Any]]:
    with _lock:
        return [rule.told() for rule in _rules]


def clear(*, rule_id: int = 0, name: str = "") -> None:
    """All of them, or the one of this id, or those of this name."""
    with _lock:
        _rules[:] = [
            rule
            for rule in _rules
            if (rule_id or name) and rule.rule_id != rule_id and (not name or rule.name != name)
        ]


def take(request: HttpRequest) -> Mapping[str, Any]:
    """What to do to this request: {} when no rule strikes it."""
    with _lock:
        for rule in _rules:
            if rule.times != 0 and rule.hit_by(request) and rule.rng.random() < rule.chance:
                rule.hits += 1
                rule.times = None if rule.times is None else rule.times - 1
                return rule.do
    return {}


class FaultMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        do = take(request) if is_platform(request.path) else {}
        if not do:
            request.outcome = {}  # type: ignore[attr-defined]
            return self.get_response(request)
        _before(request, do)
        reply = do.get("reply")
        if reply is not None and not reply.get("after"):
            response: HttpResponseBase = _replied(HttpResponse(), reply)
        else:
            response = self.get_response(request)
            if do.get("reset") == "after":
                _cut(request)
            response = response if reply is None else _replied(response, reply)
        return _after(request, response, do)


def _before(request: HttpRequest, do: Mapping[str, Any]) -> None:
    request.outcome = do.get("outcome", {})  # type: ignore[attr-defined]
    if do.get("expire_tokens"):
        Token.objects.all().delete()
    if do.get("vanish") and (named := ITEM_ID.search(request.path)):
        _vanish(quirks.number_of(named[1]))
    time.sleep(do.get("delay_s", 0))
    if do.get("reset") == "before":
        _cut(request)


def _vanish(remote_id: str) -> None:
    """Its work stops, and nobody finds it any more."""
    for job in Job.objects.filter(remote_id=remote_id, gone=False):
        runner.release(job)
        job.script, job.next_change_ms, job.gone = {}, None, True
        job.save()


def _after(request: HttpRequest, response: HttpResponseBase, do: Mapping[str, Any]) -> HttpResponseBase:
    """What is done to a reply on its way out."""
    time.sleep(do.get("delay_after_s", 0))
    if "records" in do:
        _put_first(response, do["records"])
    if off_s := do.get("clock_off_s", 0):
        request.clock_off_ms = round(off_s * 1000)  # type: ignore[attr-defined]  # read by the journal
        _put_off(response, round(off_s * 1000))
    if "break_off" in do or "stall" in do:
        return _unfinished(request, response, do)
    if "endless_s" in do:
        return StreamingHttpResponse(_endless(do["endless_s"]), content_type=response.headers["Content-Type"])
    return response


def _replied(response: HttpResponseBase, reply: Mapping[str, Any]) -> HttpResponse:
    """A reply as ordered, over what handling the request gave."""
    content = b"" if "json" in reply or "text" in reply else _content(response, reply.get("truncate"))
    kind = response.headers.get("Content-Type", "") if reply.get("after") else "text/html"
    if "json" in reply:
        content, kind = json.dumps(reply["json"]).encode(), "application/json"
    elif "text" in reply:
        content = reply["text"].encode()
    headers = {"Content-Type": kind} | dict(reply.get("headers", {}))
    if "retry_s" in reply:
        headers["Retry-After"] = http_date(clock.now_ms() / 1000 + reply["retry_s"])
    status = reply.get("status", response.status_code)
    return HttpResponse(content[: reply.get("truncate")], status=status, headers=headers)


def _content(response: HttpResponseBase, most: int | None = None) -> bytes:
    """The body, or its first `most` bytes; of a download no more than these are read."""
    if isinstance(response, HttpResponse):
        return response.content[:most]
    taken = b""
    for piece in response.streaming_content:  # type: ignore[attr-defined]
        taken += piece
        if most is not None and len(taken) >= most:
            break
    return taken[:most]


def _put_first(response: HttpResponseBase, records: list[Any]) -> None:
    """Only a list of jobs has a place for them; any other reply stays as it is."""
    page = json.loads(response.content) if isinstance(response, JsonResponse) else None
    if isinstance(response, JsonResponse) and isinstance(page, dict) and "records" in page:
        response.content = json.dumps(page | {"records": records + page["records"]}).encode()


def _put_off(response: HttpResponseBase, off_ms: int) -> None:
    if isinstance(response, JsonResponse):
        response.content = json.dumps(_shifted(json.loads(response.content), off_ms)).encode()


def _shifted(value: Any, off_ms: int, name: str = "") -> Any:
    """Times move, told by their name and size: epoch seconds or milliseconds of this century."""
    if isinstance(value, dict):
        return {key: _shifted(inner, off_ms, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [_shifted(inner, off_ms) for inner in value]
    if type(value) is not int or name not in TIMES:
        return value
    if 10**12 <= value < 10**13:
        return value + off_ms
    return value + off_ms // 1000 if 10**9 <= value < 10**10 else value


def _unfinished(
    request: HttpRequest, response: HttpResponseBase, do: Mapping[str, Any]
) -> StreamingHttpResponse:
    """The head promises the whole body; only its beginning comes."""
    whole = response.headers.get("Content-Length") or len(_content(response))
    sent = _content(response, do.get("break_off", do.get("stall")))
    headers = dict(response.headers) | {"Content-Length": str(max(int(whole), len(sent) + 1))}
    body = _broken_off(request, sent) if "break_off" in do else _stalled(request, sent)
    return StreamingHttpResponse(body, status=response.status_code, headers=headers)


def _broken_off(request: HttpRequest, sent: bytes) -> Iterator[bytes]:
    yield sent
    _cut(request)


def _stalled(request: HttpRequest, sent: bytes) -> Iterator[bytes]:
    """Asleep until the client closes its side; then the connection is of no use any more."""
    yield sent
    select.select([request.META["emulator.handler"].connection], [], [])
    _cut(request)


def _endless(every_s: float) -> Iterator[bytes]:
    """Ends when the client does, by the error of the next write."""
    while True:
        yield b" "
        time.sleep(max(0.01, every_s))


def _cut(request: HttpRequest) -> None:
    """Reset the client's TCP connection now; the error raised makes the server give up on it quietly."""
    handler: BaseHTTPRequestHandler = request.META["emulator.handler"]
    handler.close_connection = True
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
    os.close(handler.connection.detach())
    raise ConnectionResetError("cut on order")
