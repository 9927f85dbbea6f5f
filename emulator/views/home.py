"""The pages for people at the emulator's address, and the credentials for programs."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from django.db.models import Count
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from emulator import arrivals, clock, faults, jobs, quirks
from emulator.models import UNION_SCHEMA, Dataset, Job, Sandbox, Segment, Tenant, all_permissions
from emulator.presets import PRESETS
from emulator.progress import ONGOING
from emulator.store import schema

SHOWN = 12  # jobs on the page
CLASSES = {"profile": "fields", "experienceevent": "additionalFields.eventList.fields"}
POLICY = "default-src 'none'; style-src 'nonce-{0}'; script-src 'nonce-{0}'; form-action 'self'; " + (
    "frame-ancestors 'none'; base-uri 'none'"
)

PROTECTION = {
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    arrivals.catch_up()
    jobs.settle(clock.now_ms())
    context = {
        "credentials": _credentials(request),
        "now": _time(clock.now_ms()),
        "offset_minutes": round(clock.offset_ms() / 60_000),
        "sandboxes": _sandboxes(),
        "jobs": [_job(job) for job in _newest()],
        "groups": _fault_groups(),
        "own_rules": [rule for rule in faults.rules() if not rule["name"]],
        "faults_on": any(rule["times"] != 0 for rule in faults.rules()),
        "quirks": [
            {"name": name, "line": line, "on": quirks.on(name)} for name, line in quirks.QUIRKS.items()
        ],
        "quirks_on": quirks.names(),
        "permissions": _permissions(),
    }
    return _page(request, "emulator/home.html", context)


@require_safe
def schema_page(request: HttpRequest) -> HttpResponse:
    """Every field of both union schemas, as dot paths in a tree."""
    trees = [
        {"title": whole["title"], "id": whole["$id"], "use": use, "nodes": list(_nodes(whole["properties"]))}
        for name, use in CLASSES.items()
        for whole in [schema.union_schema(name)]
    ]
    return _page(request, "emulator/schema.html", {"trees": trees})


@require_safe
def credentials(request: HttpRequest) -> JsonResponse:
    """Everything a client needs; `dataset_id` is a usable target and `segment_id` a segment of `sandbox`."""
    return JsonResponse(_credentials(request))


def nowhere(request: HttpRequest, exception: Exception) -> JsonResponse:
    """A path that no service has."""
    return JsonResponse({"code": "404", "message": f"No resource at {request.path[:200]}"}, status=404)


def _page(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    """Self-contained: nothing is loaded from anywhere, and nothing but our own style and script runs."""
    nonce = secrets.token_urlsafe(16)
    response = render(request, template, context | {"nonce": nonce})
    for name, value in PROTECTION.items():
        response.headers[name] = value
    response.headers["Content-Security-Policy"] = POLICY.format(nonce)
    return response


def _credentials(request: HttpRequest) -> dict[str, object]:
    tenant = Tenant.objects.get()
    sandboxes = list(Sandbox.objects.order_by("-is_default", "pk"))
    first = sandboxes[0]
    root = f"http://{request.get_host()}"
    return {
        "client_id": tenant.client_id,
        "client_secret": tenant.client_secret,
        "org_id": tenant.org_id,
        "sandbox": first.name,
        "sandboxes": [sandbox.name for sandbox in sandboxes],
        "dataset_id": Dataset.objects.filter(sandbox=first, schema_id=UNION_SCHEMA)
        .order_by("pk")[0]
        .dataset_id,
        "segment_id": Segment.objects.filter(sandbox=first).order_by("pk")[0].segment_id,
        "platform_url": root,
        "token_url": f"{root}/ims/token/v3",
    }


def _sandboxes() -> list[dict[str, Any]]:
    """With the number of jobs in each status."""
    counted = (
        Job.objects.filter(gone=False)
        .values("sandbox", "status")
        .annotate(count=Count("pk"))
        .order_by("status")
    )
    by_sandbox = {pk: list(rows) for pk, rows in groupby(sorted(counted, key=_sandbox_of), key=_sandbox_of)}
    return [
        {"row": sandbox, "segments": sandbox.segment_set.count(), "datasets": sandbox.dataset_set.count()}
        | {"counts": by_sandbox.get(sandbox.pk, [])}
        for sandbox in Sandbox.objects.order_by("pk")
    ]


def _sandbox_of(row: Mapping[str, Any]) -> int:
    return row["sandbox"]


def _newest() -> list[Job]:
    """Of all sandboxes together; each gives its newest by index."""
    found = [job for sandbox in Sandbox.objects.all() for job in jobs.newest(sandbox)[:SHOWN]]
    return sorted(found, key=lambda job: (job.created_ms, job.pk), reverse=True)[:SHOWN]


def _job(job: Job) -> dict[str, Any]:
    """One line about a job; its record may be anything if it was put in by hand."""
    record = job.record if isinstance(job.record, dict) else {}
    metrics = record.get("metrics")
    errors = record.get("errors")
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    return {
        "id": job.remote_id or "(no id)",
        "sandbox": job.sandbox.name,
        "status": job.status or "(none)",
        "kind": job.status.lower()
        if job.status in (*ONGOING, "SUCCEEDED", "FAILED", "CANCELLED")
        else "unknown",
        "created": _time(job.created_ms),
        "profiles": metrics.get("totalExportedProfileCounter") if isinstance(metrics, dict) else None,
        "error": str(first.get("msg", ""))[:160],
    }


def _time(ms: int) -> str:
    """To the second, in UTC; what lies beyond the calendar stays a number."""
    try:
        return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M:%S}"
    except (ValueError, OverflowError, OSError):
        return str(ms)


def _fault_groups() -> list[dict[str, Any]]:
    """The presets by group, each with the rule that holds now."""
    rules = {rule["name"]: rule for rule in faults.rules() if rule["times"] != 0}
    shown: dict[str, list[dict[str, Any]]] = {}
    for name, preset in PRESETS.items():
        rule = rules.get(name)
        percent = round(rule["chance"] * 100) if rule else 100
        line = {"name": name, "line": preset.line, "rule": rule, "percent": percent}
        shown.setdefault(preset.group, []).append(line)
    return [
        {"title": title, "faults": lines, "open": any(one["rule"] for one in lines)}
        for title, lines in shown.items()
    ]


def _permissions() -> list[dict[str, Any]]:
    held = Tenant.objects.get().permissions
    return [{"name": name, "on": name in held} for name in all_permissions()]


def _nodes(properties: Mapping[str, Any], before: str = "") -> Iterator[dict[str, Any]]:
    """Fields as (name, path, type), with what lies below them; arrays show their items."""
    for name, told in properties.items():
        path = f"{before}{name}"
        below = told.get("items", told).get("properties", {})
        yield {
            "name": name,
            "path": path,
            "type": told.get("meta:xdmType", told.get("type", "")),
            "title": told.get("title", ""),
            "nodes": list(_nodes(below, f"{path}.")),
        }
