"""What a platform's list can do is found out and remembered: page sizes, and how far its clock is from ours."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from jobs.client.api import Client
from jobs.client.errors import Refused
from jobs.connect import watcher_for
from jobs.models import Connection, Sandbox
from jobs.monitor.listing import largest, read_page
from tests import make
from tests.remote import EXPORT_JOBS, Remote

pytestmark = pytest.mark.django_db

T0 = 1_700_000_000_000


@pytest.fixture
def sandbox(remote: Remote) -> Sandbox:
    for number in range(30):
        remote.insert_job(make.raw(id=number, status="SUCCEEDED", creationTime=T0 + number))
    return make.connected(remote)


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Client]:
    with watcher_for(sandbox) as client:
        yield client


def known() -> Connection:
    return Connection.objects.get()


def page_of(count: int) -> dict[str, object]:
    records = [make.raw(creationTime=T0 + n) for n in range(count)]
    return {"records": records, "link": {"next": f"/export/jobs/?offset={T0}_1"}}


def test_the_largest_pages_are_tried_first(remote: Remote, sandbox: Sandbox, client: Client) -> None:
    assert len(read_page(sandbox, client, limit=largest(sandbox.connection)).jobs) == 30
    assert "limit=1000" in remote.requests(EXPORT_JOBS)[-1]["query"]


def test_a_page_cut_short_though_the_list_goes_on_tells_the_limit(
    remote: Remote, sandbox: Sandbox, client: Client
) -> None:
    remote.fault({"reply": {"json": page_of(20)}}, path=EXPORT_JOBS)
    read_page(sandbox, client, limit=1000)
    assert (known().page_limit, largest(sandbox.connection)) == (20, 20)


def test_a_short_last_page_tells_nothing(sandbox: Sandbox, client: Client) -> None:
    read_page(sandbox, client, limit=1000)
    assert known().page_limit is None


def test_a_platform_that_refuses_so_many_is_asked_for_fewer(
    remote: Remote, sandbox: Sandbox, client: Client
) -> None:
    remote.fault({"reply": {"status": 400, "json": {"message": "limit"}}}, path=EXPORT_JOBS, times=2)
    assert len(read_page(sandbox, client, limit=1000).jobs) == 30
    assert known().page_limit == 100


def test_a_refusal_that_is_not_about_the_limit_is_none_of_this(
    remote: Remote, sandbox: Sandbox, client: Client
) -> None:
    remote.fault({"reply": {"status": 400, "json": {"message": "no"}}}, path=EXPORT_JOBS, times=None)
    with pytest.raises(Refused):
        read_page(sandbox, client, limit=1000)
    assert known().page_limit is None


def test_a_larger_page_than_was_known_of_is_remembered(
    remote: Remote, sandbox: Sandbox, client: Client
) -> None:
    sandbox.connection.page_limit = 10
    read_page(sandbox, client, limit=25)
    assert known().page_limit == 25


@pytest.mark.parametrize("ahead_s", [7200, -300])
def test_the_platform_s_clock_is_measured(
    remote: Remote, sandbox: Sandbox, client: Client, ahead_s: int
) -> None:
    read_page(sandbox, client, limit=5)
    near = known().clock_offset_ms
    assert near is not None and abs(near) < 2000
    remote.advance(ahead_s)
    with watcher_for(sandbox) as again:
        page = again.list_jobs(limit=1) if ahead_s < 0 else None  # its token may have ended meanwhile
    read_page(sandbox, client, limit=5)
    found = known().clock_offset_ms
    assert page is None or page.jobs
    assert found is not None and abs(found - ahead_s * 1000) < 2000
