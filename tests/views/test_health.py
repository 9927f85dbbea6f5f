"""The doors for whoever runs the product: open to all, and telling nothing but health."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from jobs.models import Sandbox
from tests import make


def test_alive_asks_no_database_and_tells_nothing(client: Client) -> None:
    response = client.get("/healthz")  # no database is allowed in this test
    assert response.status_code == 200
    assert response.content == b"ok"
    assert "no-store" in response["Cache-Control"]


@pytest.mark.django_db
def test_ready_tells_the_age_of_the_last_poll_and_nothing_else(client: Client, redis_server: str) -> None:
    make.sandbox(last_ok_at=timezone.now() - timedelta(seconds=90))
    make.sandbox(make.connection("other"), last_ok_at=timezone.now() - timedelta(seconds=30))
    response = client.get("/readyz")
    told = json.loads(response.content)
    assert response.status_code == 200
    assert told.keys() == {"ready", "database", "redis", "last_poll_age_seconds"}
    assert told["ready"] is told["database"] is told["redis"] is True
    assert 30 <= told["last_poll_age_seconds"] < 60


@pytest.mark.django_db
def test_nothing_polled_yet_is_null_and_still_ready(client: Client, redis_server: str) -> None:
    response = client.get("/readyz")
    assert response.status_code == 200
    assert json.loads(response.content)["last_poll_age_seconds"] is None


@pytest.mark.django_db
def test_a_sandbox_nobody_watches_does_not_make_the_poll_look_young(
    client: Client, redis_server: str
) -> None:
    make.sandbox(is_watched=False, last_ok_at=timezone.now())
    assert json.loads(client.get("/readyz").content)["last_poll_age_seconds"] is None


@pytest.mark.django_db
def test_without_redis_it_is_not_ready(client: Client, settings: Settings) -> None:
    settings.REDIS_URL = "unix:///nowhere/at/all.sock?db=0"
    response = client.get("/readyz")
    told = json.loads(response.content)
    assert response.status_code == 503
    assert (told["ready"], told["database"], told["redis"]) == (False, True, False)
    assert "nowhere" not in response.content.decode()


@pytest.mark.django_db
def test_without_a_database_it_is_not_ready_and_no_page_breaks(
    client: Client, redis_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise OperationalError("could not connect to server: postgres://user:secret@db")

    monkeypatch.setattr(Sandbox.objects, "watched", away)
    response = client.get("/readyz")
    assert response.status_code == 503
    assert json.loads(response.content)["database"] is False
    assert "secret" not in response.content.decode()


@pytest.mark.django_db
def test_ready_costs_one_query(
    client: Client, redis_server: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1):
        client.get("/readyz")


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_they_are_only_for_asking(client: Client, path: str) -> None:
    assert client.post(path).status_code == 405
