"""Prepare the database and serve until told to stop."""

from __future__ import annotations

import logging
import signal
import sys
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from emulator import arrivals, clock, orders, pool, runner, start, stores
from emulator.server import Server


def _stop(*_: object) -> None:
    sys.exit(0)


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--port", type=int, default=0)

    def handle(self, *args: Any, port: int, **options: Any) -> None:
        signal.signal(signal.SIGTERM, _stop)
        signal.signal(signal.SIGINT, _stop)
        logging.getLogger("django").setLevel(logging.CRITICAL)  # a refusal is no news; a crash shows itself
        server = _listen(port)
        _take_orders()
        _open_database()
        arrivals.begin()
        runner.begin()
        print(f"emulator on {server.url}", flush=True)
        server.run()


def _take_orders() -> None:
    try:
        orders.begin()
    except ValueError as error:
        raise CommandError(f"{error}. --list names them all.") from error


def _open_database() -> None:
    try:
        call_command("migrate", verbosity=0)
        start.plant_once()
        clock.load()
        stores.prepare(clock.now_ms())
        stores.tidy()
    except DatabaseError as error:
        raise CommandError(f"The database in {settings.DATA_DIR} cannot be used: {error}.") from error
    except (OSError, pool.WorkFailed) as error:
        raise CommandError(f"The profile store in {settings.DATA_DIR} cannot be made: {error}.") from error


def _listen(port: int) -> Server:
    try:
        settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CommandError(
            f"The data directory {settings.DATA_DIR} cannot be made: {error.strerror}."
        ) from error
    try:
        return Server(port)
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or error
        raise CommandError(f"Port {port} cannot be used ({why}); choose another one with --port.") from error
