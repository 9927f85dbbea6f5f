"""Every address: closed to strangers, closed to viewers where it changes something, never a stack trace."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from jobs.access.people import issue_token
from jobs.launch.submit import launch
from jobs.models import Activity, CatalogEntry, EntryKind, ExportJob, Launch, Role, Sandbox, Verb
from tests import make

pytestmark = pytest.mark.django_db

# Exact exceptions: what answers without a sign-in, and why.
OPEN = {
    "account_login": "the way in",
    "account_logout": "leads back to the way in",
    "account_inactive": "tells somebody who was shut out",
    "mfa_authenticate": "the second step of the way in",
    "healthz": "asked by machines, says nothing but alive",
    "readyz": "asked by machines, says nothing but ready",
    "login": "the admin's way in leads to ours",
    "openapi-json": "describes the API, says nothing of anybody",
    "api-root": "ninja's own name for the API's address",
}
# What a viewer may POST: things of their own.
OWN = {"preferences", "token_new", "token_revoke", "payload_preview"}
SECRET_WORDS = ("HOSTILE", "acme-secret-place", "remote-4711")


def patterns(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for each in resolver.url_patterns:
        here = prefix + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from patterns(each, here)
        else:
            yield here, each


def address(route: str, pk: int) -> str:
    """A concrete path of a route: every number is `pk`, every other hole a word."""
    path = "/" + route.replace("<int:pk>", str(pk)).replace("\\Z", "").replace("^", "").replace("$", "")
    while "<" in path:
        head, _, rest = path.partition("<")
        path = head + ("auth" if "app_label" in rest.split(">")[0] else "1") + rest.partition(">")[2]
    return path


ALL = sorted(patterns(get_resolver()), key=lambda found: found[0])
OURS = [(route, found) for route, found in ALL if (found.lookup_str or "").startswith("jobs.views")]
API = [
    (route, found)
    for route, found in ALL
    if route.startswith("api/v1/") and "openapi" not in route and "docs" not in route
]


@pytest.fixture
def sandbox() -> Sandbox:
    """One sandbox with a job, a failure, a launch, names and audit rows, all told apart by a word."""
    place = make.sandbox(make.connection("acme-secret-place"))
    job = make.failed_job(place, id="remote-4711")
    wish = launch(place, {"destination": {"datasetId": "HOSTILE"}}, actor=None, now=timezone.now())
    now = timezone.now()
    CatalogEntry.objects.create(
        sandbox=place, kind=EntryKind.DATASET, remote_id="DS1", name="HOSTILE", seen_at=now
    )
    Activity.note(Verb.CONNECTION_TESTED, at=now, target="HOSTILE", sandbox=place, job=job, launch=wish)
    return place


def ids(sandbox: Sandbox) -> set[int]:
    return {
        1,
        sandbox.pk,
        ExportJob.objects.get().pk,
        Launch.objects.get().pk,
        ExportJob.objects.get().failure_id or 1,
    }


@pytest.mark.parametrize(("route", "found"), ALL, ids=[route or "/" for route, _ in ALL])
def test_without_a_sign_in_nothing_but_the_exceptions_answers(
    client: Client, route: str, found: URLPattern
) -> None:
    answer = client.get(address(route, 1))
    if found.name in OPEN:
        assert answer.status_code in (200, 302, 404, 503)
    elif (route, found) in API or found.name == "metrics":
        assert answer.status_code in (401, 405)
    else:
        assert answer.status_code == 302, f"{route} answers {answer.status_code} without a sign-in"
        assert answer.headers["Location"].startswith(("/accounts/login/", "/admin/login/"))


@pytest.mark.parametrize(("route", "found"), OURS, ids=[route or "/" for route, _ in OURS])
def test_a_stranger_finds_nothing_of_a_connection(sandbox: Sandbox, route: str, found: URLPattern) -> None:
    client = Client()
    client.force_login(make.user("stranger"))
    for pk in ids(sandbox):
        for query in ({}, {"sandbox": str(sandbox.pk)}, {"q": "request"}):
            answer = client.get(address(route, pk), query)
            said = b"".join(answer.streaming_content) if answer.streaming else answer.content
            assert answer.status_code in (200, 204, 302, 400, 403, 404, 405, 503)
            assert not [word for word in SECRET_WORDS if word.encode() in said]


def test_a_sandbox_asked_for_by_name_shows_a_stranger_nothing(sandbox: Sandbox) -> None:
    client = Client()
    client.force_login(make.user("stranger"))
    for page in ("/", "/jobs/", "/jobs.csv", "/failures/", "/jobs/live/", "/jobs/new/"):
        answer = client.get(page, {"sandbox": sandbox.ref})
        said = b"".join(answer.streaming_content) if answer.streaming else answer.content
        assert b"remote-4711" not in said and b"HOSTILE" not in said


@pytest.mark.parametrize(("route", "found"), OURS, ids=[route or "/" for route, _ in OURS])
def test_a_viewer_changes_nothing(sandbox: Sandbox, route: str, found: URLPattern) -> None:
    viewer = make.user("viewer")
    make.member(viewer, sandbox.connection, Role.VIEWER)
    client = Client()
    client.force_login(viewer)
    before = fingerprint(viewer)
    for pk in ids(sandbox):
        answer = client.post(address(route, pk), {"sandbox": sandbox.ref})
        if found.name not in OWN:
            assert answer.status_code in (403, 404, 405), f"POST {route} answers {answer.status_code}"
            assert fingerprint(viewer) == before


@pytest.mark.parametrize(("route", "found"), OURS, ids=[route or "/" for route, _ in OURS])
def test_every_change_wants_a_csrf_token(sandbox: Sandbox, route: str, found: URLPattern) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(make.superuser())
    before = fingerprint(None)
    answer = client.post(address(route, sandbox.pk))
    assert answer.status_code in (403, 405)
    assert fingerprint(None) == before


@pytest.mark.parametrize(
    ("route", "found"), [pair for pair in OURS if "<int:pk>" in pair[0]], ids=lambda pair: str(pair)
)
def test_an_id_that_does_not_exist_is_a_friendly_404(route: str, found: URLPattern) -> None:
    client = Client()
    client.force_login(make.superuser())
    answer = client.get(address(route, 987654321))
    assert answer.status_code in (404, 405)
    assert b"Traceback" not in answer.content


@pytest.mark.parametrize(("route", "found"), OURS, ids=[route or "/" for route, _ in OURS])
def test_every_page_carries_the_strict_policy(sandbox: Sandbox, route: str, found: URLPattern) -> None:
    client = Client()
    client.force_login(make.superuser())
    answer = client.get(address(route, sandbox.pk))
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy


@pytest.mark.parametrize(("route", "found"), API, ids=[route for route, _ in API])
def test_the_api_shows_a_stranger_nothing(sandbox: Sandbox, route: str, found: URLPattern) -> None:
    token = issue_token(make.user("stranger"), actor=None, now=timezone.now())
    client = Client(headers={"Authorization": f"Bearer {token}"})
    for pk in ids(sandbox):
        answer = client.get(address(route, pk))
        assert answer.status_code in (200, 404, 405)
        assert not [word for word in SECRET_WORDS if word.encode() in answer.content]


@pytest.mark.parametrize("route", ["", "rows/"])
def test_rows_of_results_are_for_operators_alone(sandbox: Sandbox, route: str) -> None:
    job = ExportJob.objects.get()
    batch = job.identifiers.get(kind="batch").value
    answers = {}
    for name, role in (("viewer", Role.VIEWER), ("operator", Role.OPERATOR), ("stranger", None)):
        client, person = Client(), make.user(name)
        if role:
            make.member(person, sandbox.connection, role)
        client.force_login(person)
        answers[name] = client.get(f"/jobs/{job.pk}/results/{batch}/file/{route}", {"path": "x"}).status_code
    assert answers["viewer"] == 403 and answers["stranger"] == 404
    assert answers["operator"] not in (302, 403, 404)
    assert (
        not Activity.objects.exclude(verb=Verb.CONNECTION_TESTED).filter(verb__startswith="result").exists()
    )


def fingerprint(person: User | None) -> dict[str, Any]:
    """What a change would leave behind, beyond the things of the person's own."""
    return {
        "jobs": list(ExportJob.objects.values_list("pk", "status", "cancel_requested_at")),
        "launches": Launch.objects.count(),
        "sandboxes": list(Sandbox.objects.values_list("pk", "is_watched", "next_catalog_at")),
        "activity": Activity.objects.exclude(actor=person).count() if person else Activity.objects.count(),
        "people": list(User.objects.order_by("pk").values_list("pk", "password", "is_superuser")),
    }
