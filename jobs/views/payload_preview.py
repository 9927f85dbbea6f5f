"""The payload beside the export form, as it is assembled."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from jobs.views.export_form import Preview, posted


@require_POST
def payload_preview(request: HttpRequest) -> HttpResponse:
    """The fragment for a form that may be half typed: what is wrong with it is a list, never an error page."""
    form, sandbox, _ = posted(request)
    return render(request, "jobs/_payload.html", {"preview": Preview.of(form), "sandbox": sandbox})
