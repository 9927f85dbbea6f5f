"""The JSON API: documented shapes, problem documents, the same rights as the pages."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from jobs.access.people import issue_token
from jobs.models import Activity, ApiToken, ExportJob, Launch, Role, Sandbox, Verb
from tests import make

pytestmark = pytest.mark.django_db

JOB_FIELDS = {
    "id",
    "remote_id",
    "sandbox",
    "status",
    "remote_status",
    "flags",
    "created_at",
    "updated_at",
    "first_seen_at",
    "last_seen_at",
    "duration_ms",
    "phases",
    "dataset_id",
    "batch_ids",
    "segments",
    "merge_policy",
    "profiles_exported",
    "profiles_by_namespace",
    "errors",
    "failure",
    "request_id",
    "launched_by",
    "url",
}
PAYLOAD = {"destination": {"datasetId": "DS1"}, "schema": {"name": "_xdm.context.profile"}}


@pytest.fixture
def sandbox() -> Sandbox:
    return make.sandbox()


def caller(person: User) -> Client:
    token = issue_token(person, actor=person, now=timezone.now())
    return Client(headers={"Authorization": f"Bearer {token}"})


def member(sandbox: Sandbox, role: Role, name: str = "") -> Client:
    person = make.user(name or role.value)
    make.member(person, sandbox.connection, role)
    return caller(person)


def launch(api: Client, sandbox: Sandbox, **changed: Any) -> Any:
    body = {"sandbox": sandbox.ref, "payload": PAYLOAD, "key": "k1"}
    return api.post("/api/v1/launches", body | changed, content_type="application/json")


def test_jobs_have_the_documented_fields_and_pages(sandbox: Sandbox) -> None:
    for _ in range(30):
        make.failed_job(sandbox)
    api = member(sandbox, Role.VIEWER)
    first = api.get("/api/v1/jobs?per_page=25").json()
    assert set(first) == {"items", "next", "previous"}
    assert set(first["items"][0]) == JOB_FIELDS
    assert first["items"][0]["sandbox"] == "acme/prod"
    assert [error["code"] for error in first["items"][0]["errors"]] == ["0090000009", "unknown"]
    rest = api.get(f"/api/v1/jobs?per_page=25&after={first['next']}").json()
    assert (len(first["items"]), len(rest["items"]), rest["next"]) == (25, 5, None)
    assert not {job["id"] for job in first["items"]} & {job["id"] for job in rest["items"]}


def test_a_page_of_jobs_costs_a_fixed_number_of_queries(
    sandbox: Sandbox, django_assert_max_num_queries: Any
) -> None:
    for _ in range(60):
        make.failed_job(sandbox)
    api = member(sandbox, Role.VIEWER)
    with django_assert_max_num_queries(8):
        api.get("/api/v1/jobs")


def test_a_job_its_snapshots_and_its_record(sandbox: Sandbox) -> None:
    job = make.failed_job(sandbox, id=722)
    api = member(sandbox, Role.VIEWER)
    assert api.get(f"/api/v1/jobs/{job.pk}").json()["remote_id"] == "722"
    assert [each["status"] for each in api.get(f"/api/v1/jobs/{job.pk}/snapshots").json()] == ["FAILED"]
    assert api.get(f"/api/v1/jobs/{job.pk}/record").json() == job.record.raw


def test_a_stranger_finds_nothing_anywhere(sandbox: Sandbox) -> None:
    job = make.failed_job(sandbox)
    api = caller(make.user("stranger"))
    assert api.get("/api/v1/jobs").json()["items"] == []
    assert api.get("/api/v1/sandboxes").json() == []
    for path in (f"jobs/{job.pk}", f"jobs/{job.pk}/snapshots", f"jobs/{job.pk}/record"):
        assert api.get(f"/api/v1/{path}").status_code == 404
    assert api.post(f"/api/v1/jobs/{job.pk}/cancel").status_code == 404
    assert launch(api, sandbox).status_code == 404
    assert not Launch.objects.exists()


@pytest.mark.parametrize("header", ["", "Bearer nothing", "Bearer ", "Basic YTpi", "Bearer exui_x"])
def test_without_a_good_token_there_is_a_problem_not_a_page(header: str) -> None:
    answer = Client(headers={"Authorization": header} if header else {}).get("/api/v1/jobs")
    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == 401


def test_a_session_alone_opens_nothing(client: Client) -> None:
    client.force_login(make.superuser())
    assert client.get("/api/v1/jobs").status_code == 401


def test_a_wrong_filter_is_a_problem_with_its_field(sandbox: Sandbox) -> None:
    answer = member(sandbox, Role.VIEWER).get("/api/v1/jobs?status=SLEEPING&range=2y&after=rubbish")
    assert answer.status_code == 400
    assert {"status", "range", "after"} <= {error["field"] for error in answer.json()["errors"]}


def test_an_operator_launches_once_per_key(sandbox: Sandbox) -> None:
    api = member(sandbox, Role.OPERATOR)
    first, again = launch(api, sandbox), launch(api, sandbox)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    assert (first.json()["state"], first.json()["job"]) == ("queued", None)
    assert api.get(f"/api/v1/launches/{first.json()['id']}").json() == again.json()
    assert Activity.objects.filter(verb=Verb.LAUNCH_REQUESTED).count() == 1


def test_a_viewer_neither_launches_nor_cancels(sandbox: Sandbox) -> None:
    job = make.job(sandbox)
    api = member(sandbox, Role.VIEWER)
    assert launch(api, sandbox).status_code == 403
    assert api.post(f"/api/v1/jobs/{job.pk}/cancel").status_code == 403
    assert not Launch.objects.exists()
    assert ExportJob.objects.get().cancel_requested_at is None


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"payload": {"schema": {"name": "x"}}}, "destination"),
        ({"payload": PAYLOAD | {"filter": {"segments": [{}]}}}, "filter.segments"),
        ({"payload": PAYLOAD | {"destination": {"datasetId": "D", "segmentPerBatch": True}}}, "destination"),
        ({"key": ""}, "key"),
        ({"key": "k" * 500}, "key"),
        ({"payload": "text"}, "payload"),
    ],
)
def test_a_payload_that_cannot_be_right_is_refused_with_its_place(
    sandbox: Sandbox, changed: dict[str, Any], field: str
) -> None:
    answer = launch(member(sandbox, Role.OPERATOR), sandbox, **changed)
    assert answer.status_code == 422
    assert any(field in error["field"] for error in answer.json()["errors"])
    assert not Launch.objects.exists()


def test_what_we_do_not_know_of_a_payload_is_kept(sandbox: Sandbox) -> None:
    payload = PAYLOAD | {"properties": {"checkBatchStatusForSuccess": True}, "novelty": [1]}
    launch(member(sandbox, Role.OPERATOR), sandbox, payload=payload)
    assert Launch.objects.get().payload == payload


def test_a_cancellation_is_asked_for_once(sandbox: Sandbox) -> None:
    job = make.job(sandbox)
    api = member(sandbox, Role.OPERATOR)
    assert api.post(f"/api/v1/jobs/{job.pk}/cancel").status_code == 202
    assert api.post(f"/api/v1/jobs/{job.pk}/cancel").status_code == 409


def test_sandboxes_say_ones_role(sandbox: Sandbox) -> None:
    (found,) = member(sandbox, Role.OPERATOR).get("/api/v1/sandboxes").json()
    assert (found["sandbox"], found["role"]) == ("acme/prod", "operator")


def test_a_shut_out_person_is_shut_out_here_too(sandbox: Sandbox) -> None:
    api = member(sandbox, Role.ADMIN, "ben")
    User.objects.update(is_active=False)
    assert api.get("/api/v1/jobs").status_code == 401


def test_the_use_of_a_token_is_noted(sandbox: Sandbox) -> None:
    member(sandbox, Role.VIEWER).get("/api/v1/sandboxes")
    assert ApiToken.objects.get().last_used_at is not None


def test_the_openapi_document_can_be_read_by_tools(client: Client) -> None:
    document = client.get("/api/v1/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    assert {"/api/v1/jobs", "/api/v1/launches", "/api/v1/overview", "/api/v1/failures"} <= set(
        document["paths"]
    )


def test_broken_json_is_a_problem(sandbox: Sandbox) -> None:
    api = member(sandbox, Role.OPERATOR)
    answer = api.post("/api/v1/launches", '{"sandbox": ', content_type="application/json")
    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_the_overview_and_the_failures_count_what_one_may_see(sandbox: Sandbox) -> None:
    make.failed_job(sandbox)
    make.job(sandbox)
    api = member(sandbox, Role.VIEWER)
    seen = api.get("/api/v1/overview").json()
    assert (seen["jobs_by_status"]["FAILED"], seen["jobs_by_status"]["PROCESSING"]) == (1, 1)
    assert (len(seen["hours"]), len(seen["days"])) == (24, 30)
    (kind,) = api.get("/api/v1/failures").json()
    assert (kind["code"], kind["jobs"], kind["jobs_by_sandbox"]) == ("0090000009", 1, {"acme/prod": 1})
    stranger = caller(make.user("stranger"))
    assert stranger.get("/api/v1/overview").json()["jobs_by_status"]["FAILED"] == 0
    assert stranger.get("/api/v1/failures").json() == []


@pytest.mark.parametrize("query", ["failures?range=2y", "failures?sandbox=no/where", "overview?sandbox=acme"])
def test_a_wrong_question_is_a_problem(sandbox: Sandbox, query: str) -> None:
    assert member(sandbox, Role.VIEWER).get(f"/api/v1/{query}").status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        '{"a":' * 200_000 + "1" + "}" * 200_000,
        "[" * 1_000_000,
        '{"sandbox": "acme/prod", "key": "k", "payload": {"x": "' + "y" * 600_000 + '"}}',
        '{"sandbox": "acme/prod", "key": "k", "payload": {"x": NaN}}',
    ],
)
def test_json_too_deep_too_large_or_not_json_is_refused_before_it_is_read(
    sandbox: Sandbox, body: str
) -> None:
    api = member(sandbox, Role.OPERATOR)
    answer = api.post("/api/v1/launches", body, content_type="application/json")
    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert not Launch.objects.exists()
