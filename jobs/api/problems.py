"""Errors of the API as problem documents (RFC 9457): `type`, `title`, `status`, `detail`, and `errors` by field."""

from __future__ import annotations

from typing import Any

import orjson
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from jobs.client.payload import PayloadErrors

TITLES = {
    400: "Bad request",
    401: "Sign-in needed",
    403: "Not allowed",
    404: "Not found",
    409: "Conflict",
    422: "Not valid",
}


class Bad(Exception):
    """A request that is wrong in named places: (place, sentence) pairs."""

    def __init__(self, errors: list[tuple[str, str]], *, status: int = 400) -> None:
        super().__init__("; ".join(sentence for _, sentence in errors))
        self.errors = errors
        self.status = status


def problem(status: int, detail: str, errors: list[tuple[str, str]] | None = None) -> HttpResponse:
    """A problem document."""
    body: dict[str, Any] = {"type": "about:blank", "title": TITLES.get(status, "Error"), "status": status}
    body["detail"] = detail
    if errors:
        body["errors"] = [{"field": place, "message": sentence} for place, sentence in errors]
    response = HttpResponse(orjson.dumps(body), status=status, content_type="application/problem+json")
    if status == 401:
        response["WWW-Authenticate"] = "Bearer"
    return response


def install(api: NinjaAPI) -> None:
    """Give every error of the API this shape."""

    @api.exception_handler(AuthenticationError)
    def anonymous(request: HttpRequest, error: Any) -> HttpResponse:
        return problem(
            401, "Send a valid token: Authorization: Bearer TOKEN (manage.py api_token USER makes one)."
        )

    @api.exception_handler(PermissionDenied)
    def refused(request: HttpRequest, error: Any) -> HttpResponse:
        return problem(403, str(error))

    @api.exception_handler(Http404)
    def missing(request: HttpRequest, error: Any) -> HttpResponse:
        return problem(404, str(error))

    @api.exception_handler(Bad)
    def bad(request: HttpRequest, error: Any) -> HttpResponse:
        return problem(error.status, "See errors.", error.errors)

    @api.exception_handler(PayloadErrors)
    def not_a_payload(request: HttpRequest, error: Any) -> HttpResponse:
        return problem(422, "The payload is not a valid create request.", error.errors)

    @api.exception_handler(ValidationError)
    def not_valid(request: HttpRequest, error: Any) -> HttpResponse:
        named = [(".".join(map(str, found["loc"][1:])), found["msg"]) for found in error.errors]
        return problem(422, "The request does not have the documented shape.", named)

    @api.exception_handler(HttpError)
    def other(request: HttpRequest, error: Any) -> HttpResponse:
        if isinstance(error.__cause__, PayloadErrors):  # ninja wraps what its parser raises
            return problem(422, "The body is not JSON as it is taken here.", error.__cause__.errors)
        return problem(error.status_code, str(error))
