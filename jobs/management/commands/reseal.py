"""Encrypts every stored secret again under the newest field key, so that older keys can be dropped."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from jobs.models import Connection, SealedError


class Command(BaseCommand):
    help = "Re-encrypt the secrets of all connections under the first key of EXPORTUI_FIELD_KEYS."

    def handle(self, *args: Any, **options: Any) -> None:
        lost = []
        for connection in Connection.objects.all():
            try:
                connection.client_secret = connection.client_secret.resealed()
            except SealedError:
                lost.append(connection.name)
                continue
            connection.save(update_fields=["client_secret"])
            self.stdout.write(f"{connection.name}: under the newest key")
        if lost:
            raise CommandError(f"No present key fits the secret of {', '.join(lost)}; enter it again.")
