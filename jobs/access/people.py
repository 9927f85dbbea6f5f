"""Who there is and what they may do: people, their roles on connections, their API tokens."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction

from jobs.models import Activity, ApiToken, Connection, Membership, Role, Verb

User = get_user_model()


def add_person(username: str, *, password: str, actor: Any, now: datetime, **fields: Any) -> Any:
    """A new person who can sign in with the given first password."""
    with transaction.atomic():
        person = User.objects.create_user(username=username, password=password, **fields)
        after = {"username": username, **{name: fields[name] for name in sorted(fields)}}
        Activity.note(Verb.PERSON_CREATED, at=now, actor=actor, target=username, after=after)
    return person


def change_person(person: Any, fields: dict[str, Any], *, actor: Any, now: datetime) -> bool:
    """Change names, e-mail, or whether they may sign in; False when nothing differs."""
    before = {name: getattr(person, name) for name in fields if getattr(person, name) != fields[name]}
    if not before:
        return False
    with transaction.atomic():
        for name in before:
            setattr(person, name, fields[name])
        person.save(update_fields=list(before))
        after = {name: fields[name] for name in before}
        Activity.note(
            Verb.PERSON_CHANGED, at=now, actor=actor, target=person.username, before=before, after=after
        )
    return True


def set_password(person: Any, password: str, *, actor: Any, now: datetime) -> None:
    """Give a person a new password; it is not kept anywhere but as a hash."""
    with transaction.atomic():
        person.set_password(password)
        person.save(update_fields=["password"])
        Activity.note(
            Verb.PERSON_CHANGED, at=now, actor=actor, target=person.username, after={"password": "replaced"}
        )


def set_role(connection: Connection, person: Any, role: Role | None, *, actor: Any, now: datetime) -> bool:
    """Give a person a role on a connection, or with None take it away; False when it stood so already."""
    held = Membership.objects.filter(user=person, connection=connection)
    before = held.values_list("role", flat=True).first()
    if before == role:
        return False
    with transaction.atomic():
        if role is None:
            held.delete()
        else:
            Membership.objects.update_or_create(user=person, connection=connection, defaults={"role": role})
        Activity.note(
            Verb.MEMBER_CHANGED,
            at=now,
            actor=actor,
            target=person.username,
            connection=connection,
            before={"role": before or "none"},
            after={"role": role or "none"},
        )
    return True


def issue_token(person: Any, *, actor: Any, now: datetime) -> str:
    """A new API token that acts as the person; returned once, kept as a digest."""
    with transaction.atomic():
        token = ApiToken.issue(person, now=now)
        Activity.note(Verb.TOKEN_CREATED, at=now, actor=actor, target=person.username)
    return token


def revoke_token(person: Any, token_id: int, *, now: datetime) -> bool:
    """Take away one of the person's own tokens; False when there is none of that number."""
    with transaction.atomic():
        deleted, _ = ApiToken.objects.filter(pk=token_id, user=person).delete()
        if deleted:
            Activity.note(Verb.TOKEN_REVOKED, at=now, actor=person, target=person.username)
    return bool(deleted)
