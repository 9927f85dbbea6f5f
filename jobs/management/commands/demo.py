"""Makes the demo: three people and a connection to a local platform."""

from __future__ import annotations

import json
import os
import secrets
from datetime import datetime
from pathlib import Path
from typing import Any

import requests
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from jobs.access import connections, people
from jobs.models import Connection, Label, Role

NAME = "demo"
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is mistaken for another
# A superuser may also make and change people.
FLAGS: dict[Role, dict[str, bool]] = {Role.ADMIN: {"is_staff": True, "is_superuser": True}}


class Command(BaseCommand):
    help = "Make demo people and a connection to the local platform; safe to repeat."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--platform", required=True, metavar="URL", help="where the emulator answers")
        parser.add_argument("--quiet", action="store_true", help="do not print the passwords")

    def handle(self, *args: Any, platform: str, quiet: bool, **options: Any) -> None:
        now = timezone.now()
        connection = saved_connection(read_credentials(platform), now=now)
        known = make_people(settings.EXPORTUI_DATA_DIR / "demo_people.json", connection, now=now)
        if not quiet:
            for name, password in known.items():
                self.stdout.write(f"{name:<10} {password}")


def read_credentials(platform: str) -> dict[str, Any]:
    """What the emulator says a client needs (`/credentials.json`)."""
    try:
        answer = requests.get(f"{platform}/credentials.json", timeout=(3.05, 30))
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
    except requests.RequestException as error:
        raise CommandError(f"No emulator answers at {platform}: {type(error).__name__}.") from error
    return found


def saved_connection(found: dict[str, Any], *, now: datetime) -> Connection:
    """The connection `demo` as the emulator is now; which sandboxes are watched is only chosen once."""
    fields = {
        "name": NAME,
        "label": Label.DEV.value,
        "org_id": found["org_id"],
        "client_id": found["client_id"],
        "platform_url": found["platform_url"],
        "token_url": found["token_url"],
    }
    known = Connection.objects.filter(name=NAME).first()
    if known is None:
        made = connections.add_connection(fields, secret=found["client_secret"], actor=None, now=now)
        connections.choose_sandboxes(made, found["sandboxes"], actor=None, now=now)
        return made
    connections.change_connection(known, fields, actor=None, now=now)
    if known.client_secret.open() != found["client_secret"]:
        connections.rotate_secret(known, found["client_secret"], actor=None, now=now)
    return known


def make_people(path: Path, connection: Connection, *, now: datetime) -> dict[str, str]:
    """A person per role, each made once; the passwords stay in `path`, for its owner alone, to be shown again.

    A name that somebody else has already taken is left alone: its password is not ours to change.
    """
    known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    for role in Role:
        if get_user_model().objects.filter(username=role.value).exists():
            continue
        password = "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(3))
        person = people.add_person(role.value, password=password, actor=None, now=now, **FLAGS.get(role, {}))
        people.set_role(connection, person, role, actor=None, now=now)
        known[role.value] = password
        keep(path, known)
    return known


def keep(path: Path, known: dict[str, str]) -> None:
    """Writes the file anew, never readable by others, not even for a moment."""
    draft = path.with_suffix(".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(known, file)
    draft.replace(path)
