"""Everything on this machine with one command; Ctrl-C takes it all down."""

from __future__ import annotations

import fcntl
import hashlib
import os
import signal
import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from exportui import valkey
from exportui.apps import PublishedFilesConfig
from exportui.parts import port_is_free, say

LOCK_WAIT_S = 10.0  # what an earlier copy that was killed may need to take its processes down


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="of the web server (default 8000)")
        parser.add_argument("--no-emulator", action="store_true", help="no local platform, and so no demo")
        parser.add_argument("--no-demo", action="store_true", help="no demo people and no demo connection")

    def handle(self, *args: Any, port: int, no_emulator: bool, no_demo: bool, **options: Any) -> None:
        """Refuses what cannot work, prepares database and files, then becomes the supervisor (exportui.parts)."""
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C before anything runs just ends us
        os.chdir(
            settings.BASE_DIR
        )  # where our children find the code, and what a relative path means to all of us
        os.umask(0o077)  # what we and our children write is for our eyes alone
        lock = take_lock(settings.EXPORTUI_DATA_DIR / "up.lock")
        if not port_is_free(port):
            raise CommandError(
                f"Port {port} is taken by another program; choose another one: PORT=8123 make run"
            )
        redis_given = bool(os.environ.get("REDIS_URL"))
        if not redis_given:
            refuse_without_server()
        say("up", "preparing the database")
        call_command("migrate", verbosity=0, interactive=False)
        collect_static_files(settings.EXPORTUI_DATA_DIR / "static.stamp")
        connections.close_all()
        public_url = os.environ.get("EXPORTUI_PUBLIC_URL", f"http://127.0.0.1:{port}")
        words = [f"--data-dir={settings.EXPORTUI_DATA_DIR}", f"--public-url={public_url}"]
        words += [f"--port={port}", f"--lock={lock}"]
        wanted = {
            "--redis-given": redis_given,
            "--emulator": not no_emulator,
            "--demo": not (no_emulator or no_demo),
        }
        words += [word for word, is_wanted in wanted.items() if is_wanted]
        become_supervisor(words, public_url=public_url)


def become_supervisor(words: list[str], *, public_url: str) -> None:
    """Replaces this process: what Django weighs has done its work and is not carried along."""
    sys.stdout.flush()
    os.environ |= {"EXPORTUI_DATA_DIR": str(settings.EXPORTUI_DATA_DIR), "EXPORTUI_PUBLIC_URL": public_url}
    os.execv(sys.executable, [sys.executable, "-m", "exportui.parts", *words])  # noqa: S606


def take_lock(path: Path) -> int:
    """The descriptor of the data directory's lock; it lives on in the supervisor and in its guard."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + LOCK_WAIT_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            owner = os.pread(descriptor, 20, 0).decode().strip()
            if is_alive(owner) or time.monotonic() > deadline:
                raise CommandError(
                    f"Another copy (process {owner}) runs on {path.parent}; stop it or set EXPORTUI_DATA_DIR."
                ) from None
            time.sleep(0.2)
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    os.set_inheritable(descriptor, True)
    return descriptor


def is_alive(process: str) -> bool:
    """Whether a process of that number exists."""
    try:
        os.kill(int(process), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True


def refuse_without_server() -> None:
    try:
        valkey.command(settings.VALKEY_SOCKET)
    except valkey.NoServerError as problem:
        raise CommandError(str(problem)) from problem


def collect_static_files(stamp: Path) -> None:
    """Hashes and compresses the static files, unless they are what they were the last time."""
    digest = static_digest()
    if stamp.exists() and stamp.read_text() == digest and settings.STATIC_ROOT.exists():
        return
    say("up", "preparing the static files; this is only slow when they have changed")
    call_command("collectstatic", verbosity=0, interactive=False, clear=True)
    stamp.write_text(digest)


def static_digest() -> str:
    """Changes when a static file is added, removed or changed."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list(PublishedFilesConfig.ignore_patterns):
            status = os.stat(storage.path(name))
            digest.update(f"{name}\0{status.st_mtime_ns}\0{status.st_size}\n".encode())
    return digest.hexdigest()
