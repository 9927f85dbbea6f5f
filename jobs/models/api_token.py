"""Bearer tokens of our own API: shown once, kept as a digest."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime
from typing import Any, Self

from django.conf import settings
from django.db import models

PREFIX = "exui_"


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


class ApiToken(models.Model):
    """A token that acts as its user; the platform's own tokens have nothing to do with it."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"API token of {self.user}"

    @classmethod
    def issue(cls, user: Any, *, now: datetime) -> str:
        """Make a token for the user and return it; it cannot be read again."""
        token = PREFIX + secrets.token_urlsafe(32)
        cls.objects.create(user=user, digest=_digest(token), created_at=now)
        return token

    @classmethod
    def find(cls, token: str) -> Self | None:
        """The row of a presented token whose user is active, or None."""
        row = cls.objects.select_related("user").filter(digest=_digest(token)).first()
        return row if row and row.user.is_active else None
