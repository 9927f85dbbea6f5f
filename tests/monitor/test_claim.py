"""Due work is claimed by conditional updates: handed out once, begun once, given back or run out."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from jobs.models import Connection, Sandbox
from jobs.monitor.claim import (
    HANDED_OUT_FOR,
    begin,
    claim_catalogs,
    claim_expiries,
    give_back,
    hand_out,
    hold,
)
from jobs.rules.cadence import EXPIRY_EVERY, LEASE
from tests import make

pytestmark = pytest.mark.django_db

NOW = datetime.fromisoformat("2026-11-22T09:00:00+00:00")


def due(name: str = "prod", of: Connection | None = None, **fields: Any) -> Sandbox:
    return make.sandbox(of, name, **({"next_discovery_at": NOW} | fields))


def begun(sandbox: Sandbox, now: datetime = NOW) -> Sandbox:
    mine = begin(sandbox.pk, now)
    assert mine is not None
    return mine


def test_a_due_sandbox_is_handed_out_once_however_many_ticks_there_are() -> None:
    sandbox = due()
    assert hand_out(NOW) == [sandbox.pk]
    assert hand_out(NOW) == []


def test_a_message_that_nobody_took_up_is_sent_again() -> None:
    sandbox = due()
    hand_out(NOW)
    assert hand_out(NOW + HANDED_OUT_FOR - timedelta(seconds=1)) == []
    assert hand_out(NOW + HANDED_OUT_FOR) == [sandbox.pk]


def test_a_message_that_comes_twice_is_begun_once() -> None:
    sandbox = due()
    assert begin(sandbox.pk, NOW) is not None
    assert begin(sandbox.pk, NOW) is None


def test_a_message_that_comes_when_all_is_done_begins_nothing() -> None:
    sandbox = due()
    mine = begun(sandbox)
    Sandbox.objects.update(next_discovery_at=NOW + timedelta(seconds=10))
    give_back(mine)
    assert begin(sandbox.pk, NOW + timedelta(seconds=1)) is None


def test_the_lease_of_a_worker_that_died_runs_out() -> None:
    sandbox = due()
    begun(sandbox)
    assert hand_out(NOW + LEASE - timedelta(seconds=1)) == []
    assert hand_out(NOW + LEASE) == [sandbox.pk]
    assert begin(sandbox.pk, NOW + LEASE) is not None


def test_a_lease_that_is_held_on_to_lasts_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox = due()
    mine = begun(sandbox)
    monkeypatch.setattr(timezone, "now", lambda: NOW + timedelta(seconds=90))
    hold(mine)
    assert hand_out(NOW + LEASE) == []


def test_a_worker_whose_lease_ran_out_does_not_give_back_that_of_another() -> None:
    sandbox = due()
    late = begun(sandbox)
    other = begun(sandbox, NOW + LEASE)
    give_back(late)
    assert Sandbox.objects.get().leased_until == other.leased_until


def test_a_sandbox_given_back_is_handed_out_when_it_is_due_again() -> None:
    sandbox = due()
    hand_out(NOW)
    give_back(begun(sandbox))
    assert hand_out(NOW + timedelta(seconds=1)) == [sandbox.pk]


def test_a_sandbox_that_is_not_watched_or_not_due_is_left_alone() -> None:
    place = make.connection()
    due("off", place, is_watched=False)
    due("later", place, next_discovery_at=NOW + timedelta(seconds=1))
    due("never", place, next_discovery_at=None)
    assert hand_out(NOW) == []


def test_a_sandbox_is_due_when_one_of_its_jobs_is_unless_it_cannot_be_read() -> None:
    place, later = make.connection(), timezone.now() + timedelta(minutes=1)
    far = later + timedelta(hours=1)
    busy, broken, idle = (due(name, place, next_discovery_at=far) for name in ("busy", "broken", "idle"))
    make.job(busy)
    make.job(broken)
    make.job(idle, status="SUCCEEDED")
    Sandbox.objects.filter(pk=broken.pk).update(failing_since=NOW)
    assert hand_out(later) == [busy.pk]


def test_nobody_calls_while_the_connection_is_paused_and_then_one_tries_first() -> None:
    place = make.connection(paused_until=NOW + timedelta(seconds=30))
    one, two = due("one", place), due("two", place)
    free = due("free", make.connection("other"))
    assert hand_out(NOW) == [free.pk]
    tried = hand_out(NOW + timedelta(seconds=31))
    assert len(set(tried) & {one.pk, two.pk}) == 1
    Connection.objects.update(paused_until=None)
    assert {one.pk, two.pk} <= {*tried, *hand_out(NOW + timedelta(seconds=32))}


def test_names_are_looked_up_when_due_unless_the_sandbox_cannot_be_read() -> None:
    now = timezone.now()
    place = make.connection()
    good = make.sandbox(place, "good", next_catalog_at=now)
    make.sandbox(place, "bad", next_catalog_at=now, failing_since=now)
    assert claim_catalogs(now) == [good.pk]
    assert claim_catalogs(now) == []


def test_only_connections_that_do_not_keep_everything_let_go_and_in_turns() -> None:
    now = timezone.now()
    make.connection("keeps-all")
    mortal = make.connection("mortal", keep_jobs_days=30)
    assert claim_expiries(now) == [mortal.pk]
    assert claim_expiries(now) == []
    assert claim_expiries(now + EXPIRY_EVERY) == [mortal.pk]
