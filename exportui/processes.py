"""Keeps child processes running: started in order, started again when they crash, gone when we go."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

Report = Callable[[str, str], None]  # who, line

TICK_S = 0.25  # how often we look at the children when none of them says anything
HEALTHY_S = 30.0  # who ran this long has recovered from its last crash
LONGEST_PAUSE_S = 30.0
GRACE_S = 8.0  # from SIGTERM to SIGKILL

# Reads the process groups that run, one line per change; when our end of the pipe closes because we died without a
# word (kill -9), it ends them. It holds the lock of the data directory until then.
GUARD = """
while read -r line; do groups=$line; done
for group in $groups; do kill -s TERM -- "-$group"; done 2>/dev/null
for _ in 1 2 3 4 5 6 7 8 9 10; do
  left=
  for group in $groups; do kill -s 0 -- "-$group" && left=1; done 2>/dev/null
  [ -z "$left" ] && exit
  sleep 0.5
done
for group in $groups; do kill -s KILL -- "-$group"; done 2>/dev/null
"""


@dataclass
class Child:
    """One process we keep running, in a process group of its own.

    `command` is asked at each start. `heard` gets each line of output and says whether to show it; `ready` is asked
    until it is true, once after each start. A child with `once` ends by itself and is not started again.
    """

    name: str
    command: Callable[[], list[str]]
    after: tuple[str, ...] = ()
    ready: Callable[[], bool] = lambda: True
    heard: Callable[[str], bool] = lambda line: True
    once: bool = False
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    is_ready: bool = field(default=False, init=False)
    started_at: float = field(default=0.0, init=False)
    start_again_at: float = field(default=0.0, init=False)
    pause_s: float = field(default=0.0, init=False)
    is_over: bool = field(default=False, init=False)
    unfinished: bytes = field(default=b"", init=False)

    def lines(self, data: bytes) -> Iterator[str]:
        """The whole lines that `data` completes; empty data means the end and completes the last one."""
        *whole, self.unfinished = (self.unfinished + (data or b"\n")).split(b"\n")
        return filter(None, (line.decode(errors="replace").rstrip() for line in whole))


class Supervisor:
    """Starts children once those they come `after` are ready, and stops them in the opposite order."""

    def __init__(
        self, children: list[Child], *, report: Report, env: Mapping[str, str], on_ready: Callable[[], None]
    ) -> None:
        self.children = {child.name: child for child in children}
        self.report = report
        self.env = dict(env)
        self.on_ready = on_ready
        self.announced = False
        self.stopping = False
        self.output = selectors.DefaultSelector()
        self.guard: subprocess.Popen[bytes] | None = None

    def run(self, *, keep_open: tuple[int, ...] = ()) -> None:
        """Runs until SIGINT, SIGTERM or SIGHUP. `keep_open` are descriptors the guard holds as well."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self.on_signal)
        self.guard = subprocess.Popen(
            ["/bin/sh", "-c", GUARD], stdin=subprocess.PIPE, start_new_session=True, pass_fds=keep_open
        )
        try:
            while not self.stopping:
                self.step()
        finally:
            self.stop()

    def on_signal(self, number: int, frame: object) -> None:
        if self.stopping:  # asked twice: no more grace
            self.kill_all()
        self.stopping = True

    def step(self) -> None:
        """One look at everything: what was said, who ended, who may start, who is ready."""
        self.listen(TICK_S)
        for child in self.children.values():
            if child.process is not None and child.process.poll() is not None:
                self.bury(child)
            if self.may_start(child):
                self.start(child)
            if child.process is not None and not child.is_ready and not child.once:
                child.is_ready = child.ready()
        if not self.announced and all(child.is_ready for child in self.children.values()):
            self.announced = True
            self.on_ready()

    def may_start(self, child: Child) -> bool:
        if child.process is not None or child.is_over or time.monotonic() < child.start_again_at:
            return False
        return child.started_at > 0 or all(self.children[name].is_ready for name in child.after)

    def start(self, child: Child) -> None:
        child.process = subprocess.Popen(
            child.command(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=self.env,
        )
        self.tell_guard()
        child.started_at, child.is_ready = time.monotonic(), False
        if child.process.stdout is not None:
            os.set_blocking(child.process.stdout.fileno(), False)
            self.output.register(child.process.stdout, selectors.EVENT_READ, child)

    def bury(self, child: Child) -> None:
        """Notes an ended child and when it starts again; what it left of its group is killed first."""
        process = self.sweep(child)
        child.is_ready = child.once
        if child.once:
            child.is_over = True
            if process.returncode:
                self.report("up", f"{child.name} {ending(process.returncode)}")
            return
        if time.monotonic() - child.started_at > HEALTHY_S:
            child.pause_s = 0.0
        child.pause_s = min(max(1.0, child.pause_s * 2), LONGEST_PAUSE_S)
        child.start_again_at = time.monotonic() + child.pause_s
        self.report(
            "up", f"{child.name} {ending(process.returncode)}; starting it again in {child.pause_s:.0f} s"
        )

    def sweep(self, child: Child) -> subprocess.Popen[bytes]:
        """Kills what is left of the child's group, shows its last words and forgets it.

        A web server's master may die and leave a worker that still listens on the port.
        """
        process = child.process
        if process is None:
            raise ValueError(f"{child.name} does not run")
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self.listen(0)
        if process.stdout is not None:
            with suppress(KeyError):
                self.output.unregister(process.stdout)
            process.stdout.close()
        child.process = None
        self.tell_guard()
        return process

    def listen(self, timeout_s: float) -> None:
        """Shows what children say, line by line, waiting at most `timeout_s` for the first of them."""
        if not self.output.get_map():
            time.sleep(timeout_s)
            return
        for key, _ in self.output.select(timeout_s):
            child: Child = key.data
            data = os.read(key.fd, 65536)
            if not data:
                self.output.unregister(key.fileobj)
            for line in child.lines(data):
                if child.heard(line):
                    self.report(child.name, line)

    def stop(self) -> None:
        """Ends children in the opposite order of their start, each with a few seconds of grace."""
        for child in reversed(self.children.values()):
            if child.process is None:
                continue
            with suppress(ProcessLookupError):
                child.process.terminate()
            deadline = time.monotonic() + GRACE_S
            while child.process.poll() is None and time.monotonic() < deadline:
                self.listen(0.02)
            self.sweep(child)
        if self.guard is not None and self.guard.stdin is not None:
            with suppress(BrokenPipeError):
                self.guard.stdin.close()
            self.guard.wait()

    def kill_all(self) -> None:
        for child in self.children.values():
            if child.process is not None:
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(child.process.pid, signal.SIGKILL)

    def tell_guard(self) -> None:
        """The guard knows the groups that run at this moment."""
        groups = [str(child.process.pid) for child in self.children.values() if child.process is not None]
        if self.guard is not None and self.guard.stdin is not None:
            with suppress(BrokenPipeError):
                self.guard.stdin.write(f"{' '.join(groups)}\n".encode())
                self.guard.stdin.flush()


def ending(code: int) -> str:
    """How a process ended, as a person would say it."""
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"
