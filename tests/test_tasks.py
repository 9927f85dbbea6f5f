"""Real workers on a real broker: what is due is done, once, and a worker that is killed loses nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from redis import Redis

from jobs import tasks
from jobs.launch.cancel import request_cancel
from jobs.launch.submit import launch
from jobs.models import Connection, ExportJob, JobSnapshot, JobTally, Launch, LaunchState, Sandbox
from tests import make
from tests.remote import EXPORT_JOBS, Remote

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).resolve().parent.parent
PATIENCE_S = 30.0


class Worker:
    """A Celery worker process on the test's database and broker."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = "-m celery -A exportui worker -P threads -c 4 --without-gossip --without-mingle -l WARNING"
        self.process = subprocess.Popen(
            [sys.executable, *command.split()],
            cwd=ROOT,
            env=os.environ | {"DATABASE_URL": _url()},
            stdin=subprocess.DEVNULL,
        )

    def end(self, number: int) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(timeout=20)
            self.process = None


def _url() -> str:
    """The test database as another process names it."""
    known = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{known['NAME']}"
    return f"postgres://{known['USER']}:{known['PASSWORD']}@{_host(known['HOST'])}:{known['PORT']}/{known['NAME']}"


def _host(host: str) -> str:
    """A socket's directory is percent-encoded into a URL."""
    return host.replace("/", "%2F")


@pytest.fixture
def worker(redis_server: str) -> Iterator[Worker]:
    Redis.from_url(redis_server).flushdb()
    process = Worker()
    yield process
    process.end(signal.SIGKILL)


@pytest.fixture
def sandbox(remote: Remote) -> Sandbox:
    return make.connected(remote)


def until(holds: Callable[[], Any], what: str) -> None:
    """Wait for another process to get there; fail with `what` if it does not."""
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, f"waited {PATIENCE_S:.0f} s for {what}"
        time.sleep(0.05)


def finished(remote: Remote, count: int) -> None:
    for number in range(1, count + 1):
        created = 1_700_000_000_000 + number * 1000
        remote.insert_job(make.raw(id=number, status="SUCCEEDED", creationTime=created, updateTime=created))


def body(remote: Remote) -> dict[str, Any]:
    return {
        "destination": {"datasetId": remote.credentials["dataset_id"]},
        "schema": {"name": "_xdm.context.profile"},
    }


def test_a_tick_has_everything_done_that_is_due(worker: Worker, remote: Remote, sandbox: Sandbox) -> None:
    finished(remote, 3)
    worker.start()
    tasks.tick.delay()
    until(lambda: ExportJob.objects.count() == 3, "the jobs of the list")
    until(lambda: Sandbox.objects.get().catalog_seen_at, "the names")


def test_a_worker_killed_in_the_middle_of_a_pass_loses_and_doubles_nothing(
    worker: Worker, remote: Remote, sandbox: Sandbox
) -> None:
    finished(remote, 300)
    Connection.objects.update(page_limit=100)
    remote.fault({"delay_s": 1}, path=EXPORT_JOBS, times=None)
    worker.start()
    tasks.tick.delay()
    until(lambda: 0 < ExportJob.objects.count() < 300, "the first page")
    worker.end(signal.SIGKILL)
    assert ExportJob.objects.count() < 300
    remote.clear_faults()
    Sandbox.objects.update(
        leased_until=timezone.now(), handed_out_at=None
    )  # the dead worker's lease runs out
    worker.start()
    tasks.tick.delay()
    until(lambda: Sandbox.objects.get().first_contact_done_at, "the end of the first contact")
    assert ExportJob.objects.count() == JobSnapshot.objects.count() == 300
    assert sum(JobTally.objects.values_list("jobs", flat=True)) == 300
    assert Sandbox.objects.get().first_contact_jobs == 300


def test_a_launch_goes_from_wish_to_job_and_its_cancellation_likewise(
    worker: Worker, remote: Remote, sandbox: Sandbox
) -> None:
    worker.start()
    ana = make.user()
    wish = launch(sandbox, body(remote), actor=ana, now=timezone.now())
    until(lambda: Launch.objects.get(pk=wish.pk).state == LaunchState.ACCEPTED, "the accepted launch")
    job = ExportJob.objects.get(launch=wish)
    assert request_cancel(job, actor=ana, now=timezone.now())
    until(lambda: ExportJob.objects.get().cancel_acknowledged_at, "the acknowledgement")
    assert len(remote.requests(EXPORT_JOBS, method="POST")) == 1


def test_what_was_asked_while_the_broker_was_away_is_found_by_the_tick(
    worker: Worker, redis_server: str, remote: Remote, sandbox: Sandbox
) -> None:
    wish = launch(sandbox, body(remote), actor=make.user(), now=timezone.now() - timedelta(minutes=1))
    Redis.from_url(redis_server).flushdb()  # the message is lost with the broker
    worker.start()
    tasks.tick.delay()
    until(lambda: Launch.objects.get(pk=wish.pk).state == LaunchState.ACCEPTED, "the accepted launch")


def test_without_a_broker_a_wish_is_written_down_all_the_same(remote: Remote, sandbox: Sandbox) -> None:
    """In a process of its own, whose broker is an address where nothing listens."""
    script = (
        "import django; django.setup()\n"
        "from django.utils import timezone\n"
        "from jobs.launch.submit import launch\n"
        "from jobs.models import Sandbox\n"
        "launch(Sandbox.objects.get(), {}, actor=None, now=timezone.now())\n"
    )
    env = os.environ | {"DATABASE_URL": _url(), "REDIS_URL": "redis://127.0.0.1:9/0"}
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=env, check=True, timeout=60)
    assert Launch.objects.get().state == LaunchState.QUEUED
