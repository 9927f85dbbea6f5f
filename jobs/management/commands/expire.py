"""Lets jobs, snapshots and raw records go that connections no longer keep."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from jobs.models import Connection
from jobs.monitor.retention import Expired, expire


class Command(BaseCommand):
    help = "Delete what is older, or more, than each connection keeps; the counts by day and hour stay."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("connections", nargs="*", metavar="CONNECTION")

    def handle(self, *args: Any, **options: Any) -> None:
        named = options["connections"]
        rows = Connection.objects.filter(name__in=named) if named else Connection.objects.all()
        for connection in rows:
            total = Expired(more=True)
            while total.more:
                turn = expire(connection, now=timezone.now())
                total = Expired(
                    total.jobs + turn.jobs,
                    total.snapshots + turn.snapshots,
                    total.records + turn.records,
                    turn.more,
                )
            self.stdout.write(
                f"{connection.name}: {total.jobs} jobs, {total.snapshots} snapshots, {total.records} records expired"
            )
