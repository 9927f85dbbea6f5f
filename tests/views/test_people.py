"""Superusers add people, give roles and passwords, and shut people out."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from jobs.models import Role
from tests import make

pytestmark = pytest.mark.django_db

GOOD = "a long enough passphrase"


@pytest.fixture
def root(client: Client) -> User:
    person = make.superuser()
    client.force_login(person)
    return person


def person_page(person: User) -> str:
    return reverse("jobs:person", args=[person.pk])


def test_a_new_person_can_sign_in(client: Client, root: User) -> None:
    client.post(reverse("jobs:people"), {"username": "ben", "password": GOOD})
    assert Client().login(username="ben", password=GOOD)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"username": "ben", "password": "short"}, "too short"),
        ({"username": "root", "password": GOOD}, "already exists"),
        ({"username": "b" * 500, "password": GOOD}, "at most 150 characters"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(client: Client, root: User, fields: dict, words: str) -> None:
    answer = client.post(reverse("jobs:people"), fields)
    assert answer.status_code == 422 and words in answer.content.decode()
    assert User.objects.count() == 1


def test_a_person_is_shut_out_at_once(client: Client, root: User) -> None:
    ben, theirs = make.user("ben"), Client()
    theirs.force_login(ben)
    assert theirs.get(reverse("jobs:preferences")).status_code == 200
    client.post(person_page(ben), {"first_name": "Ben"})
    assert theirs.get(reverse("jobs:preferences")).status_code == 302


def test_nobody_takes_their_own_keys_away(client: Client, root: User) -> None:
    answer = client.post(person_page(root), {"is_active": "on"})
    assert answer.status_code == 422 and b"your own access" in answer.content
    root.refresh_from_db()
    assert root.is_superuser


def test_a_role_is_given_and_nonsense_is_not_found(client: Client, root: User) -> None:
    ben, acme = make.user("ben"), make.connection()
    here = reverse("jobs:person_role", args=[ben.pk])
    client.post(here, {"connection": acme.pk, "role": "operator"})
    assert acme.role_of(ben) == Role.OPERATOR
    assert client.post(here, {"connection": "x", "role": "operator"}).status_code == 404
    assert client.post(here, {"connection": acme.pk, "role": "emperor"}).status_code == 404


def test_a_new_password_ends_open_sessions(client: Client, root: User) -> None:
    ben, theirs = make.user("ben"), Client()
    theirs.force_login(ben)
    client.post(reverse("jobs:person_password", args=[ben.pk]), {"password": GOOD})
    assert theirs.get(reverse("jobs:preferences")).status_code == 302
    assert Client().login(username="ben", password=GOOD)


def test_an_admin_of_a_connection_is_no_superuser(client: Client) -> None:
    ana = make.user()
    make.member(ana, make.connection(), Role.ADMIN)
    client.force_login(ana)
    assert client.get(reverse("jobs:people")).status_code == 403
    assert client.post(reverse("jobs:person_password", args=[ana.pk]), {"password": GOOD}).status_code == 403


def test_an_unknown_person_is_a_friendly_404(client: Client, root: User) -> None:
    answer = client.get(reverse("jobs:person", args=[99999]))
    assert answer.status_code == 404 and b"no such page" in answer.content
