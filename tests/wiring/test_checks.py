"""A production that watches an emulator on its own machine is told so."""

from __future__ import annotations

import pytest
from django.utils import timezone
from pytest_django import Settings

from exportui import checks
from jobs.models import Connection, Sealed


def add(name: str, url: str) -> None:
    Connection.objects.create(
        name=name, platform_url=url, client_secret=Sealed.seal("s"), org_id="o", created_at=timezone.now()
    )


@pytest.mark.django_db
def test_a_platform_on_this_machine_is_a_warning_in_production(settings: Settings) -> None:
    settings.PRODUCTION = True
    add("real", "https://platform.adobe.io")
    add("demo", "http://127.0.0.1:38665")
    found = checks.stored_platforms_fit(databases=["default"])
    assert [(message.id, message.msg.split(" speaks")[0]) for message in found] == [
        ("exportui.W003", "The connection demo")
    ]


@pytest.mark.django_db
def test_outside_production_the_emulator_is_welcome() -> None:
    add("demo", "http://localhost:38665")
    assert checks.stored_platforms_fit(databases=["default"]) == []


def test_without_a_database_to_look_at_nothing_is_read(settings: Settings) -> None:
    settings.PRODUCTION = True
    assert checks.stored_platforms_fit(databases=None) == []


@pytest.mark.parametrize(
    "url", ["http://localhost:1", "http://127.8.8.8", "http://[::1]:80/x", "http://a.localhost"]
)
def test_loopback_is_recognised(url: str) -> None:
    assert checks.is_loopback(url)


@pytest.mark.parametrize(
    "url", ["https://platform.adobe.io", "http://10.0.0.1", "https://localhost.example.com", ""]
)
def test_other_hosts_are_not_loopback(url: str) -> None:
    assert not checks.is_loopback(url)
