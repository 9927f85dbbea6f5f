"""One URL serves a whole page and its parts: the htmx target decides which template answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers

from jobs.models import Sandbox

NOTHING_NEW = 204
STOP_POLLING = 286


def page(
    request: HttpRequest,
    template: str,
    context: dict[str, Any],
    *,
    parts: Mapping[str, str] | None = None,
    status: int = 200,
    about: Sandbox | None = None,
) -> HttpResponse:
    """Render `template`, or the fragment that `parts` names for the id in HX-Target.

    `about` is the sandbox the page is about, for the frame; without it the frame goes by the URL. A history
    restoration asks with htmx but wants the whole page. Caches must keep both answers apart, hence Vary.
    """
    request.about = about  # type: ignore[attr-defined]
    htmx = request.htmx  # type: ignore[attr-defined]
    target = htmx.target if htmx and not htmx.history_restore_request else None
    response = render(request, (parts or {}).get(target or "", template), context, status=status)
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    return response
