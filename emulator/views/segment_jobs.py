"""Segment jobs: when were segments evaluated, by the scheduler or on request (platform.md §4.9).

A job that is asked for is carried out before the reply, in less than a second as a rule, and so is SUCCEEDED then.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import QuerySet
from django.http import JsonResponse
from django.views.decorators.http import require_http_methods

from emulator import arrivals, clock, evaluating, jobs, pool, selection, stores
from emulator.gateway import PlatformRequest
from emulator.models import Evaluation, Sandbox, Segment, Tenant
from emulator.reading import json_array, whole_number
from emulator.refusals import ups
from emulator.store.generate import MANIFEST

STATUSES = ("NEW", "QUEUED", "PROCESSING", "CANCELLING", "CANCELLED", "FAILED", "SUCCEEDED")
SORT = re.compile(r"(creationTime|updateTime|status):(asc|desc)")
WITHIN = re.compile(r"segments~segmentId==(.{1,128})", re.DOTALL)
COLUMNS = {"creationTime": "started_ms", "updateTime": "ended_ms", "status": "status"}
ALL = 1500  # beyond so many segments the list says "*"


@require_http_methods(["GET", "HEAD", "POST"])
def segment_jobs(request: PlatformRequest) -> JsonResponse:
    return _create(request) if request.method == "POST" else _list(request)


def _create(request: PlatformRequest) -> JsonResponse:
    """`[{"segmentId": …}, …]`; `*` stands for all that are evaluated in batch."""
    chosen = _chosen(request, json_array(request, ups))
    started_ms = clock.now_ms()
    try:
        found = pool.call("evaluate", evaluating.asked(request.sandbox, chosen, at_ms=started_ms))
    except pool.WorkFailed as error:
        raise ups(503, f"The evaluation failed: {error}") from error
    run = evaluating.note(
        request.sandbox,
        found,
        started_ms=started_ms,
        ended_ms=clock.now_ms(),
        segment=chosen[0] if len(chosen) == 1 else None,
    )
    return JsonResponse(_body(run, chosen, Tenant.objects.get().org_id))


def _chosen(request: PlatformRequest, asked: list[Any]) -> list[Segment]:
    """The segments named, each once; 400 for none, and for one that is not there."""
    known = Segment.objects.filter(sandbox=request.sandbox).exclude(rule="").order_by("pk")
    if not 1 <= len(asked) <= ALL:
        raise ups(400, f"The request body must name 1 to {ALL} segments, each as an object with a segmentId")
    for place, entry in enumerate(asked):
        if not isinstance(entry, dict) or not isinstance(entry.get("segmentId"), str):
            raise ups(400, f"[{place}].segmentId must be a string")
    wanted = {entry["segmentId"] for entry in asked}
    if wanted == {"*"}:
        return [one for one in known if not one.body["evaluationInfo"]["synchronous"]["enabled"]]
    found = [one for one in known if one.segment_id in wanted]
    if missing := wanted - {one.segment_id for one in found}:
        raise ups(400, f"segmentId: segment '{min(missing)[:60]}' not found in '{request.sandbox.name}'")
    return found


def _list(request: PlatformRequest) -> JsonResponse:
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
        if evaluating.shown_id(run.pk) == shown_id:
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
        return selection.equal(text)
    return lambda shown: within[1] in {one["segmentId"] for one in shown["segments"]}


def _body(run: Evaluation, segments: list[Segment], org_id: str) -> dict[str, Any]:
    """As the service shows it; here `computeGatewayJobId` is a string (platform.md §2.6 item 8)."""
    asked = [one for one in segments if _is_of(run, one)]
    shown_id = evaluating.shown_id(run.pk)
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
        "batchId": evaluating.shown_id(-run.pk),
        "computeJobId": run.pk,
        "computeGatewayJobId": evaluating.shown_id(-1_000_000 - run.pk),
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
