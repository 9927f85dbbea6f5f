"""The connections a person has a role on, and adding one."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Prefetch, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_safe

from jobs.access.connections import add_connection
from jobs.forms.connection import NewConnectionForm
from jobs.models import Connection, Membership, Role, Sandbox
from jobs.views.page import page


@require_safe
def connections(request: HttpRequest) -> HttpResponse:
    """Every visible connection with its sandboxes and what the person may do there."""
    user: Any = request.user
    watched = Prefetch("sandboxes", Sandbox.objects.watched(), to_attr="watched")
    rows = Connection.objects.visible_to(user).prefetch_related(watched)
    rows = rows.annotate(member_count=Count("memberships", filter=Q(memberships__user__is_active=True)))
    roles = dict(Membership.objects.filter(user=user).values_list("connection_id", "role"))
    context = {"connections": list(rows), "roles": roles, "may_add": _may_add(user), "Role": Role}
    return page(request, "jobs/connections.html", context)


def connection_new(request: HttpRequest) -> HttpResponse:
    """Add a connection: saved first, then tried, so that nothing typed is lost when the platform refuses."""
    if not _may_add(request.user):
        raise PermissionDenied("Adding a connection needs the role admin on another one, or a superuser.")
    form = NewConnectionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        made = add_connection(
            form.fields_of_connection(),
            secret=form.cleaned_data["secret"],
            actor=request.user,
            now=timezone.now(),
        )
        messages.success(request, f"{made} is added. Choose the sandboxes to watch.")
        return redirect("jobs:connection_sandboxes", made.pk)
    return page(request, "jobs/connection_new.html", {"form": form}, status=422 if form.is_bound else 200)


def _may_add(user: Any) -> bool:
    """Superusers, and whoever administers a connection already."""
    return user.is_superuser or Connection.objects.administered_by(user).exists()
