"""The audit log shows a person what concerns them, filtered and by pages."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from jobs.models import Activity, Role, Verb
from tests import make

pytestmark = pytest.mark.django_db

HERE = "/activity/"


def note(target: str, **fields: object) -> Activity:
    return Activity.note(Verb.CONNECTION_TESTED, at=timezone.now(), target=target, **fields)  # type: ignore[arg-type]


def test_rows_of_foreign_connections_are_not_shown(client: Client) -> None:
    ana = make.user()
    mine, theirs = make.connection("mine"), make.connection("theirs")
    make.member(ana, mine, Role.VIEWER)
    note("row-of-mine", connection=mine)
    note("row-of-theirs", connection=theirs)
    note("row-of-nobody")
    note("row-by-ana", actor=ana)
    client.force_login(ana)
    shown = client.get(HERE).content.decode()
    assert "row-of-mine" in shown and "row-by-ana" in shown
    assert "row-of-theirs" not in shown and "row-of-nobody" not in shown


def test_filters_narrow_and_a_wrong_one_is_said(client: Client) -> None:
    client.force_login(make.superuser())
    note("alpha")
    note("beta")
    shown = client.get(HERE, {"about": "alp"}).content.decode()
    assert "alpha" in shown and "beta" not in shown
    wrong = client.get(HERE, {"verb": "no.such"})
    assert wrong.status_code == 200 and b"not one of the available choices" in wrong.content


@pytest.mark.parametrize("cursor", ["x", "-1", "9" * 40])
def test_a_broken_cursor_shows_the_newest(client: Client, cursor: str) -> None:
    client.force_login(make.superuser())
    note("alpha")
    assert b"alpha" in client.get(HERE, {"before": cursor}).content


def test_pages_go_back_through_everything_once(client: Client, django_assert_max_num_queries: Any) -> None:
    client.force_login(make.superuser())
    for number in range(120):
        note(f"row-{number:03}")
    seen: list[str] = []
    cursor = ""
    for size in (50, 50, 20):
        with django_assert_max_num_queries(8):
            answer = client.get(HERE, {"before": cursor} if cursor else {})
        shown = answer.content.decode()
        rows = re.findall(r"row-\d{3}", shown)
        assert len(rows) == size
        seen += rows
        cursor = re.findall(r'id="a-(\d+)"', shown)[-1]
    assert sorted(seen) == [f"row-{number:03}" for number in range(120)]


def test_hostile_text_is_shown_as_text(client: Client) -> None:
    client.force_login(make.superuser())
    evil = "<img src=x onerror=alert(1)>"
    note(evil, reason=evil, before={evil: evil}, after={evil: "b"})
    assert evil not in client.get(HERE).content.decode()
