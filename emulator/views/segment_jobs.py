"""Segment jobs: when were segments evaluated, by the scheduler or on request (platform.md §4.9)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import QuerySet
from django.http import JsonResponse
from django.views.decorators.http import require_http_methods

from emulator import arrivals, clock, jobs, stores
from emulator.gateway import PlatformRequest
from emulator.models import Evaluation, Sandbox, Segment, Tenant
from emulator.reading import whole_number
from emulator.refusals import ups
from emulator.store.generate import MANIFEST
from emulator.views.audiences import equal, job_id

STATUSES = ("NEW", "QUEUED", "PROCESSING", "CANCELLING", "CANCELLED", "FAILED", "SUCCEEDED")
SORT = re.compile(r"(creationTime|updateTime|status):(asc|desc)")
WITHIN = re.compile(r"segments~segmentId==(.{1,128})", re.DOTALL)
COLUMNS = {"creationTime": "started_ms", "updateTime": "ended_ms", "status": "status"}
ALL = 1500  # beyond so many segments the list says "*"


@require_http_methods(["GET", "HEAD"])
def segment_jobs(request: PlatformRequest) -> JsonResponse:
    """Newest first; `start` skips jobs; `property=segments~segmentId==X` finds those that evaluated X."""
    _catch_up()
    limit = whole_number(request, "limit", default=100, least=1, most=1000, refuse=ups)
    start = whole_number(request, "start", default=0, least=0, most=10**9, refuse=ups)
    segments = list(Segment.objects.filter(sandbox=request.sandbox).order_by("pk"))
    org_id = Tenant.objects.get().org_id
    tests = [_test(text) for text in request.GET.getlist("property")[:20]]
    found = [
        shown
        for shown in (_body(run, segments, org_id) for run in _asked(request))
        if all(test(shown) for test in tests)
    ]
    page = found[start : start + limit]
    more: dict[str, Any] = {}
    if start + limit < len(found):
        more = {"href": f"@/segment/jobs?start={start + limit}&limit={limit}"}
    told = {"totalCount": len(found), "pageSize": len(page)}
    return JsonResponse({"_page": told, "children": page, "_links": {"next": more}})


@require_http_methods(["GET", "HEAD"])
def segment_job(request: PlatformRequest, shown_id: str) -> JsonResponse:
    _catch_up()
    segments = list(Segment.objects.filter(sandbox=request.sandbox).order_by("pk"))
    for run in Evaluation.objects.filter(sandbox=request.sandbox):
        if job_id(run.pk) == shown_id:
            return JsonResponse(_body(run, segments, Tenant.objects.get().org_id))
    raise ups(404, f"Segment job with id {shown_id[:60]} not found")


def _catch_up() -> None:
    arrivals.catch_up()
    jobs.settle(clock.now_ms())


def _asked(request: PlatformRequest) -> QuerySet[Evaluation]:
    found = Evaluation.objects.filter(sandbox=request.sandbox)
    if status := request.GET.get("status", ""):
        if status not in STATUSES:
            raise ups(400, f"status may be {', '.join(STATUSES)}, not '{status[:40]}'")
        found = found.filter(status=status)
    sort = request.GET.get("sort", "creationTime:desc")
    read = SORT.fullmatch(sort)
    if read is None:
        raise ups(400, f"sort must be like creationTime:desc, not '{sort[:60]}'")
    sign = "-" if read[2] == "desc" else ""
    return found.order_by(sign + COLUMNS[read[1]], f"{sign}pk")


def _test(text: str) -> Callable[[Mapping[str, Any]], bool]:
    within = WITHIN.fullmatch(text)
    if within is None:
        return equal(text)
    return lambda shown: within[1] in {one["segmentId"] for one in shown["segments"]}


def _body(run: Evaluation, segments: list[Segment], org_id: str) -> dict[str, Any]:
    """As the service shows it; here `computeGatewayJobId` is a string (platform.md §2.6 item 8)."""
    asked = [one for one in segments if _is_of(run, one)]
    shown_id = job_id(run.pk)
    return {
        "id": shown_id,
        "imsOrgId": org_id,
        "sandbox": {
            "sandboxName": run.sandbox.name,
            "type": run.sandbox.kind,
            "default": run.sandbox.is_default,
        },
        "profileInstanceId": "ups",
        "source": run.source,
        "status": run.status,
        "batchId": job_id(-run.pk),
        "computeJobId": run.pk,
        "computeGatewayJobId": job_id(-1_000_000 - run.pk),
        "segments": [{"segmentId": "*"}] if len(asked) > ALL else [_segment(one) for one in asked],
        "metrics": _metrics(run, _profiles(run.sandbox)),
        "requestId": shown_id.replace("-", ""),
        "schema": {"name": "_xdm.context.profile"},
        "_links": {
            "cancel": {"href": f"/segment/jobs/{shown_id}", "method": "DELETE"},
            "checkStatus": {"href": f"/segment/jobs/{shown_id}", "method": "GET"},
        },
        "creationTime": run.started_ms,
        "updateTime": run.ended_ms or run.started_ms,
        "updateEpoch": (run.ended_ms or run.started_ms) // 1000,
    }


def _is_of(run: Evaluation, segment: Segment) -> bool:
    """Whether the run was about this segment: the counts say so once it is over."""
    if run.segment_id is not None:
        return segment.pk == run.segment_id
    return (
        segment.segment_id in run.counts if run.counts else segment.body["evaluationInfo"]["batch"]["enabled"]
    )


def _segment(segment: Segment) -> dict[str, Any]:
    policy_id = segment.body["mergePolicyId"]
    told = {
        "id": segment.segment_id,
        "expression": segment.body["expression"],
        "mergePolicyId": policy_id,
        "mergePolicy": {"id": policy_id, "version": 1},
    }
    return {"segmentId": segment.segment_id, "segment": told}


def _profiles(sandbox: Sandbox) -> int:
    """How many there are to evaluate, as the store itself says."""
    return json.loads((stores.folder(sandbox) / MANIFEST).read_text())["profiles"]


def _metrics(run: Evaluation, total: int) -> dict[str, Any]:
    started = {"startTimeInMs": run.started_ms}
    if run.ended_ms is None:
        return {"totalTime": started}
    span = started | {"endTimeInMs": run.ended_ms, "totalTimeInMs": run.ended_ms - run.started_ms}
    return {
        "totalTime": span,
        "profileSegmentationTime": span,
        "segmentedProfileCounter": run.counts,
        "segmentedProfileByStatusCounter": run.by_status,
        "totalProfiles": total,
    }
