"""Reads which sandboxes a page is about from its address."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import Http404, HttpRequest

from jobs.monitor.scope import NoSuchSandbox, Scope


def scope_of(request: HttpRequest) -> Scope:
    """The sandboxes named by `?sandbox=`, or all visible ones; one that is not there for the person is a 404."""
    try:
        return Scope.of(request.user, [ref for ref in request.GET.getlist("sandbox") if ref])
    except NoSuchSandbox as unknown:
        raise Http404(str(unknown)) from None


def page_zone() -> ZoneInfo:
    """The zone in which pages say times and count days."""
    return ZoneInfo(settings.EXPORTUI_TIME_ZONE)
