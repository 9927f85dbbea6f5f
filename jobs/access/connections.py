"""Adding and changing connections, each change with its row in the audit log."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction

from jobs.client.errors import PlatformError
from jobs.connect import verify
from jobs.models import Activity, Connection, Membership, Role, Sandbox, Sealed, Verb
from jobs.models.connection import OPEN_FIELDS


def add_connection(fields: dict[str, Any], *, secret: str, actor: Any, now: datetime) -> Connection:
    """A new connection with its secret sealed; whoever adds it becomes its admin."""
    with transaction.atomic():
        made = Connection(client_secret=Sealed.seal(secret), created_at=now, **fields)
        made.full_clean(exclude=["client_secret"])
        made.save()
        if actor is not None:
            Membership.objects.create(user=actor, connection=made, role=Role.ADMIN)
        Activity.note(
            Verb.CONNECTION_CREATED,
            at=now,
            actor=actor,
            target=made.name,
            connection=made,
            after=_shown(made),
        )
    return made


def change_connection(connection: Connection, fields: dict[str, Any], *, actor: Any, now: datetime) -> bool:
    """Change what is not secret; False when nothing differs."""
    before = _shown(Connection.objects.get(pk=connection.pk))
    for name, value in fields.items():
        setattr(connection, name, value)
    after = _shown(connection)
    changed = [name for name in OPEN_FIELDS if before[name] != after[name]]
    if not changed:
        return False
    with transaction.atomic():
        connection.full_clean(exclude=["client_secret"])
        connection.save(update_fields=changed)
        Activity.note(
            Verb.CONNECTION_CHANGED,
            at=now,
            actor=actor,
            target=connection.name,
            connection=connection,
            before={name: before[name] for name in changed},
            after={name: after[name] for name in changed},
        )
    _watch_again(connection, now)
    return True


def rotate_secret(connection: Connection, secret: str, *, actor: Any, now: datetime) -> None:
    """Replace the secret; the old one is gone, and sandboxes that failed for it are tried at once."""
    with transaction.atomic():
        connection.client_secret = Sealed.seal(secret)
        connection.credential_error = ""
        connection.save(update_fields=["client_secret", "credential_error"])
        Activity.note(Verb.SECRET_ROTATED, at=now, actor=actor, target=connection.name, connection=connection)
    _watch_again(connection, now)


def choose_sandboxes(
    connection: Connection, names: Iterable[str], *, actor: Any, now: datetime
) -> list[Sandbox]:
    """Watch exactly these sandboxes; what was known of the others is kept and stays readable."""
    wanted = list(dict.fromkeys(names))
    with transaction.atomic():
        before = sorted(connection.sandboxes.watched().values_list("name", flat=True))
        connection.sandboxes.exclude(name__in=wanted).update(is_watched=False)
        for name in wanted:
            due = {"is_watched": True, "next_discovery_at": now, "next_catalog_at": now}
            Sandbox.objects.update_or_create(connection=connection, name=name, defaults=due)
        if before != sorted(wanted):
            Activity.note(
                Verb.SANDBOXES_CHOSEN,
                at=now,
                actor=actor,
                target=connection.name,
                connection=connection,
                before={"sandboxes": before},
                after={"sandboxes": sorted(wanted)},
            )
    return list(connection.sandboxes.watched())


def check_connection(
    connection: Connection, *, sandbox: str = "", actor: Any, now: datetime
) -> PlatformError | None:
    """Try the credential against the platform and note who tried; the error, or None when all is well."""
    error = verify(connection, sandbox=sandbox)
    Activity.note(
        Verb.CONNECTION_TESTED,
        at=now,
        actor=actor,
        target=connection.name,
        connection=connection,
        reason=error.sentence if error else "",
        after={"result": "refused" if error else "works"},
    )
    return error


def _watch_again(connection: Connection, now: datetime) -> None:
    """Whatever was wrong may be mended: everything is tried at once."""
    Connection.objects.filter(pk=connection.pk).update(paused_until=None, pause_count=0)
    connection.sandboxes.watched().update(next_discovery_at=now, next_catalog_at=now)


def _shown(connection: Connection) -> dict[str, Any]:
    return {name: getattr(connection, name) for name in OPEN_FIELDS}
