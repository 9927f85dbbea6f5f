"""Tokens and refusals in the cache that all processes share, tokens encrypted under the field keys."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from django.core.cache import cache

from jobs.client.credential import Token
from jobs.models import Sealed, SealedError

LOCK_S = 60


class SharedTokenStore:
    """Tokens in the cache that all processes share, encrypted under the field keys; see client.TokenStore."""

    def get(self, key: str) -> Token | None:
        kept = cache.get(f"token:{key}")
        if kept is None:
            return None
        try:
            return Token(
                Sealed(kept["sealed"]).open(),
                datetime.fromtimestamp(kept["expires"], tz=UTC),
                kept["lifetime"],
            )
        except (SealedError, KeyError, TypeError, ValueError):
            return None

    def put(self, key: str, token: Token) -> None:
        kept = {
            "sealed": Sealed.seal(token.value).ciphertext,
            "expires": token.expires_at.timestamp(),
            "lifetime": token.lifetime_s,
        }
        cache.set(f"token:{key}", kept, timeout=token.lifetime_s)

    def drop(self, key: str, token_value: str) -> None:
        token = self.get(key)
        if token is not None and token.value == token_value:
            cache.delete(f"token:{key}")

    def refusal(self, key: str) -> str:
        return str(cache.get(f"token-refused:{key}", ""))

    def refuse(self, key: str, sentence: str, seconds: float) -> None:
        cache.set(f"token-refused:{key}", sentence, timeout=seconds)

    @contextmanager
    def lock(self, key: str) -> Iterator[None]:
        """Held by one process at a time; frees itself after a minute, when whoever held it has died."""
        name, mine = f"token-lock:{key}", uuid.uuid4().hex
        deadline = time.monotonic() + LOCK_S
        while not cache.add(name, mine, timeout=LOCK_S) and time.monotonic() < deadline:
            time.sleep(0.05)
        try:
            yield
        finally:
            if cache.get(name) == mine:
                cache.delete(name)
