"""The audit log: who did what, when, to what."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from jobs.forms.activity_filter import ActivityFilter
from jobs.models import Activity
from jobs.views.page import page

ROWS = 50


class Row(NamedTuple):
    """A row as the page shows it: changes are (field, before, after)."""

    activity: Activity
    href: str
    changes: list[tuple[str, Any, Any]]


@require_safe
def activity(request: HttpRequest) -> HttpResponse:
    """The newest rows the person may see, older ones by cursor."""
    form = ActivityFilter(request.GET)
    rows = form.apply(Activity.objects.visible_to(request.user)).select_related("connection").order_by("-id")
    found = list(rows[: ROWS + 1])
    shown = [Row(row, _href(row), _changes(row)) for row in found[:ROWS]]
    context = {
        "form": form,
        "rows": shown,
        "older": _older(request, shown[-1].activity.pk) if len(found) > ROWS else "",
        "newest": _without_cursor(request) if request.GET.get("before") else "",
        "is_filtered": any(request.GET.get(name) for name in ("who", "verb", "about")),
    }
    return page(request, "jobs/activity.html", context)


def _href(row: Activity) -> str:
    if row.job_id:
        return reverse("jobs:job", args=[row.job_id])
    if row.launch_id:
        return reverse("jobs:launch", args=[row.launch_id])
    return reverse("jobs:connection", args=[row.connection_id]) if row.connection_id else ""


def _changes(row: Activity) -> list[tuple[str, Any, Any]]:
    names = dict.fromkeys([*row.before, *row.after])
    return [(name, row.before.get(name), row.after.get(name)) for name in names]


def _older(request: HttpRequest, last: int) -> str:
    asked = request.GET.copy()
    asked["before"] = str(last)
    return f"?{asked.urlencode()}"


def _without_cursor(request: HttpRequest) -> str:
    asked = request.GET.copy()
    asked.pop("before", None)
    return f"?{asked.urlencode()}"
