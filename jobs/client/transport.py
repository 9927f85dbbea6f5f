"""Calls the platform as one credential in one sandbox: headers, token, repeats, typed errors, JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from requests import PreparedRequest

from jobs.client.error_words import failed
from jobs.client.errors import CredentialRefused, Refused, Throttled, from_response
from jobs.client.retry import NEVER, Retry
from jobs.client.throttle import Throttle, unlimited
from jobs.client.token import Token, TokenSource
from jobs.client.wire import Proof, Reply, Request, Timeouts, checked_url, exchange, new_session

_NOT_TAKEN = "401013"


def utc_now() -> datetime:
    return datetime.now(UTC)


class _Bearer(Proof):
    """Puts the token into the Authorization header."""

    def __init__(self, token: Token) -> None:
        self._token = token
        self.secrets = (token.value,)

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token.value}"
        return request


class Transport:
    """Requests to one platform (platform.md §1.3); `requests` counts them. None is sent by making it."""

    def __init__(
        self,
        platform_url: str,
        source: TokenSource,
        *,
        sandbox: str = "",
        retry: Retry | None = None,
        timeouts: Timeouts | None = None,
        throttle: Throttle | None = None,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._platform_url = platform_url
        self._source = source
        self._sandbox = sandbox
        self._retry = retry or Retry()
        self._timeouts = timeouts or Timeouts()
        self._throttle = throttle or unlimited()
        self._now = now
        self._session = new_session()
        self.requests = 0

    def get(
        self,
        path: str,
        *,
        what: str,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        sandboxed: bool = True,
    ) -> Reply:
        """A reply of 2xx to a GET, which is made again while that helps (retry.py).

        A call that is not `sandboxed` leaves out the sandbox's name, so that a wrong one does not matter.
        """
        return self._call("GET", path, what, params=params, headers=headers, sandboxed=sandboxed)

    def head(
        self, path: str, *, what: str, params: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> Reply:
        """A reply of 2xx to a HEAD, which is made again like a GET."""
        return self._call("HEAD", path, what, params=params, headers=headers)

    def post(self, path: str, *, what: str, body: object, headers: Mapping[str, str] | None = None) -> Reply:
        """A reply of 2xx to a POST of JSON, which is sent once."""
        return self._call("POST", path, what, body=_dumped(body, what), headers=headers)

    def delete(self, path: str, *, what: str) -> Reply:
        """A reply of 2xx to a DELETE, which is sent once."""
        return self._call("DELETE", path, what)

    def token(self) -> Token:
        return self._source.token(self._now())

    def close(self) -> None:
        self._session.close()
        self._source.close()

    def _call(
        self,
        method: str,
        path: str,
        what: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        sandboxed: bool = True,
    ) -> Reply:
        safe = method in ("GET", "HEAD")
        url = checked_url(self._platform_url, "platform URL") + path
        content = {"Content-Type": "application/json"} if body is not None else {}
        sent = self._headers({**content, **(headers or {})}, self._sandbox if sandboxed else "")
        request = Request(method, url, what, params or {}, sent, body, safe)
        token = self.token()
        return (self._retry if safe else NEVER).run(lambda: self._with_token(request, token))

    def _with_token(self, request: Request, token: Token) -> Reply:
        """One call; after a 401013, which says that it was not carried out, one more with a new token."""
        reply = self._sent(request, token)
        if isinstance(reply, CredentialRefused) and reply.code == _NOT_TAKEN:
            reply = self._sent(request, self._source.renew(token, self._now()))
            if isinstance(reply, CredentialRefused) and reply.code == _NOT_TAKEN:
                self._source.remember(reply)
        if isinstance(reply, Reply):
            return reply
        raise reply

    def _sent(self, request: Request, token: Token) -> Reply | Exception:
        self._throttle.take(request.what)
        self.requests += 1
        reply = self._exchanged(request, _Bearer(token))
        if reply.ok:
            return reply
        error = from_response(
            reply.status,
            reply.headers,
            reply.body,
            what=request.what,
            safe=request.safe,
            hide=reply.hide,
        )
        if isinstance(error, Throttled):
            self._throttle.rest(error.retry_after_s)
        return error

    def _exchanged(self, request: Request, proof: Proof) -> Reply:
        """The reply. A change has a connection of its own: whether it still got through a kept one that the
        platform was just closing could not be told.
        """
        if request.safe:
            return exchange(self._session, request, proof, self._timeouts)
        with new_session() as session:
            return exchange(session, request, proof, self._timeouts)

    def _headers(self, more: Mapping[str, str], sandbox: str) -> dict[str, str]:
        """Those of platform.md §1.3 that have a value, checked; Authorization is added on the wire."""
        credential = self._source.credential
        named = {
            "x-api-key": (credential.client_id, "client id"),
            "x-gw-ims-org-id": (credential.org_id, "IMS organisation"),
            "x-sandbox-name": (sandbox, "sandbox name"),
            **{header: (value, header) for header, value in more.items()},
        }
        sent = {header: _sendable(value, name) for header, (value, name) in named.items() if value}
        return {"Accept": "application/json", **sent}


def _sendable(value: str, name: str) -> str:
    """The value, if a header can carry it."""
    if not value.isascii() or not value.isprintable() or value != value.strip() or len(value) > 1000:
        raise Refused(f"The {name} holds characters that cannot be sent, or is too long. Enter it again.")
    return value


def _dumped(body: object, what: str) -> bytes:
    try:
        return json.dumps(body, allow_nan=False, separators=(",", ":")).encode("ascii")
    except (ValueError, TypeError, RecursionError):
        raise Refused(f"{failed(what)}: the request is not valid JSON. Nothing was sent.") from None
