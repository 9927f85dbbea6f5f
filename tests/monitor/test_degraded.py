"""The dashboard is told what is degraded, and nothing when all is well."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from jobs.connect import budget
from jobs.models import Sandbox
from jobs.monitor.degraded import degraded
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def with_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "is_shared", lambda: True)


def said(**fields: Any) -> str:
    make.sandbox(make.connection(**fields), next_discovery_at=timezone.now(), last_ok_at=timezone.now())
    return " ".join(degraded(list(Sandbox.objects.select_related("connection")), now=timezone.now()))


def test_when_all_is_well_nothing_is_said() -> None:
    assert said(clock_offset_ms=800) == ""


def test_redis_that_is_away_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "is_shared", lambda: False)
    assert "Redis does not answer" in said()


def test_a_connection_that_rests_is_said_with_its_time() -> None:
    assert "Calls to acme rest until" in said(paused_until=timezone.now() + timedelta(minutes=1))


@pytest.mark.parametrize(("offset_ms", "words"), [(7_200_000, "7200 s ahead of"), (-90_000, "90 s behind")])
def test_a_clock_that_is_off_is_said(offset_ms: int, words: str) -> None:
    assert words in said(clock_offset_ms=offset_ms)


def test_a_rest_that_is_over_is_not_said() -> None:
    assert said(paused_until=timezone.now() - timedelta(minutes=1)) == ""
