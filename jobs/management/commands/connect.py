"""Adds or updates a connection and proves that it works."""

from __future__ import annotations

import os
import sys
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from jobs.access import connections
from jobs.connect import verify
from jobs.models import Connection, Label
from jobs.models.connection import DEFAULT_PLATFORM_URL, DEFAULT_SCOPES, DEFAULT_TOKEN_URL


class Command(BaseCommand):
    help = (
        "Create or update a connection to the platform; the secret comes from a variable or standard input."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--org", required=True, help="IMS organisation id, ends in @AdobeOrg")
        parser.add_argument("--client-id", required=True)
        parser.add_argument(
            "--client-secret-env", metavar="VAR", help="variable that holds the client secret"
        )
        parser.add_argument("--sandbox", action="append", required=True, metavar="SB", help="may be repeated")
        parser.add_argument("--platform-url", default=DEFAULT_PLATFORM_URL)
        parser.add_argument("--token-url", default=DEFAULT_TOKEN_URL)
        parser.add_argument("--scopes", default=DEFAULT_SCOPES)
        parser.add_argument("--label", choices=Label.values, default=Label.DEV.value)

    def handle(self, *args: Any, **options: Any) -> None:
        connection = self._saved(options, secret=_secret(options["client_secret_env"]))
        now = timezone.now()
        connections.choose_sandboxes(connection, options["sandbox"], actor=None, now=now)
        for name in options["sandbox"]:
            error = verify(connection, sandbox=name)
            if error is not None:
                raise CommandError(f"{connection.name}/{name}: {error.sentence}")
        names = ", ".join(options["sandbox"])
        self.stdout.write(f"{connection.name} works: token fetched, export jobs of {names} can be listed")

    def _saved(self, options: dict[str, Any], *, secret: str) -> Connection:
        now = timezone.now()
        fields = {
            "name": options["name"],
            "label": options["label"],
            "org_id": options["org"],
            "client_id": options["client_id"],
            "scopes": options["scopes"],
            "platform_url": options["platform_url"],
            "token_url": options["token_url"],
        }
        known = Connection.objects.filter(name=options["name"]).first()
        try:
            if known is None:
                return connections.add_connection(fields, secret=secret, actor=None, now=now)
            connections.change_connection(known, fields, actor=None, now=now)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        connections.rotate_secret(known, secret, actor=None, now=now)
        return known


def _secret(variable: str | None) -> str:
    """The client secret: never an argument, where other users of the machine could read it."""
    if variable is None:
        secret = sys.stdin.readline().strip()
        where = "standard input"
    else:
        secret, where = os.environ.get(variable, "").strip(), f"the variable {variable}"
    if not secret:
        raise CommandError(f"No client secret on {where}; give --client-secret-env VAR or pipe it in.")
    return secret
