"""The job list: tabs, filters, one page of rows; everything that was chosen stands in the address."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRedirect, push_url

from jobs.context import Frame, frame_of
from jobs.forms.job_filter import FLAGS, PER_PAGE, RANGES, USUAL_PER_PAGE, JobFilter
from jobs.forms.keyset import ORDERS
from jobs.views.job_choices import choices
from jobs.views.job_empty import empty_state
from jobs.views.job_rows import job_rows, kept, names_of, narrow
from jobs.views.job_tabs import tabs
from jobs.views.jobs_live import notices, watch_url
from jobs.views.page import page

PARTS = {"job-table": "jobs/_job_table.html"}
REMEMBERED = "per_page"
_YEAR = 365 * 24 * 3600


@require_safe
def job_list(request: HttpRequest) -> HttpResponse:
    """The page, or only its table with the tabs and the form beside it when a filter changed (htmx)."""
    frame = frame_of(request)
    chosen = JobFilter.read(
        request.GET, user=request.user, sandboxes=frame.sandboxes, usual_per_page=_usual_per_page(request)
    )
    clean = _address(chosen, request)
    if _another_place(request, chosen):
        return HttpResponseClientRedirect(clean)
    if not request.htmx and not chosen.errors and "" in request.GET.values():  # type: ignore[attr-defined]
        return HttpResponseRedirect(clean)
    response = page(request, "jobs/job_list.html", _shown(chosen, frame, now=timezone.now()), parts=PARTS)
    if request.htmx:  # type: ignore[attr-defined]
        push_url(response, clean)
    return _remember(response, chosen)


def _shown(chosen: JobFilter, frame: Frame, *, now: datetime) -> dict[str, Any]:
    """What the templates print: the sandboxes and the jobs are read, numbers and names only when they are others."""
    found = chosen.page(narrow(frame.jobs), now=now, read=kept)
    asked = [one for one in (chosen.segment, chosen.dataset) if one]
    also = [(place.pk, one) for place in frame.sandboxes for one in asked]
    names = names_of(found.items, also=also, places=frame.sandboxes)
    lone = bool(chosen.q) and len(found.items) == 1
    rows = job_rows(found.items, names=names, frame=frame, now=now, glow=lone)
    counted = tabs(chosen, frame, now=now)
    return {
        "chosen": chosen,
        "rows": rows,
        "page": found,
        "tabs": counted.tabs,
        "chips": chosen.chips({one: name for (_, one), name in names.items()}),
        "choices": choices(chosen, frame),
        "people": sorted({row.who for row in rows if row.who} | {chosen.user.get_username()}),
        "orders": ORDERS,
        "ranges": RANGES,
        "flags": FLAGS,
        "per_page": PER_PAGE,
        "empty": empty_state(chosen, frame) if not rows else None,
        "notices": notices(chosen, frame),
        "live_url": watch_url(chosen, frame, rows=rows, page=found, seal=counted.seal, now=now),
    }


def _address(chosen: JobFilter, request: HttpRequest) -> str:
    """Where this list stands without defaults and empty values."""
    turned = {name: request.GET.get(name) for name in ("after", "before") if getattr(chosen, name)}
    query = chosen.url(**turned)
    return reverse("jobs:jobs") + (f"?{query}" if query else "")


def _another_place(request: HttpRequest, chosen: JobFilter) -> bool:
    """Whether the form moved to another sandbox: then the whole frame, its name and its colour must follow."""
    htmx = request.htmx  # type: ignore[attr-defined]
    if not htmx or htmx.target not in PARTS:
        return False
    shown = QueryDict(urlsplit(htmx.current_url or "").query).getlist("sandbox")
    return set(filter(None, shown)) != {place.ref for place in chosen.sandboxes}


def _usual_per_page(request: HttpRequest) -> int:
    said = request.COOKIES.get(REMEMBERED, "")
    return int(said) if said in map(str, PER_PAGE) else USUAL_PER_PAGE


def _remember(response: HttpResponse, chosen: JobFilter) -> HttpResponse:
    """The page size chosen last is the person's own from then on, and leaves the address."""
    if chosen.per_page != chosen.usual_per_page:
        response.set_cookie(
            REMEMBERED,
            str(chosen.per_page),
            max_age=_YEAR,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
    return response
