"""One connection: what it is, whether it works, and for its admins everything that can be changed."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from jobs.access.connections import change_connection, check_connection, choose_sandboxes, rotate_secret
from jobs.access.people import set_role
from jobs.client.errors import PlatformError
from jobs.connect import client_of
from jobs.forms.connection import ConnectionForm, MemberForm, SandboxesForm, SecretForm
from jobs.models import Connection, Role
from jobs.rights import require, visible
from jobs.views.page import page


def connection(request: HttpRequest, pk: int) -> HttpResponse:
    """Facts for every member; for admins also the form that changes them."""
    place = visible(Connection.objects.all(), request, pk=pk)
    if request.method != "POST":
        return _page(request, place)
    require(Role.ADMIN, request, place)
    form = ConnectionForm(request.POST, instance=place)
    if not form.is_valid():
        return _page(request, Connection.objects.get(pk=pk), form=form)
    if change_connection(place, form.cleaned_data, actor=request.user, now=timezone.now()):
        messages.success(request, f"{place} is changed; its sandboxes are read again now.")
    return redirect("jobs:connection", pk)


@require_POST
def connection_test(request: HttpRequest, pk: int) -> HttpResponse:
    """Fetch a token and list a sandbox's newest jobs, now."""
    place = _administered(request, pk)
    sandbox = place.sandboxes.watched().first()
    name = sandbox.name if sandbox else ""
    error = check_connection(place, sandbox=name, actor=request.user, now=timezone.now())
    if error is None:
        messages.success(
            request, f"{place} works: a token was fetched and {name or 'the sandboxes'} could be listed."
        )
    else:
        messages.error(request, error.sentence)
    return redirect("jobs:connection", pk)


@require_POST
def connection_secret(request: HttpRequest, pk: int) -> HttpResponse:
    """Replace the client secret."""
    place = _administered(request, pk)
    form = SecretForm(request.POST)
    if not form.is_valid():
        return _page(request, place, secret_form=form)
    rotate_secret(place, form.cleaned_data["secret"], actor=request.user, now=timezone.now())
    messages.success(request, f"The secret of {place} is replaced. Test the connection to see that it works.")
    return redirect("jobs:connection", pk)


def connection_sandboxes(request: HttpRequest, pk: int) -> HttpResponse:
    """Choose what to watch, from what the platform lists; names may be typed when it does not."""
    place = _administered(request, pk)
    choices, problem = _listed(place)
    watched = list(place.sandboxes.watched().values_list("name", flat=True))
    known = {name for name, _ in choices}
    initial = {"listed": watched, "typed": ", ".join(name for name in watched if name not in known)}
    form = SandboxesForm(request.POST or None, choices=choices, initial=initial)
    if request.method == "POST" and form.is_valid():
        chosen = choose_sandboxes(place, form.names(), actor=request.user, now=timezone.now())
        messages.success(
            request, f"{len(chosen)} sandbox(es) of {place} are watched; jobs appear as they are read."
        )
        return redirect("jobs:connection", pk)
    context = {"connection": place, "form": form, "problem": problem}
    return page(request, "jobs/connection_sandboxes.html", context, status=422 if form.is_bound else 200)


@require_POST
def members(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a person a role here, or take it away."""
    place = _administered(request, pk)
    form = MemberForm(request.POST)
    if not form.is_valid():
        return _page(request, place, member_form=form)
    person, role = form.cleaned_data["username"], form.cleaned_data["role"]
    set_role(place, person, role, actor=request.user, now=timezone.now())
    said = f"is {role.label.lower()} of {place} now" if role else f"has no role on {place} any more"
    messages.success(request, f"{person} {said}.")
    return redirect("jobs:connection", pk)


def _administered(request: HttpRequest, pk: int) -> Connection:
    place = visible(Connection.objects.all(), request, pk=pk)
    require(Role.ADMIN, request, place)
    return place


def _page(request: HttpRequest, place: Connection, **forms: Any) -> HttpResponse:
    """The page with any of its forms as it was sent; 422 when one of them was."""
    context = {
        "connection": place,
        "sandboxes": list(place.sandboxes.watched()),
        "members": list(place.memberships.select_related("user")),
        "is_admin": place.may(request.user, Role.ADMIN),
        "form": ConnectionForm(instance=place),
        "secret_form": SecretForm(),
        "member_form": MemberForm(initial={"role": Role.VIEWER.value}),
    }
    return page(request, "jobs/connection.html", context | forms, status=422 if forms else 200)


def _listed(place: Connection) -> tuple[list[tuple[str, str]], str]:
    """(name, title) of the sandboxes the credential may use, or why they cannot be listed."""
    try:
        with client_of(place) as client:
            found = list(client.sandboxes())
    except PlatformError as error:
        return [], error.sentence
    return [(each.name, f"{each.title or each.name} · {each.kind} · {each.state}") for each in found], ""
