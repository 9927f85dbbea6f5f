"""Keeps an open job list true: rows change in place, new jobs are announced, nothing moves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, NamedTuple
from urllib.parse import urlencode
from zlib import crc32

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from jobs.context import Frame, frame_of
from jobs.forms.job_filter import PER_PAGE, JobFilter
from jobs.forms.keyset import NEWEST_FIRST, Cursor, Page, beyond
from jobs.models import Role, Sandbox
from jobs.rules.kept import Kept
from jobs.templatetags.jinja import ago, exact, thousands
from jobs.views.job_rows import Shown, job_rows, kept, names_of, narrow, version_of
from jobs.views.job_tabs import tabs
from jobs.views.page import NOTHING_NEW

NEW_UP_TO = 99
_GLANCE_S = 300
# What of a sandbox shows on the list.
_TELLING = ("pk", "version", "failing_since", "last_error", "first_contact_jobs")
_telling = attrgetter(*_TELLING)
_kept: Kept[bytes] = Kept(500)


class Notice(NamedTuple):
    """What must be known before believing the list; `url` leads admins to where it is put right."""

    kind: str
    text: str
    url: str = ""


@require_safe
def jobs_live(request: HttpRequest) -> HttpResponse:
    """What changed since the page or the last answer: 204 when nothing did, after one query.

    Beside the list's own parameters the address carries what the page holds: `seen` (state of the sandboxes), `rows`
    (`id.version` of each row), `tabs` (seal of the numbers) and `top` (cursor of the first row, where new jobs count).
    """
    now = timezone.now()
    watched = Sandbox.objects.visible_to(request.user).watched()
    state = _sealed(list(watched.order_by("pk").values_list(*_TELLING)), now=now)
    if request.GET.get("seen") == state:
        return HttpResponse(status=NOTHING_NEW)
    frame = frame_of(request)
    roles = tuple((place.pk, frame.roles.get(place.connection_id)) for place in frame.visible)
    asked = (state, request.GET.urlencode(), roles, request.user.pk if "launched_by" in request.GET else None)
    return HttpResponse(_kept.get(asked, lambda: _answer(request, frame, now=now)))


def _answer(request: HttpRequest, frame: Frame, *, now: datetime) -> bytes:
    """Made once for each state of the sandboxes; every tab of whoever sees and may the same gets this one."""
    chosen = JobFilter.read(request.GET, user=request.user, sandboxes=frame.sandboxes)
    held = _held(request.GET.get("rows", ""))
    jobs = kept(narrow(frame.jobs).filter(pk__in=held))
    changed = [job for job in jobs if version_of(job, now=now) != held[job.pk]]
    counted = tabs(chosen, frame, now=now)
    top = request.GET.get("top")
    context = {
        "chosen": chosen,
        "rows": job_rows(
            changed, names=names_of(changed, places=frame.sandboxes), frame=frame, now=now, oob=True
        ),
        "tabs": counted.tabs if counted.seal != request.GET.get("tabs") else [],
        "newer": _newer(chosen, frame, top, now=now),
        "notices": notices(chosen, frame),
        "live_url": _url(
            chosen,
            seen=_state(frame, now=now),
            tabs=counted.seal,
            top=top,
            rows=_stated(held | {job.pk: version_of(job, now=now) for job in jobs}),
        ),
    }
    return render(request, "jobs/_jobs_live.html", context | {"answer": True}).content


def watch_url(
    chosen: JobFilter, frame: Frame, *, rows: Sequence[Shown], page: Page, seal: str, now: datetime
) -> str:
    """Where a page that shows these rows asks what changed."""
    first_page = chosen.sort == NEWEST_FIRST and not (chosen.after or chosen.before)
    top = str(Cursor.of(page.items[0], sort=NEWEST_FIRST)) if page.items else ""
    held = {row.pk: row.version for row in rows}
    return _url(
        chosen,
        seen=_state(frame, now=now),
        tabs=seal,
        top=top if first_page else None,
        rows=_stated(held),
    )


def notices(chosen: JobFilter, frame: Frame) -> list[Notice]:
    """Sandboxes in question that cannot be read, and the progress of those read for the first time."""
    places = chosen.sandboxes or frame.sandboxes
    failing = [_unreadable(place, frame) for place in places if place.failing_since]
    reading = [place for place in places if not place.first_contact_done_at and not place.failing_since]
    met = [
        Notice(
            "info",
            f"{place.ref} is being read for the first time: {thousands(place.first_contact_jobs)} jobs read so far.",
        )
        for place in reading
        if place.first_contact_jobs
    ]
    return failing + met


def _unreadable(place: Sandbox, frame: Frame) -> Notice:
    as_of = (
        f"Its jobs are shown as they were {ago(place.last_ok_at)} ({exact(place.last_ok_at)})."
        if place.last_ok_at
        else "It was never read."
    )
    text = f"{place.ref} cannot be read since {exact(place.failing_since)}. {place.last_error} {as_of}"
    may = frame.may(Role.ADMIN, place)
    return Notice("warn", text, reverse("jobs:connection", args=[place.connection_id]) if may else "")


def _state(frame: Frame, *, now: datetime) -> str:
    """One text for all that can make an open list untrue."""
    return _sealed(sorted(map(_telling, frame.sandboxes)), now=now)


def _sealed(facts: list[tuple[Any, ...]], *, now: datetime) -> str:
    """Late and stuck come by time alone, hence the last part."""
    return f"{crc32(repr(facts).encode()):x}-{int(now.timestamp()) // _GLANCE_S:x}"


def _newer(chosen: JobFilter, frame: Frame, top: str | None, *, now: datetime) -> str:
    """How many matching jobs are newer than the first row, as on a button; nothing for 0."""
    if top is None:
        return ""
    jobs = chosen.apply(frame.jobs, now=now)
    try:
        above = jobs.filter(beyond(Cursor.read(top, sort=NEWEST_FIRST), backwards=True)) if top else jobs
    except ValueError:
        return ""
    count = above.order_by()[: NEW_UP_TO + 1].count()
    return f"{NEW_UP_TO}+" if count > NEW_UP_TO else str(count or "")


def _held(text: str) -> dict[int, str]:
    """The rows a page says it holds: at most a page of them, whatever it says."""
    pairs = [pair.partition(".") for pair in text.split(",")[: PER_PAGE[-1]]]
    return {int(pk): version for pk, _, version in pairs if pk.isascii() and pk.isdigit() and len(pk) < 19}


def _stated(held: dict[int, str]) -> str:
    return ",".join(f"{pk}.{version}" for pk, version in held.items())


def _url(chosen: JobFilter, **held: str | None) -> str:
    stated = urlencode({name: value for name, value in held.items() if value is not None}, safe=",")
    query = chosen.url()
    return f"{reverse('jobs:jobs_live')}?{query}{'&' if query else ''}{stated}"
