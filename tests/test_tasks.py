"""Real workers on a real broker: what is due is done, once, and a worker that is killed loses nothing."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from redis import Redis

from exportui import valkey
from jobs import tasks
from jobs.launch.cancel import request_cancel
from jobs.launch.submit import launch
from jobs.models import Connection, ExportJob, JobSnapshot, JobTally, Launch, LaunchState, Sandbox
from tests import make
from tests.remote import EXPORT_JOBS, Remote

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).resolve().parent.parent
PATIENCE_S = 30.0


WORKER = "-m celery -q -A exportui worker -P threads -c 4 --without-gossip --without-mingle -l WARNING"
CLOCK = "-m exportui.clock"


class Part:
    """A process of the product on the test's database, and on its broker unless another is given."""

    def __init__(self, words: str = WORKER, redis_url: str = "") -> None:
        self.words = words
        self.redis = {"REDIS_URL": redis_url} if redis_url else {}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *self.words.split()],
            cwd=ROOT,
            env=os.environ | {"DATABASE_URL": _url()} | self.redis,
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
def worker(redis_server: str) -> Iterator[Part]:
    Redis.from_url(redis_server).flushdb()
    process = Part()
    yield process
    process.end(signal.SIGKILL)


class OwnRedis:
    """A server of the Redis protocol that a test may kill; it forgets everything when it starts again."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.socket = home / "v.sock"
        self.url = f"unix://{self.socket}?db=0"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(valkey.command(self.socket), stdout=subprocess.DEVNULL)
        until(lambda: valkey.answers(self.socket), "Redis")

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None
            shutil.rmtree(self.home)


@pytest.fixture
def own_redis() -> Iterator[OwnRedis]:
    """In a directory with a short name: a socket's path has to be."""
    server = OwnRedis(Path(tempfile.mkdtemp(prefix="v-")))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def start() -> Iterator[Callable[..., Part]]:
    """`start(CLOCK, redis_url)`: a part of the product that ends with the test."""
    started: list[Part] = []

    def run(words: str, redis_url: str = "") -> Part:
        part = Part(words, redis_url)
        started.append(part)
        part.start()
        return part

    yield run
    for part in started:
        part.end(signal.SIGKILL)


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


def test_a_tick_has_everything_done_that_is_due(worker: Part, remote: Remote, sandbox: Sandbox) -> None:
    finished(remote, 3)
    worker.start()
    tasks.tick.delay()
    until(lambda: ExportJob.objects.count() == 3, "the jobs of the list")
    until(lambda: Sandbox.objects.get().catalog_seen_at, "the names")


def test_a_worker_killed_in_the_middle_of_a_pass_loses_and_doubles_nothing(
    worker: Part, remote: Remote, sandbox: Sandbox
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


def listed(remote: Remote) -> int:
    return len(remote.requests(EXPORT_JOBS, method="GET"))


def test_a_worker_asked_to_end_finishes_its_call_and_gives_the_lease_back(
    worker: Part, remote: Remote, sandbox: Sandbox
) -> None:
    """In the middle of a first contact of 30 pages that take a second each."""
    finished(remote, 300)
    Connection.objects.update(page_limit=10)
    remote.fault({"delay_s": 1}, path=EXPORT_JOBS, times=None)
    worker.start()
    tasks.tick.delay()
    until(lambda: listed(remote) >= 2, "the second page")
    asked_at, asked = time.monotonic(), listed(remote)
    worker.end(signal.SIGTERM)
    assert time.monotonic() - asked_at < 10
    place = Sandbox.objects.get()
    assert listed(remote) <= asked + 1
    assert ExportJob.objects.count() == 10 * listed(remote)  # what was asked for is stored
    assert (place.leased_until, place.handed_out_at) == (None, None)
    assert place.next_discovery_at is not None and place.next_discovery_at <= timezone.now()

    remote.clear_faults()
    worker.start()
    tasks.tick.delay()
    until(lambda: Sandbox.objects.get().first_contact_done_at, "the end of the first contact")
    assert ExportJob.objects.count() == JobSnapshot.objects.count() == 300
    assert listed(remote) <= 30 + 2  # it went on where it stood


def test_a_redis_that_comes_back_empty_costs_no_job(
    own_redis: OwnRedis, start: Callable[..., Part], remote: Remote, sandbox: Sandbox
) -> None:
    """Killed with everything it held while a pass was under way; away for a while; then there, and empty."""
    finished(remote, 20)
    Connection.objects.update(page_limit=10)
    remote.fault({"delay_s": 1}, path=EXPORT_JOBS, times=2)
    start(WORKER, own_redis.url)
    start(CLOCK, own_redis.url)
    until(lambda: listed(remote), "the first call")
    own_redis.kill()
    until(lambda: ExportJob.objects.count() == 20, "the pass under way, which needs no Redis")
    remote.insert_job(make.raw(id=99))
    own_redis.start()
    Sandbox.objects.update(last_ok_at=None, next_discovery_at=timezone.now())
    until(lambda: ExportJob.objects.filter(remote_id="99").exists(), "the next pass")
    assert JobSnapshot.objects.count() == 21


def test_a_clock_that_runs_twice_makes_no_pass_twice(
    worker: Part, redis_server: str, start: Callable[..., Part], remote: Remote, sandbox: Sandbox
) -> None:
    finished(remote, 3)
    worker.start()
    for _ in range(2):
        start(CLOCK, redis_server)
    until(lambda: Sandbox.objects.get().last_ok_at, "the first reading")
    read_at = Sandbox.objects.get().last_ok_at
    until(lambda: Sandbox.objects.get().last_ok_at != read_at, "the next reading")
    assert listed(remote) == 2
    assert JobSnapshot.objects.count() == 3


def test_two_workers_with_the_same_message_make_one_pass(
    worker: Part, redis_server: str, start: Callable[..., Part], remote: Remote, sandbox: Sandbox
) -> None:
    finished(remote, 30)
    Connection.objects.update(page_limit=10)
    remote.fault({"delay_s": 0.3}, path=EXPORT_JOBS, times=None)
    worker.start()
    start(WORKER, redis_server)
    for _ in range(6):
        tasks.sweep.delay(sandbox.pk)
    until(lambda: Sandbox.objects.get().first_contact_done_at, "the end of the first contact")
    until(lambda: Sandbox.objects.get().leased_until is None, "the lease")
    assert listed(remote) == 3
    assert JobSnapshot.objects.count() == 30


@pytest.mark.skipif("not config.getoption('database') == 'postgres'", reason="needs a server to lose")
def test_a_database_that_restarts_in_the_middle_of_a_pass_costs_no_job(
    worker: Part, remote: Remote, sandbox: Sandbox
) -> None:
    """Every connection of the worker ends as it would then, in the middle of a call to the platform."""
    finished(remote, 40)
    Connection.objects.update(page_limit=10)
    remote.fault({"delay_s": 1}, path=EXPORT_JOBS, times=4)
    worker.start()
    tasks.tick.delay()
    until(lambda: listed(remote) >= 2, "the second page")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"  # not those of other tests
        )
    until(lambda: Sandbox.objects.get().leased_until is None, "the lease that was given back all the same")
    Sandbox.objects.update(next_discovery_at=timezone.now(), handed_out_at=None)
    tasks.tick.delay()
    until(lambda: Sandbox.objects.get().first_contact_done_at, "the end of the first contact")
    assert ExportJob.objects.count() == JobSnapshot.objects.count() == 40
    assert sum(JobTally.objects.values_list("jobs", flat=True)) == 40


def test_a_launch_goes_from_wish_to_job_and_its_cancellation_likewise(
    worker: Part, remote: Remote, sandbox: Sandbox
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
    worker: Part, redis_server: str, remote: Remote, sandbox: Sandbox
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
