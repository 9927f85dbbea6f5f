"""Fetches access tokens, shares them, renews them early, and remembers for a moment that none was given."""

from __future__ import annotations

import copy
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import orjson
from requests import PreparedRequest

from jobs.client import error_body, error_words
from jobs.client.credential import Credential, MemoryTokenStore, Token, TokenStore
from jobs.client.errors import CredentialRefused, PlatformError, Unreadable, from_response
from jobs.client.retry import Retry
from jobs.client.values import as_int
from jobs.client.wire import Proof, Reply, Request, Timeouts, checked_url, exchange, new_session

__all__ = ["Credential", "MemoryTokenStore", "Token", "TokenSource", "TokenStore"]

WHAT = "fetching an access token"
REFUSAL_S = 30.0
# Above this `expires_in` counts milliseconds (platform.md §1.2); without one a token is used for an hour.
_MOST_SECONDS = 1_000_000
_ASSUMED_S = 3600
_SAYS_NO = (400, 401, 403, 404, 405)
_SENDABLE = re.compile(r"[!-~]+")
_SHARED_BY_PROCESS = MemoryTokenStore()
# Credential.key -> (when it may be tried again, why not before); one small dict for the whole process.
_refusals: dict[str, tuple[float, CredentialRefused]] = {}


class _Form(Proof):
    """Writes the credential into the body of the token request, where no log or trace looks."""

    def __init__(self, credential: Credential) -> None:
        self._credential = credential
        self.secrets = (credential.client_secret,)

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        form = {
            "grant_type": "client_credentials",
            "client_id": self._credential.client_id,
            "client_secret": self._credential.client_secret,
            "scope": self._credential.scope_list,
        }
        request.prepare_body(form, None)
        return request


class TokenSource:
    """The token of one credential.

    Only one is fetched at a time over all processes (TokenStore.lock). A refusal is remembered for 30 seconds
    under the credential's key, here and in the store for the other processes, so that a wrong secret is not
    tried again with each call of each client; a corrected secret has another key and is tried at once. While
    the endpoint is down, a token that should have been renewed early is used until it ends.
    """

    def __init__(
        self,
        credential: Credential,
        store: TokenStore | None = None,
        *,
        retry: Retry | None = None,
        timeouts: Timeouts | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.credential = credential
        self._store: TokenStore = _SHARED_BY_PROCESS if store is None else store
        self._retry = retry or Retry()
        self._timeouts = timeouts or Timeouts()
        self._clock = clock
        self._session = new_session()

    def token(self, now: datetime) -> Token:
        """A token that will do for a while: the shared one, or a new one."""
        token = self._store.get(self.credential.key)
        return token if token is not None and token.is_fresh(now) else self._fetch_alone(now)

    def renew(self, after: Token, now: datetime) -> Token:
        """Another token than `after`, which the platform did not take."""
        self._store.drop(self.credential.key, after.value)
        return self._fetch_alone(now)

    def remember(self, refusal: CredentialRefused) -> None:
        """Fetches no token for 30 seconds: the refusal stands."""
        _refusals[self.credential.key] = (self._clock() + REFUSAL_S, copy.copy(refusal))
        self._store.refuse(self.credential.key, refusal.sentence, REFUSAL_S)

    def close(self) -> None:
        self._session.close()

    def _fetch_alone(self, now: datetime) -> Token:
        with self._store.lock(self.credential.key):
            token = self._store.get(self.credential.key)
            if token is not None and token.is_fresh(now):
                return token
            self._raise_remembered()
            try:
                fetched = self._fetched(now)
            except PlatformError as error:
                if token is not None and token.expires_at > now and error.retry_helps:
                    return token
                raise
            self._store.put(self.credential.key, fetched)
            return fetched

    def _fetched(self, now: datetime) -> Token:
        try:
            return self._retry.run(lambda: self._fetch(now))
        except PlatformError as error:
            error.maybe_received = False  # whatever the token was wanted for was not sent
            if isinstance(error, CredentialRefused):
                self.remember(error)
            raise

    def _raise_remembered(self) -> None:
        until, refusal = _refusals.get(self.credential.key, (0.0, None))
        if refusal is not None and self._clock() < until:
            raise copy.copy(refusal)
        _refusals.pop(self.credential.key, None)
        if heard := self._store.refusal(self.credential.key):
            raise CredentialRefused(heard)

    def _fetch(self, now: datetime) -> Token:
        url = checked_url(self.credential.token_url, "token URL")
        request = Request("POST", url, WHAT, headers={"Accept": "application/json"})
        reply = exchange(self._session, request, _Form(self.credential), self._timeouts)
        if not reply.ok:
            raise _refusal(reply)
        return _read_token(reply, now)


def _refusal(reply: Reply) -> PlatformError:
    """These statuses of a token endpoint mean a wrong credential or URL; the others mean what they always do.

    404 is none of NotFound: that would speak of what the token was wanted for.
    """
    if reply.status not in _SAYS_NO:
        return from_response(reply.status, reply.headers, reply.body, what=WHAT, hide=reply.hide)
    said = error_body.read(reply.body, reply.headers, hide=reply.hide)
    return CredentialRefused(
        error_words.token_sentence(said, reply.status),
        status=reply.status,
        code=said.code,
        request_id=said.request_id,
        detail=said.detail,
    )


def _read_token(reply: Reply, now: datetime) -> Token:
    """The token of `{"access_token", "expires_in"}`; Unreadable without saying what stood there instead."""
    answer = _object(reply.body)
    value = answer.get("access_token")
    if not isinstance(value, str) or not _SENDABLE.fullmatch(value):
        words = "the reply holds no access token. Check that the token URL leads to the token endpoint."
        raise Unreadable(f"{error_words.failed(WHAT)}: {words}", status=reply.status)
    seconds = _lifetime_s(answer.get("expires_in"))
    return Token(value, (now + timedelta(seconds=seconds)).astimezone(UTC), seconds)


def _object(body: bytes) -> dict[str, object]:
    try:
        answer = orjson.loads(body)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _lifetime_s(expires_in: object) -> int:
    number = as_int(expires_in)
    if number is None or number <= 0:
        return _ASSUMED_S
    return min(number // 1000 if number > _MOST_SECONDS else number, _MOST_SECONDS)
