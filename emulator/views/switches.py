"""The switches on the page for people: plain forms, accepted from the page itself and from nowhere else.

A browser names the page a form was sent from (Origin, Sec-Fetch-Site); a form from any other place, or from
nowhere, is refused. The host is checked for every request (ALLOWED_HOSTS), so that no other name can be made to
point here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_POST

from emulator import clock, faults, quirks, runner
from emulator.models import Tenant, all_permissions
from emulator.refusals import plain

View = Callable[[HttpRequest], str]


def form(view: View) -> Callable[[HttpRequest], HttpResponse]:
    """Carry out a form of our own page, then show the part of the page that the view names."""

    @require_POST
    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponse:
        if not _is_own(request):
            raise plain(403, "Only forms on the emulator's own page may do this")
        try:
            place = view(request)
        except (KeyError, ValueError) as error:
            raise plain(400, f"{error}") from error
        response = HttpResponseRedirect(f"/#{place}")
        response.status_code = 303
        return response

    return guarded


def _is_own(request: HttpRequest) -> bool:
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    origin = urlsplit(request.headers.get("Origin", ""))
    return site == "same-origin" and origin.scheme == "http" and origin.netloc == request.get_host()


@form
def fault(request: HttpRequest) -> str:
    """`name` on with `chance` in per cent and `times` (empty: always), or off."""
    asked = request.POST
    if asked["deed"] == "clear":
        faults.clear()
    elif asked["deed"] == "off":
        faults.clear(name=asked["name"])
    elif asked["deed"] == "remove":
        faults.clear(rule_id=int(asked["rule_id"]))
    else:
        faults.clear(name=asked["name"])
        times = int(asked["times"]) if asked.get("times") else None
        faults.order_preset(asked["name"], times=times, chance=float(asked.get("chance") or 100) / 100)
    return "faults"


@form
def quirk(request: HttpRequest) -> str:
    """Exactly the ticked ones."""
    quirks.switch(request.POST.getlist("quirk"))
    return "quirks"


@form
def permission(request: HttpRequest) -> str:
    """Exactly the ticked ones of those there are."""
    wanted = request.POST.getlist("permission")
    Tenant.objects.update(permissions=[name for name in all_permissions() if name in wanted])
    return "permissions"


@form
def platform_clock(request: HttpRequest) -> str:
    """Ahead by so many minutes, a week at most."""
    minutes = float(request.POST["minutes"])
    if not 0 < minutes <= 7 * 24 * 60:
        raise ValueError("minutes must be above 0, and a week at most")
    clock.advance(round(minutes * 60_000))
    runner.drain()
    return "jobs"
