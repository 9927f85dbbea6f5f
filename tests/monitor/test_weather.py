"""Each fault of the platform has a written expectation: what is stored, what is shown, when it is tried again.

What was known stays as it was, in every row of the table; nothing is lost; and when the fault is over the next
pass finds out what happened meanwhile.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple

import pytest
from django.core.cache import cache
from django.utils import timezone

from jobs.client import token
from jobs.client.errors import PlatformError
from jobs.client.wire import Timeouts
from jobs.connect import budget
from jobs.models import Connection, ExportJob, JobSnapshot, Sandbox
from jobs.monitor.claim import hand_out
from jobs.monitor.sweep import sweep
from tests import make
from tests.remote import EXPORT_JOBS, HOSTILE_RECORD, Remote

pytestmark = pytest.mark.django_db

T0 = 1_700_000_000_000
TOKEN = "/ims/token"
CUT = {"status": 200, "after": True, "truncate": 60}


class Expected(NamedTuple):
    """What a fault leads to: words of the sentence that is shown, how many calls it takes to give up, after how
    many seconds it is tried again, whether all sandboxes of the connection rest, and whether an admin is told that
    the credential is refused.
    """

    shown: str
    calls: int
    again_s: int
    rests: bool = False
    is_refusal: bool = False


FAULTS: dict[str, tuple[dict[str, Any], Expected]] = {
    "a fault on its own side": (
        {"do": {"reply": {"status": 500}}, "path": EXPORT_JOBS},
        Expected("has a fault on its own side", calls=2, again_s=5),
    ),
    "busy": (
        {"do": {"reply": {"status": 503, "json": {"title": "busy"}}}, "path": EXPORT_JOBS},
        Expected("has a fault on its own side", calls=2, again_s=5),
    ),
    "busy, come back in five minutes": (
        {"do": {"reply": {"status": 503, "headers": {"Retry-After": "300"}}}, "path": EXPORT_JOBS},
        Expected("has a fault on its own side", calls=1, again_s=300),
    ),
    "a proxy's page of HTML": (
        {"do": {"reply": {"status": 502, "text": "<html>Bad gateway</html>"}}, "path": EXPORT_JOBS},
        Expected("Bad gateway", calls=2, again_s=5),
    ),
    "a sign-in page instead of JSON": (
        {"do": {"reply": {"status": 200, "text": "<html>Sign in</html>"}}, "path": EXPORT_JOBS},
        Expected("not what the platform documents", calls=1, again_s=5),
    ),
    "JSON that breaks off": (
        {"do": {"reply": CUT}, "path": EXPORT_JOBS},
        Expected("not what the platform documents", calls=1, again_s=5),
    ),
    "JSON of another shape": (
        {"do": {"reply": {"json": {"children": []}}}, "path": EXPORT_JOBS},
        Expected("not the list that is documented", calls=1, again_s=5),
    ),
    "a connection cut before the reply": (
        {"do": {"reset": "before"}, "path": EXPORT_JOBS},
        Expected("closed the connection", calls=2, again_s=5, rests=True),
    ),
    "a connection cut after the work was done": (
        {"do": {"reset": "after"}, "path": EXPORT_JOBS},
        Expected("closed the connection", calls=2, again_s=5, rests=True),
    ),
    "no answer in time": (
        {"do": {"delay_s": 0.6}, "path": EXPORT_JOBS},
        Expected("did not answer in time", calls=2, again_s=5),
    ),
    "too many requests, come back in two minutes": (
        {"do": {"reply": {"status": 429, "headers": {"Retry-After": "120"}}}, "path": EXPORT_JOBS},
        Expected("too many calls", calls=1, again_s=120, rests=True),
    ),
    "too many requests": (
        {"do": {"reply": {"status": 429}}, "path": EXPORT_JOBS},
        Expected("too many calls", calls=2, again_s=5, rests=True),
    ),
    "a permission that is missing": (
        {"do": {"reply": {"status": 403, "json": {"title": "no"}}}, "path": EXPORT_JOBS},
        Expected("may not do this", calls=1, again_s=5),
    ),
    "a sandbox that is not there": (
        {"do": {"reply": {"status": 404, "json": {"message": "Sandbox not found"}}}, "path": EXPORT_JOBS},
        Expected("does not open this sandbox", calls=1, again_s=5),
    ),
    "a request it does not like": (
        {"do": {"reply": {"status": 400, "json": {"message": "no such thing"}}}, "path": EXPORT_JOBS},
        Expected("no such thing", calls=1, again_s=5),
    ),
    "a token that it does not take": (
        {"do": {"reply": {"status": 401, "json": {"error_code": "401013"}}}, "path": EXPORT_JOBS},
        Expected("does not take the access token", calls=2, again_s=60, rests=True, is_refusal=True),
    ),
    "a client id it does not know": (
        {"do": {"reply": {"status": 403, "json": {"error_code": "403003"}}}, "path": EXPORT_JOBS},
        Expected("does not know the client id", calls=1, again_s=60, rests=True, is_refusal=True),
    ),
    "a secret that is wrong": (
        {"do": {"reply": {"status": 401, "json": {"error": "invalid_client"}}}, "path": TOKEN},
        Expected("client secret is wrong", calls=0, again_s=60, rests=True, is_refusal=True),
    ),
    "a token endpoint that is down": (
        {"do": {"reply": {"status": 503}}, "path": TOKEN},
        Expected("Fetching an access token", calls=0, again_s=5),
    ),
    "a token endpoint that cuts the connection": (
        {"do": {"reset": "before"}, "path": TOKEN},
        Expected("closed the connection", calls=0, again_s=5, rests=True),
    ),
}

SURVIVED: dict[str, dict[str, Any]] = {
    "tokens that end early": {"do": {"expire_tokens": True}, "path": EXPORT_JOBS},
    "one fault among good replies": {"do": {"reply": {"status": 500}}, "path": EXPORT_JOBS},
    "one cut connection": {"do": {"reset": "before"}, "path": EXPORT_JOBS},
    "one token that was not given": {"do": {"reply": {"status": 503}}, "path": TOKEN},
    "a record that is nonsense": {"do": {"records": [HOSTILE_RECORD, 7, None]}, "path": EXPORT_JOBS},
}


@pytest.fixture
def sandbox(remote: Remote, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """Two running jobs are known, of which one has ended by now; the head of the list is due."""
    monkeypatch.setattr(Timeouts.__new__, "__defaults__", (1.0, 0.4, 1.0))
    for number in (1, 2):
        remote.insert_job(make.raw(id=number, creationTime=T0 + number, updateTime=T0 + number))
    place = make.connected(remote)
    sweep(place)
    remote.patch_job(2, status="SUCCEEDED", updateTime=T0 + 60_000)
    remote.clear_requests()
    Sandbox.objects.update(last_ok_at=None)
    return fresh(place)


def fresh(sandbox: Sandbox) -> Sandbox:
    return Sandbox.objects.select_related("connection").get(pk=sandbox.pk)


def time_passes() -> None:
    """What was remembered for a while is forgotten."""
    token._refusals.clear()
    budget.slots_of.cache_clear()
    cache.clear()


def statuses() -> dict[str, str]:
    return dict(ExportJob.objects.order_by("remote_id").values_list("remote_id", "status"))


def seconds_until(moment: datetime | None, since: datetime) -> float:
    assert moment is not None
    return (moment - since).total_seconds()


@pytest.mark.parametrize(("fault", "expected"), FAULTS.values(), ids=list(FAULTS))
def test_a_fault_changes_nothing_that_is_known_is_said_and_is_over_when_it_is_over(
    remote: Remote, sandbox: Sandbox, fault: dict[str, Any], expected: Expected
) -> None:
    if fault["path"] == TOKEN:
        time_passes()  # and with it the token that was good
    remote.fault(times=None, **fault)
    with pytest.raises(PlatformError):
        sweep(sandbox)
    now, place = timezone.now(), fresh(sandbox)

    assert statuses() == {"1": "PROCESSING", "2": "PROCESSING"}
    assert JobSnapshot.objects.count() == 2
    assert ExportJob.objects.filter(gone_at=None).count() == 2

    assert expected.shown in place.last_error
    assert place.failing_since is not None
    assert bool(place.connection.credential_error) is expected.is_refusal
    assert len(remote.requests(EXPORT_JOBS)) == expected.calls

    rests = place.connection.paused_until if expected.rests else place.next_discovery_at
    assert seconds_until(rests, now) == pytest.approx(expected.again_s, abs=3)
    assert (place.connection.paused_until is not None) is expected.rests
    assert hand_out(now) == []

    remote.clear_faults()
    time_passes()
    sweep(place)
    place = fresh(sandbox)
    assert statuses() == {"1": "PROCESSING", "2": "SUCCEEDED"}
    assert JobSnapshot.objects.count() == 3
    assert (place.failing_since, place.failure_count, place.last_error) == (None, 0, "")
    assert (place.connection.paused_until, place.connection.credential_error) == (None, "")


@pytest.mark.parametrize("fault", SURVIVED.values(), ids=list(SURVIVED))
def test_what_happens_once_costs_a_repeat_and_is_not_spoken_of(
    remote: Remote, sandbox: Sandbox, fault: dict[str, Any]
) -> None:
    if fault["path"] == TOKEN:
        time_passes()
    remote.fault(**fault)
    sweep(sandbox)
    assert statuses() == {"1": "PROCESSING", "2": "SUCCEEDED"}
    assert fresh(sandbox).failing_since is None


def test_a_platform_that_is_not_there_is_tried_at_growing_intervals(remote: Remote, sandbox: Sandbox) -> None:
    remote.stop()
    waits = []
    for _ in range(8):
        with pytest.raises(PlatformError):
            sweep(fresh(sandbox))
        waits.append(seconds_until(Connection.objects.get().paused_until, timezone.now()))
    assert waits == pytest.approx([5, 10, 20, 40, 80, 160, 300, 300], abs=1)


def test_a_wrong_secret_is_told_once_to_the_token_endpoint_however_many_sandboxes_there_are(
    remote: Remote, sandbox: Sandbox
) -> None:
    places = [sandbox, *(make.sandbox(sandbox.connection, f"sb{n}") for n in range(5))]
    time_passes()
    remote.fault({"reply": {"status": 401, "json": {"error": "invalid_client"}}}, path=TOKEN, times=None)
    for place in places:
        with pytest.raises(PlatformError):
            sweep(fresh(place))
    assert len(remote.requests(TOKEN)) == 1
    assert remote.requests(EXPORT_JOBS) == []


def test_trouble_that_all_share_is_said_of_all_and_stops_all(remote: Remote, sandbox: Sandbox) -> None:
    other = make.sandbox(sandbox.connection, "dev", next_discovery_at=timezone.now())
    elsewhere = make.sandbox(make.connection("other"), next_discovery_at=timezone.now())
    remote.stop()
    with pytest.raises(PlatformError):
        sweep(sandbox)
    assert fresh(other).failing_since is not None
    assert fresh(other).last_error == fresh(sandbox).last_error != ""
    assert fresh(elsewhere).failing_since is None
    assert hand_out(timezone.now()) == [elsewhere.pk]


@pytest.mark.parametrize("do", [{"delay_s": 0.6}, {"reply": {"status": 500}}, {"reply": {"status": 403}}])
def test_one_bad_sandbox_never_slows_another(remote: Remote, sandbox: Sandbox, do: dict[str, Any]) -> None:
    bad = make.sandbox(sandbox.connection, "dev", next_discovery_at=timezone.now())
    remote.fault(do, sandbox="dev", times=None)
    with pytest.raises(PlatformError):
        sweep(fresh(bad))
    assert Connection.objects.get().paused_until is None
    sweep(fresh(sandbox))
    place = fresh(sandbox)
    assert (place.failing_since, place.last_error) == (None, "")
    assert hand_out(timezone.now() + timedelta(seconds=11)) == [bad.pk, sandbox.pk]


def test_an_answer_of_any_kind_ends_the_rest_of_the_connection(remote: Remote, sandbox: Sandbox) -> None:
    """The first to try after the pause is a sandbox with a trouble of its own: the others need not wait for it."""
    Connection.objects.update(paused_until=timezone.now(), pause_count=3)
    remote.fault({"reply": {"status": 403, "json": {"title": "no"}}}, path=EXPORT_JOBS)
    with pytest.raises(PlatformError):
        sweep(fresh(sandbox))
    assert Connection.objects.get().paused_until is None
