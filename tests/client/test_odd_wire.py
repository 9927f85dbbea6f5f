"""Servers that break off, never end, lie or do not speak HTTP: one typed error each, in bounded time and memory."""

from __future__ import annotations

import gzip
import json
import logging
import re
import socket
import ssl
import traceback
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from jobs.client.api import Client
from jobs.client.credential import Credential, MemoryTokenStore
from jobs.client.errors import (
    CredentialRefused,
    PlatformDown,
    PlatformError,
    Refused,
    Throttled,
    TimedOut,
    Unreachable,
    Unreadable,
)
from jobs.client.wire import Timeouts
from tests.client.conftest import SECRET, TOKEN
from tests.client.wire import Answer, WireServer, in_turn, keeps, reply, resets, sends

ClientOf = Callable[..., Client]
PAGE = json.dumps({"records": [{"id": 1, "status": "NEW"}], "link": {"next": ""}}).encode()
JOB = json.dumps({"id": 1, "status": "NEW"}).encode()
CREATE = {"destination": {"datasetId": "D"}, "schema": {"name": "n"}}


def drips(connection: socket.socket, number: int) -> None:
    """A reply that gives a byte now and then and never ends."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while True:
        connection.sendall(b" ")
        try:
            connection.settimeout(0.02)
            if not connection.recv(1):
                return
        except TimeoutError:
            continue


def floods(head: bytes, piece: bytes) -> Answer:
    """The head, then the piece again and again until the client has enough."""

    def answer(connection: socket.socket, number: int) -> None:
        connection.sendall(head)
        while True:
            connection.sendall(piece)

    return answer


def silent(connection: socket.socket, number: int) -> None:
    """Takes the request and says nothing until the client goes."""
    connection.recv(1)


def chunked(*pieces: bytes, whole: bool) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return head + body + (b"0\r\n\r\n" if whole else b"")


BOMB = gzip.compress(b" " * (40 * 1024 * 1024))
GZIPPED = gzip.compress(PAGE)
GZIP = "Content-Encoding: gzip\r\n"
ODD: dict[str, tuple[Answer, type[PlatformError], int]] = {
    "cut before the reply": (sends(), Unreachable, 4),
    "reset before the reply": (resets, Unreachable, 4),
    "cut within the headers": (sends(b"HTTP/1.1 200 OK\r\nContent-"), Unreadable, 1),
    "cut within the body": (sends(reply(PAGE, length=len(PAGE) + 9)), Unreachable, 4),
    "cut within a chunk": (sends(chunked(PAGE, whole=False)[:-9]), Unreachable, 4),
    "cut between chunks": (sends(chunked(PAGE, whole=False)), Unreachable, 4),
    "cut JSON, whole as HTTP": (sends(reply(PAGE[:-5])), Unreadable, 1),
    "cut gzip, whole as HTTP": (sends(reply(GZIPPED[:-20], headers=GZIP)), Unreadable, 1),
    "gzip that is none": (sends(reply(b"not gzip at all", headers=GZIP)), Unreadable, 1),
    "silence": (silent, TimedOut, 4),
    "a byte now and then": (drips, TimedOut, 4),
    "a body without end": (floods(b"HTTP/1.1 200 OK\r\n\r\n", b" " * 65536), Unreadable, 1),
    "a small reply that unpacks to 40 MiB": (sends(reply(BOMB, headers=GZIP)), Unreadable, 1),
    "headers without end": (floods(b"HTTP/1.1 200 OK\r\n", b"X-More: and more\r\n"), Unreadable, 1),
    "a header line without end": (floods(b"HTTP/1.1 200 OK\r\nX-Long: ", b"x" * 65536), Unreadable, 1),
    "not HTTP": (sends(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), Unreadable, 1),
    "a sign-in page": (sends(reply(b"<!doctype html><title>Sign in</title>")), Unreadable, 1),
    "nothing at all": (sends(reply(b"")), Unreadable, 1),
    "no content": (sends(b"HTTP/1.1 204 No Content\r\n\r\n"), Unreadable, 1),
    "another JSON": (sends(reply(b'{"jobs": []}')), Unreadable, 1),
    "JSON nested a million deep": (sends(reply(b"[" * 1_000_000)), Unreadable, 1),
    "a redirect": (
        sends(reply(b"", status="302 Found", headers="Location: http://127.0.0.1:1/x\r\n")),
        Unreadable,
        1,
    ),
}


@pytest.mark.parametrize("oddity", ODD)
def test_a_read_meets_each_oddity_with_one_typed_error(oddity: str, client_of: ClientOf) -> None:
    answer, kind, requests = ODD[oddity]
    with WireServer(answer) as server:
        client = client_of(server.url, timeouts=Timeouts(2, 0.5, 1.5))
        with pytest.raises(PlatformError) as caught:
            client.list_jobs()
    assert type(caught.value) is kind
    assert caught.value.retry_helps
    assert len(server.received) == client.requests == requests
    assert caught.value.sentence.startswith("Listing the export jobs failed")


@pytest.mark.parametrize("oddity", ODD)
def test_a_create_and_a_cancel_meet_each_oddity_once_and_call_the_outcome_unknown(
    oddity: str, client_of: ClientOf
) -> None:
    answer, _, _ = ODD[oddity]
    with WireServer(answer) as server:
        client = client_of(server.url, timeouts=Timeouts(2, 0.5, 1.5))
        with pytest.raises(PlatformError) as caught:
            client.create_job(CREATE, request_id="r")
    assert len(server.received) == 1
    assert caught.value.maybe_received
    assert "is not known" in caught.value.sentence


@pytest.mark.parametrize("status", ["429 Slow", "500 Oops", "502 Bad", "503 Down", "504 Late"])
def test_a_change_is_never_sent_twice_whatever_the_status(status: str, client_of: ClientOf) -> None:
    with WireServer(sends(reply(b"", status=status))) as server:
        client = client_of(server.url)
        for call in (
            lambda: client.create_job(CREATE, request_id="r"),
            lambda: client.cancel_job("1"),
            lambda: client.create_dataset("n"),
        ):
            with pytest.raises((Throttled, PlatformDown)):
                call()
    assert [request.split(b" ")[0] for request in server.received] == [b"POST", b"DELETE", b"POST"]


def test_a_change_has_a_connection_of_its_own_and_does_not_meet_a_stale_one(client_of: ClientOf) -> None:
    def closes_when_the_next_request_comes(connection: socket.socket, number: int) -> None:
        connection.sendall(reply(JOB))
        connection.recv(1, socket.MSG_PEEK)
        connection.shutdown(socket.SHUT_RDWR)

    with WireServer(in_turn(closes_when_the_next_request_comes, sends(reply(JOB)))) as server:
        client = client_of(server.url)
        client.get_job("1")
        assert client.create_job(CREATE, request_id="r").remote_id == "1"


def test_a_read_recovers_from_breaks_and_faults(client_of: ClientOf, waits: list[float]) -> None:
    answers = (
        resets,
        sends(reply(b"", status="503 Down")),
        sends(reply(PAGE, length=999)),
        sends(reply(PAGE)),
    )
    with WireServer(in_turn(*answers)) as server:
        assert [job.remote_id for job in client_of(server.url).list_jobs().jobs] == ["1"]
    assert waits == [0.5, 1.0, 2.0]


@pytest.mark.parametrize(
    "good",
    [
        chunked(PAGE[:7], PAGE[7:], whole=True),
        reply(GZIPPED, headers=GZIP),
        reply(zlib.compress(PAGE), headers="Content-Encoding: deflate\r\n"),
        b"HTTP/1.0 200 OK\r\n\r\n" + PAGE,
        reply(b"\xef\xbb\xbf" + PAGE),
    ],
    ids=["chunks", "gzip", "deflate", "until the end", "with a byte order mark"],
)
def test_every_honest_way_to_send_a_body_is_read(good: bytes, client_of: ClientOf) -> None:
    with WireServer(sends(good)) as server:
        assert len(client_of(server.url).list_jobs().jobs) == 1


def test_json_that_is_not_quite_json_loses_no_record(client_of: ClientOf) -> None:
    body = (
        b'{"records": [{"id": 1, "status": "NEW", "metrics": {"totalExportedProfileCounter": NaN}}, {"id": NaN},'
        b' {"id": 2, "status": "\\ud800"}, {"id": 3, "status": "\xff\xfe"}, {"id": ' + b"9" * 5000 + b"}]}"
    )
    with WireServer(sends(reply(body))) as server:
        page = client_of(server.url).list_jobs()
    assert [job.remote_id for job in page.jobs] == ["1", "2", "3"]
    assert len(page.rejected) == 2


@pytest.mark.parametrize("head", ["204 No Content", "202 Accepted", "200 OK"])
@pytest.mark.parametrize("body", [b"", b"not json", b'{"status": true, "message": "marked"}', b"[1]"])
def test_a_cancel_is_taken_with_any_body_even_one_behind_a_204(
    head: str, body: bytes, client_of: ClientOf
) -> None:
    def cancelled(connection: socket.socket, number: int) -> None:
        connection.sendall(reply(body, status=head))

    with WireServer(in_turn(cancelled, sends(reply(JOB)))) as server:
        client = client_of(server.url)
        done = client.cancel_job("1")
        assert done.status == int(head[:3])
        assert done.message == ("marked" if b"marked" in body and not head.startswith("204") else "")
        assert client.get_job("1").remote_id == "1"


def test_a_token_that_is_not_taken_is_renewed_once_and_the_create_sent_once_more(client_of: ClientOf) -> None:
    refused = reply(b'{"error_code": "401013", "message": "Oauth token is not valid"}', status="401 No")
    granted = reply(b'{"access_token": "tok-2", "expires_in": 86399}')
    with WireServer(in_turn(sends(refused), sends(granted), sends(reply(JOB)))) as server:
        assert client_of(server.url).create_job(CREATE, request_id="r").remote_id == "1"
    first, token, second = server.received
    assert TOKEN.encode() in first
    assert token.startswith(b"POST /ims/token/v3 ")
    assert b"Bearer tok-2" in second
    assert first.partition(b"\r\n\r\n")[2] == second.partition(b"\r\n\r\n")[2]


def test_a_platform_that_takes_no_token_at_all_is_asked_twice_and_its_refusal_remembered(
    client_of: ClientOf,
) -> None:
    refused = keeps(
        reply(b'{"error_code": "401013", "message": "Oauth token is not valid"}', status="401 No")
    )
    granted = keeps(reply(b'{"access_token": "tok-2", "expires_in": 86399}'))
    with WireServer(in_turn(refused, granted, refused)) as server:
        client = client_of(server.url)
        for _ in range(3):
            with pytest.raises(CredentialRefused, match="access token"):
                client.list_jobs()
    asked = [request.split(b" ")[1].split(b"?")[0] for request in server.received]
    assert asked.count(b"/ims/token/v3") == 1
    assert len(asked) == 4


def test_another_401_is_not_a_reason_to_send_again(client_of: ClientOf) -> None:
    with WireServer(sends(reply(b"{}", status="401 No"))) as server, pytest.raises(CredentialRefused):
        client_of(server.url).create_job(CREATE, request_id="r")
    assert len(server.received) == 1


def test_only_the_offset_of_a_next_link_is_followed_and_only_to_our_own_host(client_of: ClientOf) -> None:
    link = "http://127.0.0.1:1/elsewhere?offset=5_5&status=FAILED&limit=9999&x=1"
    body = json.dumps({"records": [], "link": {"next": link}}).encode()
    with WireServer(keeps(reply(body))) as server:
        client = client_of(server.url)
        page = client.list_jobs(limit=7, status="NEW")
        assert page.next_offset == "5_5"
        client.list_jobs(limit=7, status="NEW", offset="5_5")
    lines = [request.split(b"\r\n")[0].decode() for request in server.received]
    assert lines == [
        "GET /data/core/ups/export/jobs?limit=7&status=NEW HTTP/1.1",
        "GET /data/core/ups/export/jobs?limit=7&offset=5_5&status=NEW HTTP/1.1",
    ]


@pytest.mark.parametrize(
    "link",
    [
        {"link": {"next": ""}},
        {"link": {"next": None}},
        {"link": {}},
        {"link": None},
        {},
        {"link": {"next": "string"}},
        {"link": {"next": 7}},
        {"link": "/export/jobs?offset=1_1"},
        {"link": {"next": "/export/jobs/?limit=2"}},
        {"link": {"next": "/export/jobs/?offset="}},
        {"link": {"next": "http://[bad?offset=1_1"}},
        {"link": {"next": "?offset=" + "9" * 501}},
        {"link": {"next": "?offset=%00"}},
        {"link": {"next": "?" + "a=1&" * 100 + "offset=1_1"}},
    ],
)
def test_every_kind_of_missing_link_ends_the_list(link: dict[str, object], client_of: ClientOf) -> None:
    with WireServer(sends(reply(json.dumps({"records": [], **link}).encode()))) as server:
        assert client_of(server.url).list_jobs().next_offset is None


def test_a_next_page_that_is_this_page_ends_the_list_and_is_logged(
    client_of: ClientOf, caplog: pytest.LogCaptureFixture
) -> None:
    body = json.dumps({"records": [], "link": {"next": "/export/jobs/?offset=5_5"}}).encode()
    with WireServer(keeps(reply(body))) as server:
        client = client_of(server.url)
        assert client.list_jobs(offset="4_4").next_offset == "5_5"
        assert client.list_jobs(offset="5_5").next_offset is None
    assert "its own next page" in caplog.text


@pytest.mark.parametrize("remote_id", ["a/b", "a?b=c", "a#b", "ä", "%2e", "a b"])
def test_an_id_is_one_part_of_the_path_whatever_it_holds(remote_id: str, client_of: ClientOf) -> None:
    with WireServer(sends(reply(JOB))) as server:
        client_of(server.url).get_job(remote_id)
    path = server.received[0].split(b" ")[1].decode()
    assert re.fullmatch(r"/data/core/ups/export/jobs/[^/?#]+", path)


@pytest.mark.parametrize("remote_id", ["", " ", ".", "..", "...", "a\nb", "\x00"])
def test_an_id_that_would_leave_its_place_is_never_asked_for(remote_id: str, client_of: ClientOf) -> None:
    with WireServer(sends(reply(JOB))) as server, pytest.raises(PlatformError):
        client_of(server.url).get_job(remote_id)
    assert server.received == []


def test_cookies_are_not_kept(client_of: ClientOf) -> None:
    with WireServer(keeps(reply(PAGE, headers="Set-Cookie: a=b\r\n"))) as server:
        client = client_of(server.url)
        client.list_jobs()
        client.list_jobs()
    assert b"cookie" not in server.received[1].lower()


def test_a_netrc_file_and_a_proxy_do_not_touch_a_call_to_this_machine(
    client_of: ClientOf, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    netrc = tmp_path_factory.mktemp("home") / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with WireServer(sends(reply(PAGE))) as server:
        client_of(server.url).list_jobs()
    assert f"Authorization: Bearer {TOKEN}".encode() in server.received[0]


@pytest.mark.parametrize("sandbox", ["a\r\nX-Evil: 1", "ä", " prod", "x" * 1001, "a\x00b"])
def test_what_no_header_can_carry_is_refused_before_anything_is_sent(
    sandbox: str, client_of: ClientOf
) -> None:
    with WireServer(sends(reply(PAGE))) as server, pytest.raises(Refused, match="sandbox name"):
        client_of(server.url, sandbox=sandbox).list_jobs()
    assert server.received == []


@pytest.mark.parametrize("payload", [{"a": float("nan")}, {"a": {1, 2}}])
def test_a_payload_that_is_no_json_is_refused_before_anything_is_sent(
    payload: dict[str, object], client_of: ClientOf
) -> None:
    with WireServer(sends(reply(JOB))) as server, pytest.raises(Refused, match="Nothing was sent"):
        client_of(server.url).create_job(payload, request_id="r")
    assert server.received == []


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://platform.example.com", "not encrypted"),
        ("http://127.0.0.1.example.com", "not encrypted"),
        ("file:///etc/passwd", "holds too much"),
        ("platform.adobe.io", "holds too much"),
        ("https://user:pass@platform.example.com", "holds too much"),
        ("https://platform.example.com/?a=b", "holds too much"),
        ("https://platform.example.com:99999", "cannot be read"),
        ("https://[::1", "cannot be read"),
        ("", "holds too much"),
    ],
)
def test_an_address_that_no_credential_may_go_to_is_refused_at_the_first_call(
    url: str, words: str, client_of: ClientOf
) -> None:
    client = client_of(url)
    with pytest.raises(Refused, match=words) as caught:
        client.list_jobs()
    assert "platform URL" in caught.value.sentence
    assert "pass" not in caught.value.sentence


def test_a_mistyped_host_is_named_as_unknown(client_of: ClientOf) -> None:
    with pytest.raises(Unreachable, match=r"no host is known by the name of no-such-host\.invalid") as caught:
        client_of("https://no-such-host.invalid").create_job(CREATE, request_id="r")
    assert not caught.value.maybe_received


def test_a_host_that_is_no_name_at_all_is_refused(client_of: ClientOf) -> None:
    for url in ("https://a..b", f"https://{'x' * 70}.example.com"):
        with pytest.raises((Refused, Unreachable)):
            client_of(url).list_jobs()


def test_a_closed_port_is_named_as_such(client_of: ClientOf) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(Unreachable, match=f"nothing listens at 127.0.0.1:{port}") as caught:
        client_of(f"http://127.0.0.1:{port}").create_job(CREATE, request_id="r")
    assert not caught.value.maybe_received


def test_a_port_that_does_not_speak_tls_is_named_as_such(client_of: ClientOf) -> None:
    mail = WireServer(sends(), greeting=b"220 mail.example.com ESMTP\r\n")
    with mail, pytest.raises(Unreachable, match="does not speak TLS") as caught:
        client_of(mail.url.replace("http:", "https:")).create_job(CREATE, request_id="r")
    assert not caught.value.maybe_received


def self_signed(folder: Path) -> ssl.SSLContext:
    """A server's side of TLS with a certificate that nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    cert = builder.not_valid_before(now).not_valid_after(now + timedelta(days=1)).sign(key, SHA256())
    pem = folder / "server.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    pem.write_bytes(private + cert.public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


def test_a_certificate_that_nobody_vouches_for_is_named_and_gets_no_credential(
    client_of: ClientOf, tmp_path: Path
) -> None:
    server = WireServer(sends(reply(JOB)), tls=self_signed(tmp_path))
    with (
        server,
        pytest.raises(Unreachable, match=r"certificate of 127\.0\.0\.1:\d+ is not trusted") as caught,
    ):
        client_of(server.url).create_job(CREATE, request_id="r")
    assert not caught.value.maybe_received
    assert server.received == []


def test_no_error_leads_to_a_secret_by_any_way(client_of: ClientOf, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for answer in (resets, silent, sends(reply(f"you sent {TOKEN}".encode(), status="400 Bad"))):
        with WireServer(answer) as server, pytest.raises(PlatformError) as caught:
            client_of(server.url, timeouts=Timeouts(1, 0.1, 0.1)).create_job(CREATE, request_id="r")
        error = caught.value
        assert TOKEN.encode() in server.received[0]
        assert (error.__cause__, error.__context__) == (None, None)
        shown = f"{error!r} {vars(error)} {_locals_of_product(error)}"
        assert TOKEN not in shown
        assert SECRET not in shown
    assert TOKEN not in caplog.text
    assert SECRET not in caplog.text


def test_a_refusal_of_the_token_endpoint_leads_to_no_secret_either(client_of: ClientOf) -> None:
    body = f'{{"error": "invalid_client", "error_description": "{SECRET} is wrong"}}'.encode()
    with WireServer(sends(reply(body, status="401 No"))) as server:
        credential = Credential(server.url, "c", SECRET, "s", "o")
        with pytest.raises(CredentialRefused, match="is wrong") as caught:
            Client(server.url, credential, store=MemoryTokenStore()).list_jobs()
    assert SECRET.encode() in server.received[0]
    error = caught.value
    assert SECRET not in f"{error!r} {vars(error)} {_locals_of_product(error)}"
    assert (error.__cause__, error.__context__) == (None, None)


def _locals_of_product(error: BaseException) -> list[str]:
    """What a report with local variables would show of our frames."""
    frames = traceback.walk_tb(error.__traceback__)
    return [repr(frame.f_locals) for frame, _ in frames if "/jobs/client/" in frame.f_code.co_filename]
