"""The gateway in front of every service: token, api key, organisation and sandbox, checked in that order."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase

from emulator import clock, refusals
from emulator.models import Sandbox, Tenant, Token
from emulator.refusals import Refusal

PERMISSIONS = {
    "/data/core/ups/segment/": "View Segments",
    "/data/core/ups/audiences": "View Segments",
    "/data/core/ups/config/mergePolicies": "View Merge Policies",
    "/data/foundation/export/": "View Profiles",
}
SANDBOX_MANAGEMENT = "/data/foundation/sandbox-management"


class PlatformRequest(HttpRequest):
    """A request that passed the gateway."""

    sandbox: Sandbox


class GatewayMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path.startswith("/data/"):
            return self.get_response(request)
        try:
            _check_credential(request)
            if not request.path.startswith(SANDBOX_MANAGEMENT):
                request.sandbox = _sandbox(request)  # type: ignore[attr-defined]
            _check_permission(request)
        except Refusal as refusal:
            return refusal.response()
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return exception.response() if isinstance(exception, Refusal) else None


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _check_credential(request: HttpRequest) -> None:
    """The documented refusals of platform.md §1.4."""
    tenant = Tenant.objects.get()
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise refusals.gateway("403010")
    if not Token.objects.filter(digest=digest(token.strip()), expires_ms__gt=clock.now_ms()).exists():
        raise refusals.gateway("401013")
    if not (api_key := request.headers.get("x-api-key", "")):
        raise refusals.gateway("403000")
    if api_key != tenant.client_id:
        raise refusals.gateway("403003")
    if not (org_id := request.headers.get("x-gw-ims-org-id", "")):
        raise refusals.gateway("400003")
    if org_id != tenant.org_id:
        raise refusals.gateway("403025" if org_id.endswith("@AdobeOrg") else "403027")


def _check_permission(request: HttpRequest) -> None:
    """Look-ups need a permission each (platform.md §1.4); which one opens exported files is chosen here."""
    needed = next((name for prefix, name in PERMISSIONS.items() if request.path.startswith(prefix)), "")
    if needed and needed not in Tenant.objects.get().permissions:
        raise _refuse(request)(403, f"The permission '{needed}' is missing")


def _refuse(request: HttpRequest) -> Callable[[int, str], Refusal]:
    """In the shape of the service asked."""
    return refusals.ups if request.path.startswith("/data/core/ups/") else refusals.foundation


def _sandbox(request: HttpRequest) -> Sandbox:
    """Undocumented (platform.md §8.10); chosen: no name is a wrong request, an unknown one is forbidden.

    Both in the shape of the service asked. Whether a sandbox of that name exists elsewhere is not told.
    """
    refuse = _refuse(request)
    name = request.headers.get("x-sandbox-name", "")
    if not name:
        raise refuse(400, "Missing header x-sandbox-name")
    sandbox = Sandbox.objects.filter(name=name).first()
    if sandbox is None:
        raise refuse(403, f"Sandbox '{name[:64]}' is not available to this credential")
    return sandbox
