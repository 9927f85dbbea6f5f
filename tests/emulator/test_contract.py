"""The contract: every endpoint of the platform's documents, status by status, with the shape of its reply."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.emulator.shapes import Listed, Mapped, Optional, Shape, differences
from tests.emulator.world import World, create, ended, one_segment, payload
from tests.remote import EXPORT_JOBS, HOSTILE_RECORD

UPS = "/data/core/ups"
CATALOG = "/data/foundation/catalog"
EXPORT = "/data/foundation/export"
REGISTRY = "/data/foundation/schemaregistry/tenant/unions"
SANDBOXES = "/data/foundation/sandbox-management"
UNION = "https://ns.adobe.com/xdm/context/profile__union"
XED_ID = {"Accept": "application/vnd.adobe.xed-id+json"}
XED_FULL = {"Accept": "application/vnd.adobe.xed-full+json; version=1"}

NUMBER = (int, float)
SPAN = {"startTimeInMs": int, "endTimeInMs": int, "totalTimeInMs": int}
NAMED_SANDBOX = {"sandboxName": str, "type": str, "default": bool}
JOB = {
    "id": int,
    "jobType": "BATCH",
    "status": str,
    "profileInstanceId": "ups",
    "imsOrgId": str,
    "schema": {"name": "_xdm.context.profile"},
    "mergePolicy": {"id": str, "version": int},
    "destination": {
        "datasetId": str,
        "segmentPerBatch": bool,
        "batchId": Optional(str),
        "batches": Optional(Listed({"segmentId": str, "segmentNs": str, "status": [str], "batchId": str})),
    },
    "computeGatewayJobId": Mapped(str),
    "metrics": {"totalTime": {"startTimeInMs": int}},
    "errors": Optional([{"code": str, "msg": str, "callStack": str}]),
    "creationTime": int,
    "updateTime": int,
    "requestId": str,
    "fields": Optional(str),
    "filter": Optional(dict),
    "additionalFields": Optional(dict),
    "evaluationInfo": Optional(dict),
}
NEW = JOB | {"status": "NEW"}
SUCCEEDED = JOB | {
    "status": "SUCCEEDED",
    "metrics": {
        "totalTime": SPAN,
        "profileExportTime": SPAN,
        "aCPDatasetWriteTime": SPAN,
        "totalExportedProfileCounter": int,
        "exportedProfileByNamespaceCounter": Mapped(int),
    },
}
FAILED = JOB | {
    "status": "FAILED",
    "metrics": {"totalTime": SPAN},
    "errors": Listed({"code": str, "msg": str, "callStack": str}),
}
JOBS = {
    "records": Listed(JOB),
    "page": {"sortField": "createdTime", "sort": "desc", "pageOffset": str, "pageSize": int},
    "link": {"next": str},
}
CANCELLED = {"status": True, "message": "Export job has been marked for cancelling"}
DATASET = {
    "name": str,
    "created": int,
    "updated": int,
    "state": str,
    "tags": Mapped([str]),
    "schemaRef": {"id": str, "contentType": str},
    "lastBatchId": Optional(str),
    "lastBatchStatus": Optional(str),
    "fileDescription": dict,
}
BATCH = {
    "status": str,
    "created": int,
    "updated": int,
    "version": str,
    "errors": [{"code": str, "description": str, "rows": [int]}],
    "relatedObjects": [{"type": "dataSet", "id": str}],
    "metrics": Mapped(NUMBER),
}
WRITTEN = BATCH | {
    "status": "success",
    "metrics": {"recordsWritten": int, "recordsFailed": int, "startTime": int, "endTime": int},
}
LOST = BATCH | {"status": "failed", "errors": Listed({"code": str, "description": str, "rows": list})}
HREF = {"self": {"href": str}}
FILE_ENTRY = {
    "dataSetFileId": str,
    "dataSetViewId": str,
    "version": str,
    "created": str,
    "updated": str,
    "isValid": False,
    "_links": HREF,
}
PAGE = {"limit": int, "count": int}
FILES = {"data": Listed(FILE_ENTRY), "_page": PAGE, "_links": dict}
NAMES = {"data": Listed({"name": str, "length": str, "_links": HREF}), "_page": PAGE, "_links": dict}
SEGMENT = {
    "id": str,
    "name": str,
    "description": str,
    "mergePolicyId": str,
    "schema": {"name": "_xdm.context.profile"},
    "evaluationInfo": {kind: {"enabled": bool} for kind in ("batch", "continuous", "synchronous")},
    "expression": {"type": "PQL", "format": str, "value": str},
    "creationTime": int,
    "updateEpoch": int,
    "updateTime": int,
}
SEGMENTS = {
    "segments": Listed(SEGMENT),
    "page": {
        "totalCount": int,
        "totalPages": int,
        "pageSize": int,
        "limit": int,
        "sortField": "creationTime",
        "sort": "desc",
    },
    "link": dict,
}
AUDIENCE = {
    "id": str,
    "audienceId": str,
    "name": str,
    "namespace": str,
    "originName": str,
    "type": str,
    "lifecycleState": "published",
    "mergePolicyId": Optional(str),
    "updateTime": int,
    "metrics": Optional({"type": "export", "jobId": Optional(str), "data": {"totalProfiles": int}}),
}
AUDIENCES = {
    "children": Listed(AUDIENCE),
    "_page": {"totalCount": int, "pageSize": int, "next": Optional(str)},
    "_links": {"next": {"href": Optional(str)}},
}
POLICY = {
    "id": str,
    "name": str,
    "version": int,
    "default": bool,
    "isActiveOnEdge": bool,
    "schema": {"name": "_xdm.context.profile"},
    "identityGraph": {"type": str},
    "attributeMerge": {"type": str},
    "updateEpoch": int,
}
POLICIES = {
    "_page": {"totalCount": int, "pageSize": int},
    "children": Listed(POLICY),
    "_links": {"next": dict},
}
UNION_NAMES = {
    "results": Listed({"$id": str, "meta:altId": str, "title": str, "version": str}),
    "_links": dict,
}
UNION_FULL = {
    "$id": UNION,
    "type": "object",
    "properties": {"person": {"type": "object", "properties": dict}, "identityMap": {"meta:xdmType": "map"}},
}
UNION_SHORT = {"$id": UNION, "allOf": Listed({"$ref": str})}
SANDBOX = {
    "name": str,
    "title": str,
    "state": "active",
    "type": str,
    "region": str,
    "isDefault": bool,
    "eTag": int,
}
SANDBOX_LIST = {
    "sandboxes": Listed(SANDBOX),
    "_page": PAGE,
    "_links": {"page": {"href": str, "templated": True}},
}
SCHEDULES = {
    "_page": {"totalCount": int, "pageSize": int},
    "children": Listed(
        {"id": str, "name": str, "type": "batch_segmentation", "schedule": str, "state": "active"}
    ),
    "_links": {"next": {}},
}
NAMESPACES = Listed(
    {
        "id": int,
        "code": str,
        "name": str,
        "idType": str,
        "status": "ACTIVE",
        "custom": bool,
        "createTime": int,
        "updateTime": int,
    }
)
SEGMENT_JOB = {
    "id": str,
    "imsOrgId": str,
    "sandbox": NAMED_SANDBOX,
    "source": str,
    "status": str,
    "computeGatewayJobId": str,
    "segments": Listed({"segmentId": str}),
    "metrics": {
        "totalTime": {"startTimeInMs": int},
        "segmentedProfileCounter": Mapped(int),
        "segmentedProfileByStatusCounter": Mapped(Mapped(int)),
        "totalProfiles": int,
    },
    "_links": {"cancel": {"href": str, "method": "DELETE"}, "checkStatus": {"href": str, "method": "GET"}},
    "creationTime": int,
    "updateTime": int,
}
SEGMENT_JOBS = {
    "_page": {"totalCount": int, "pageSize": int},
    "children": Listed(SEGMENT_JOB),
    "_links": {"next": dict},
}


def gateway(code: str) -> Shape:
    """Shape A."""
    return {"error_code": code, "message": str}


def ups(status: int) -> Shape:
    """Shapes B and C."""
    whole = {"requestId": str, "errors": {str(status): Listed({"code": str, "message": str})}}
    return whole if status == 400 else whole | {"type": str, "title": str, "status": status}


def foundation(status: int) -> Shape:
    """Shape F."""
    return {"type": str, "status": status, "title": str, "detail": str}


def registry(status: int) -> Shape:
    """Shape G."""
    report = {"registryRequestId": str, "timestamp": str, "detailed-message": str, "sub-errors": list}
    return {"type": str, "title": str, "status": status, "report": report, "detail": str}


@dataclass(frozen=True)
class Call:
    """`path` has the names of `World.parts` in braces; `fault` is ordered before."""

    method: str
    path: str
    status: int
    shape: Shape = None
    headers: dict[str, Any] = field(default_factory=dict)
    body: Any = None
    fault: str = ""

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.status} {self.fault or ' '.join(map(str, self.headers.values()))[:40]}"


NOTHING = "00000000-0000-0000-0000-000000000000"
CALLS = [
    # export jobs (§2)
    Call("GET", f"{EXPORT_JOBS}", 200, JOBS),
    Call("GET", f"{EXPORT_JOBS}/", 200, JOBS),
    Call("GET", f"{EXPORT_JOBS}?limit=1", 200, JOBS),
    Call("GET", f"{EXPORT_JOBS}?limit=2&offset=99999999999999_96", 200, JOBS),
    Call("GET", f"{EXPORT_JOBS}?status=SUCCEEDED", 200, JOBS | {"records": Listed(SUCCEEDED)}),
    Call("GET", f"{EXPORT_JOBS}?status=FAILED", 200, JOBS | {"records": Listed(FAILED)}),
    Call("GET", f"{EXPORT_JOBS}?start=0&limit=10&page=0&sort=updateTime:asc", 200, JOBS),
    Call("GET", f"{EXPORT_JOBS}?limit=0", 400, ups(400)),
    Call("GET", f"{EXPORT_JOBS}?status=PROCESSING", 400, ups(400)),
    Call("GET", f"{EXPORT_JOBS}?offset=x", 400, ups(400)),
    Call("GET", EXPORT_JOBS, 403, ups(403), fault="forbidden-service"),
    Call("GET", EXPORT_JOBS, 503, None, fault="error-503-empty"),
    Call("GET", f"{EXPORT_JOBS}/{{job}}", 200, SUCCEEDED),
    Call("GET", f"{EXPORT_JOBS}/{{failed_job}}", 200, FAILED),
    Call("GET", f"{EXPORT_JOBS}/{NOTHING}", 404, ups(404)),
    Call("GET", f"{EXPORT_JOBS}/{{job}}", 403, ups(403), fault="forbidden-service"),
    Call("GET", f"{EXPORT_JOBS}/{{job}}", 503, None, fault="error-503-empty"),
    Call("DELETE", f"{EXPORT_JOBS}/{NOTHING}", 404, ups(404)),
    Call("DELETE", f"{EXPORT_JOBS}/{{job}}", 403, ups(403), fault="forbidden-service"),
    Call("DELETE", f"{EXPORT_JOBS}/{{job}}", 503, None, fault="error-503-empty"),
    Call("DELETE", f"{EXPORT_JOBS}/{{job}}", 400, ups(400)),
    Call("POST", EXPORT_JOBS, 400, ups(400), body={}),
    Call(
        "POST",
        EXPORT_JOBS,
        415,
        {"status": 415, "title": str, "type": str},
        {"Content-Type": "text/plain"},
        "{}",
    ),
    Call("POST", EXPORT_JOBS, 403, ups(403), body={}, fault="forbidden-service"),
    Call("POST", EXPORT_JOBS, 503, None, body={}, fault="error-503-empty"),
    Call("PUT", EXPORT_JOBS, 405),
    # the gateway (§1.4)
    Call("GET", EXPORT_JOBS, 403, gateway("403010"), {"Authorization": None}),
    Call("GET", EXPORT_JOBS, 401, gateway("401013"), {"Authorization": "Bearer gone"}),
    Call("GET", EXPORT_JOBS, 403, gateway("403000"), {"x-api-key": None}),
    Call("GET", EXPORT_JOBS, 403, gateway("403003"), {"x-api-key": "other"}),
    Call("GET", EXPORT_JOBS, 400, gateway("400003"), {"x-gw-ims-org-id": None}),
    Call("GET", EXPORT_JOBS, 403, gateway("403025"), {"x-gw-ims-org-id": "O@AdobeOrg"}),
    Call("GET", EXPORT_JOBS, 403, gateway("403027"), {"x-gw-ims-org-id": "O"}),
    Call("GET", EXPORT_JOBS, 429, gateway("429050"), fault="throttled"),
    # datasets (§4.1)
    Call("GET", f"{CATALOG}/dataSets", 200, Mapped(DATASET, least=5)),
    Call("GET", f"{CATALOG}/datasets?limit=100&start=1", 200, Mapped(DATASET, least=5)),
    Call(
        "GET",
        f"{CATALOG}/dataSets?properties=name,schemaRef",
        200,
        Mapped({"name": str, "schemaRef": dict}, least=5),
    ),
    Call(
        "GET",
        f"{CATALOG}/dataSets?property=name~^Audience&orderBy=desc:created",
        200,
        Mapped(DATASET, least=3),
    ),
    Call("GET", f"{CATALOG}/dataSets?tags=unifiedProfile:enabled:*", 200, Mapped(DATASET, least=5)),
    Call("GET", f"{CATALOG}/dataSets?limit=0", 400, foundation(400)),
    Call("GET", f"{CATALOG}/dataSets?limit=101", 400, foundation(400)),
    Call("GET", f"{CATALOG}/dataSets?limit=21&properties=observableSchema", 400, foundation(400)),
    Call("GET", f"{CATALOG}/dataSets?property=a=b=!c|", 200, {}),
    Call("GET", f"{CATALOG}/dataSets?property=!!a", 400, foundation(400)),
    Call("GET", f"{CATALOG}/dataSets?orderBy=up:name", 400, foundation(400)),
    Call("GET", f"{CATALOG}/dataSets?tags=alone", 400, foundation(400)),
    Call(
        "GET",
        f"{CATALOG}/dataSets/{{dataset}}",
        200,
        Mapped(DATASET | {"lastBatchId": str, "lastBatchStatus": str}),
    ),
    Call("GET", f"{CATALOG}/dataSets/{NOTHING}", 404, foundation(404)),
    Call("DELETE", f"{CATALOG}/dataSets/{NOTHING}", 404, foundation(404)),
    Call("POST", f"{CATALOG}/dataSets", 400, foundation(400), body={"name": "x"}),
    Call(
        "POST",
        f"{CATALOG}/dataSets",
        415,
        {"status": 415, "title": str, "type": str},
        {"Content-Type": "text/plain"},
        "{}",
    ),
    Call(
        *("POST", f"{CATALOG}/dataSets", 200, []),
        headers={"Pragma": "validate-only"},
        body={"name": "Only looked at", "schemaRef": {"id": UNION}},
    ),
    # batches and their files (§5)
    Call("GET", f"{CATALOG}/batches", 200, Mapped(BATCH, least=2)),
    Call(
        "GET",
        f"{CATALOG}/batches?dataSet={{dataset}}&orderBy=desc:created&limit=1",
        200,
        Mapped(BATCH, least=1),
    ),
    Call(
        "GET", f"{CATALOG}/batches?createdAfter=0&createdBefore=99999999999999", 200, Mapped(BATCH, least=2)
    ),
    Call("GET", f"{CATALOG}/batches?createdBefore=1", 200, {}),
    Call("GET", f"{CATALOG}/batches?status=active", 200, Mapped(WRITTEN, least=1)),
    Call(
        "GET",
        f"{CATALOG}/batches?property=status==failed&properties=status",
        200,
        Mapped({"status": "failed"}, least=1),
    ),
    Call("GET", f"{CATALOG}/batches?dataSet={NOTHING}", 200, {}),
    Call("GET", f"{CATALOG}/batches?createdAfter=yesterday", 400, foundation(400)),
    Call("GET", f"{CATALOG}/batches?status=lost", 400, foundation(400)),
    Call("GET", f"{CATALOG}/batches?orderBy=desc:size", 400, foundation(400)),
    Call("GET", f"{CATALOG}/batches?limit=0", 400, foundation(400)),
    Call("GET", f"{CATALOG}/batches/{{batch}}", 200, Mapped(WRITTEN, least=1)),
    Call("GET", f"{CATALOG}/batches/{{batch}}?aggregate=true", 200, Mapped(WRITTEN, least=1)),
    Call("GET", f"{CATALOG}/batches/{{batch}}?aggregate=maybe", 400, foundation(400)),
    Call("GET", f"{CATALOG}/batches/{{failed_batch}}", 200, Mapped(LOST, least=1)),
    Call("GET", f"{CATALOG}/batches/{NOTHING}", 404, foundation(404)),
    Call("GET", f"{CATALOG}/lastBatches?dataSetId={{dataset}}", 200, Mapped(BATCH, least=1)),
    Call("GET", f"{CATALOG}/lastBatches", 400, foundation(400)),
    Call("GET", f"{EXPORT}/batches/{{batch}}/files", 200, FILES),
    Call("GET", f"{EXPORT}/batches/{{batch}}/files?start=0&limit=1", 200, FILES),
    Call("GET", f"{EXPORT}/batches/{{batch}}/files?limit=101", 400, foundation(400)),
    Call("GET", f"{EXPORT}/batches/{{batch}}/files?start=-1", 400, foundation(400)),
    Call("GET", f"{EXPORT}/batches/{{failed_batch}}/files", 200, {"data": [], "_page": PAGE | {"count": 0}}),
    Call("GET", f"{EXPORT}/batches/{NOTHING}/files", 404, foundation(404)),
    Call(
        "GET", f"{EXPORT}/batches/{{batch}}/files", 401, gateway("401013"), {"Authorization": "Bearer gone"}
    ),
    Call("GET", f"{EXPORT}/batches/{{batch}}/files", 500, None, fault="error-500-empty"),
    Call("GET", f"{EXPORT}/batches/{{failed_batch}}/failed", 200, NAMES),
    Call("GET", f"{EXPORT}/batches/{{failed_batch}}/meta", 200, NAMES),
    Call("GET", f"{EXPORT}/batches/{{failed_batch}}/meta?path=row_errors", 200, {"data": []}),
    Call("GET", f"{EXPORT}/batches/{{failed_batch}}/meta?path=elsewhere", 404, foundation(404)),
    Call("GET", f"{EXPORT}/batches/{{batch}}/failed", 404, foundation(404)),
    Call("GET", f"{EXPORT}/batches/{{batch}}/meta", 404, foundation(404)),
    Call("GET", f"{EXPORT}/files/{{file}}", 200, NAMES),
    Call("GET", f"{EXPORT}/files/{{file}}?path={{name}}", 200),
    Call("GET", f"{EXPORT}/files/{{file}}?path={{name}}", 206, None, {"Range": "bytes=0-99"}),
    Call(
        "GET", f"{EXPORT}/files/{{file}}?path={{name}}", 416, foundation(416), {"Range": "bytes=99999999999-"}
    ),
    Call("GET", f"{EXPORT}/files/{{file}}?path=other.parquet", 404, foundation(404)),
    Call("GET", f"{EXPORT}/files/{NOTHING}", 404, foundation(404)),
    Call("HEAD", f"{EXPORT}/files/{{file}}?path={{name}}", 200),
    Call("HEAD", f"{EXPORT}/files/{NOTHING}?path=x", 404),
    Call("GET", f"{EXPORT}/datasets/{{dataset}}/preview", 200, {"data": Listed(dict)}),
    Call("GET", f"{EXPORT}/datasets/{NOTHING}/preview", 404, foundation(404)),
    # segment definitions and audiences (§4.2, §4.3)
    Call("GET", f"{UPS}/segment/definitions", 200, SEGMENTS),
    Call("GET", f"{UPS}/segment/definitions?limit=5&page=1", 200, SEGMENTS),
    Call("GET", f"{UPS}/segment/definitions?limit=0", 400, ups(400)),
    Call("GET", f"{UPS}/segment/definitions/{{segment}}", 200, SEGMENT),
    Call("GET", f"{UPS}/segment/definitions/{NOTHING}", 404, ups(404)),
    Call(
        "POST", f"{UPS}/segment/definitions/bulk-get", 207, {"results": {}}, body={"ids": [{"id": NOTHING}]}
    ),
    Call("GET", f"{UPS}/audiences", 200, AUDIENCES),
    Call("GET", f"{UPS}/audiences?start=1&limit=2&sort=updateTime:desc", 200, AUDIENCES),
    Call("GET", f"{UPS}/audiences?property=audienceId=={{segment}}", 200, AUDIENCES),
    Call("GET", f"{UPS}/audiences?name=LOYALTY&entityType=SegmentDefinition", 200, AUDIENCES),
    Call("GET", f"{UPS}/audiences?sort=updateTime", 400, ups(400)),
    Call("GET", f"{UPS}/audiences?property=audienceId", 400, ups(400)),
    Call("GET", f"{UPS}/audiences?entityType=Crowd", 400, ups(400)),
    Call("GET", f"{UPS}/audiences?limit=0", 400, ups(400)),
    Call("GET", f"{UPS}/audiences/{{segment}}", 200, AUDIENCE),
    Call("GET", f"{UPS}/audiences/{NOTHING}", 404, ups(404)),
    Call("GET", f"{UPS}/audiences", 403, {"errors": dict}, fault="forbidden-inside-out"),
    Call("POST", f"{UPS}/audiences/bulk-get", 400, ups(400), body={"ids": []}),
    Call("POST", f"{UPS}/audiences/bulk-get", 207, {"results": {}}, body={"ids": [{"id": NOTHING}]}),
    # merge policies, unions, sandboxes, schedules, namespaces, segment jobs (§4.4 to §4.9)
    Call("GET", f"{UPS}/config/mergePolicies", 200, POLICIES),
    Call("GET", f"{UPS}/config/mergePolicies?limit=1", 200, POLICIES | {"_links": {"next": {"href": str}}}),
    Call(
        "GET",
        f"{UPS}/config/mergePolicies?default=true",
        200,
        POLICIES | {"children": Listed(POLICY | {"default": True})},
    ),
    Call("GET", f"{UPS}/config/mergePolicies?start=opaque", 400, ups(400)),
    Call("GET", f"{UPS}/config/mergePolicies/{{policy}}", 200, POLICY),
    Call("GET", f"{UPS}/config/mergePolicies/{NOTHING}", 404, ups(404)),
    Call("GET", REGISTRY, 200, UNION_NAMES, XED_ID),
    Call("GET", REGISTRY, 400, registry(400), XED_FULL),
    Call("GET", REGISTRY, 400, registry(400), {"Accept": "application/json"}),
    Call("GET", f"{REGISTRY}/_xdm.context.profile__union", 200, UNION_FULL, XED_FULL),
    Call(
        "GET",
        f"{REGISTRY}/https%3A%2F%2Fns.adobe.com%2Fxdm%2Fcontext%2Fprofile__union",
        200,
        UNION_FULL,
        XED_FULL,
    ),
    Call(
        *("GET", f"{REGISTRY}/_xdm.context.profile__union", 200, UNION_SHORT),
        {"Accept": "application/vnd.adobe.xed+json; version=1"},
    ),
    Call("GET", f"{REGISTRY}/_xdm.context.profile__union", 400, registry(400), XED_ID),
    Call("GET", f"{REGISTRY}/_xdm.context.other__union", 404, registry(404), XED_FULL),
    Call("GET", f"{SANDBOXES}/", 200, SANDBOX_LIST, {"x-sandbox-name": None}),
    Call("GET", f"{SANDBOXES}/sandboxes", 200, SANDBOX_LIST, {"x-sandbox-name": None}),
    Call("GET", f"{SANDBOXES}/?limit=1&offset=1", 200, SANDBOX_LIST),
    Call("GET", f"{SANDBOXES}/?property=type==development&orderBy=name", 200, SANDBOX_LIST),
    Call("GET", f"{SANDBOXES}/?limit=0", 400, foundation(400)),
    Call("GET", f"{SANDBOXES}/sandboxes/prod", 200, SANDBOX),
    Call("GET", f"{SANDBOXES}/sandboxes/nowhere", 404, foundation(404)),
    Call("GET", f"{UPS}/config/schedules", 200, SCHEDULES),
    Call("GET", f"{UPS}/config/schedules?limit=0", 400, ups(400)),
    Call("GET", f"{UPS}/config/schedules/{NOTHING}", 404, ups(404)),
    Call("GET", "/data/core/idnamespace/identities", 200, NAMESPACES),
    Call("GET", f"{UPS}/segment/jobs", 200, SEGMENT_JOBS),
    Call("GET", f"{UPS}/segment/jobs?status=SUCCEEDED&sort=creationTime:desc&limit=1", 200, SEGMENT_JOBS),
    Call("GET", f"{UPS}/segment/jobs?property=segments~segmentId=={{segment}}", 200, SEGMENT_JOBS),
    Call(
        "GET",
        f"{UPS}/segment/jobs?property=segments~segmentId=={NOTHING}",
        200,
        SEGMENT_JOBS | {"children": []},
    ),
    Call("GET", f"{UPS}/segment/jobs?status=DONE", 400, ups(400)),
    Call("GET", f"{UPS}/segment/jobs?sort=age", 400, ups(400)),
    Call("GET", f"{UPS}/segment/jobs/{{evaluation}}", 200, SEGMENT_JOB),
    Call("GET", f"{UPS}/segment/jobs/{NOTHING}", 404, ups(404)),
    # without a sandbox or with a wrong one
    Call("GET", f"{UPS}/audiences", 400, ups(400), {"x-sandbox-name": None}),
    Call("GET", f"{UPS}/audiences", 403, ups(403), {"x-sandbox-name": "nowhere"}),
    Call("GET", f"{CATALOG}/batches", 400, foundation(400), {"x-sandbox-name": None}),
    Call("GET", f"{CATALOG}/batches", 403, foundation(403), {"x-sandbox-name": "nowhere"}),
    Call("GET", f"{UPS}/elsewhere", 404, {"code": "404", "message": str}),
]


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_the_reply_has_the_documented_status_and_shape(world: World, call: Call) -> None:
    world.remote.clear_faults()
    if call.fault:
        world.remote.preset(call.fault)
    body = {"data": call.body} if isinstance(call.body, str) else {"json": call.body}
    reply = world.call(call.method, call.path.format(**world.parts), headers=call.headers, **body)
    assert reply.status_code == call.status, reply.text[:500]
    if call.shape is not None:
        assert differences(reply.json(), call.shape) == []


def test_a_created_job_has_the_documented_shape_and_place(world: World) -> None:
    segments = world.get(f"{UPS}/segment/definitions").json()["segments"][:2]
    chosen = {"segments": [{"segmentId": one["id"]} for one in segments]}
    target = {"datasetId": world.parts["dataset"], "segmentPerBatch": True}
    for asked in (payload(world.remote), payload(world.remote, filter=chosen, destination=target)):
        reply = world.call("POST", EXPORT_JOBS, json=asked)
        assert differences(reply.json(), NEW) == []
        assert reply.headers["X-Location"] == f"/export/jobs/{reply.json()['id']}"
    assert len(reply.json()["destination"]["batches"]) == 2


def test_a_cancelled_job_is_answered_as_documented(world: World) -> None:
    job = create(world.remote, world.session, filter=one_segment(world.remote))
    reply = world.call("DELETE", f"{EXPORT_JOBS}/{job['id']}")
    assert (reply.status_code, reply.json()) == (200, CANCELLED)


def test_a_new_dataset_is_answered_with_its_reference(world: World) -> None:
    asked = {
        "name": "Contract target",
        "schemaRef": {"id": UNION, "contentType": "application/vnd.adobe.xed+json;version=1"},
    }
    reply = world.call("POST", f"{CATALOG}/dataSets", json=asked)
    assert (reply.status_code, reply.headers["Location"]) == (201, reply.json()[0])
    dataset_id = reply.json()[0].rpartition("/")[2]
    assert differences(world.get(f"{CATALOG}/dataSets/{dataset_id}").json(), Mapped(DATASET, least=1)) == []


def test_segments_are_evaluated_on_request(world: World) -> None:
    asked = [{"segmentId": world.parts["segment"]}]
    made = world.call("POST", f"{UPS}/segment/jobs", json=asked)
    assert (made.status_code, differences(made.json(), SEGMENT_JOB)) == (200, [])
    assert [made.json()[name] for name in ("status", "source")] == ["SUCCEEDED", "api"]
    assert [one["segmentId"] for one in made.json()["segments"]] == [world.parts["segment"]]
    newest = world.get(f"{UPS}/segment/jobs?limit=1").json()["children"]
    assert [one["id"] for one in newest] == [made.json()["id"]]
    audience = world.get(f"{UPS}/audiences/{world.parts['segment']}").json()
    counted = made.json()["metrics"]["segmentedProfileCounter"][world.parts["segment"]]
    assert audience["metrics"]["jobId"] == made.json()["id"]
    assert audience["metrics"]["data"]["totalProfiles"] == counted
    everybody = world.call("POST", f"{UPS}/segment/jobs", json=[{"segmentId": "*"}]).json()
    assert len(everybody["segments"]) > 5


@pytest.mark.parametrize("asked", [[], {}, [{}], [{"segmentId": 5}], [{"segmentId": NOTHING}]])
def test_a_segment_job_that_cannot_be_is_refused(world: World, asked: Any) -> None:
    reply = world.call("POST", f"{UPS}/segment/jobs", json=asked)
    assert (reply.status_code, differences(reply.json(), ups(400))) == (400, [])


def test_a_dataset_is_deleted_and_the_job_that_waits_for_it_fails(world: World) -> None:
    asked = {"name": "Deleted target", "schemaRef": {"id": UNION}}
    reference = world.call("POST", f"{CATALOG}/dataSets", json=asked).json()[0]
    dataset_id = reference.rpartition("/")[2]
    job = create(world.remote, world.session, destination={"datasetId": dataset_id})
    deleted = world.call("DELETE", f"{CATALOG}/dataSets/{dataset_id}")
    assert (deleted.status_code, deleted.json()) == (200, [reference])
    assert world.get(f"{CATALOG}/dataSets/{dataset_id}").status_code == 404
    failed = ended(world.remote, world.session, job)
    assert failed["status"] == "FAILED"
    assert dataset_id in failed["errors"][0]["callStack"]


def test_a_dataset_that_is_being_written_to_is_not_deleted(world: World) -> None:
    world.remote.preset("job-never-ends")
    job = create(world.remote, world.session)
    for _ in range(100):
        if world.get(f"{EXPORT_JOBS}/{job['id']}").json()["status"] == "PROCESSING":
            break
        world.remote.advance(5)
    reply = world.call("DELETE", f"{CATALOG}/dataSets/{world.parts['dataset']}")
    assert (reply.status_code, differences(reply.json(), foundation(409))) == (409, [])
    assert world.call("DELETE", f"{EXPORT_JOBS}/{job['id']}").ok


def test_validating_alone_makes_no_dataset(world: World) -> None:
    asked = {"name": "Never made", "schemaRef": {"id": UNION}}
    assert (
        world.call("POST", f"{CATALOG}/dataSets", json=asked, headers={"Pragma": "validate-only"}).json()
        == []
    )
    assert world.get(f"{CATALOG}/dataSets?name=Never made").json() == {}
    wrong = world.call("POST", f"{CATALOG}/dataSets", json={"name": "x"}, headers={"Pragma": "validate-only"})
    assert wrong.status_code == 400


def test_tokens_have_the_documented_shape(world: World) -> None:
    known = world.remote.credentials
    form = {name: known[name] for name in ("client_id", "client_secret")} | {
        "grant_type": "client_credentials"
    }
    reply = world.session.post(known["token_url"], data=form | {"scope": "openid"}, timeout=10)
    assert differences(reply.json(), {"access_token": str, "token_type": "bearer", "expires_in": int}) == []
    refused = world.session.post(known["token_url"], data=form | {"scope": "all"}, timeout=10)
    assert (refused.status_code, differences(refused.json(), {"error": str, "error_description": str})) == (
        400,
        [],
    )


# The example requests of the two guides, typed as JSON; ids are those of this emulator.
SEGMENTATION_GUIDE_CREATE = {
    "fields": "identities.id,personalEmail.address",
    "mergePolicy": {"id": "timestampOrdered-none-mp", "version": 1},
    "filter": {
        "segments": [{"segmentId": "{segment}", "segmentNs": "ups", "status": ["realized"]}],
        "segmentQualificationTime": {"startTime": "2018-01-01T00:00:00Z", "endTime": "2018-02-01T00:00:00Z"},
        "fromIngestTimestamp": "2018-01-01T00:00:00Z",
        "emptyProfiles": True,
    },
    "additionalFields": {
        "eventList": {
            "fields": "_id, _experience",  # the request has the word "string" here, the reply this
            "filter": {
                "fromIngestTimestamp": "2018-01-01T00:00:00Z",
                "toIngestTimestamp": "2020-01-01T00:00:00Z",
            },
        }
    },
    "destination": {"datasetId": "{dataset}", "segmentPerBatch": False},
    "schema": {"name": "_xdm.context.profile"},
    "evaluationInfo": {"segmentation": True},
}
BROWSERS = {
    "eventList": {
        "fields": "environment.browserDetails.name,environment.browserDetails.version",
        "filter": {"fromIngestTimestamp": "2018-10-25T13:22:04-07:00"},
    }
}
PROFILE_GUIDE_ONLY = {
    "fields": "identities.id,personalEmail.address",
    "mergePolicy": {"id": "{policy}", "version": 1},
    "destination": {"datasetId": "{dataset}", "segmentPerBatch": False},
    "schema": {"name": "_xdm.context.profile"},
}
PROFILE_GUIDE_CREATE = PROFILE_GUIDE_ONLY | {"additionalFields": BROWSERS}
PROFILE_GUIDE_EVENTS = PROFILE_GUIDE_CREATE | {"fields": "identityMap"}
PROFILE_GUIDE_DATASET = {
    "name": "Profile Data Export",
    "schemaRef": {"id": UNION, "contentType": "application/vnd.adobe.xed+json;version=1"},
    "fileDescription": {"persisted": True, "containerFormat": "parquet", "format": "parquet"},
}
GUIDES = [
    Call("GET", f"{EXPORT_JOBS}?limit=2", 200, JOBS),
    Call("POST", EXPORT_JOBS, 200, NEW, body=SEGMENTATION_GUIDE_CREATE),
    Call("GET", f"{EXPORT_JOBS}/{{job}}", 200, SUCCEEDED),
    Call("POST", f"{CATALOG}/dataSets", 201, [str], body=PROFILE_GUIDE_DATASET),
    Call("POST", EXPORT_JOBS, 200, NEW, body=PROFILE_GUIDE_CREATE),
    Call("GET", f"{EXPORT_JOBS}/", 200, JOBS),
    Call("POST", EXPORT_JOBS, 200, NEW, body=PROFILE_GUIDE_ONLY),
    Call("POST", EXPORT_JOBS, 200, NEW, body=PROFILE_GUIDE_EVENTS),
    Call("POST", f"{EXPORT_JOBS}/{{job}}", 405),  # the sample command of the cancel has the wrong verb
]


@pytest.mark.parametrize("call", GUIDES, ids=str)
def test_the_examples_of_the_guides_are_answered_as_documented(world: World, call: Call) -> None:
    world.remote.clear_faults()
    body = _filled(call.body, world.parts)
    reply = world.call(call.method, call.path.format(**world.parts), json=body)
    assert reply.status_code == call.status, reply.text[:500]
    if call.shape is not None:
        assert differences(reply.json(), call.shape) == []
    if call.shape is NEW:
        for name in ("fields", "filter", "additionalFields", "mergePolicy"):
            assert reply.json().get(name) == body.get(name)
        assert world.call("DELETE", f"{EXPORT_JOBS}/{reply.json()['id']}").status_code == 200


def test_the_shapes_notice_what_differs() -> None:
    assert differences(HOSTILE_RECORD, JOB)
    assert differences({"a": True}, {"a": int}) == ["$.a: True is no <class 'int'>"]
    assert differences({"a": [1, "x"]}, {"a": [int], "b": str}) == [
        "$.a[1]: 'x' is no <class 'int'>",
        "$.b: missing",
    ]


def _filled(value: Any, parts: dict[str, Any]) -> Any:
    """The value with `{name}` in its strings replaced."""
    if isinstance(value, dict):
        return {key: _filled(inner, parts) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, parts) for inner in value]
    return value.format(**parts) if isinstance(value, str) else value
