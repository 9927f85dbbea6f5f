"""Sends one HTTP request and hands back the whole reply, or one typed error."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

import requests
from requests.auth import AuthBase

from jobs.client.error_words import UNKNOWN_OUTCOME, failed
from jobs.client.errors import PlatformError, Refused, TimedOut, Unreadable
from jobs.client.unreachable import CAUGHT, explain

MAX_REPLY_BYTES = 32 * 1024 * 1024
_CHUNK = 65_536


class Proof(AuthBase):
    """Puts a credential on the wire, so that no local variable, repr or trace of a call holds it."""

    secrets: tuple[str, ...] = ()


class Timeouts(NamedTuple):
    """Seconds: to connect, between two pieces of the reply, and for the whole body of it."""

    connect: float = 3.05
    read: float = 30.0
    body: float = 90.0


@dataclass(frozen=True, slots=True)
class Request:
    """One call. `what` names it as a gerund; `safe` is False for one that changes something over there.

    Credentials are no part of it, they are the business of a Proof; with one set, requests does not look
    for others in a .netrc file.
    """

    method: str
    url: str
    what: str
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = field(default=None, repr=False)
    safe: bool = True


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole reply, of any status; `hide` are the secrets that were sent, should it echo them."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    hide: tuple[str, ...] = field(default=(), repr=False)

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


def new_session() -> requests.Session:
    """A session that keeps connections, but no cookies, and repeats nothing by itself."""
    session = requests.Session()
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return session


def exchange(session: requests.Session, request: Request, proof: Proof, timeouts: Timeouts) -> Reply:
    """The reply, redirects not followed, at most 32 MiB of it.

    The error is raised outside the handler, so that it is chained to no exception of `requests`: those hold
    the prepared request with its headers and body.
    """
    outcome = _attempt(session, request, proof, timeouts)
    if isinstance(outcome, PlatformError):
        raise outcome
    return outcome


def _attempt(
    session: requests.Session, request: Request, proof: Proof, timeouts: Timeouts
) -> Reply | PlatformError:
    session.trust_env = not is_loopback(urlsplit(request.url).hostname or "")  # no proxy to this machine
    try:
        with session.request(
            request.method,
            request.url,
            params=dict(request.params),
            headers=dict(request.headers),
            data=request.body,
            auth=proof,
            timeout=(timeouts.connect, timeouts.read),
            allow_redirects=False,
            stream=True,
        ) as response:
            return _whole(response, request, proof, timeouts.body)
    except CAUGHT as exc:
        return explain(exc, host=host_of(request.url), what=request.what, safe=request.safe)


def _whole(
    response: requests.Response, request: Request, proof: Proof, within_s: float
) -> Reply | PlatformError:
    """All of the body, decoded, unless it outgrows the limits of size or time."""
    body, latest = bytearray(), time.monotonic() + within_s
    while piece := response.raw.read1(_CHUNK, decode_content=True):
        body += piece
        if len(body) > MAX_REPLY_BYTES:
            words = _limit_words(request, f"is larger than {MAX_REPLY_BYTES >> 20} MiB")
            return Unreadable(words, status=response.status_code, maybe_received=True)
        if time.monotonic() > latest:
            return TimedOut(_limit_words(request, "did not come to an end in time"), maybe_received=True)
    return Reply(response.status_code, response.headers, bytes(body), proof.secrets)


def _limit_words(request: Request, words: str) -> str:
    advice = "Check the URL of the connection." if request.safe else UNKNOWN_OUTCOME
    return f"{failed(request.what)}: the reply of {host_of(request.url)} {words}. {advice}"


def checked_url(url: str, name: str) -> str:
    """The URL without a slash at its end, if credentials may be sent there; `name` is what people call it.

    Raises Refused unless it is https (plain http only to this very machine), with a host and nothing that
    belongs elsewhere: no user, password, query or fragment.
    """
    parts = _split(url.strip(), name)
    if parts.username is not None or parts.query or parts.fragment or not parts.hostname:
        raise Refused(f"The {name} is not complete or holds too much: give https://host, maybe with a path.")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname)):
        raise Refused(
            f"The {name} is not encrypted, so no credential is sent there. It must begin with https://."
        )
    return url.strip().rstrip("/")


def _split(url: str, name: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise Refused(f"The {name} cannot be read as a URL. Give https://host, maybe with a path.") from None
    return parts


def is_loopback(host: str) -> bool:
    """Whether the host is this very machine by its name or number."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def host_of(url: str) -> str:
    """`host:port` of a URL, or `host` where it names no port; never a user, path or query."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or "?"
    return f"{host}:{parts.port}" if parts.port else host
