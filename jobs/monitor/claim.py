"""Who does what is due: a claim is a conditional update, and only the worker whose update counts does the work."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from jobs.models import ExportJob, Sandbox
from jobs.rules.cadence import LEASE

MAX_SANDBOXES = 20
MAX_JOBS = 200


def claim_discoveries(now: datetime) -> list[int]:
    """Ids of sandboxes whose list this caller is to read now; theirs until the lease ends."""
    return _claim(
        Sandbox.objects.due(now).order_by("next_discovery_at")[:MAX_SANDBOXES], "next_discovery_at", now
    )


def claim_catalogs(now: datetime) -> list[int]:
    """Ids of readable sandboxes whose names of datasets, segments and policies this caller is to look up now."""
    due = Sandbox.objects.watched().filter(next_catalog_at__lte=now, failing_since=None)
    return _claim(due.order_by("next_catalog_at")[:MAX_SANDBOXES], "next_catalog_at", now)


def claim_jobs(now: datetime, *, sandbox: Sandbox | None = None) -> dict[int, list[int]]:
    """Ids of due jobs by sandbox that this caller is to ask for now.

    Jobs of a sandbox that cannot be read wait: reading its list is the probe that ends the outage.
    """
    due = ExportJob.objects.due(now).filter(sandbox__is_watched=True, sandbox__failing_since=None)
    if sandbox is not None:
        due = due.filter(sandbox=sandbox)
    claimed = _claim(due.order_by("next_poll_at")[:MAX_JOBS], "next_poll_at", now)
    by_sandbox: dict[int, list[int]] = defaultdict(list)
    for sandbox_id, pk in ExportJob.objects.filter(pk__in=claimed).values_list("sandbox_id", "pk"):
        by_sandbox[sandbox_id].append(pk)
    return dict(by_sandbox)


def _claim(due: QuerySet[Any], column: str, now: datetime) -> list[int]:
    """Push each row's due time ahead by the lease where it still is what we read; a lost race counts no row."""
    rows = due.model._default_manager
    return [
        pk
        for pk, at in due.values_list("pk", column)
        if rows.filter(pk=pk, **{column: at}).update(**{column: now + LEASE})
    ]
