"""What the frame around every page shows: navigation, sandboxes, the label's colour, and preferences."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any, NamedTuple

from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import Model, OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.urls import reverse

from jobs.models import Connection, ExportJob, Membership, Role, Sandbox
from jobs.models.job import JobQuerySet
from jobs.rules.kept import Kept

THEMES = ("auto", "light", "dark")
TIMES = ("relative", "absolute")
# What no page's frame shows of a sandbox or its connection.
_UNSHOWN = {
    *(
        "kind",
        "reading_offset",
        "last_rejects",
        "catalog_error",
        "next_catalog_at",
        "client_secret",
        "scopes",
    ),
    *(
        "platform_url",
        "token_url",
        "org_id",
        "client_id",
        "created_at",
        "credential_error",
        "token_expires_at",
    ),
}
_kept_sql: Kept[tuple[str, Any]] = Kept(1_000)
_kept_places: Kept[list[Sandbox]] = Kept(200)


class Nav(NamedTuple):
    """An entry of the left rail."""

    name: str
    url: str
    icon: str
    active: bool
    badge: str = ""


_RAIL = (
    ("Overview", "jobs:overview", "layout-dashboard"),
    ("Jobs", "jobs:jobs", "list-details"),
    ("Failures", "jobs:failures", "alert-circle"),
    ("Activity", "jobs:activity", "history"),
    ("Connections", "jobs:connections", "plug-connected"),
)
_PEOPLE = ("People", "jobs:people", "users")


@dataclass
class Frame:
    """Lazily read, so that a fragment pays for nothing it does not show."""

    request: HttpRequest
    theme: str = "auto"
    times: str = "relative"
    _user: Any = field(init=False)

    def __post_init__(self) -> None:
        self._user = getattr(self.request, "user", None)

    @cached_property
    def visible(self) -> list[Sandbox]:
        """Every sandbox the person may see, with the person's role on its connection: one query.

        Rows that say what they said before become the objects they were before, which nobody changes.
        """
        if self._user is None or not self._user.is_authenticated:
            return []
        who = (self._user.pk, self._user.is_superuser and self._user.is_active)
        sql, parameters = _kept_sql.get(who, lambda: _rows_for(self._user).query.sql_with_params())
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            told = tuple(map(tuple, cursor.fetchall()))
        return _kept_places.get((who, told), lambda: _made_of(told, self._user))

    @cached_property
    def sandboxes(self) -> list[Sandbox]:
        """Those of them that are watched, for the switcher."""
        return [sandbox for sandbox in self.visible if sandbox.is_watched]

    @property
    def jobs(self) -> JobQuerySet:
        """The jobs of the visible sandboxes: the rule of `visible_to`, with what was read for it already."""
        everywhere = self._user.is_superuser and self._user.is_active
        jobs: JobQuerySet = ExportJob.objects.all()
        return jobs if everywhere else jobs.within([sandbox.pk for sandbox in self.visible])

    @cached_property
    def sandbox(self) -> Sandbox | None:
        """The one sandbox the page is about: the view said so, the URL names it, or it is the only one there is."""
        about: Sandbox | None = getattr(self.request, "about", None)
        if about is not None:
            return about
        refs = self.request.GET.getlist("sandbox")
        if len(refs) == 1:
            return next((sandbox for sandbox in self.sandboxes if sandbox.ref == refs[0]), None)
        return self.sandboxes[0] if len(self.sandboxes) == 1 else None

    @cached_property
    def label(self) -> str:
        """The label whose colour the top line has: the current sandbox's, or the gravest in sight."""
        labels = {self.sandbox.label} if self.sandbox else {sandbox.label for sandbox in self.sandboxes}
        return next((label for label in ("prod", "stage", "dev") if label in labels), "")

    @cached_property
    def roles(self) -> dict[int, Role]:
        """The person's role on each connection that has a sandbox in sight, by the connection's id."""
        if self._user is not None and self._user.is_superuser and self._user.is_active:
            return dict.fromkeys((sandbox.connection_id for sandbox in self.sandboxes), Role.ADMIN)
        mine = {sandbox.connection_id: getattr(sandbox, "role", None) for sandbox in self.visible}
        return {connection_id: Role(role) for connection_id, role in mine.items() if role}

    def may(self, needed: Role, sandbox: Sandbox) -> bool:
        """Whether to offer an act in a sandbox; the view that does it asks again."""
        role = self.roles.get(sandbox.connection_id)
        return role is not None and role.covers(needed)

    @cached_property
    def can_launch(self) -> bool:
        """Whether the person may launch anywhere; the view asks again for the sandbox itself."""
        return any(self.may(Role.OPERATOR, sandbox) for sandbox in self.sandboxes)

    @cached_property
    def nav(self) -> list[Nav]:
        match = self.request.resolver_match
        here = match.view_name if match else ""
        entries = _RAIL + ((_PEOPLE,) if self._user and self._user.is_superuser else ())
        return [Nav(word, reverse(name), icon, _is_active(name, here)) for word, name, icon in entries]


def _rows_for(user: Any) -> QuerySet[Sandbox, tuple[Any, ...]]:
    """What the frame shows of each visible sandbox, of its connection, and the person's role on that."""
    rows = Sandbox.objects.visible_to(user)
    mine = Membership.objects.filter(user_id=user.pk, connection=OuterRef("connection"))
    of = [f"connection__{name}" for name in _shown(Connection)]
    return rows.annotate(role=Subquery(mine.values("role")[:1])).values_list(*_shown(Sandbox), *of, "role")


def _made_of(told: tuple[tuple[Any, ...], ...], user: Any) -> list[Sandbox]:
    """The sandboxes of rows as the database gave them."""
    compiler = _rows_for(user).query.get_compiler(DEFAULT_DB_ALIAS)
    compiler.pre_sql_setup()
    size, made = len(_shown(Sandbox)), []
    for row in compiler.results_iter(results=[told]):
        place = Sandbox.from_db(DEFAULT_DB_ALIAS, _shown(Sandbox), row[:size])
        place.connection = Connection.from_db(DEFAULT_DB_ALIAS, _shown(Connection), row[size:-1])
        place.role = row[-1]  # type: ignore[attr-defined]
        made.append(place)
    return made


@cache
def _shown(model: type[Model]) -> tuple[str, ...]:
    return tuple(field.attname for field in model._meta.concrete_fields if field.name not in _UNSHOWN)


def _is_active(name: str, here: str) -> bool:
    """The rail marks the room: `jobs:job` and `jobs:job_new` stand in `jobs:jobs`."""
    return here == name or (here.startswith(name.removesuffix("s")) and name != "jobs:overview")


def frame_of(request: HttpRequest) -> Frame:
    """The request's one frame: what a view reads through it, the page around need not read again."""
    made = getattr(request, "frame", None)
    if made is None:
        theme, times = request.COOKIES.get("theme", ""), request.COOKIES.get("times", "")
        made = Frame(request, theme if theme in THEMES else "auto", times if times in TIMES else "relative")
        request.frame = made  # type: ignore[attr-defined]
    return made


def frame(request: HttpRequest) -> dict[str, Frame]:
    """Context processor of every page."""
    return {"frame": frame_of(request)}
