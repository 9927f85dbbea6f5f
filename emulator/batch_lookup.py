"""Batches looked up: those of a sandbox, one of them, the newest of each dataset."""

from __future__ import annotations

from django.db.models import Max, QuerySet

from emulator.models import Batch, Sandbox
from emulator.refusals import foundation


def all_in(sandbox: Sandbox) -> QuerySet[Batch]:
    return Batch.objects.filter(sandbox=sandbox).select_related("dataset")


def one(sandbox: Sandbox, batch_id: str) -> Batch:
    """The batch, or 404 in the catalog's words."""
    found = all_in(sandbox).filter(batch_id=batch_id).first()
    if found is None:
        raise foundation(404, f"Batch not found: {batch_id[:60]}")
    return found


def newest_of_each(found: QuerySet[Batch]) -> QuerySet[Batch]:
    """The newest of each dataset."""
    newest = found.order_by().values("dataset").annotate(newest=Max("pk")).values("newest")
    return found.filter(pk__in=newest)
