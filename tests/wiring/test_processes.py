"""The supervisor with small real processes: order, crashes, last words, and nobody left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from exportui.processes import Child, Supervisor, ending
from tests.running import left

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]


def python(code: str) -> list[str]:
    return [sys.executable, "-u", "-c", textwrap.dedent(code)]


class Stage:
    """A supervisor whose steps the test takes, with everything it reported."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []
        self.announced = 0
        self.supervisor: Supervisor | None = None

    def open(self, *children: Child) -> Supervisor:
        self.supervisor = Supervisor(
            list(children), report=lambda *words: self.said.append(words), env=os.environ, on_ready=self.count
        )
        return self.supervisor

    def count(self) -> None:
        self.announced += 1

    def until(self, done: Callable[[], object], seconds: float = 15) -> None:
        """Takes steps until `done`; the deadline only ends a broken run."""
        assert self.supervisor
        deadline = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < deadline, f"it did not happen; said: {self.said}"
            self.supervisor.step()

    def pid(self, name: str) -> int:
        assert self.supervisor
        process = self.supervisor.children[name].process
        return process.pid if process else 0


@pytest.fixture
def stage() -> Iterator[Stage]:
    made = Stage()
    yield made
    if made.supervisor:
        made.supervisor.kill_all()
        made.supervisor.stop()


def test_a_child_starts_only_when_those_before_it_are_ready(stage: Stage, tmp_path: Path) -> None:
    door = tmp_path / "open"
    stage.open(
        Child("first", lambda: SLEEP, ready=door.exists), Child("second", lambda: SLEEP, after=("first",))
    )
    for _ in range(3):
        stage.supervisor.step()
    assert stage.pid("first")
    assert not stage.pid("second")
    assert stage.announced == 0
    door.touch()
    stage.until(lambda: stage.announced)
    assert stage.pid("second")


def test_being_ready_is_announced_once_even_after_a_crash(stage: Stage) -> None:
    stage.open(Child("a", lambda: SLEEP))
    stage.until(lambda: stage.announced)
    first = stage.pid("a")
    os.kill(first, signal.SIGKILL)
    stage.until(lambda: stage.pid("a") not in (0, first))
    stage.until(lambda: stage.supervisor.children["a"].is_ready)
    assert stage.announced == 1


def test_a_crashed_child_is_started_again_and_said_so_in_one_line(stage: Stage) -> None:
    stage.open(Child("web", lambda: SLEEP))
    stage.until(lambda: stage.announced)
    first = stage.pid("web")
    os.kill(first, signal.SIGKILL)
    stage.until(lambda: stage.pid("web") not in (0, first))
    assert stage.said == [("up", "web was ended by SIGKILL; starting it again in 1 s")]


def test_a_child_that_crashes_again_and_again_is_given_longer_pauses(stage: Stage) -> None:
    stage.open(Child("web", lambda: python("raise SystemExit(3)")))
    stage.until(lambda: len(stage.said) == 3)
    assert [line for _, line in stage.said] == [
        f"web ended with exit code 3; starting it again in {pause} s" for pause in (1, 2, 4)
    ]


def test_the_last_words_of_a_crashing_child_are_shown_before_its_end(stage: Stage) -> None:
    stage.open(Child("web", lambda: python("print('no such table', end=''); raise SystemExit(1)")))
    stage.until(lambda: len(stage.said) == 2)
    assert stage.said[0] == ("web", "no such table")


def test_what_a_dead_child_leaves_of_its_group_is_killed_before_it_starts_again(stage: Stage) -> None:
    code = "import subprocess, time; print(subprocess.Popen(['sleep', '600']).pid); time.sleep(600)"
    stage.open(Child("web", lambda: python(code)))
    stage.until(lambda: stage.said)
    orphan = psutil.Process(int(stage.said[0][1]))
    os.kill(stage.pid("web"), signal.SIGKILL)
    stage.until(lambda: len(stage.said) == 3)  # its pid, its end, the pid of the next
    assert not left([orphan])


def test_a_child_that_is_done_stays_done_and_those_after_it_start(stage: Stage) -> None:
    stage.open(
        Child("demo", lambda: python("print('ok')"), once=True), Child("b", lambda: SLEEP, after=("demo",))
    )
    stage.until(lambda: stage.announced)
    assert stage.said == [("demo", "ok")]
    assert not stage.pid("demo")


def test_a_line_may_be_heard_and_kept_from_the_screen(stage: Stage) -> None:
    heard: list[str] = []
    stage.open(
        Child(
            "a", lambda: python("print('one\\ntwo')"), heard=lambda line: heard.append(line) or line != "one"
        )
    )
    stage.until(lambda: len(stage.said) >= 2)
    assert heard[:2] == ["one", "two"]
    assert stage.said[0] == ("a", "two")


def test_stopping_ends_a_child_that_ignores_the_polite_signal(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exportui.processes.GRACE_S", 0.2)
    code = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf'); time.sleep(600)"
    )
    stage.open(Child("worker", lambda: python(code)))
    stage.until(lambda: stage.said)
    deaf = psutil.Process(stage.pid("worker"))
    stage.supervisor.stop()
    assert not left([deaf])


def test_children_are_stopped_in_the_opposite_order_of_their_start(stage: Stage) -> None:
    code = """
        import signal, sys, time
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(print("bye")))
        print("hi")
        time.sleep(600)
    """
    stage.open(*(Child(name, lambda: python(code)) for name in "abc"))
    stage.until(lambda: len(stage.said) == 3)
    stage.said.clear()
    stage.supervisor.stop()
    assert stage.said == [("c", "bye"), ("b", "bye"), ("a", "bye")]


PARENT = """
import os, sys
from exportui.processes import Child, Supervisor
quiet = [sys.executable, "-c", "import time; time.sleep(600)"]
family = [sys.executable, "-c", "import subprocess; subprocess.Popen(['sleep', '600']).wait()"]
stage = Supervisor(
    [Child("a", lambda: quiet), Child("b", lambda: family)],
    report=lambda *words: None, env=os.environ, on_ready=lambda: print("ready", flush=True),
)
stage.run()
print("done", flush=True)
"""


@pytest.fixture
def parent() -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen([sys.executable, "-u", "-c", PARENT], stdout=subprocess.PIPE, text=True)
    yield process
    process.kill()
    process.wait()


def family_of(parent: subprocess.Popen[str]) -> list[psutil.Process]:
    """All processes below the supervisor: two children, a grandchild and the guard."""
    assert parent.stdout
    assert parent.stdout.readline() == "ready\n"
    deadline = time.monotonic() + 10
    while len(found := psutil.Process(parent.pid).children(recursive=True)) < 4:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_whole_family_in_order(parent: subprocess.Popen[str], number: int) -> None:
    family = family_of(parent)
    parent.send_signal(number)
    assert parent.wait(10) == 0
    assert parent.stdout.read() == "done\n"
    assert not left(family)


def test_nobody_is_left_when_the_supervisor_itself_is_killed(parent: subprocess.Popen[str]) -> None:
    family = family_of(parent)
    parent.kill()
    parent.wait()
    assert not left(family)


def test_an_end_is_told_as_a_person_would() -> None:
    assert ending(-9) == "was ended by SIGKILL"
    assert ending(2) == "ended with exit code 2"
