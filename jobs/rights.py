"""What a person may reach: asked in every view, whatever the page showed."""

from __future__ import annotations

from typing import Any, TypeVar

from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest

from jobs.models import Connection, Role, Sandbox

M = TypeVar("M", bound=Model)

# Rows of an export are personal data: who may see or take them. What was written, and how much, is for every role.
MAY_SEE_ROWS = Role.OPERATOR


def visible(rows: QuerySet[M], request: HttpRequest, **lookup: Any) -> M:
    """The one row the person may see; what they may not see does not exist for them (404)."""
    row = rows.visible_to(request.user).filter(**lookup).first()  # type: ignore[attr-defined]
    if row is None:
        name = rows.model._meta.verbose_name
        raise Http404(
            f"There is no {name} with this address, or it belongs to a connection you have no role on."
        )
    return row


def require(role: Role, request: HttpRequest, place: Connection | Sandbox) -> None:
    """Refuse with 403 and a sentence unless the person's role there covers the needed one."""
    if not place.may(request.user, role):
        raise PermissionDenied(f"This needs the role {role.label.lower()} on the connection of {place}.")
