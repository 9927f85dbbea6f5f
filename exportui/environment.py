"""Reads the parts of the environment that need more than a cast, and says in one sentence what is wrong."""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

from django.core.exceptions import ImproperlyConfigured
from environ import Env

SQLITE = "django.db.backends.sqlite3"

# WAL lets readers and one writer work at once; NORMAL is safe with WAL against anything but power loss.
SQLITE_OPTIONS: dict[str, Any] = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA temp_store=MEMORY;",
}
# Eight threads a process, and a few more for what runs beside them.
POSTGRESQL_POOL = {"min_size": 1, "max_size": 12, "timeout": 10}


def choice(name: str, value: str, *, of: tuple[str, ...]) -> str:
    """`value` if it is one of `of`; anything else stops the start."""
    if value not in of:
        raise ImproperlyConfigured(f"{name} is {value!r}; it must be one of {', '.join(of)}.")
    return value


def data_dir(value: str) -> Path:
    """The absolute data directory, made when missing and then readable by its owner alone."""
    if not value.strip():
        raise ImproperlyConfigured("EXPORTUI_DATA_DIR is empty; name a directory, or do not set it.")
    path = Path(value).expanduser().absolute()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as problem:
        raise ImproperlyConfigured(
            f"EXPORTUI_DATA_DIR {path} cannot be made: {problem.strerror}."
        ) from problem
    return path


def made_once(path: Path, *, make: Callable[[], str]) -> str:
    """The secret in `path`; made, with mode 0600, by whichever process comes first.

    The text is complete before the name exists (a hard link either appears whole or fails), so two processes that
    start at once read the same secret.
    """
    if not path.exists():
        draft = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(make() + "\n")
        with suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return path.read_text().strip()


def new_secret_key() -> str:
    return secrets.token_urlsafe(50)


def new_field_key() -> str:
    """32 random bytes as a Fernet key is written; made without importing Fernet, which every process would carry."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def secret(name: str, value: str, *, path: Path, make: Callable[[], str], required: bool) -> str:
    """`value` when it was given; else the one made once in `path`, which production does not accept."""
    if value:
        return value
    if required:
        raise ImproperlyConfigured(f"{name} must be set when EXPORTUI_ENV=production.")
    return made_once(path, make=make)


def time_zone(name: str, value: str) -> str:
    """`value` when it names a zone of the IANA database."""
    try:
        return ZoneInfo(value).key
    except (KeyError, OSError, ValueError) as problem:
        raise ImproperlyConfigured(
            f"{name} is {value!r}, which is no time zone, e.g. Europe/Berlin."
        ) from problem


def origin(name: str, value: str) -> str:
    """`value` as scheme://host[:port], without a path."""
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
        raise ImproperlyConfigured(f"{name} is {value!r}; it must look like https://exports.example.com.")
    return f"{parts.scheme}://{parts.netloc}"


def database(url: str) -> dict[str, Any]:
    """Django's database settings of a sqlite:// or postgres:// URL, with the options that concurrency needs."""
    scheme = url.partition(":")[0]
    if scheme == "sqlite":
        return Env.db_url_config(url) | {"OPTIONS": SQLITE_OPTIONS, "CONN_MAX_AGE": None}
    if scheme in ("postgres", "postgresql"):
        config: dict[str, Any] = Env.db_url_config(url)
        config["HOST"] = socket_directory(url) or config["HOST"]
        options = config.get("OPTIONS", {}) | {"pool": POSTGRESQL_POOL}
        return config | {"OPTIONS": options, "CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": True}
    raise ImproperlyConfigured(f"DATABASE_URL starts with {scheme!r}; it must be sqlite:/// or postgres://.")


def socket_directory(url: str) -> str:
    """The directory in postgres://user@%2Frun%2Fpostgresql/name, the way libpq writes a unix socket; else empty."""
    host = urlsplit(url).netloc.rpartition("@")[2].partition(":")[0]
    return unquote(host) if host.lower().startswith("%2f") else ""


def redis_url(url: str, *, socket: Path) -> str:
    """The address as redis-py spells it; nothing given means database 0 of the embedded server's socket."""
    if not url:
        return f"unix://{socket}?db=0"
    scheme = urlsplit(url).scheme
    if scheme not in ("redis", "rediss", "unix"):
        raise ImproperlyConfigured(
            f"REDIS_URL starts with {scheme!r}; it must be redis://, rediss:// or unix://."
        )
    return url


def broker_url(url: str) -> str:
    """The same address as kombu spells it: unix:///path?db=0 is redis+socket:///path?virtual_host=0 there."""
    if not url.startswith("unix://"):
        return url
    return url.replace("unix://", "redis+socket://", 1).replace("db=", "virtual_host=", 1)
