"""connect and sync need nothing but an address and credentials: here the platform is forty lines of http.server."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.management import call_command

from jobs.models import ExportJob, Sandbox

pytestmark = pytest.mark.django_db

SAMPLES = Path(__file__).parent / "samples"
JOBS = "/data/core/ups/export/jobs"
NEEDED = {"x-api-key": "someone", "x-gw-ims-org-id": "ORG@AdobeOrg", "x-sandbox-name": "prod"}


class Guide(BaseHTTPRequestHandler):
    """Answers as the vendor's guides say: a token, and two pages of their sample jobs."""

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        good = self.path == "/ims/token/v3" and form["client_secret"] == ["s3cret"]
        token = {"access_token": "T0KEN", "token_type": "bearer", "expires_in": 86399}
        self._answer(200 if good else 401, token if good else {"error": "invalid_client"})

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        known = self.headers["Authorization"] == "Bearer T0KEN"
        if not known or any(self.headers[name] != value for name, value in NEEDED.items()):
            return self._answer(403, {"error_code": "403010", "message": "Oauth token is missing."})
        if url.path.rstrip("/") != JOBS:
            return self._answer(404, {"title": "NotFoundError", "status": 404})
        if "offset" in parse_qs(url.query):
            last = {"id": 5, "status": "SUCCEEDED", "creationTime": 1500000000000}
            return self._answer(200, {"records": [last], "page": {"pageSize": 1}, "link": {"next": ""}})
        return self._answer(200, json.loads((SAMPLES / "list_segmentation_guide.json").read_text()))

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        sent = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    def log_message(self, format: str, *args: Any) -> None:
        return


@pytest.fixture
def guide() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Guide)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_server_that_speaks_the_documented_api_is_watched(
    guide: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_SECRET", "s3cret")
    options: dict[str, Any] = {
        "org": "ORG@AdobeOrg",
        "client_id": "someone",
        "client_secret_env": "A_SECRET",
        "sandbox": ["prod"],
        "platform_url": guide,
        "token_url": f"{guide}/ims/token/v3",
    }
    call_command("connect", "elsewhere", stdout=io.StringIO(), **options)
    said = io.StringIO()
    call_command("sync", stdout=said)
    sample = json.loads((SAMPLES / "list_segmentation_guide.json").read_text())["records"]
    wanted = {str(record["id"]): record["status"] for record in sample} | {"5": "SUCCEEDED"}
    assert dict(ExportJob.objects.values_list("remote_id", "status")) == wanted
    assert said.getvalue().startswith(
        f"elsewhere/prod: new {len(wanted)}, changed 0, unchanged 0, requests 2,"
    )
    assert Sandbox.objects.get().first_contact_done_at is not None
