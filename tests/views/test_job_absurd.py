"""Whatever a record holds, its page stands: hostile text is text, and no value is too absurd."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from jobs.client.records import read_job
from jobs.models import Activity, CatalogEntry, EntryKind, ExportJob, Role, Sandbox, Verb
from jobs.sync import record
from tests import make

LIVE = {"HX-Request": "true", "HX-Target": "job-live"}

pytestmark = pytest.mark.django_db


@pytest.fixture
def place() -> Sandbox:
    return make.sandbox()


@pytest.fixture
def operator(client: Client, place: Sandbox) -> Client:
    person = make.user("olga")
    make.member(person, place.connection, Role.OPERATOR)
    return make.signed_in(client, person)


def shown(client: Client, job: ExportJob) -> str:
    answer = client.get(reverse("jobs:job", args=[job.pk]))
    assert answer.status_code == 200
    return answer.content.decode()


NOON = 1_538_568_000_000
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>"


def test_hostile_text_is_text_everywhere(operator: Client, place: Sandbox) -> None:
    segment = "seg-" + HOSTILE
    raw = make.failed(
        id=f"j{HOSTILE}",
        errors=[{"code": HOSTILE, "msg": HOSTILE, "callStack": "\n".join([HOSTILE] * 8)}],
        filter={"segments": [{"segmentId": segment, "segmentNs": HOSTILE, "status": [HOSTILE]}]},
        fields=HOSTILE,
        mergePolicy={"id": HOSTILE, "version": HOSTILE},
        schema={"name": HOSTILE},
        destination={"datasetId": HOSTILE, "batches": [{"batchId": HOSTILE, "segmentId": segment}]},
        computeGatewayJobId={HOSTILE: HOSTILE},
        requestId=HOSTILE,
        imsOrgId=HOSTILE,
        jobType=HOSTILE,
        metrics={
            HOSTILE: {"startTimeInMs": NOON, "endTimeInMs": NOON + 1000},
            "exportedProfileByNamespaceCounter": {HOSTILE: 3},
        },
        additionalFields={"eventList": {"fields": HOSTILE, "filter": {"fromIngestTimestamp": HOSTILE}}},
    )
    now = timezone.now()
    record(place, [read_job(raw)], as_of=now - timedelta(seconds=9))
    record(place, [read_job(raw | {"status": HOSTILE, HOSTILE: HOSTILE})], as_of=now)
    job = place.jobs.get()
    CatalogEntry.objects.create(
        sandbox=place, kind=EntryKind.SEGMENT, remote_id=segment, name=HOSTILE, seen_at=now
    )
    Activity.note(Verb.CANCEL_REQUESTED, at=now, actor=None, sandbox=place, job=job, reason=HOSTILE)
    Sandbox.objects.filter(pk=place.pk).update(failing_since=now, last_error=HOSTILE)
    for page in (shown(operator, job), operator.get(f"/jobs/{job.pk}/cancel/").content.decode()):
        assert "<script>alert" not in page
        assert "<img" not in page
        assert "&lt;script&gt;alert(1)" in page


BIG, SMALL = 2**63 - 1, -(2**63)
PHASE = {"startTimeInMs": BIG, "endTimeInMs": SMALL, "totalTimeInMs": BIG}
MEMBERS = [member for member in make.raw() if member != "id"]
NASTY: dict[str, dict[str, Any]] = {
    "times beyond every calendar": {
        "creationTime": BIG,
        "updateTime": SMALL,
        "metrics": {"totalTime": PHASE},
    },
    "times as texts": {
        "creationTime": "yesterday",
        "updateTime": "",
        "metrics": {"totalTime": {"startTimeInMs": "x"}},
    },
    "the year 2199": {"creationTime": 7_258_118_399_000, "updateTime": 7_258_118_399_000},
    "a life of a century": {
        "metrics": {"totalTime": {"startTimeInMs": 31_536_000_000, "endTimeInMs": 7_258_118_399_000}}
    },
    "one phase of no length": {
        "metrics": {"profileExportTime": {"startTimeInMs": NOON, "endTimeInMs": NOON}}
    },
    "only sums": {
        "metrics": {"totalTime": {"totalTimeInMs": 5}, "profileExportTime": {"totalTimeInMs": BIG}}
    },
    "fifty phases": {"metrics": {f"p{n}": {"startTimeInMs": NOON + n} for n in range(50)}},
    "everything null": dict.fromkeys(MEMBERS),
    "everything a list": {member: [[]] for member in MEMBERS},
    "everything a number": dict.fromkeys(MEMBERS, -1),
    "everything a text": dict.fromkeys(MEMBERS, "x"),
    "errors of every kind": {
        "errors": [None, 1, "text", [], {}, {"code": {}}, {"code": 8.0000018e7, "msg": [1]}]
    },
    "a thousand errors": {"status": "FAILED", "errors": [{"code": str(n), "msg": "m"} for n in range(1000)]},
    "a stack without end": {"errors": [{"code": "1", "callStack": "at a.b.C\n" * 20_000}]},
    "thousands of segments": {"filter": {"segments": [{"segmentId": f"s{n}"} for n in range(3000)]}},
    "segments of every kind": {
        "filter": {"segments": [None, 1, "x", {}, {"segmentId": {}}, {"segmentId": 7}]}
    },
    "windows of every kind": {
        "filter": {
            "segmentQualificationTime": "soon",
            "fromIngestTimestamp": {"a": 1},
            "emptyProfiles": "maybe",
        },
        "additionalFields": {"eventList": {"fields": {"a": 1}, "filter": ["x"]}},
    },
    "an event list that is a text": {"additionalFields": {"eventList": "all"}, "evaluationInfo": "yes"},
    "counters of every kind": {
        "metrics": {
            "totalExportedProfileCounter": BIG,
            "exportedProfileByNamespaceCounter": {"": 0, "a": BIG, "b": -1, "c": "9", "d": None},
        }
    },
    "nothing exported": {
        "metrics": {"totalExportedProfileCounter": 0, "exportedProfileByNamespaceCounter": {"a": 0}}
    },
    "batches as an object": {"destination": {"batches": {"a": {"batchId": "b1"}, "c": {"batchId": ""}}}},
    "thousands of batches": {"destination": {"batches": [{"batchId": f"b{n}"} for n in range(3000)]}},
    "compute ids as text": {"computeGatewayJobId": "one"},
    "texts of a megabyte": {"fields": "f" * 1_000_000, "requestId": "r" * 1_000_000, "jobType": "t" * 10_000},
    "control characters": {"status": "\x00\x01\x1b[31m", "requestId": "\ud800", "fields": "a\x00b"},
    "deep nesting": {"filter": json.loads('{"a":' * 300 + "1" + "}" * 300)},
    "not a number": {"metrics": {"totalExportedProfileCounter": float("nan")}, "updateTime": float("inf")},
    "an id that is a path": {"id": "../../etc/passwd?x=1#y"},
}


@pytest.mark.parametrize("nasty", NASTY.values(), ids=NASTY.keys())
def test_no_record_breaks_the_page(operator: Client, place: Sandbox, nasty: dict[str, Any]) -> None:
    now = timezone.now()
    for as_of, raw in ((now - timedelta(seconds=9), make.raw(id=7)), (now, make.raw(**({"id": 7} | nasty)))):
        record(place, [read_job(raw)], as_of=as_of)
    for job in place.jobs.all():
        page = shown(operator, job)
        assert len(page) < 3_000_000
        assert operator.get(f"/jobs/{job.pk}/", headers=LIVE).status_code in (200, 286)
        assert operator.get(f"/jobs/{job.pk}/record.json").status_code == 200
        assert operator.get(f"/jobs/{job.pk}/cancel/").status_code == 200


def test_the_record_is_saved_under_a_harmless_name(operator: Client, place: Sandbox) -> None:
    job = make.job(place, id='../e"v\r\nil; x')
    answer = operator.get(reverse("jobs:job_record", args=[job.pk]))
    assert answer["Content-Type"] == "application/json"
    assert re.fullmatch(r'attachment; filename="export-job-[\w.-]+\.json"', answer["Content-Disposition"])
