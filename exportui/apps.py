"""The Django app of the wiring: its checks, its commands and the Celery app that every process shares."""

from __future__ import annotations

from django.apps import AppConfig
from django.contrib.staticfiles.apps import StaticFilesConfig
from django.core.checks import Tags, register

from exportui import checks
from exportui.celery import app


class ExportUIConfig(AppConfig):
    """Importing this module makes our Celery app the current one, so that `@shared_task` finds the broker."""

    name = "exportui"
    verbose_name = "Export UI"
    celery = app

    def ready(self) -> None:
        register(checks.settings_fit, Tags.security)
        register(checks.stored_platforms_fit, Tags.database)


class PublishedFilesConfig(StaticFilesConfig):
    """collectstatic leaves out what no page asks for: sources, the second API browser, the second htmx."""

    ignore_patterns = [*StaticFilesConfig.ignore_patterns, "*.py", "*.scss", "redoc*", "django_htmx"]
