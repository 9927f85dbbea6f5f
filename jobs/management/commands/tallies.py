"""Rebuilds the counts that tabs and charts show from the jobs themselves, or says where they differ."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from jobs.models import Sandbox
from jobs.sync import miscounted, recount


class Command(BaseCommand):
    help = "Rebuild the tallies of every sandbox from its jobs; --verify only lists what differs."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--verify", action="store_true", help="change nothing; exit 1 if a tally is wrong"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        places = Sandbox.objects.select_related("connection")
        if options["verify"]:
            self._verify(list(places))
            return
        for sandbox in places:
            self.stdout.write(f"{sandbox.ref}: {recount(sandbox)} jobs counted")

    def _verify(self, places: list[Sandbox]) -> None:
        wrong = [(place, *difference) for place in places for difference in miscounted(place)]
        for place, when, status, kept, counted in wrong:
            self.stdout.write(f"{place.ref}: {when} {status}: tally {kept}, jobs {counted}")
        if wrong:
            raise CommandError(f"{len(wrong)} tallies are wrong; `manage.py tallies` rebuilds them.")
