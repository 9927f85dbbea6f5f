"""One watching pass in the foreground, without Celery."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from jobs.client.errors import PlatformError
from jobs.models import Sandbox
from jobs.monitor.sweep import sweep


class Command(BaseCommand):
    help = "Read the jobs of all watched sandboxes, or of the named ones, once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("sandboxes", nargs="*", metavar="CONNECTION/SANDBOX")
        parser.add_argument("--full", action="store_true", help="read the whole list, not only what is new")

    def handle(self, *args: Any, **options: Any) -> None:
        unread = [
            sandbox.ref
            for sandbox in _named(options["sandboxes"])
            if not self._pass(sandbox, options["full"])
        ]
        if unread:
            raise CommandError(f"could not read {', '.join(unread)}")

    def _pass(self, sandbox: Sandbox, full: bool) -> bool:
        began = time.monotonic()
        try:
            done = sweep(sandbox, full=full).recorded
        except PlatformError as error:
            self.stderr.write(f"{sandbox.ref}: {error.sentence}")
            return False
        seconds = time.monotonic() - began
        self.stdout.write(
            f"{sandbox.ref}: new {done.new}, changed {done.changed}, unchanged {done.unchanged}, "
            f"requests {done.requests}, seconds {seconds:.1f}"
        )
        return True


def _named(refs: list[str]) -> list[Sandbox]:
    rows = Sandbox.objects.select_related("connection")
    if not refs:
        return list(rows.watched())
    found = {ref: rows.by_ref(ref).first() for ref in refs}
    missing = [ref for ref, sandbox in found.items() if sandbox is None]
    if missing:
        raise CommandError(f"There is no sandbox {', '.join(missing)}; `manage.py connect` adds one.")
    return [sandbox for sandbox in found.values() if sandbox]
