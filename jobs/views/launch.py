"""The page of one launch: where a request to export stands between us and the platform."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRedirect

from jobs.models import Launch, LaunchState, Role
from jobs.rights import visible
from jobs.views.job_request import pretty
from jobs.views.listing import list_url
from jobs.views.page import NOTHING_NEW, STOP_POLLING, page

LIVE = "launch-state"
SLOW = timedelta(seconds=15)


class Step(NamedTuple):
    """A step of a launch; `now` marks where it stands."""

    icon: str
    role: str
    text: str
    at: datetime | None
    is_now: bool


@require_safe
def launch(request: HttpRequest, pk: int) -> HttpResponse:
    """A launch; its living part answers 204 while nothing moves and goes to the job as soon as there is one."""
    now = timezone.now()
    wish = visible(Launch.objects.select_related("sandbox__connection", "actor", "job"), request, pk=pk)
    is_part = request.htmx.target == LIVE  # type: ignore[attr-defined]
    if is_part and wish.job:
        return HttpResponseClientRedirect(reverse("jobs:job", args=[wish.job.pk]))
    if is_part and request.GET.get("v") == version(wish, now):
        return HttpResponse(status=NOTHING_NEW)
    status = STOP_POLLING if is_part and wish.is_settled else 200
    context = {
        "launch": wish,
        "steps": steps(wish, now=now),
        "version": version(wish, now),
        "payload": pretty(wish.payload),
        "jobs_url": list_url([wish.sandbox.ref]),
        "may_launch": wish.sandbox.may(request.user, Role.OPERATOR),
    }
    parts = {LIVE: "jobs/_launch_state.html"}
    return page(request, "jobs/launch.html", context, parts=parts, status=status, about=wish.sandbox)


def version(wish: Launch, now: datetime) -> str:
    """Names what the page says: the state, and whether it takes longer than it should."""
    return f"{wish.state}-slow" if _is_slow(wish, now) else str(wish.state)


def steps(wish: Launch, *, now: datetime) -> list[Step]:
    """Written down, sent, answered: always three, so that one sees what is still to come."""
    written = Step("pencil", "succeeded", "Written down here", wish.requested_at, False)
    return [written, _sending(wish, now), _answer(wish)]


def _sending(wish: Launch, now: datetime) -> Step:
    if wish.state == LaunchState.QUEUED:
        if _is_slow(wish, now):
            text = "Waiting to be sent. No worker has taken it yet; it goes out as soon as one is there."
            return Step("clock", "late", text, None, True)
        return Step("clock", "waiting", "Waiting to be sent", None, True)
    if wish.state == LaunchState.SENDING:
        return Step("send", "running", "On its way to the platform", wish.sent_at, True)
    if wish.state == LaunchState.REJECTED and not wish.error.get("has_left"):
        return Step("send", "failed", "Could not be sent", wish.sent_at, False)
    return Step("send", "succeeded", "Sent once", wish.sent_at, False)


def _answer(wish: Launch) -> Step:
    match wish.state:
        case LaunchState.ACCEPTED:
            return Step("circle-check", "succeeded", "Accepted by the platform", wish.answered_at, True)
        case LaunchState.REJECTED:
            word = "Refused" if wish.error.get("has_left") else "No export was made"
            return Step("alert-circle", "failed", word, wish.answered_at, True)
        case LaunchState.UNKNOWN:
            return Step("help-circle", "unknown", "The answer was lost", wish.answered_at, True)
    return Step("circle-dashed", "waiting", "The platform's answer", None, False)


def _is_slow(wish: Launch, now: datetime) -> bool:
    return wish.state == LaunchState.QUEUED and now - wish.requested_at > SLOW
