"""How each service of the platform words a refusal: one exception, one function for each body shape."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from django.http import JsonResponse

GATEWAY = {
    "403010": "Oauth token is missing.",
    "401013": "Oauth token is not valid",
    "403000": "Api Key is required",
    "403003": "Api Key is invalid",
    "400003": "Missing header",
    "403025": "Profile is not valid",
    "403027": "User region is missing",
}
TITLES = {
    400: "BadRequestError",
    403: "ForbiddenError",
    404: "NotFoundError",
    409: "ConflictError",
    415: "UnsupportedMediaTypeError",
    416: "RangeNotSatisfiableError",
}


class Refusal(Exception):
    """Raised anywhere below the gateway, which turns it into the response."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body

    def response(self) -> JsonResponse:
        return JsonResponse(self.body, status=self.status)


def gateway(code: str) -> Refusal:
    """Shape A; the first three digits of the code are the HTTP status (platform.md §1.4)."""
    return Refusal(int(code[:3]), {"error_code": code, "message": GATEWAY[code]})


def ups(status: int, message: str) -> Refusal:
    """Profile and segmentation: shape C for a wrong request, the newer shape B else (platform.md §3)."""
    body: dict[str, Any] = {
        "requestId": uuid.uuid4().hex,
        "errors": {str(status): [{"code": str(status), "message": message}]},
    }
    if status != 400:
        kind = f"https://ns.adobe.com/aep/errors/UPAPI-113430-{status}"
        body |= {"type": kind, "title": message, "status": status}
    return Refusal(status, body)


def foundation(status: int, detail: str) -> Refusal:
    """Catalog, sandboxes and namespaces: shape F."""
    body = {"type": "/placeholder/type/uri", "status": status, "title": TITLES[status], "detail": detail}
    return Refusal(status, body)


def registry(status: int, code: str, title: str, detail: str) -> Refusal:
    """Schema registry: shape G; `code` like XDM-1006."""
    report = {
        "registryRequestId": str(uuid.uuid4()),
        "timestamp": datetime.now(UTC).strftime("%m-%d-%Y %I:%M:%S"),
        "detailed-message": detail,
        "sub-errors": [],
    }
    kind = f"http://ns.adobe.com/aep/errors/{code}-{status}"
    return Refusal(
        status, {"type": kind, "title": title, "status": status, "report": report, "detail": detail}
    )


def unsupported_media_type() -> Refusal:
    """Shape E."""
    kind = "http://ns.adobe.com/adobecloud/problem/unsupported-media-type"
    return Refusal(415, {"status": 415, "title": "HTTP 415 Unsupported Media Type", "type": kind})


def plain(status: int, message: str) -> Refusal:
    """Shape D: no service in particular."""
    return Refusal(status, {"code": str(status), "message": message})
