"""Who calls the API: the owner of a bearer token of ours."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from ninja.security import HttpBearer

from jobs.models import ApiToken

# Writing "last used" on every call would make each read a write.
_NOTE_USE_EVERY = timedelta(minutes=1)


class Token(HttpBearer):
    """`Authorization: Bearer TOKEN`; the session cookie is not taken, so no call can be forged from a page."""

    openapi_name = "token"

    def authenticate(self, request: HttpRequest, token: str) -> Any:
        found = ApiToken.find(token)
        if found is None:
            return None
        now = timezone.now()
        if found.last_used_at is None or now - found.last_used_at > _NOTE_USE_EVERY:
            ApiToken.objects.filter(pk=found.pk).update(last_used_at=now)
        request.user = found.user
        return found.user
