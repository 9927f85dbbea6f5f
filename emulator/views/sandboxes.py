"""Sandbox management: the sandboxes this credential may use, and all there are (platform.md §4.6).

Chosen where nothing is documented: `limit` is 50 unless given, and nobody is kept from the list of all.
"""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_http_methods

from emulator import quirks, selection
from emulator.models import Sandbox
from emulator.reading import LARGEST, whole_number
from emulator.refusals import foundation


@require_http_methods(["GET", "HEAD"])
def sandboxes(request: HttpRequest) -> JsonResponse:
    """In pages; `_page.count` is how many this page has, and `next` stands in `_links` while there are more."""
    limit = whole_number(request, "limit", default=50, least=1, most=100, refuse=foundation)
    offset = whole_number(request, "offset", default=0, least=0, most=LARGEST, refuse=foundation)
    every = ((sandbox.name, _body(sandbox)) for sandbox in Sandbox.objects.order_by("pk"))
    found = [body for _, body in selection.chosen(every, request.GET)]
    shown = found[offset : offset + limit]
    here = request.build_absolute_uri(request.path)
    links: dict[str, object] = {
        "page": {"href": f"{here}?limit={{limit}}&offset={{offset}}", "templated": True}
    }
    if offset + limit < len(found):
        links["next"] = {"href": f"{here}?limit={limit}&offset={offset + limit}"}
    page = {"limit": limit, "count": len(shown)}
    return JsonResponse({"sandboxes": shown, "_page": page, "_links": links})


@require_http_methods(["GET", "HEAD"])
def sandbox(request: HttpRequest, name: str) -> JsonResponse:
    found = Sandbox.objects.filter(name=name).first()
    if found is None:
        raise foundation(404, f"Sandbox {name[:64]} not found")
    return JsonResponse(_body(found))


def _body(sandbox: Sandbox) -> dict[str, object]:
    return {
        "name": sandbox.name,
        "title": sandbox.title,
        "state": "active",
        "type": sandbox.kind,
        "region": sandbox.region,
        "isDefault": sandbox.is_default,
        "etag" if quirks.on("etag-lower-case") else "eTag": 2,
    }
