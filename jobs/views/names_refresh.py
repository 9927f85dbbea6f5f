"""Looking up the names of a sandbox now, from within the export form."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from jobs.monitor.catalog import refresh_catalog
from jobs.views.export_form import filled, posted, show


@require_POST
def names_refresh(request: HttpRequest) -> HttpResponse:
    """The form again, with the names as the platform lists them now, or the reason why there are none."""
    _, sandbox, places = posted(request)
    count = refresh_catalog(sandbox)
    sandbox.refresh_from_db(fields=["catalog_seen_at", "catalog_error"])
    if not sandbox.catalog_error:
        messages.success(request, f"Looked up {count} names.")
    return show(request, filled(request.POST, sandbox, places), sandbox)
