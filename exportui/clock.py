"""The clock: sends the tick, knows the broker and the schedule and nothing of Django, so it weighs little.

`celery -A exportui beat` does the same with the whole product in memory.
"""

from __future__ import annotations

from logging.config import dictConfig

from celery import Celery
from celery.beat import Scheduler, Service

from exportui import settings

app = Celery("exportui", fixups=[])
app.config_from_object(settings, namespace="CELERY")


def main() -> None:
    """Runs until it is ended; there is nothing to remember, so nothing is written down."""
    dictConfig(settings.LOGGING)
    Service(app, max_interval=60, scheduler_cls=Scheduler).start()


if __name__ == "__main__":
    main()
