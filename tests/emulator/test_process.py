"""The emulator as a process: one command, one line when it is ready, a clean end, data that stays."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import requests

from tests.remote import EXPORT_JOBS, ROOT, Remote

StartRemote = Callable[..., Remote]


def test_says_one_line_when_ready_and_ends_cleanly_on_request(start_remote: StartRemote) -> None:
    remote = start_remote("--jobs", "0", "--arrivals", "0")
    assert remote.process is not None
    assert remote.process.stdout is not None
    out = remote.process.stdout
    assert requests.get(remote.url, timeout=5).ok
    remote.process.terminate()
    assert remote.process.wait(timeout=10) == 0
    assert out.read() == ""
    assert (remote.data_dir / "stderr.txt").read_text() == ""


def test_a_taken_port_is_one_sentence_and_exit_code_1(remote: Remote, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "emulator", "--port", str(remote.port), "--data-dir", str(tmp_path)]
    second = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert second.returncode == 1
    assert second.stdout == ""
    assert second.stderr.count("\n") == 1
    assert f"Port {remote.port} " in second.stderr
    assert "--port" in second.stderr


def test_credentials_name_all_that_a_client_needs(remote: Remote) -> None:
    known = requests.get(f"{remote.url}/credentials.json", timeout=5).json()
    assert known["platform_url"] == remote.url
    assert known["token_url"] == f"{remote.url}/ims/token/v3"
    assert known["org_id"].endswith("@AdobeOrg")
    assert known["sandboxes"] == ["prod", "dev"]
    assert known["sandbox"] == "prod"
    assert {"client_id", "client_secret", "dataset_id", "segment_id"} <= known.keys()


def test_the_front_page_is_for_people(remote: Remote) -> None:
    reply = requests.get(remote.url, timeout=5)
    assert reply.headers["Content-Type"].startswith("text/html")
    assert remote.credentials["client_id"] in reply.text
    assert "developers' tool" in reply.text


def test_jobs_credentials_and_tokens_survive_a_stop(start_remote: StartRemote) -> None:
    remote = start_remote("--jobs", "30", "--arrivals", "0")
    session, before = remote.session(), dict(remote.credentials)
    made = session.post(remote.url + EXPORT_JOBS, json=_payload(remote), timeout=5).json()
    remote.advance(3600)
    listed = session.get(remote.url + EXPORT_JOBS, timeout=5).json()["records"]
    assert remote.stop() == 0
    remote.start()
    assert remote.credentials == before
    assert session.get(remote.url + EXPORT_JOBS, timeout=5).json()["records"] == listed
    assert listed[0]["id"] == made["id"]


def test_a_killed_emulator_has_lost_nothing_it_confirmed(start_remote: StartRemote) -> None:
    remote = start_remote("--jobs", "0", "--arrivals", "0")
    session = remote.session()
    made = session.post(remote.url + EXPORT_JOBS, json=_payload(remote), timeout=5).json()
    remote.kill()
    remote.start()
    assert (
        session.get(f"{remote.url}{EXPORT_JOBS}/{made['id']}", timeout=5).json()["requestId"]
        == made["requestId"]
    )


def test_the_same_seed_gives_the_same_credentials_and_another_seed_others(start_remote: StartRemote) -> None:
    first, second = start_remote("--jobs", "0"), start_remote("--jobs", "0")
    other = start_remote("--jobs", "0", "--seed", "2")
    for name in ("client_id", "client_secret", "org_id", "dataset_id", "segment_id"):
        assert first.credentials[name] == second.credentials[name] != other.credentials[name]


def test_it_keeps_to_little_memory(start_remote: StartRemote) -> None:
    remote = start_remote()
    session = remote.session()
    for _ in range(30):
        assert session.get(remote.url + EXPORT_JOBS, params={"limit": 100}, timeout=5).ok
    assert remote.process is not None
    statm = Path(f"/proc/{remote.process.pid}/status")
    if statm.exists():
        resident = next(line for line in statm.read_text().splitlines() if line.startswith("VmRSS"))
        assert int(resident.split()[1]) < 70 * 1024


def _payload(remote: Remote) -> dict[str, object]:
    return {
        "destination": {"datasetId": remote.credentials["dataset_id"]},
        "schema": {"name": "_xdm.context.profile"},
    }


def test_a_database_that_is_none_is_one_sentence_and_exit_code_1(tmp_path: Path) -> None:
    (tmp_path / "emulator.sqlite3").write_text("this is no database" * 100)
    command = [sys.executable, "-m", "emulator", "--data-dir", str(tmp_path)]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert (told.returncode, told.stdout, told.stderr.count("\n")) == (1, "", 1)
    assert str(tmp_path) in told.stderr
