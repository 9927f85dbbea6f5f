"""Who can sign in and what they may do: for superusers."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from jobs.access.people import add_person, change_person, set_password, set_role
from jobs.forms.person import NewPersonForm, PasswordForm, PersonForm
from jobs.models import Connection, Role
from jobs.views.page import page

User = get_user_model()


def people(request: HttpRequest) -> HttpResponse:
    """Everybody with their roles; a form adds somebody."""
    _superuser(request)
    form = NewPersonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        person = add_person(actor=request.user, now=timezone.now(), **form.cleaned_data)
        messages.success(request, f"{person} can sign in. Give them a role on a connection.")
        return redirect("jobs:person", person.pk)
    rows = User.objects.order_by("username").prefetch_related("memberships__connection")
    context = {"people": rows, "form": form, "Role": Role}
    return page(request, "jobs/people.html", context, status=422 if form.is_bound else 200)


def person(request: HttpRequest, pk: int) -> HttpResponse:
    """One person: names, rights, roles on connections, a new password."""
    somebody = _somebody(request, pk)
    if request.method != "POST":
        return _page(request, somebody)
    form = PersonForm(request.POST, instance=somebody)
    if form.is_valid() and somebody == request.user and not _keeps_the_keys(form.cleaned_data):
        form.add_error(None, "You cannot take your own access away; ask another superuser.")
    if not form.is_valid():
        return _page(request, User.objects.get(pk=pk), form=form)
    stored = User.objects.get(pk=pk)
    if change_person(stored, form.cleaned_data, actor=request.user, now=timezone.now()):
        messages.success(request, f"{stored} is changed.")
    return redirect("jobs:person", pk)


@require_POST
def person_password(request: HttpRequest, pk: int) -> HttpResponse:
    somebody = _somebody(request, pk)
    form = PasswordForm(request.POST, person=somebody)
    if not form.is_valid():
        return _page(request, somebody, password_form=form)
    set_password(somebody, form.cleaned_data["password"], actor=request.user, now=timezone.now())
    messages.success(request, f"{somebody} has a new password; their open sessions have ended.")
    return redirect("jobs:person", pk)


@require_POST
def person_role(request: HttpRequest, pk: int) -> HttpResponse:
    """Set the person's role on one connection: `connection` is its id, an empty `role` takes it away."""
    somebody = _somebody(request, pk)
    place = Connection.objects.filter(pk=_number(request.POST.get("connection"))).first()
    word = request.POST.get("role", "")
    if place is None or word not in ("", *Role.values):
        raise Http404("There is no such connection or role.")
    role = Role(word) if word else None
    if set_role(place, somebody, role, actor=request.user, now=timezone.now()):
        messages.success(request, f"{somebody}: {role.label if role else 'no role'} on {place}.")
    return redirect("jobs:person", pk)


def _superuser(request: HttpRequest) -> None:
    user: Any = request.user
    if not user.is_superuser:
        raise PermissionDenied("People are managed by superusers.")


def _somebody(request: HttpRequest, pk: int) -> Any:
    _superuser(request)
    found = User.objects.filter(pk=pk).first()
    if found is None:
        raise Http404("There is no person with this address.")
    return found


def _keeps_the_keys(fields: dict[str, Any]) -> bool:
    return bool(fields["is_active"] and fields["is_superuser"])


def _page(request: HttpRequest, somebody: Any, **forms: Any) -> HttpResponse:
    roles = dict(somebody.memberships.values_list("connection_id", "role"))
    context = {
        "person": somebody,
        "roles": [(place, roles.get(place.pk, "")) for place in Connection.objects.all()],
        "choices": [("", "No role"), *Role.choices],
        "form": PersonForm(instance=somebody),
        "password_form": PasswordForm(person=somebody),
    }
    return page(request, "jobs/person.html", context | forms, status=422 if forms else 200)


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 18 else 0
