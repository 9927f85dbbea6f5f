"""The remote platform in tests: a real emulator process on a free port, with faults on order."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import requests

ROOT = Path(__file__).resolve().parent.parent
EXPORT_JOBS = "/data/core/ups/export/jobs"
QUIET = ("--jobs", "0", "--arrivals", "0")
SMALL = ("--profiles", "300")  # unless a test says otherwise: its store is made in a moment
READY_S = 30
SCOPES = "openid,session,AdobeID,read_organizations,additional_info.projectedProductContext"

# Every field has a type it must not have.
HOSTILE_RECORD: dict[str, Any] = {
    "id": {"not": "an id"},
    "status": ["FAILED"],
    "creationTime": "yesterday",
    "updateTime": {},
    "destination": "nowhere",
    "metrics": [None, 1],
    "errors": {"code": 7},
    "filter": 12,
    "mergePolicy": "mp",
    "computeGatewayJobId": 5,
    "requestId": 1e300,
}


class Remote:
    """One emulator process; started again it has the same port and data, but no faults and no journal."""

    def __init__(self, data_dir: Path, *options: str) -> None:
        self.data_dir = data_dir
        given = options or QUIET
        self.options = given if "--profiles" in given else (*given, *SMALL)
        self.port = 0
        self.url = ""
        self.credentials: dict[str, Any] = {}
        self.process: subprocess.Popen[str] | None = None
        self._session = requests.Session()
        self._session.trust_env = False

    def start(self) -> Remote:
        """Return when it is ready; RuntimeError with what it said if it does not get there."""
        command = [
            sys.executable,
            "-m",
            "emulator",
            "--port",
            str(self.port),
            "--data-dir",
            str(self.data_dir),
        ]
        self.data_dir.mkdir(parents=True, exist_ok=True)
        with (self.data_dir / "stderr.txt").open("a") as stderr:
            self.process = subprocess.Popen(
                [*command, *self.options],
                cwd=ROOT,
                env={name: value for name, value in os.environ.items() if not name.startswith("EMULATOR_")},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            )
        self.url = self._announced()
        self.port = int(self.url.rpartition(":")[2])
        self.credentials = self._session.get(f"{self.url}/credentials.json", timeout=10).json()
        return self

    def stop(self) -> int:
        """Ask it to end; its exit code."""
        return self._end(signal.SIGTERM)

    def kill(self) -> int:
        return self._end(signal.SIGKILL)

    def reset(self) -> None:
        """Back to the start data: no faults, no tokens, an empty journal, the clock at real time."""
        self._call("POST", "/_emulator/reset", {})

    def fault(
        self,
        do: Mapping[str, Any],
        *,
        method: str = "",
        path: str = "",
        regex: str = "",
        sandbox: str = "",
        times: int | None = 1,
    ) -> int:
        """Order a fault (the words of `do` are those of `emulator.faults.Rule`); the rule's id."""
        given = {"method": method, "path": path, "regex": regex, "sandbox": sandbox}
        match = {name: value for name, value in given.items() if value}
        return self._call("POST", "/_emulator/faults", {"match": match, "times": times, "do": do})["rule_id"]

    def preset(
        self,
        name: str,
        *,
        times: int | None = 1,
        chance: float = 1.0,
        method: str = "",
        path: str = "",
        regex: str = "",
        sandbox: str = "",
    ) -> int:
        """Order a fault by its name (`python -m emulator --list`), its place narrowed; the rule's id."""
        given = {"method": method, "path": path, "regex": regex, "sandbox": sandbox}
        match = {name: value for name, value in given.items() if value}
        asked = {"preset": name, "times": times, "chance": chance, "match": match}
        return self._call("POST", "/_emulator/faults", asked)["rule_id"]

    def presets(self) -> dict[str, str]:
        """Every named fault and what it does."""
        return self._call("GET", "/_emulator/faults")["presets"]

    def quirks(self, *names: str) -> dict[str, str]:
        """Exactly these quirks from now on; every quirk there is and what it does."""
        return self._call("PUT", "/_emulator/quirks", {"quirks": list(names)})["known"]

    def permissions(self, *names: str) -> list[str]:
        """What the credential may do from now on; every permission there is."""
        return self._call("PUT", "/_emulator/permissions", {"permissions": list(names)})["known"]

    def faults(self) -> list[dict[str, Any]]:
        """The rules with their `hits` and what is left of their `times`."""
        return self._call("GET", "/_emulator/faults")["faults"]

    def clear_faults(self) -> None:
        self._call("DELETE", "/_emulator/faults")

    def insert_job(self, raw: Any, sandbox: str = "", *, created_ms: int | None = None) -> str:
        """Put in a raw record, shown as given and never moved on; its id as text ("" if it has none)."""
        asked = {"record": raw, "sandbox": sandbox or self.credentials["sandbox"]}
        extra = {} if created_ms is None else {"created_ms": created_ms}
        return self._call("POST", "/_emulator/jobs", asked | extra)["id"]

    def patch_job(self, remote_id: object, **fields: Any) -> dict[str, Any]:
        """Set raw fields of a record, which from then on stays as it is; the whole record."""
        return self._call("PATCH", f"/_emulator/jobs/{remote_id}", fields)["record"]

    def vanish(self, remote_id: object) -> None:
        """The platform does not know this job any more."""
        self._call("DELETE", f"/_emulator/jobs/{remote_id}")

    def requests(self, path: str = "", *, method: str = "") -> list[dict[str, Any]]:
        """What reached the platform, oldest first, secrets masked; `path` is a prefix.

        Each has at_ms, method, path, query, headers (names), sandbox, request_id, body, json, status.
        """
        return self._call("GET", f"/_emulator/requests?method={method}&path={path}")["requests"]

    def clear_requests(self) -> None:
        self._call("DELETE", "/_emulator/requests")

    def advance(self, seconds: float) -> int:
        """Move the platform's clock ahead; the new time in epoch milliseconds."""
        return self._call("POST", "/_emulator/clock", {"advance_s": seconds})["now_ms"]

    def now_ms(self) -> int:
        return self._call("GET", "/_emulator/clock")["now_ms"]

    def session(self, sandbox: str = "") -> requests.Session:
        """A bare HTTP session with a fresh token and the four headers, for tests of the platform itself."""
        known = self.credentials
        form = {"grant_type": "client_credentials", "scope": SCOPES}
        form |= {name: known[name] for name in ("client_id", "client_secret")}
        reply = self._session.post(known["token_url"], data=form, timeout=10)
        session = requests.Session()
        session.trust_env = False
        session.headers["Authorization"] = f"Bearer {reply.json()['access_token']}"
        session.headers["x-api-key"] = known["client_id"]
        session.headers["x-gw-ims-org-id"] = known["org_id"]
        session.headers["x-sandbox-name"] = sandbox or known["sandbox"]
        return session

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        reply = self._session.request(method, self.url + path, json=body, timeout=30)
        if not reply.ok:
            raise RuntimeError(f"{method} {path}: {reply.status_code} {reply.text[:500]}")
        return reply.json()

    def _announced(self) -> str:
        """The address in the one line it prints when it is ready."""
        process, deadline = self.process, time.monotonic() + READY_S
        if process is None or process.stdout is None:
            raise RuntimeError("the emulator was not started")
        readable, _, _ = select.select([process.stdout], [], [], max(0, deadline - time.monotonic()))
        line = process.stdout.readline() if readable else ""
        if not line.startswith("emulator on http"):
            self.kill()
            raise RuntimeError(
                f"the emulator did not start: {(self.data_dir / 'stderr.txt').read_text()[-2000:]}"
            )
        return line.removeprefix("emulator on ").strip()

    def _end(self, number: int) -> int:
        if self.process is None:
            return 0
        self._session.close()
        self.process.send_signal(number)
        code = self.process.wait(timeout=15)
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.process = None
        return code


@pytest.fixture(scope="session")
def remote_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Remote]:
    """One for each test process."""
    remote = Remote(tmp_path_factory.mktemp("remote")).start()
    yield remote
    remote.stop()


@pytest.fixture
def remote(remote_process: Remote) -> Remote:
    """The platform, empty of jobs and without faults; started again if a test left it stopped."""
    if remote_process.process is None or remote_process.process.poll() is not None:
        remote_process.start()
    remote_process.reset()
    return remote_process


@pytest.fixture
def start_remote(tmp_path: Path) -> Iterator[Callable[..., Remote]]:
    """`start_remote("--jobs", "50")`: another one with its own data and these options."""
    started: list[Remote] = []

    def start(*options: str) -> Remote:
        remote = Remote(tmp_path / f"remote-{len(started)}", *options)
        started.append(remote)
        return remote.start()

    yield start
    for remote in started:
        remote.stop()
