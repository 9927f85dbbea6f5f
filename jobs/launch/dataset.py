"""Making a dataset that exports can be written to."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from jobs.client.api import UNION_SCHEMA
from jobs.connect import client_for
from jobs.models import Activity, CatalogEntry, EntryKind, Sandbox, Verb


def create_dataset(sandbox: Sandbox, name: str, *, actor: Any, now: datetime) -> CatalogEntry:
    """Create it on the platform, on the union schema, and remember its name; raises PlatformError.

    The request is sent once. The next look-up of names finds the dataset even if we could not note it here.
    """
    dataset_id = client_for(sandbox).create_dataset(name)
    with transaction.atomic():
        entry, _ = CatalogEntry.objects.update_or_create(
            sandbox=sandbox,
            kind=EntryKind.DATASET,
            remote_id=dataset_id,
            defaults={
                "name": name,
                "usable": True,
                "seen_at": now,
                "details": {"schema_id": UNION_SCHEMA, "last_batch_status": "", "is_system": False},
            },
        )
        Activity.note(
            Verb.DATASET_CREATED,
            at=now,
            actor=actor,
            target=name,
            sandbox=sandbox,
            after={"dataset_id": dataset_id, "name": name, "sandbox": sandbox.ref},
        )
    return entry
