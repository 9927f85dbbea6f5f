"""One web worker over one filled database, and a client that keeps a single connection to it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.running import ROOT, free_port

SETTINGS = "tests.benchmarks.settings"


def environment(home: Path, database_url: str = "") -> dict[str, str]:
    """The environment of one copy: nothing of the caller's settings, its own data directory."""
    ours = ("EXPORTUI_", "DATABASE_URL", "REDIS_URL", "DJANGO_")
    env = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    env |= {"EXPORTUI_DATA_DIR": str(home), "DJANGO_SETTINGS_MODULE": SETTINGS, "MALLOC_ARENA_MAX": "2"}
    return env | ({"DATABASE_URL": database_url} if database_url else {})


class Answer:
    """Status, headers and length of one reply, and the seconds it took."""

    __slots__ = ("body", "head", "seconds", "status")

    def __init__(self, status: int, head: bytes, body: bytes, seconds: float) -> None:
        self.status, self.head, self.body, self.seconds = status, head, body, seconds


class Line:
    """A kept-alive connection that sends prepared GETs; small enough not to be what is measured."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def get(self, path: str, cookie: str = "", **headers: str) -> Answer:
        words = {"Host": "127.0.0.1", "Cookie": cookie} | headers
        head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in words.items() if value)
        request = f"GET {path} HTTP/1.1\r\n{head}\r\n".encode()
        began = time.perf_counter()
        self.socket.sendall(request)
        got = b""
        while b"\r\n\r\n" not in got:
            got += self._more()
        top, _, body = got.partition(b"\r\n\r\n")
        size = length(top)
        while len(body) < size:
            body += self._more()
        return Answer(int(top[9:12]), top, body, time.perf_counter() - began)

    def _more(self) -> bytes:
        part = self.socket.recv(262_144)
        if not part:
            raise ConnectionError("the server closed the line")
        return part


def length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line[15:])
    return 0


class Web:
    """A running web worker."""

    def __init__(self, port: int, process: psutil.Process, ready_s: float) -> None:
        self.port, self.process, self.ready_s = port, process, ready_s

    @property
    def worker(self) -> psutil.Process:
        return (self.process.children() or [self.process])[0]

    def rss_mb(self) -> float:
        return self.worker.memory_info().rss / 2**20

    def cpu_s(self) -> float:
        times = self.worker.cpu_times()
        return times.user + times.system


@contextmanager
def serving(env: dict[str, str], *, threads: int = 8) -> Iterator[Web]:
    """granian with one worker, as `manage.py up` starts it."""
    port = free_port()
    words = [
        "granian",
        "--interface",
        "wsgi",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--no-ws",
        "--workers",
        "1",
    ]
    size = ["--blocking-threads", str(threads), "--log-level", "error", "exportui.wsgi:application"]
    began = time.monotonic()
    with subprocess.Popen([sys.executable, "-m", *words, *size], cwd=ROOT, env=env) as server:
        try:
            while not answers(port):
                assert server.poll() is None, "the web server stopped at once"
                assert time.monotonic() - began < 60, "the web server did not answer"
                time.sleep(0.01)
            yield Web(port, psutil.Process(server.pid), time.monotonic() - began)
        finally:
            server.terminate()


def answers(port: int) -> bool:
    try:
        return Line(port).get("/healthz").status == 200
    except OSError:
        return False
