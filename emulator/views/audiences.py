"""Audiences: the newer list of what can be exported, external ones among them (platform.md §4.3).

A segment definition is an audience of the namespace AEPSegments; each sandbox has an external one besides, which
has no merge policy. With the quirk audiences-off they are a 403, as for an organisation without the feature.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse, JsonResponse
from django.views.decorators.http import require_http_methods

from emulator import evaluating, quirks, selection
from emulator.gateway import PlatformRequest
from emulator.models import Evaluation, Sandbox, Segment
from emulator.reading import bulk_ids, whole_number
from emulator.refusals import ups

SORT = re.compile(r"([A-Za-z]{1,40}):(asc|desc)")
SORTED_BY = ("name", "createEpoch", "creationTime", "updateEpoch", "updateTime", "id", "totalProfiles")
TYPES = ("SegmentDefinition", "ExternalSegment")
LATEST = 200  # evaluations looked through for the one that counted a segment


@require_http_methods(["GET", "HEAD"])
def audiences(request: PlatformRequest) -> HttpResponse:
    """In pages of `limit` (20 unless given, 100 at most) from page `start`; `_page.next` names the next one."""
    _ensure_enabled()
    limit = whole_number(request, "limit", default=20, least=1, most=100, refuse=ups)
    page = whole_number(request, "start", default=0, least=0, most=10**9, refuse=ups)
    found = _ordered(request, [one for one in _all(request.sandbox) if _is_asked(request, one)])
    shown = found[page * limit : page * limit + limit]
    told: dict[str, Any] = {"totalCount": len(found), "pageSize": len(shown)}
    links: dict[str, Any] = {"next": {}}
    if (page + 1) * limit < len(found):
        told["next"] = page + 1 if quirks.on("audience-next-number") else str(page + 1)
        links = {"next": {"href": f"@/audiences?start={page + 1}&limit={limit}&totalCount={len(found)}"}}
    key = "_pages" if quirks.on("audience-pages-key") else "_page"
    return JsonResponse({"children": [_shown(one) for one in shown], key: told, "_links": links})


@require_http_methods(["GET", "HEAD"])
def audience(request: PlatformRequest, audience_id: str) -> JsonResponse:
    _ensure_enabled()
    for one in _all(request.sandbox):
        if one["id"] == audience_id:
            return JsonResponse(_shown(one))
    raise ups(404, f"Audience with id {audience_id[:60]} not found")


@require_http_methods(["POST"])
def bulk_get(request: PlatformRequest) -> JsonResponse:
    """`{"ids": [{"id": …}]}` → 207 with those that exist, by id; none or more than 100 are refused."""
    _ensure_enabled()
    wanted = bulk_ids(request, ups)
    found = {one["id"]: _shown(one) for one in _all(request.sandbox) if one["id"] in wanted}
    return JsonResponse({"results": found}, status=207)


def _ensure_enabled() -> None:
    if quirks.on("audiences-off"):
        raise ups(403, "The organisation is not enabled for audiences")


def _all(sandbox: Sandbox) -> list[dict[str, Any]]:
    """Every audience, those of segment definitions first."""
    runs = list(
        Evaluation.objects.filter(sandbox=sandbox, status="SUCCEEDED").order_by("-started_ms", "-pk")[:LATEST]
    )
    segments = Segment.objects.filter(sandbox=sandbox).select_related("sandbox").order_by("pk")
    counted = {
        one.segment_id: next((r for r in runs if one.segment_id in r.counts), None) for one in segments
    }
    return [*(_of(one, counted[one.segment_id]) for one in segments), _external(sandbox)]


def _of(segment: Segment, run: Evaluation | None) -> dict[str, Any]:
    """`run` is the one that counted it; `metrics` are missing while there was none."""
    kept = (
        "id",
        "name",
        "description",
        "imsOrgId",
        "schema",
        "mergePolicyId",
        "evaluationInfo",
        "expression",
    )
    made = {name: segment.body[name] for name in kept if name in segment.body} | {
        "audienceId": segment.segment_id,
        "namespace": "AEPSegments",
        "originName": "REAL_TIME_CUSTOMER_PROFILE",
        "type": "SegmentDefinition",
        "lifecycleState": "published",
        "createdBySystem": False,
        "sandbox": _sandbox(segment.sandbox),
        "creationTime": segment.body["creationTime"]
        * 1000,  # microseconds, unlike anywhere else (§2.6 item 18)
        "updateTime": segment.body["updateTime"],
        "updateEpoch": segment.body["updateEpoch"],
    }
    if segment.evaluated_ms is not None:
        data = {"totalProfiles": segment.profiles, "existing": 0}
        made["metrics"] = {
            "type": "export",
            "jobId": evaluating.shown_id(run.pk) if run else "",
            "updateEpoch": segment.evaluated_ms // 1000,
            "data": data,
        }
    return made


def _external(sandbox: Sandbox) -> dict[str, Any]:
    audience_id = str(uuid.uuid5(uuid.NAMESPACE_OID, f"external/{sandbox.name}"))
    return {
        "id": audience_id,
        "audienceId": f"partner-list-{sandbox.name}",
        "name": "Partner list (uploaded)",
        "description": "Came with a file; it has no definition and no merge policy",
        "namespace": "CustomerUpload",
        "originName": "CUSTOM_UPLOAD",
        "type": "ExternalSegment",
        "lifecycleState": "published",
        "sandbox": _sandbox(sandbox),
        "createEpoch": 1_650_374_572,
        "updateEpoch": 1_650_374_573,
        "updateTime": 1_650_374_573_000,
        "metrics": {"type": "export", "data": {"totalProfiles": 2_400}},
    }


def _sandbox(sandbox: Sandbox) -> dict[str, Any]:
    return {"sandboxName": sandbox.name, "type": sandbox.kind, "default": sandbox.is_default}


def _is_asked(request: PlatformRequest, one: Mapping[str, Any]) -> bool:
    """`name` and `description` are contained, whatever the case; `property` and `entityType` are equal."""
    given = request.GET
    for word in ("name", "description"):
        if given.get(word, "").lower() not in one[word].lower():
            return False
    kind = given.get("entityType", "")
    if kind and kind not in TYPES:
        raise ups(400, f"entityType may be {' or '.join(TYPES)}, not '{kind[:40]}'")
    return kind in ("", one["type"]) and all(
        test(one) for test in map(selection.equal, given.getlist("property")[:20])
    )


def _ordered(request: PlatformRequest, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    sort = request.GET.get("sort", "")
    if not sort:
        return found
    read = SORT.fullmatch(sort)
    if read is None or read[1] not in SORTED_BY:
        raise ups(400, f"sort must be like updateTime:desc, by {', '.join(SORTED_BY)}, not '{sort[:60]}'")
    return sorted(found, key=lambda one: _key(one, read[1]), reverse=read[2] == "desc")


def _key(one: Mapping[str, Any], name: str) -> tuple[float, str]:
    value = one.get(name, one.get("metrics", {}).get("data", {}).get(name, 0))
    return (float(value), "") if isinstance(value, int | float) else (0.0, str(value).lower())


def _shown(one: dict[str, Any]) -> dict[str, Any]:
    if not quirks.on("audience-lifecycle-key"):
        return one
    return {"lifecycle" if name == "lifecycleState" else name: value for name, value in one.items()}
