"""Who we are to the platform, the token that proves it, and where tokens are shared."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

_EARLY = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Credential:
    """An OAuth server-to-server credential; `scopes` separated by commas or blanks (platform.md §1.1)."""

    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    scopes: str
    org_id: str

    @property
    def scope_list(self) -> str:
        """The scopes as IMS wants them: separated by commas, without blanks."""
        return ",".join(self.scopes.replace(",", " ").split())

    @property
    def key(self) -> str:
        """A name for this credential's token that changes with the secret and does not tell it."""
        parts = (self.token_url, self.client_id, self.client_secret, self.scope_list, self.org_id)
        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token. `lifetime_s` is what it was issued for; a store keeps all three."""

    value: str = field(repr=False)
    expires_at: datetime
    lifetime_s: int = 86_400

    def is_fresh(self, now: datetime) -> bool:
        """Whether more is left than 10 minutes, or than a tenth of the lifetime if that is shorter."""
        return self.expires_at - now > min(_EARLY, timedelta(seconds=self.lifetime_s) / 10)


class TokenStore(Protocol):
    """Where tokens are kept for all who share a credential; `key` is `Credential.key`."""

    def get(self, key: str) -> Token | None: ...

    def put(self, key: str, token: Token) -> None: ...

    def drop(self, key: str, token_value: str) -> None:
        """Forgets the token if it is still this one; another process may have put a newer one."""

    def refusal(self, key: str) -> str:
        """Why another process was just refused a token, as a sentence; empty if none was."""

    def refuse(self, key: str, sentence: str, seconds: float) -> None:
        """Tells the other processes for so long that the credential is refused."""

    def lock(self, key: str) -> AbstractContextManager[object]:
        """Held while a token is fetched: one is at a time. It must free itself after a minute."""


class MemoryTokenStore:
    """A store for the threads of one process."""

    def __init__(self) -> None:
        self._tokens: dict[str, Token] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()

    def get(self, key: str) -> Token | None:
        return self._tokens.get(key)

    def put(self, key: str, token: Token) -> None:
        self._tokens[key] = token

    def drop(self, key: str, token_value: str) -> None:
        with self._guard:
            token = self._tokens.get(key)
            if token is not None and token.value == token_value:
                del self._tokens[key]

    def refusal(self, key: str) -> str:
        return ""

    def refuse(self, key: str, sentence: str, seconds: float) -> None:
        """Nobody else to tell: within a process, TokenSource remembers by itself."""

    @contextmanager
    def lock(self, key: str) -> Iterator[None]:
        with self._guard:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            yield
