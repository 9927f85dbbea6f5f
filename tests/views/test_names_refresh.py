"""Looking up the names of a sandbox from within the export form."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from jobs.models import CatalogEntry, EntryKind, Role, Sandbox, Sealed
from tests import make
from tests.remote import Remote

pytestmark = pytest.mark.django_db
ADDRESS = "/jobs/new/names/"


@pytest.fixture
def place(remote: Remote) -> Sandbox:
    known = remote.credentials
    connection = make.connection(
        org_id=known["org_id"],
        client_id=known["client_id"],
        client_secret=Sealed.seal(known["client_secret"]),
        platform_url=remote.url,
        token_url=known["token_url"],
    )
    return make.sandbox(connection, known["sandbox"])


@pytest.fixture
def operator(client: Client, place: Sandbox) -> Client:
    person = make.user("olga")
    make.member(person, place.connection, Role.OPERATOR)
    return make.signed_in(client, person)


def typed(place: Sandbox) -> dict[str, Any]:
    return {"sandbox": place.ref, "profile_fields": "a.b"}


def test_the_names_come_from_the_platform_and_what_was_typed_stays(operator: Client, place: Sandbox) -> None:
    page = operator.post(ADDRESS, typed(place)).content.decode()
    segment = CatalogEntry.objects.of(place, EntryKind.SEGMENT)[0]
    assert f'<option value="{segment.remote_id}">' in page
    assert "never looked up" not in page
    assert "a.b</textarea>" in page


def test_a_failed_look_up_is_said_and_the_last_names_stay(
    operator: Client, place: Sandbox, remote: Remote
) -> None:
    operator.post(ADDRESS, typed(place))
    count = CatalogEntry.objects.count()
    refusal = {"error_code": "403027", "message": "User region is missing"}
    remote.fault({"reply": {"status": 403, "json": refusal}}, path="/data/", times=None)
    response = operator.post(ADDRESS, typed(place))
    page = response.content.decode()
    assert response.status_code == 200
    assert "The last look-up failed" in page
    assert "a.b</textarea>" in page
    assert CatalogEntry.objects.count() == count


def test_a_viewer_looks_nothing_up(client: Client, place: Sandbox, remote: Remote) -> None:
    person = make.user("vic")
    make.member(person, place.connection, Role.VIEWER)
    assert make.signed_in(client, person).post(ADDRESS, typed(place)).status_code == 403
    assert not remote.requests("/data/")
