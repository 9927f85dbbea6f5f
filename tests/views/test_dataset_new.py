"""Creating a dataset on the spot: it is chosen at once, and nothing typed is lost."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from jobs.client.api import UNION_SCHEMA
from jobs.models import Activity, CatalogEntry, Connection, Role, Sandbox, Sealed, Verb
from tests import make
from tests.remote import Remote

pytestmark = pytest.mark.django_db
ADDRESS = "/datasets/new/"
DATASETS = "/data/foundation/catalog/dataSets"


@pytest.fixture
def place(remote: Remote) -> Sandbox:
    known = remote.credentials
    connection: Connection = make.connection(
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


def typed(place: Sandbox, **fields: Any) -> dict[str, Any]:
    return {"sandbox": place.ref, "profile_fields": "a.b", "new_dataset": "Spring export", **fields}


def test_a_new_dataset_is_on_the_union_schema_chosen_and_remembered(
    operator: Client, place: Sandbox, remote: Remote
) -> None:
    response = operator.post(ADDRESS, typed(place))
    page = response.content.decode()
    entry = CatalogEntry.objects.get(sandbox=place)
    assert response.status_code == 200
    assert entry.name == "Spring export"
    assert entry.usable
    assert f'<option value="{entry.remote_id}" selected>Spring export</option>' in page
    assert "a.b</textarea>" in page
    assert "Created the dataset “Spring export”" in page
    (sent,) = remote.requests(DATASETS, method="POST")
    assert sent["json"]["schemaRef"]["id"] == UNION_SCHEMA
    note = Activity.objects.get(verb=Verb.DATASET_CREATED)
    assert (note.actor_name, note.after["dataset_id"]) == ("olga", entry.remote_id)


def test_with_htmx_only_the_field_comes_back(operator: Client, place: Sandbox) -> None:
    headers = {"HX-Request": "true", "HX-Target": "dataset-new"}
    response = operator.post(ADDRESS, typed(place), headers=headers)
    page = response.content.decode()
    assert page.lstrip().startswith('<div class="stack stack-tight" id="dataset-new">')
    assert "<html" not in page
    assert "selected>Spring export</option>" in page
    assert "payload-changed" in response["HX-Trigger-After-Settle"]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "Give the dataset a name."),
        ("x" * 500, "at most 200 characters here; this one has 500."),
        ("two\nlines", "one line of letters"),
    ],
)
def test_a_name_that_cannot_be_is_answered_beside_it_and_nothing_is_sent(
    operator: Client, place: Sandbox, remote: Remote, name: str, sentence: str
) -> None:
    response = operator.post(ADDRESS, typed(place, new_dataset=name))
    page = response.content.decode()
    assert response.status_code == 422
    assert sentence in page
    assert "a.b</textarea>" in page
    assert '<details class="fold" open>' in page
    assert not remote.requests(DATASETS, method="POST")
    assert not CatalogEntry.objects.exists()


def test_a_refusal_by_the_platform_stands_beside_the_name(
    operator: Client, place: Sandbox, remote: Remote
) -> None:
    refusal = {
        "type": "/placeholder/type/uri",
        "status": 400,
        "title": "BadRequestError",
        "detail": "Name is taken <b>.",
    }
    remote.fault({"reply": {"status": 400, "json": refusal}}, method="POST", path=DATASETS)
    response = operator.post(ADDRESS, typed(place))
    page = response.content.decode()
    assert response.status_code == 422
    assert "Name is taken &lt;b&gt;" in page
    assert "a.b</textarea>" in page
    assert not CatalogEntry.objects.exists()
    assert not Activity.objects.exists()


def test_while_the_platform_is_away_the_form_stays(operator: Client, place: Sandbox, remote: Remote) -> None:
    remote.stop()
    response = operator.post(ADDRESS, typed(place))
    assert response.status_code == 422
    assert "a.b</textarea>" in response.content.decode()


def test_a_viewer_creates_nothing(client: Client, place: Sandbox, remote: Remote) -> None:
    person = make.user("vic")
    make.member(person, place.connection, Role.VIEWER)
    assert make.signed_in(client, person).post(ADDRESS, typed(place)).status_code == 403
    assert not remote.requests(DATASETS, method="POST")


def test_only_a_post_creates(operator: Client) -> None:
    assert operator.get(ADDRESS).status_code == 405
