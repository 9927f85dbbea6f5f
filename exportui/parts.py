"""The processes Export UI consists of on one machine; `manage.py up` prepares everything and becomes this program.

It imports the standard library only: it lives as long as the product runs and should weigh next to nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import sys
import textwrap
from pathlib import Path

from exportui import valkey
from exportui.processes import Child, Supervisor

PYTHON = [sys.executable, "-m"]
WEB_THREADS, WORKER_THREADS = "8", "8"
EMULATOR_SPEED = "20"
EMULATOR_PROFILES = (
    "20000"  # of each sandbox: made in seconds at the first start; the emulator alone makes 100,000
)
WAITING = "emulator on "
# Two arenas instead of one per thread: a third less memory in processes with many threads, no slower here.
SMALL = {"MALLOC_ARENA_MAX": "2", "PYTHONUNBUFFERED": "1"}


class Parts:
    """What runs, given the data directory, the web port and what is wanted of the optional parts."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.home = Path(options.data_dir)
        self.port: int = options.port
        self.options = options
        self.emulator_url = ""

    def children(self) -> list[Child]:
        """In the order of their start."""
        shared = () if self.options.redis_given else ("redis",)
        ready_for_work = (*shared, "emulator") if self.options.emulator else shared
        wanted = [
            (not self.options.redis_given, Child("redis", self.redis, ready=self.redis_answers)),
            (
                self.options.emulator,
                Child("emulator", self.emulator, ready=self.knows_emulator, heard=self.hear),
            ),
            (self.options.demo, Child("demo", self.demo, after=ready_for_work, once=True)),
            (True, Child("worker", self.worker, after=shared)),
            (True, Child("beat", self.beat, after=shared)),
            (True, Child("web", self.web, after=shared, ready=self.web_answers)),
        ]
        return [child for is_wanted, child in wanted if is_wanted]

    def redis(self) -> list[str]:
        return valkey.command(self.home / "valkey" / "valkey.sock")

    def redis_answers(self) -> bool:
        return valkey.answers(self.home / "valkey" / "valkey.sock")

    def emulator(self) -> list[str]:
        """Its port is remembered, because connections are stored with its address."""
        self.emulator_url = ""
        port = remembered_port(self.home / "emulator.port")
        words = [
            "emulator",
            "--port",
            str(port),
            "--data-dir",
            str(self.home / "emulator"),
            "--speed",
            EMULATOR_SPEED,
            "--profiles",
            EMULATOR_PROFILES,
        ]
        return [*PYTHON, *words]

    def hear(self, line: str) -> bool:
        """Takes the address out of the emulator's ready line; everything else is shown."""
        if not line.startswith(WAITING):
            return True
        self.emulator_url = line.removeprefix(WAITING).strip()
        (self.home / "emulator.port").write_text(self.emulator_url.rpartition(":")[2])
        return False

    def knows_emulator(self) -> bool:
        return bool(self.emulator_url)

    def demo(self) -> list[str]:
        return [sys.executable, "manage.py", "demo", "--platform", self.emulator_url, "--quiet"]

    def worker(self) -> list[str]:
        """Being root is worth a warning on a server, not on somebody's own machine or in a container."""
        words = ["celery", "--quiet", "-A", "exportui", "worker", "-P", "threads", "-c", WORKER_THREADS]
        alone = ["--without-gossip", "--without-mingle", "--loglevel", "INFO"]
        return [sys.executable, "-W", "ignore:You're running the worker", "-m", *words, *alone]

    def beat(self) -> list[str]:
        return [*PYTHON, "exportui.clock"]

    def web(self) -> list[str]:
        words = ["granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(self.port), "--no-ws"]
        size = ["--workers", "1", "--blocking-threads", WEB_THREADS, "--workers-kill-timeout", "5"]
        return [*PYTHON, *words, *size, "--log-level", "error", "exportui.wsgi:application"]

    def web_answers(self) -> bool:
        return answers_http(self.port)

    def banner(self) -> str:
        """Where it is and how to get in."""
        rows = [f"Export UI is ready: {self.options.public_url}", ""]
        people = read_people(self.home / "demo_people.json") if self.options.demo else {}
        for name, password in people.items():
            rows.append(f"  sign in as  {name:<10} password  {password}")
        if not people:
            rows.append("  sign in with an account made by: manage.py createsuperuser")
        if self.emulator_url:
            rows.append(f"  the platform it watches is the local emulator at {self.emulator_url}")
        return "\n".join([*rows, "", "  Ctrl-C stops everything."])


def answers_http(port: int) -> bool:
    """Whether a web server answers there; a host or scheme it does not like is still an answer, a 5xx is none."""
    with socket.socket() as line:
        line.settimeout(5)
        try:
            line.connect(("127.0.0.1", port))
            line.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            return line.recv(64)[9:10] in (b"2", b"3", b"4")
        except OSError:
            return False


def remembered_port(path: Path) -> int:
    """The port used last time if it is still free, else 0: any free one."""
    port = int(path.read_text()) if path.exists() else 0
    return port if port and port_is_free(port) else 0


def port_is_free(port: int) -> bool:
    """Whether somebody may listen on this port of the loopback interface now."""
    with socket.socket() as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def read_people(path: Path) -> dict[str, str]:
    """Demo people and their passwords, as `manage.py demo` keeps them."""
    people: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    return people


def say(who: str, line: str) -> None:
    print(f"{who:<9}| {line}", flush=True)


def read_options(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", required=True)
    parser.add_argument("--public-url", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument(
        "--lock", type=int, required=True, help="the descriptor that holds the data directory's lock"
    )
    parser.add_argument("--redis-given", action="store_true")
    parser.add_argument("--emulator", action="store_true")
    parser.add_argument("--demo", action="store_true")
    return parser.parse_args(words)


def main(words: list[str]) -> None:
    options = read_options(words)
    parts = Parts(options)
    supervisor = Supervisor(
        parts.children(),
        report=say,
        env=SMALL | os.environ,
        on_ready=lambda: print("\n" + textwrap.indent(parts.banner(), "  ") + "\n", flush=True),
    )
    supervisor.run(keep_open=(options.lock,))
    say("up", "everything is stopped")


if __name__ == "__main__":
    main(sys.argv[1:])
