"""A whole running copy of the product in tests: `manage.py up` as a person would start it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent


class Copy:
    """One running copy of the product with everything it has printed."""

    def __init__(self, home: Path, *words: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.lines: list[str] = []
        self.process = start(home, "--port", str(self.port), *words)
        threading.Thread(target=self._read, daemon=True).start()
        self.family: list[psutil.Process] = []

    def _read(self) -> None:
        for line in self.process.stdout or ():
            self.lines.append(line.rstrip())

    def until(self, done: Callable[[], object], seconds: float = 90) -> None:
        deadline = time.monotonic() + seconds
        while not done():
            assert self.process.poll() is None, self.text
            assert time.monotonic() < deadline, self.text
            time.sleep(0.05)

    def until_ready(self) -> Copy:
        self.until(lambda: "Ctrl-C" in self.text)
        self.family = psutil.Process(self.process.pid).children(recursive=True)
        return self

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def child(self, words: str) -> psutil.Process | None:
        """The direct child with these words in its command line."""
        for process in psutil.Process(self.process.pid).children():
            if words in " ".join(process.cmdline()):
                return process
        return None

    def passwords(self) -> dict[str, str]:
        return dict(re.findall(r"sign in as +(\w+) +password +(\S+)", self.text))

    def remaining(self) -> list[psutil.Process]:
        return left(self.family)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.family = psutil.Process(self.process.pid).children(recursive=True)
            self.process.send_signal(signal.SIGINT)
            self.process.wait(40)


def start(home: Path, *words: str) -> subprocess.Popen[str]:
    """`manage.py up` with this data directory and none of the settings of the tests."""
    ours = ("EXPORTUI_", "DATABASE_URL", "REDIS_URL", "DJANGO_")
    env = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return subprocess.Popen(
        [sys.executable, "manage.py", "up", *words],
        cwd=ROOT,
        env=env | {"EXPORTUI_DATA_DIR": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def free_port() -> int:
    with socket.socket() as any_port:
        any_port.bind(("127.0.0.1", 0))
        return int(any_port.getsockname()[1])


def left(family: list[psutil.Process], patience_s: float = 15) -> list[psutil.Process]:
    """Those that still run; a killed process takes the kernel a moment, so it is looked for until it is gone."""
    deadline = time.monotonic() + patience_s
    while (running := [process for process in family if is_running(process)]) and time.monotonic() < deadline:
        time.sleep(0.02)
    return running


def is_running(process: psutil.Process) -> bool:
    """A zombie that its adopter has not collected yet does not run."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
