"""The Celery app: tasks come from jobs.tasks, settings from Django's `CELERY_…` names."""

from __future__ import annotations

import os
from logging.config import dictConfig
from typing import Any

from celery import Celery
from celery.signals import setup_logging, worker_process_init
from django.conf import settings
from django.db import connections

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "exportui.settings")

app = Celery("exportui")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["jobs"])


@setup_logging.connect
def log_as_django_does(**_: Any) -> None:
    """One format for all processes; Celery keeps its hands off when this signal has a receiver."""
    dictConfig(settings.LOGGING)


@worker_process_init.connect
def leave_inherited_connections(**_: Any) -> None:
    """A forked pool process must not share its parent's connections (only `-P prefork` forks)."""
    for connection in connections.all(initialized_only=True):
        connection.close()
        getattr(connection, "close_pool", lambda: None)()
