"""Child processes for heavy work: started when there is some, used again, gone when idle.

A task is what `worker.py` understands. Each one under way has a thread here that reads what its child says.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings

GONE_S = 10
ROOT = Path(__file__).resolve().parent.parent

Progress = Callable[[float, str], None]


class WorkFailed(Exception):
    """kind: `storage` (a file could not be written or read), `engine`, or `died` (the child is gone)."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind, self.message = kind, message


class Task:
    """One piece of work; `stop` ends it with its child, at once and for good."""

    def __init__(self, do: str, asked: dict[str, Any], progress: Progress | None = None) -> None:
        self.line = (
            json.dumps({"do": do, "asked": asked, "spill": str(settings.DATA_DIR.resolve() / "spill")}) + "\n"
        )
        self.progress = progress
        self._child: subprocess.Popen[str] | None = None
        self._stopped = False
        self._lock = threading.Lock()

    def run(self) -> Any:
        """What the child answers; raises WorkFailed."""
        for child in (_take(), None):  # one that waited may have just retired: then a new one
            try:
                return self._ask(child or _started())
            except BrokenPipeError:
                continue
        raise WorkFailed("died", "the export process did not start")

    def stop(self) -> None:
        """Return when its child is gone, so that nothing is written any more."""
        with self._lock:
            self._stopped = True
            if self._child is not None:
                self._child.kill()
                self._child.wait(GONE_S)

    def _ask(self, child: subprocess.Popen[str]) -> Any:
        with self._lock:
            self._child = child
            if self._stopped:
                child.kill()
        if child.stdin is None or child.stdout is None:
            raise WorkFailed("died", "the export process has no pipes")
        child.stdin.write(self.line)
        child.stdin.flush()
        for line in child.stdout:
            told = json.loads(line)
            if "progress" not in told:
                return self._answered(child, told)
            if self.progress:
                self.progress(told["progress"]["share"], told["progress"]["what"])
        raise self._lost(child)

    def _answered(self, child: subprocess.Popen[str], told: dict[str, Any]) -> Any:
        with self._lock:
            self._child = None
            if not self._stopped:
                _give_back(child)
        if "error" in told:
            raise WorkFailed(told["error"]["kind"], told["error"]["message"])
        return told["result"]

    def _lost(self, child: subprocess.Popen[str]) -> Exception:
        """It ended without an answer: retired before it read the task, or died over it."""
        code = child.wait()
        _close(child)
        if code == 0 and not self._stopped:
            return BrokenPipeError("retired")
        return WorkFailed("died", f"the export process ended with code {code}")


_idle: list[subprocess.Popen[str]] = []
_lock = threading.Lock()


def call(do: str, asked: dict[str, Any], progress: Progress | None = None) -> Any:
    """Have it done and wait; raises WorkFailed."""
    return Task(do, asked, progress).run()


def start(task: Task, then: Callable[[Any], None]) -> None:
    """Have it done meanwhile; `then` gets the result, or the WorkFailed, in a thread of the pool."""

    def work() -> None:
        try:
            outcome = task.run()
        except WorkFailed as error:
            outcome = error
        then(outcome)

    threading.Thread(target=work, daemon=True).start()


def _take() -> subprocess.Popen[str] | None:
    """A child that waits for work."""
    with _lock:
        while _idle:
            child = _idle.pop()
            if child.poll() is None:
                return child
            _close(child)
    return None


def _started() -> subprocess.Popen[str]:
    """In a session of its own: Ctrl-C is for the server, whose end the child notices by itself."""
    return subprocess.Popen(
        [sys.executable, "-m", "emulator.worker"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def _give_back(child: subprocess.Popen[str]) -> None:
    with _lock:
        _idle.append(child)


def _close(child: subprocess.Popen[str]) -> None:
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
