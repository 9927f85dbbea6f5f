"""Rebuilds the counts that tabs and charts show from the jobs themselves."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from jobs.models import Sandbox
from jobs.sync import recount


class Command(BaseCommand):
    help = "Rebuild the tallies of every sandbox from its jobs."

    def handle(self, *args: Any, **options: Any) -> None:
        for sandbox in Sandbox.objects.select_related("connection"):
            self.stdout.write(f"{sandbox.ref}: {recount(sandbox)} jobs counted")
