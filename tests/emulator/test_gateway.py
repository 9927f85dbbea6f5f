"""Who may pass: access tokens, and the headers that every call must carry."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.remote import EXPORT_JOBS, SCOPES, Remote

UPS = EXPORT_JOBS
CATALOG = "/data/foundation/catalog/dataSets"
EVERYWHERE = [
    UPS,
    CATALOG,
    "/data/core/ups/segment/definitions",
    "/data/core/ups/config/mergePolicies",
    "/data/foundation/sandbox-management/",
    "/data/core/idnamespace/identities",
]


def form(remote: Remote, **changes: str) -> dict[str, str]:
    known = {name: remote.credentials[name] for name in ("client_id", "client_secret")}
    return known | {"grant_type": "client_credentials", "scope": SCOPES} | changes


def test_a_token_is_given_for_the_credential(remote: Remote) -> None:
    reply = requests.post(remote.credentials["token_url"], data=form(remote), timeout=5)
    assert reply.status_code == 200
    assert reply.json().keys() == {"access_token", "token_type", "expires_in"}
    assert reply.json()["token_type"] == "bearer"
    assert reply.json()["expires_in"] == 86399


def test_the_older_address_takes_everything_in_the_query(remote: Remote) -> None:
    reply = requests.post(f"{remote.url}/ims/token/v2", params=form(remote), timeout=5)
    assert reply.json()["access_token"]


@pytest.mark.parametrize(
    ("changes", "status", "error", "words"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client", "client_secret"),
        ({"client_id": "wrong"}, 401, "invalid_client", "client_id"),
        ({"client_id": ""}, 400, "invalid_request", "client_id"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type", "client_credentials"),
        ({"scope": ""}, 400, "invalid_scope", "none given"),
        ({"scope": "openid,everything"}, 400, "invalid_scope", "everything"),
    ],
)
def test_a_wrong_token_request_is_refused_as_oauth_does(
    remote: Remote, changes: dict[str, str], status: int, error: str, words: str
) -> None:
    reply = requests.post(remote.credentials["token_url"], data=form(remote, **changes), timeout=5)
    assert reply.status_code == status
    assert reply.json()["error"] == error
    assert words in reply.json()["error_description"]


def test_a_token_request_is_a_post(remote: Remote) -> None:
    assert requests.get(remote.credentials["token_url"], params=form(remote), timeout=5).status_code == 405


@pytest.mark.parametrize("path", EVERYWHERE)
def test_no_service_answers_without_a_token(remote: Remote, path: str) -> None:
    reply = requests.get(remote.url + path, timeout=5)
    assert reply.status_code == 403
    assert reply.json() == {"error_code": "403010", "message": "Oauth token is missing."}


@pytest.mark.parametrize("path", EVERYWHERE)
def test_every_service_answers_with_all_headers(remote: Remote, path: str) -> None:
    assert remote.session().get(remote.url + path, timeout=5).status_code == 200


@pytest.mark.parametrize(
    ("header", "value", "status", "code"),
    [
        ("Authorization", "Bearer not-a-token", 401, "401013"),
        ("Authorization", "Basic abc", 403, "403010"),
        ("x-api-key", None, 403, "403000"),
        ("x-api-key", "wrong", 403, "403003"),
        ("x-gw-ims-org-id", None, 400, "400003"),
        ("x-gw-ims-org-id", "OTHER@AdobeOrg", 403, "403025"),
        ("x-gw-ims-org-id", "nonsense", 403, "403027"),
    ],
)
def test_the_gateway_refuses_by_its_documented_codes(
    remote: Remote, header: str, value: str | None, status: int, code: str
) -> None:
    reply = remote.session().get(remote.url + UPS, headers={header: value}, timeout=5)
    assert reply.status_code == status
    assert reply.json()["error_code"] == code
    assert reply.json()["message"]


@pytest.mark.parametrize(("name", "status"), [(None, 400), ("nowhere", 403)])
def test_a_sandbox_that_is_missing_or_unknown_is_refused_by_the_service(
    remote: Remote, name: str | None, status: int
) -> None:
    session = remote.session()
    ups: Any = session.get(remote.url + UPS, headers={"x-sandbox-name": name}, timeout=5)
    catalog: Any = session.get(remote.url + CATALOG, headers={"x-sandbox-name": name}, timeout=5)
    assert (ups.status_code, catalog.status_code) == (status, status)
    assert "andbox" in ups.json()["errors"][str(status)][0]["message"]
    assert "andbox" in catalog.json()["detail"]


def test_sandbox_management_asks_for_no_sandbox(remote: Remote) -> None:
    path = "/data/foundation/sandbox-management/sandboxes"
    reply = remote.session().get(remote.url + path, headers={"x-sandbox-name": None}, timeout=5)
    assert [sandbox["name"] for sandbox in reply.json()["sandboxes"]] == ["prod", "dev"]


@pytest.mark.parametrize(
    ("permission", "method", "path"),
    [
        ("View Segments", "GET", "/data/core/ups/segment/definitions"),
        ("View Segments", "GET", "/data/core/ups/segment/jobs"),
        ("View Segments", "GET", "/data/core/ups/audiences"),
        ("View Merge Policies", "GET", "/data/core/ups/config/mergePolicies"),
        ("View Profiles", "GET", "/data/foundation/export/files/nothing"),
        ("Manage Datasets", "POST", CATALOG),
        ("Export Audience for Segment", "POST", UPS),
    ],
)
def test_a_missing_permission_is_a_403_of_the_service(
    remote: Remote, permission: str, method: str, path: str
) -> None:
    session, known = remote.session(), remote.permissions()
    remote.permissions(*(name for name in known if name != permission))
    refused = session.request(method, remote.url + path, json={}, timeout=5)
    assert refused.status_code == 403
    assert permission in refused.text
    remote.permissions(*known)
    assert session.request(method, remote.url + path, json={}, timeout=5).status_code != 403


def test_a_token_ends_with_its_lifetime(remote: Remote) -> None:
    session = remote.session()
    remote.advance(86_390)
    assert session.get(remote.url + UPS, timeout=5).ok
    remote.advance(20)
    assert session.get(remote.url + UPS, timeout=5).json()["error_code"] == "401013"
    assert remote.session().get(remote.url + UPS, timeout=5).ok


def test_the_lifetime_can_be_chosen(start_remote: Any) -> None:
    remote = start_remote("--jobs", "0", "--token-lifetime", "120")
    reply = requests.post(remote.credentials["token_url"], data=form(remote), timeout=5)
    assert reply.json()["expires_in"] == 120


def test_a_page_of_another_site_reaches_nothing(remote: Remote) -> None:
    foreign = {"Origin": "https://elsewhere.example", "Content-Type": "application/json"}
    assert requests.post(f"{remote.url}/_emulator/reset", headers=foreign, timeout=5).status_code == 403
    rebound = requests.get(f"{remote.url}/credentials.json", headers={"Host": "elsewhere.example"}, timeout=5)
    assert rebound.status_code == 400
    assert "client_secret" not in rebound.text
