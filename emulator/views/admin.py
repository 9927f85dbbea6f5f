"""The emulator's own doors, for tests and developers: faults, jobs put in by hand, the journal, the clock.

They ask for no credentials: the server listens on the loopback address only. A page of another site cannot
use them: what a browser says comes from elsewhere is refused, and bodies must be declared as JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_http_methods

from emulator import arrivals, clock, faults, jobs, journal, orders, presets, quirks, runner, start
from emulator.models import Job, Sandbox, Tenant, all_permissions
from emulator.refusals import plain

View = Callable[..., HttpResponse]


def door(*methods: str) -> Callable[[View], View]:
    """A view for these methods that answers a wrong request with 400 and a sentence."""

    def decorate(view: View) -> View:
        @require_http_methods(list(methods))
        @wraps(view)
        def guarded(request: HttpRequest, **kwargs: str) -> HttpResponse:
            origin = request.headers.get("Origin")
            if origin and urlsplit(origin).netloc != request.get_host():
                raise plain(403, "Only pages of the emulator itself may use this")
            try:
                return view(request, **kwargs)
            except (AttributeError, KeyError, TypeError, ValueError, re.error) as error:
                raise plain(400, f"{type(error).__name__}: {error}") from error

        return guarded

    return decorate


@door("GET", "POST", "DELETE")
def fault_rules(request: HttpRequest) -> HttpResponse:
    """POST `{"match": {…}, "times": n or null, "chance": p, "do": {…}}`; the words are those of `faults.Rule`.

    `{"preset": name}` instead of `do` takes one of the named faults, which GET lists as `presets`.
    """
    if request.method == "DELETE":
        faults.clear()
    elif request.method == "POST":
        asked = _body(request)
        told = {
            "match": asked.get("match", {}),
            "times": asked.get("times", 1),
            "chance": asked.get("chance", 1),
        }
        if "preset" in asked:
            rule = faults.order_preset(asked["preset"], **told)
        else:
            rule = faults.order(do=asked["do"], **told)
        return JsonResponse({"rule_id": rule.rule_id}, status=201)
    lines = {name: preset.line for name, preset in presets.PRESETS.items()}
    return JsonResponse({"faults": faults.rules(), "presets": lines})


@door("DELETE")
def fault_rule(request: HttpRequest, rule_id: int) -> HttpResponse:
    faults.clear(rule_id=rule_id)
    return JsonResponse({"faults": faults.rules()})


@door("GET", "PUT")
def quirk_names(request: HttpRequest) -> HttpResponse:
    """PUT `{"quirks": [name, …]}`: exactly these from now on; `known` says what each does."""
    if request.method == "PUT":
        quirks.switch(_words(_body(request)["quirks"]))
    return JsonResponse({"quirks": quirks.names(), "known": quirks.QUIRKS})


@door("GET", "PUT")
def permissions(request: HttpRequest) -> HttpResponse:
    """PUT `{"permissions": [name, …]}`: what the credential may do from now on."""
    if request.method == "PUT":
        wanted = _words(_body(request)["permissions"])
        if unknown := set(wanted) - set(all_permissions()):
            raise ValueError(f"no such permission: {', '.join(sorted(unknown))}")
        Tenant.objects.update(permissions=wanted)
    return JsonResponse({"permissions": Tenant.objects.get().permissions, "known": all_permissions()})


@door("POST")
def raw_jobs(request: HttpRequest) -> HttpResponse:
    """`{"sandbox": name, "record": anything, "created_ms": n}`: shown exactly as given, and never moved on.

    A record that is not an object, or has no id, stands in lists only.
    """
    asked = _body(request)
    sandbox = (
        Sandbox.objects.get(name=asked["sandbox"])
        if "sandbox" in asked
        else Sandbox.objects.order_by("pk")[0]
    )
    record = asked["record"]
    told = record if isinstance(record, dict) else {}
    created_ms = asked.get("created_ms", told.get("creationTime"))
    if type(created_ms) is not int or not 0 <= created_ms < 10**15:
        created_ms = clock.now_ms()
    job = Job.objects.create(
        remote_id=str(told.get("id", ""))[:128],
        sandbox=sandbox,
        created_ms=created_ms,
        status=str(told.get("status", ""))[:40],
        record=record,
    )
    return JsonResponse({"id": job.remote_id, "created_ms": created_ms}, status=201)


@door("PATCH", "DELETE")
def raw_job(request: HttpRequest, remote_id: str) -> HttpResponse:
    """PATCH puts these fields over the record and stops its script; DELETE lets the job vanish."""
    jobs.settle(clock.now_ms())
    with runner.lock:
        found = Job.objects.filter(remote_id=remote_id, gone=False).order_by("-pk")
        if not (job := found.first()):
            raise plain(404, f"no job {remote_id[:60]}")
        changes = {} if request.method == "DELETE" else _body(request)
        runner.release(job)
        job.script, job.next_change_ms = {}, None
        if request.method == "DELETE":
            job.gone = True
        else:
            job.record = (job.record or {}) | changes
            job.status = str(job.record.get("status", ""))[:40]
        job.save()
    return JsonResponse({"id": job.remote_id, "record": job.record, "gone": job.gone})


@door("GET", "DELETE")
def requests(request: HttpRequest) -> HttpResponse:
    """What reached the platform, oldest first; `method` and `path` (a prefix) narrow it."""
    if request.method == "DELETE":
        journal.clear()
    wanted = {name: request.GET.get(name, "") for name in ("method", "path")}
    return JsonResponse({"requests": journal.entries(**wanted)})


@door("GET", "POST")
def platform_clock(request: HttpRequest) -> HttpResponse:
    """POST `{"advance_s": n}` moves it ahead (or back)."""
    if request.method == "POST":
        clock.advance(round(float(_body(request)["advance_s"]) * 1000))
        runner.drain()
    return JsonResponse({"now_ms": clock.now_ms(), "offset_ms": clock.offset_ms()})


@door("POST")
def reset(request: HttpRequest) -> HttpResponse:
    """Back to the start: the faults and quirks of the command line, an empty journal, real time, no tokens."""
    orders.begin()
    with runner.replaced():
        clock.advance(-clock.offset_ms())
        start.plant()
    arrivals.begin()
    journal.clear()
    return JsonResponse({"now_ms": clock.now_ms()})


def _body(request: HttpRequest) -> dict[str, Any]:
    if request.content_type != "application/json":
        raise plain(415, "send application/json")
    value = json.loads(request.body)
    if not isinstance(value, dict):
        raise TypeError("the body must be a JSON object")
    return value


def _words(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise TypeError("a list of names is needed")
    return value
