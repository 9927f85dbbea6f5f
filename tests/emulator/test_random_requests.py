"""Random payloads and queries: never a 500, always JSON, and a refusal names the field it is about."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.emulator.world import World, payload
from tests.remote import EXPORT_JOBS

UPS = "/data/core/ups"
CATALOG = "/data/foundation/catalog"
EXPORT = "/data/foundation/export"
OFTEN = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

words = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ["", "ups", "realized", "2025-01-01T00:00:00Z", "identityMap", "person.name", "-1", "1e9", "null"]
    ),
)
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), words
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(words, inner, max_size=3)),
    max_leaves=6,
)
FIELDS = {
    "fields": "fields",
    "mergePolicy": "mergePolicy",
    "mergePolicy.id": "mergePolicy",
    "mergePolicy.version": "mergePolicy",
    "filter": "filter",
    "filter.segments": "filter",
    "filter.segmentQualificationTime": "filter",
    "filter.segmentQualificationTime.startTime": "filter",
    "filter.segmentQualificationTime.endTime": "filter",
    "filter.fromIngestTimestamp": "filter",
    "filter.emptyProfiles": "filter",
    "additionalFields": "additionalFields",
    "additionalFields.eventList": "additionalFields",
    "additionalFields.eventList.fields": "additionalFields",
    "additionalFields.eventList.filter": "additionalFields",
    "additionalFields.eventList.filter.fromIngestTimestamp": "additionalFields",
    "additionalFields.eventList.filter.toIngestTimestamp": "additionalFields",
    "destination": "destination",
    "destination.datasetId": "destination",
    "destination.segmentPerBatch": "destination",
    "schema": "schema",
    "schema.name": "schema",
    "evaluationInfo": "evaluationInfo",
    "evaluationInfo.segmentation": "evaluationInfo",
    "properties": "properties",
}


def sane(reply: requests.Response) -> None:
    """A reply of the platform: no server error, and JSON whenever it has a body."""
    assert reply.status_code < 500, reply.text[:500]
    if reply.content and reply.headers["Content-Type"].startswith("application/json"):
        reply.json()
    elif reply.status_code >= 400 and reply.status_code != 405:
        assert reply.headers["Content-Type"] == "application/json", reply.text[:200]


def message(reply: requests.Response) -> str:
    """The sentence of a refusal, in whatever shape."""
    body = reply.json()
    if "errors" in body:
        return next(iter(body["errors"].values()))[0]["message"]
    return body.get("detail") or body["message"]


def send(world: World, method: str, path: str, body: Any) -> requests.Response:
    """JSON as a client writes it that escapes everything; lone surrogates stay what they are."""
    data = json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    return world.call(method, path, data=data, headers=headers)


def cancelled(world: World, reply: requests.Response) -> None:
    """Nothing that was launched here needs to run."""
    if reply.status_code == 200:
        world.call("DELETE", f"{EXPORT_JOBS}/{reply.json()['id']}")


@given(body=values)
@OFTEN
def test_any_body_of_a_create(world: World, body: Any) -> None:
    reply = send(world, "POST", EXPORT_JOBS, body)
    sane(reply)
    assert reply.status_code == 400


@given(path=st.sampled_from(sorted(FIELDS)), value=values)
@OFTEN
def test_a_create_with_one_field_of_any_value(world: World, path: str, value: Any) -> None:
    asked = payload(world.remote)
    place, (*parents, name) = asked, path.split(".")
    for parent in parents:
        place = place.setdefault(parent, {})
    place[name] = value
    reply = send(world, "POST", EXPORT_JOBS, asked)
    sane(reply)
    assert reply.status_code in (200, 400)
    if reply.status_code == 400 and "request body" not in message(reply):
        assert FIELDS[path] in message(reply)
    cancelled(world, reply)


@given(
    segments=st.lists(
        st.one_of(
            values,
            st.fixed_dictionaries({"segmentId": words}, optional={"segmentNs": values, "status": values}),
        ),
        max_size=3,
    )
)
@OFTEN
def test_a_create_with_any_segments(world: World, segments: list[Any]) -> None:
    reply = send(world, "POST", EXPORT_JOBS, payload(world.remote, filter={"segments": segments}))
    sane(reply)
    if reply.status_code == 400 and "request body" not in message(reply):
        assert "filter.segments" in message(reply)
    cancelled(world, reply)


@given(
    body=st.one_of(
        values, st.fixed_dictionaries({"name": words, "schemaRef": values}, optional={"tags": values})
    )
)
@OFTEN
def test_any_body_of_a_new_dataset(world: World, body: Any) -> None:
    reply = send(world, "POST", f"{CATALOG}/dataSets", body)
    sane(reply)
    if reply.status_code == 400:
        assert re.search(r"name|schemaRef|tags|request body", message(reply))


@given(body=values)
@OFTEN
def test_any_body_of_a_bulk_request(world: World, body: Any) -> None:
    for path in ("audiences/bulk-get", "segment/definitions/bulk-get", "segment/jobs"):
        reply = send(world, "POST", f"{UPS}/{path}", body)
        sane(reply)
        assert reply.status_code == 400
        assert re.search(r"ids|segmentId|request body", message(reply))


LISTS = {
    EXPORT_JOBS: ("limit", "offset", "status", "start", "page", "sort"),
    f"{UPS}/segment/definitions": ("limit", "start", "page"),
    f"{UPS}/segment/jobs": ("limit", "start", "status", "sort", "property"),
    f"{UPS}/audiences": ("limit", "start", "sort", "property", "name", "description", "entityType"),
    f"{UPS}/config/mergePolicies": ("limit", "start", "default", "version", "orderBy"),
    f"{UPS}/config/schedules": ("limit", "start"),
    f"{CATALOG}/dataSets": ("limit", "start", "orderBy", "sort", "property", "properties", "name", "tags"),
    f"{CATALOG}/batches": (
        *("limit", "start", "orderBy", "property", "properties", "dataSet", "status"),
        *("createdAfter", "createdBefore"),
    ),
    f"{CATALOG}/batches/{{batch}}": ("aggregate", "properties"),
    f"{CATALOG}/lastBatches": ("dataSetId", "properties"),
    f"{EXPORT}/batches/{{batch}}/files": ("limit", "start"),
    f"{EXPORT}/batches/{{failed_batch}}/meta": ("limit", "start", "path"),
    f"{EXPORT}/batches/{{failed_batch}}/failed": ("limit", "start", "path"),
    f"{EXPORT}/files/{{file}}": ("limit", "start", "path"),
    "/data/foundation/sandbox-management/": ("limit", "offset", "orderBy", "property"),
    "/data/foundation/schemaregistry/tenant/unions": ("limit",),
}
asked_values = st.one_of(
    st.text(max_size=25),
    st.integers(-5, 10**20).map(str),
    st.sampled_from(
        ["name~^A.*e$", "status==success", "a==", "!a", "desc:created", "asc:", "x:y:*", "name:asc", "1_2"]
    ),
    st.from_regex(r"[a-z!~=<>^$*.:,_]{0,20}", fullmatch=True),
)


@pytest.mark.parametrize("path", LISTS)
def test_any_query_of_a_list(world: World, path: str) -> None:
    names = LISTS[path]
    headers = {"Accept": "application/vnd.adobe.xed-id+json"}
    place = path.format(**world.parts)

    @given(query=st.dictionaries(st.sampled_from(names), asked_values, min_size=1, max_size=3))
    @settings(OFTEN, max_examples=40)
    def tried(query: dict[str, str]) -> None:
        reply = world.get(place, params=query, headers=headers)
        sane(reply)
        assert reply.status_code in (200, 400, 404)
        if reply.status_code == 400:
            assert any(name in message(reply) for name in names), message(reply)

    tried()


@given(tail=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30))
@OFTEN
def test_any_id(world: World, tail: str) -> None:
    for path in (
        EXPORT_JOBS,
        f"{CATALOG}/dataSets",
        f"{CATALOG}/batches",
        f"{EXPORT}/files",
        f"{UPS}/audiences",
    ):
        place = f"{world.remote.url}{path}/{quote(tail, safe='')}"
        reply = world.session.get(place, timeout=10)
        sane(reply)
        assert reply.status_code in (200, 404)


@given(
    value=st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=40)
)
@OFTEN
def test_any_header(world: World, value: str) -> None:
    path = f"{EXPORT}/files/{world.file_id}?path={world.file_name}"
    for name in ("Range", "If-Range", "Accept", "Pragma", "x-sandbox-name", "x-request-id", "Origin"):
        data = value.strip().encode("latin-1")
        reply = world.get(path, headers={name: data, "Range": data if name == "Range" else b"bytes=0-1"})
        assert reply.status_code < 500


@given(body=values)
@settings(OFTEN, max_examples=40)
def test_any_body_at_the_emulators_own_doors(world: World, body: Any) -> None:
    for method, path in (("POST", "faults"), ("PUT", "quirks"), ("PUT", "permissions"), ("POST", "clock")):
        reply = send(world, method, f"/_emulator/{path}", body)
        sane(reply)
    world.remote.clear_faults()
    world.remote.quirks()
