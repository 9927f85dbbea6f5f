"""Makes an API token for a person and prints it once."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from jobs.access.people import issue_token


class Command(BaseCommand):
    help = "Print a new API token for a user; it cannot be shown again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user")

    def handle(self, *args: Any, **options: Any) -> None:
        person = get_user_model().objects.filter(username=options["user"]).first()
        if person is None:
            raise CommandError(f"There is no user {options['user']}.")
        self.stdout.write(issue_token(person, actor=None, now=timezone.now()))
