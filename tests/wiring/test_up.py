"""`manage.py up` for real: it starts, shows the way in, survives crashes, and leaves nothing behind."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.running import Copy, free_port, start

pytestmark = pytest.mark.xdist_group("up")
READY = "Export UI is ready"


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A short path: the socket of the embedded Redis lies below it."""
    made = Path(tempfile.mkdtemp(prefix="up-"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="module")
def copy(home: Path) -> Iterator[Copy]:
    running = Copy(home).until_ready()
    yield running
    running.stop()


def test_it_prints_the_address_and_three_people_who_can_sign_in(copy: Copy) -> None:
    assert f"{READY}: {copy.url}" in copy.text
    for name, password in copy.passwords().items():
        browser = requests.Session()
        form = browser.get(f"{copy.url}/accounts/login/", timeout=10)
        token = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', form.text)[0]
        fields = {"login": name, "password": password, "csrfmiddlewaretoken": token}
        answer = browser.post(f"{copy.url}/accounts/login/", fields, timeout=10, allow_redirects=False)
        assert answer.status_code == 302, name
        assert browser.get(f"{copy.url}/jobs/", timeout=10).status_code == 200
    assert sorted(copy.passwords()) == ["admin", "operator", "viewer"]


def test_pages_come_with_the_strict_policy_and_hashed_files(copy: Copy) -> None:
    answer = requests.get(f"{copy.url}/accounts/login/", timeout=10)
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    files = re.findall(r'(?:href|src)="(/static/[^"]+\.(?:css|js))"', answer.text)
    assert files
    for path in files:
        served = requests.get(copy.url + path, timeout=10)
        assert served.status_code == 200
        assert "immutable" in served.headers["Cache-Control"]


def test_no_secret_lies_open_in_the_data_directory(copy: Copy, home: Path) -> None:
    for name in ("secret_key", "field_keys", "demo_people.json", "exportui.sqlite3", "valkey"):
        assert (home / name).stat().st_mode & 0o077 == 0, name


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("redis", "unixsocket:"),
        ("emulator", "-m emulator"),
        ("worker", "exportui worker"),
        ("beat", "exportui.clock"),
        ("web", "granian"),
    ],
)
def test_a_killed_process_is_said_so_and_started_again(copy: Copy, name: str, words: str) -> None:
    before = copy.child(words)
    assert before
    before.kill()
    copy.until(lambda: f"{name} was ended by SIGKILL; starting it again" in copy.text)
    copy.until(lambda: (after := copy.child(words)) and after.pid != before.pid)


def test_the_web_server_is_back_after_its_master_was_killed(copy: Copy) -> None:
    copy.until(lambda: answers(copy.url), 30)


def test_a_second_copy_on_the_same_data_is_refused_with_a_sentence(copy: Copy, home: Path) -> None:
    second = start(home, "--port", str(free_port()))
    output, _ = second.communicate(timeout=30)
    assert second.returncode == 1
    assert re.fullmatch(rf"CommandError: Another copy \(process {copy.process.pid}\) runs on .*\n", output), (
        output
    )


def test_a_taken_port_is_one_sentence(copy: Copy, tmp_path: Path) -> None:
    second = start(tmp_path / "d", "--port", str(copy.port))
    output, _ = second.communicate(timeout=30)
    assert second.returncode == 1
    assert (
        output
        == f"CommandError: Port {copy.port} is taken by another program; choose another one: PORT=8123 make run\n"
    )


def test_two_copies_with_two_data_directories_run_side_by_side(copy: Copy) -> None:
    home = Path(tempfile.mkdtemp(prefix="up-"))
    other = Copy(home, "--no-emulator").until_ready()
    try:
        assert answers(copy.url)
        assert answers(other.url)
        assert "createsuperuser" in other.text
    finally:
        other.stop()
        shutil.rmtree(home, ignore_errors=True)
    assert not other.remaining()


def test_ctrl_c_leaves_no_process_and_the_next_start_is_the_same_place(copy: Copy, home: Path) -> None:
    emulator = re.findall(r"local emulator at (\S+)", copy.text)
    said = len(copy.lines)  # what was killed before may have left a trace; ending must not
    copy.stop()
    assert copy.process.returncode == 0
    assert not copy.remaining()
    assert not [line for line in copy.lines[said:] if "Traceback" in line]
    again = Copy(home).until_ready()
    try:
        assert again.passwords() == copy.passwords()
        assert re.findall(r"local emulator at (\S+)", again.text) == emulator
    finally:
        again.process.kill()
        again.process.wait()
    assert not again.remaining()  # even when the supervisor itself was killed


def answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/accounts/login/", timeout=5).status_code == 200
    except requests.ConnectionError:
        return False
