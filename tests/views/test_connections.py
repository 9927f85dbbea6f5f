"""Connections are seen by their members and changed by their admins; secrets go in and never come out."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from jobs.models import Connection, Role, Sandbox
from tests import make
from tests.remote import Remote

pytestmark = pytest.mark.django_db

NEW = {
    "name": "acme-prod",
    "label": "prod",
    "org_id": "ORG@AdobeOrg",
    "client_id": "client",
    "secret": "s3cret-7f3a",
    "scopes": "openid",
    "platform_url": "https://platform.example.org",
    "token_url": "https://ims.example.org/token",
    "requests_per_second": "10",
}


@pytest.fixture
def acme() -> Connection:
    return make.connection("acme")


@pytest.fixture
def admin(client: Client, acme: Connection) -> User:
    person = make.user("admin")
    make.member(person, acme, Role.ADMIN)
    client.force_login(person)
    return person


def test_a_member_sees_the_connection_and_no_form(client: Client, acme: Connection) -> None:
    ana = make.user()
    make.member(ana, acme, Role.OPERATOR)
    client.force_login(ana)
    assert b"acme" in client.get(reverse("jobs:connections")).content
    shown = client.get(reverse("jobs:connection", args=[acme.pk])).content.decode()
    assert "Save connection" not in shown and "Replace secret" not in shown


def test_a_stranger_sees_no_connection(client: Client, acme: Connection) -> None:
    client.force_login(make.user())
    assert b"acme" not in client.get(reverse("jobs:connections")).content
    assert client.get(reverse("jobs:connection", args=[acme.pk])).status_code == 404


def test_adding_one_seals_the_secret_and_goes_on_to_the_sandboxes(client: Client, admin: User) -> None:
    answer = client.post(reverse("jobs:connection_new"), NEW)
    made = Connection.objects.get(name="acme-prod")
    assert answer.headers["Location"] == reverse("jobs:connection_sandboxes", args=[made.pk])
    assert made.client_secret.open() == "s3cret-7f3a"
    assert made.role_of(admin) == Role.ADMIN
    for page in (
        reverse("jobs:connection", args=[made.pk]),
        reverse("jobs:connections"),
        reverse("jobs:activity"),
    ):
        assert b"s3cret-7f3a" not in client.get(page).content


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"platform_url": "http://platform.example.org"}, "must begin with https"),
        ({"token_url": "https://user:pw@ims.example.org"}, "holds too much"),
        ({"name": "A B"}, "lower case letters"),
        ({"org_id": "o" * 500}, "at most 200 characters"),
        ({"secret": ""}, "required"),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_the_rest_is_kept(
    client: Client, admin: User, wrong: dict[str, str], words: str
) -> None:
    answer = client.post(reverse("jobs:connection_new"), NEW | wrong)
    assert answer.status_code == 422
    said = answer.content.decode()
    assert words in said and 'value="client"' in said
    assert "s3cret-7f3a" not in said
    assert Connection.objects.count() == 1


def test_somebody_who_administers_nothing_cannot_add_one(client: Client, acme: Connection) -> None:
    ana = make.user()
    make.member(ana, acme, Role.OPERATOR)
    client.force_login(ana)
    assert client.get(reverse("jobs:connection_new")).status_code == 403
    assert client.post(reverse("jobs:connection_new"), NEW).status_code == 403
    assert Connection.objects.count() == 1


def test_a_change_is_saved_and_an_invalid_one_is_not(client: Client, admin: User, acme: Connection) -> None:
    fields = {name: value for name, value in NEW.items() if name != "secret"} | {"name": "acme"}
    here = reverse("jobs:connection", args=[acme.pk])
    assert client.post(here, fields | {"label": "stage"}).status_code == 302
    assert client.post(here, fields | {"label": "nonsense"}).status_code == 422
    assert Connection.objects.get().label == "stage"


def test_the_secret_is_replaced(client: Client, admin: User, acme: Connection) -> None:
    client.post(reverse("jobs:connection_secret", args=[acme.pk]), {"secret": "newer"})
    assert Connection.objects.get().client_secret.open() == "newer"


def test_a_test_tells_what_the_platform_said(client: Client, admin: User, remote: Remote) -> None:
    place = make.connected(remote)
    make.member(admin, place.connection, Role.ADMIN)
    here = reverse("jobs:connection_test", args=[place.connection.pk])
    assert b"works: a token was fetched" in client.post(here, follow=True).content
    Connection.objects.filter(pk=place.connection.pk).update(org_id="Nobody@AdobeOrg")
    said = client.post(here, follow=True).content.decode()
    assert "organi" in said and "works: a token" not in said


def test_sandboxes_are_chosen_from_what_the_platform_lists(
    client: Client, admin: User, remote: Remote
) -> None:
    place = make.connected(remote)
    make.member(admin, place.connection, Role.ADMIN)
    here = reverse("jobs:connection_sandboxes", args=[place.connection.pk])
    names = [each["name"] if isinstance(each, dict) else each for each in remote.credentials["sandboxes"]]
    shown = client.get(here).content.decode()
    assert all(f'value="{name}"' in shown for name in names)
    client.post(here, {"listed": names, "typed": "secret-lab"})
    assert set(Sandbox.objects.watched().values_list("name", flat=True)) == {*names, "secret-lab"}


def test_names_can_be_typed_while_the_platform_is_down(client: Client, admin: User, acme: Connection) -> None:
    here = reverse("jobs:connection_sandboxes", args=[acme.pk])
    assert b"type their names" in client.get(here).content
    client.post(here, {"typed": "prod, dev"})
    assert Sandbox.objects.watched().count() == 2


def test_roles_are_set_by_name_and_unknown_names_said(client: Client, admin: User, acme: Connection) -> None:
    here = reverse("jobs:members", args=[acme.pk])
    ben = make.user("ben")
    client.post(here, {"username": "ben", "role": "operator"})
    assert acme.role_of(ben) == Role.OPERATOR
    client.post(here, {"username": "ben", "role": ""})
    assert acme.role_of(ben) is None
    answer = client.post(here, {"username": "nobody", "role": "viewer"})
    assert answer.status_code == 422 and b"no person of this name" in answer.content


def test_the_list_costs_the_same_for_many(
    client: Client, admin: User, django_assert_max_num_queries: Any
) -> None:
    for number in range(30):
        place = make.connection(f"c{number}")
        make.sandbox(place)
        make.member(admin, place, Role.VIEWER)
    with django_assert_max_num_queries(9):
        client.get(reverse("jobs:connections"))
