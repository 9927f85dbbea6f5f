"""The first page: what stands now, what happened lately, and how well we see."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe
from markupsafe import Markup

from jobs.models import Connection, Sandbox
from jobs.monitor import overview as figures
from jobs.monitor import watching
from jobs.monitor.scope import Scope
from jobs.rules.kept import Kept
from jobs.views import overview_charts, overview_health, overview_numbers
from jobs.views.exported import what, whither
from jobs.views.page import NOTHING_NEW, page
from jobs.views.scope import page_zone, scope_of

_kept: Kept[Markup] = Kept(200)


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """The page and its live region; a region that has nothing new to say answers 204."""
    now, scope = timezone.now(), scope_of(request)
    version = figures.version(scope.places, now=now)
    if request.htmx and request.GET.get("seen") == version:  # type: ignore[attr-defined]
        return HttpResponse(status=NOTHING_NEW)
    seen = (version, scope.refs, tuple(map(_told, scope.places)))
    if not scope.places:
        body = _body(request, scope, {"first_run": first_run(request.user)}, version)
    else:
        body = _kept.get(seen, lambda: _body(request, scope, _filled(scope, now=now), version))
    return page(
        request,
        "jobs/overview.html",
        {"body": body, "zone": str(page_zone())},
        parts={"overview": "jobs/_body.html"},
    )


def _told(place: Sandbox) -> tuple[Any, ...]:
    """All that was read of a sandbox and its connection."""
    both = (*vars(place).items(), *vars(place.connection).items())
    return tuple(value for name, value in both if name != "_state")


def _body(request: HttpRequest, scope: Scope, told: dict[str, Any], version: str) -> Markup:
    """The live region, made once for each version of what it shows; its ages are told on by the page itself."""
    context = told | {"live_url": _live_url(scope, version)}
    return Markup(render_to_string("jobs/_overview.html", context, request))  # noqa: S704 - a template's own output


def _live_url(scope: Scope, version: str) -> str:
    return f"{reverse('jobs:overview')}?{urlencode({'sandbox': scope.refs, 'seen': version}, doseq=True)}"


def _filled(scope: Scope, *, now: datetime) -> dict[str, Any]:
    read = figures.read(scope, now=now, zone=page_zone())
    watcher = watching.watcher(scope.places, now=now)
    return {
        "numbers": overview_numbers.numbers(read, scope, now=now),
        "charts": overview_charts.charts(read, scope, zone=page_zone()),
        "failures": [_row(job, scope, read.names) for job in read.failures],
        "longest": [_row(job, scope, read.names) for job in read.longest],
        "notices": overview_health.notices(scope.places, watcher, now=now),
        "watcher": watcher,
        "places": overview_health.places(scope.places, read.known, now=now),
        "credentials": overview_health.credentials(scope.places, now=now),
        "failures_url": f"{reverse('jobs:failures')}?{urlencode({'sandbox': scope.refs}, doseq=True)}".rstrip(
            "?"
        ),
        "now": now,
    }


def _row(job: Any, scope: Scope, names: Any) -> dict[str, Any]:
    place = scope.place(job.sandbox_id)
    return {
        "job": job,
        "what": what(job, names),
        "whither": whither(job, names),
        "sandbox": place.ref if place else "",
        "code": job.failure.code if job.failure_id else "",
    }


def first_run(user: Any) -> dict[str, str]:
    """The words for somebody who sees no sandbox: what to do, or whom to ask."""
    if user.is_superuser:
        return _for_administrators()
    if Connection.objects.visible_to(user).exists():
        return {
            "title": "No sandbox yet",
            "text": "Your connection has no sandboxes. Its admin can choose which ones are watched.",
            "action": "See the connection",
            "url": reverse("jobs:connections"),
        }
    people = User.objects.filter(is_superuser=True, is_active=True).order_by("username")
    asked = " or ".join(people.values_list("username", flat=True)[:3]) or "an administrator"
    text = f"You have no role on any connection yet, so there is nothing to show. Ask {asked} for one."
    return {"title": "Nothing to see yet", "text": text, "action": "", "url": ""}


def _for_administrators() -> dict[str, str]:
    if Connection.objects.exists():
        return {
            "title": "No sandbox is watched yet",
            "text": "Choose the sandboxes of a connection, and their export jobs appear here within seconds.",
            "action": "Choose sandboxes",
            "url": reverse("jobs:connections"),
        }
    return {
        "title": "Connect the platform",
        "text": "Add a connection with the credential of an organisation. Its export jobs appear here as soon as they "
        "have been read.",
        "action": "Add a connection",
        "url": reverse("jobs:connection_new"),
    }
