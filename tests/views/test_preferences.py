"""Looks are kept in cookies, tokens are shown once and revoked by their owner alone."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from jobs.models import ApiToken
from tests import make

pytestmark = pytest.mark.django_db

HERE = "/account/preferences/"


@pytest.fixture
def ana(client: Client) -> User:
    person = make.user()
    client.force_login(person)
    return person


def test_a_theme_is_kept_and_the_person_goes_back(client: Client, ana: User) -> None:
    answer = client.post(HERE, {"theme": "dark", "next": "/activity/"})
    assert answer.headers["Location"] == "/activity/"
    assert b'data-bs-theme="dark"' in client.get(HERE).content


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example.org/", "//evil.example.org", "javascript:alert(1)"]
)
def test_nobody_is_sent_to_another_site(client: Client, ana: User, elsewhere: str) -> None:
    assert client.post(HERE, {"next": elsewhere}).headers["Location"] == HERE


def test_an_unknown_theme_is_ignored(client: Client, ana: User) -> None:
    client.post(HERE, {"theme": '"><script>'})
    assert "theme" not in client.cookies


def test_a_token_is_shown_once_works_and_can_be_revoked(client: Client, ana: User) -> None:
    answer = client.post(reverse("jobs:token_new"))
    assert answer.headers["Cache-Control"] == "no-store"
    token = re.search(r"exui_[\w-]+", answer.content.decode())
    assert token is not None and ApiToken.find(token.group()) is not None
    assert token.group().encode() not in client.get(HERE).content
    client.post(reverse("jobs:token_revoke", args=[ApiToken.objects.get().pk]))
    assert ApiToken.find(token.group()) is None


def test_somebody_elses_token_cannot_be_revoked(client: Client, ana: User) -> None:
    client.post(reverse("jobs:token_new"))
    client.force_login(make.user("ben"))
    client.post(reverse("jobs:token_revoke", args=[ApiToken.objects.get().pk]))
    assert ApiToken.objects.exists()
