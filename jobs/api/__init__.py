"""The JSON API: the data and the rules of the pages, for programs that hold a token."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest
from ninja import NinjaAPI
from ninja.parser import Parser

from jobs.api import acting, problems, reading
from jobs.api.auth import Token
from jobs.client.payload import load_json


class Bounded(Parser):
    """Reads bodies within the bounds of a create payload: size and depth are looked at before anything is built."""

    def parse_body(self, request: HttpRequest) -> Any:
        return load_json(request.body)


api = NinjaAPI(
    title="Export UI",
    version="1",
    description="Export jobs of all sandboxes you may see: read, launch, cancel. Errors are RFC 9457 problems.",
    urls_namespace="api",
    docs_url=None,  # the ready-made page needs inline script, which our policy forbids
    auth=Token(),
    parser=Bounded(),
)
problems.install(api)
api.add_router("", reading.router)
api.add_router("", acting.router)


def _by_token(urls: tuple[Any, ...]) -> tuple[Any, ...]:
    """Calls carry a token, so the sign-in page must not answer them; the OpenAPI document says nothing of anybody."""
    for pattern in urls[0]:
        pattern.callback = login_not_required(pattern.callback)
    return urls


urls = _by_token(api.urls)
