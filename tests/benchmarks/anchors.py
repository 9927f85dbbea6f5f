"""What pages are measured against: a view that does nothing, and fifty rows printed from memory."""

from __future__ import annotations

from html import escape

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import path

from exportui.urls import urlpatterns as product
from jobs.models import ExportJob

_ROWS = [
    (
        number,
        f"{number:08d}",
        "Succeeded",
        "Spring buyers, Lapsed +4",
        "acme/sandbox-0",
        "2026-11-22 09:41:03 UTC",
        "15 m 0 s",
    )
    for number in range(50)
]
_NAIVE = (
    "<table>{% for job in jobs %}<tr><td>{{ job.status }}</td><td>{{ job.remote_id }}</td><td>{{ job.dataset_id }}</td>"
    "<td>{{ job.created_at|timesince }}</td><td>{{ job.updated_at|date:'Y-m-d H:i:s' }}</td>"
    "<td>{{ job.ended_at|date:'Y-m-d H:i:s' }}</td><td>{{ job.duration_ms }}</td><td>{{ job.profiles_exported }}</td>"
    "<td>{{ job.error_line }}</td></tr>{% endfor %}</table>"
)


@login_not_required
def noop(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


def noop_signed_in(request: HttpRequest) -> HttpResponse:
    """What being somebody costs: the session and the person are read from the database."""
    return HttpResponse(str(request.user.pk))


@login_not_required
def from_memory(request: HttpRequest) -> HttpResponse:
    """Fifty rows of seven cells by f-string: no page with rows can be quicker."""
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in _ROWS
    )
    return HttpResponse(f"<!doctype html><table>{rows}</table>")


@login_not_required
def naive(request: HttpRequest) -> HttpResponse:
    """The list as one would write it first: whole rows, Django's engine, formatting in the template."""
    jobs = ExportJob.objects.filter(status="SUCCEEDED").order_by("-created_at", "-id")[:50]
    return HttpResponse(engines["django"].from_string(_NAIVE).render({"jobs": jobs}))


urlpatterns = [
    path("bench/noop", noop),
    path("bench/noop-signed-in", noop_signed_in),
    path("bench/memory", from_memory),
    path("bench/naive", naive),
    *product,
]
