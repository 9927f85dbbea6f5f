"""The identity service: access tokens by the client-credentials grant (platform.md §1.1)."""

from __future__ import annotations

import re
import secrets
from typing import Any

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_POST

from emulator import clock
from emulator.gateway import digest
from emulator.models import Tenant, Token

SCOPES = {
    "openid",
    "session",
    "AdobeID",
    "read_organizations",
    "additional_info.projectedProductContext",
    "acp_core_identity",
    "acp_foundation",
}


@require_POST
def token(request: HttpRequest) -> JsonResponse:
    """Parameters in the form body or the query. Only the token's digest is kept."""
    given = {**request.GET.dict(), **request.POST.dict()}
    if refusal := _refusal(given):
        error, description = refusal
        status = 401 if error == "invalid_client" else 400
        return JsonResponse({"error": error, "error_description": description}, status=status)
    text = f"eyJ{secrets.token_urlsafe(24)}.{secrets.token_urlsafe(120)}.{secrets.token_urlsafe(32)}"
    now_ms = clock.now_ms()
    Token.objects.filter(expires_ms__lte=now_ms).delete()
    Token.objects.create(digest=digest(text), expires_ms=now_ms + settings.TOKEN_LIFETIME_S * 1000)
    return JsonResponse(
        {"access_token": text, "token_type": "bearer", "expires_in": settings.TOKEN_LIFETIME_S}
    )


def _refusal(given: dict[str, Any]) -> tuple[str, str] | None:
    """(error, error_description) as OAuth names them; the real strings are unpublished (platform.md §8.8)."""
    tenant = Tenant.objects.get()
    if given.get("grant_type") != "client_credentials":
        return "unsupported_grant_type", "grant_type must be client_credentials"
    if not given.get("client_id") or not given.get("client_secret"):
        return "invalid_request", "client_id and client_secret are required"
    if given["client_id"] != tenant.client_id:
        return "invalid_client", "invalid client_id parameter"
    if not secrets.compare_digest(given["client_secret"].encode(), tenant.client_secret.encode()):
        return "invalid_client", "invalid client_secret parameter"
    asked = set(re.split(r"[,\s]+", given.get("scope", "").strip())) - {""}
    if not asked or asked - SCOPES:
        return "invalid_scope", f"invalid scope: {', '.join(sorted(asked - SCOPES)) or 'none given'}"
    return None
