"""Giving work to a worker: after the transaction, by the row's id, and never the only trace of it."""

from __future__ import annotations

import logging

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

log = logging.getLogger(__name__)

SEND_LAUNCH = "jobs.tasks.send_launch"
SEND_CANCEL = "jobs.tasks.send_cancel"


def hand_over(task: str, row_id: int) -> None:
    """Tell a worker of a row once the transaction that wrote it is through.

    When the broker is away nothing is lost: the tick finds what was not sent and hands it over again.
    """
    transaction.on_commit(lambda: _deliver(task, row_id))


def _deliver(task: str, row_id: int) -> None:
    try:
        current_app.send_task(task, (row_id,), retry=False)
    except OperationalError:
        log.warning("the broker is away; %s of %s waits for the tick", task, row_id)
