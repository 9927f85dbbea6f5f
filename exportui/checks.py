"""System checks: what is wrong with this installation, each with an id and what to do about it."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning
from django.db import connections

from exportui import environment, valkey

SHORTEST_KEY = 32


def settings_fit(**_: Any) -> list[CheckMessage]:
    """E001 secret key, E002 field keys, E003 debug, E004 public URL, E005 socket path, W001 SQLite, W002 broker."""
    return [*wrong_anywhere(), *(wrong_in_production() if settings.PRODUCTION else ())]


def wrong_anywhere() -> Iterator[CheckMessage]:
    for position, key in enumerate(settings.EXPORTUI_FIELD_KEYS, start=1):
        if not is_fernet_key(key):
            yield Error(
                f"Key {position} of EXPORTUI_FIELD_KEYS is no Fernet key (32 bytes as url-safe base64).",
                hint="python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'",
                id="exportui.E002",
            )
    path = urlsplit(settings.REDIS_URL).path
    if settings.REDIS_URL.startswith("unix:") and len(path.encode()) > valkey.PATH_LIMIT:
        yield Error(
            f"The socket path {path} is longer than the {valkey.PATH_LIMIT} bytes a unix socket may have.",
            hint="Choose a shorter EXPORTUI_DATA_DIR, or set REDIS_URL.",
            id="exportui.E005",
        )


def wrong_in_production() -> Iterator[CheckMessage]:
    if len(settings.SECRET_KEY) < SHORTEST_KEY or settings.SECRET_KEY.startswith("django-insecure-"):
        yield Error(
            f"SECRET_KEY is shorter than {SHORTEST_KEY} characters or one of Django's example keys.",
            hint="python -c 'from django.core.management.utils import get_random_secret_key as k; print(k())'",
            id="exportui.E001",
        )
    if settings.DEBUG:
        yield Error(
            "EXPORTUI_DEBUG is on in production: error pages would show code and settings.",
            hint="Unset EXPORTUI_DEBUG.",
            id="exportui.E003",
        )
    if not settings.EXPORTUI_PUBLIC_URL.startswith("https://"):
        yield Error(
            f"EXPORTUI_PUBLIC_URL is {settings.EXPORTUI_PUBLIC_URL}; production is reached over https.",
            hint="Set EXPORTUI_PUBLIC_URL=https://… to the address people open.",
            id="exportui.E004",
        )
    if settings.DATABASES["default"]["ENGINE"] == environment.SQLITE:
        yield Warning(
            "Production runs on SQLite: one writer at a time, on one machine.",
            hint="Set DATABASE_URL=postgres://… for many jobs or several machines.",
            id="exportui.W001",
        )
    if settings.REDIS_URL.startswith(f"unix://{settings.VALKEY_SOCKET}"):
        yield Warning(
            "REDIS_URL is not set: tasks need the embedded server, which only `manage.py up` starts.",
            hint="Set REDIS_URL=redis://… unless `manage.py up` runs everything on this machine.",
            id="exportui.W002",
        )


def stored_platforms_fit(*, databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """W003: a connection to a platform on this machine, such as the emulator, in production."""
    if not settings.PRODUCTION:
        return []
    model = apps.get_model("jobs", "Connection")
    return [
        Warning(
            f"The connection {name} speaks to {url}, a platform on this machine.",
            hint="The local emulator is for trying things out; delete the connection or change its platform URL.",
            id="exportui.W003",
        )
        for alias in databases or ()
        if model._meta.db_table in connections[alias].introspection.table_names()
        for name, url in model._default_manager.using(alias).values_list("name", "platform_url")
        if is_loopback(url)
    ]


def is_fernet_key(key: str) -> bool:
    try:
        Fernet(key)
    except ValueError:
        return False
    return True


def is_loopback(url: str) -> bool:
    """Whether the host of the URL is this machine by name or by address."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
