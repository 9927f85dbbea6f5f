"""Looking up what a sandbox calls its datasets, segments, merge policies and namespaces."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any

from django.utils import timezone

from jobs.client.api import Client
from jobs.client.errors import PlatformError, Unreachable
from jobs.client.lookups import Dataset, MergePolicy, Namespace, Segment
from jobs.connect import client_for
from jobs.models import CatalogEntry, EntryKind, Sandbox
from jobs.rules.cadence import CATALOG_EVERY

log = logging.getLogger(__name__)

Entry = dict[str, Any]


def refresh_catalog(sandbox: Sandbox) -> int:
    """Replace the sandbox's names by what the platform lists now; returns how many there are.

    Each kind is looked up on its own: a credential that may not list datasets still gets its segments; only when
    nobody answers at all the rest is not tried. What could not be looked up keeps its last names, and the reason
    stands in `catalog_error`.
    """
    now, stored, failures = timezone.now(), 0, []
    try:
        client = client_for(sandbox)
        for kind, look_up in _lookups(client).items():
            try:
                stored += _store(sandbox, kind, look_up())
            except Unreachable:
                raise
            except PlatformError as error:
                failures.append(f"{kind.label}: {error.sentence}")
    except PlatformError as error:
        failures.append(error.sentence)
    Sandbox.objects.filter(pk=sandbox.pk).update(
        catalog_seen_at=now if stored else sandbox.catalog_seen_at,
        catalog_error=" ".join(failures),
        next_catalog_at=now + CATALOG_EVERY,
    )
    return stored


def _lookups(client: Client) -> dict[EntryKind, Callable[[], Iterable[Entry]]]:
    return {
        EntryKind.DATASET: lambda: map(_dataset, client.datasets()),
        EntryKind.SEGMENT: lambda: map(_segment, client.segments()),
        EntryKind.MERGE_POLICY: lambda: map(_merge_policy, client.merge_policies()),
        EntryKind.NAMESPACE: lambda: map(_namespace, client.namespaces()),
    }


def _store(sandbox: Sandbox, kind: EntryKind, entries: Iterable[Entry]) -> int:
    now = timezone.now()
    rows = {
        entry["remote_id"]: CatalogEntry(sandbox=sandbox, kind=kind, seen_at=now, **entry)
        for entry in entries
    }
    CatalogEntry.objects.bulk_create(
        rows.values(),
        update_conflicts=True,
        unique_fields=["sandbox", "kind", "remote_id"],
        update_fields=["name", "usable", "details", "seen_at"],
    )
    CatalogEntry.objects.filter(sandbox=sandbox, kind=kind, seen_at__lt=now).delete()
    return len(rows)


def _dataset(found: Dataset) -> Entry:
    details = {
        "schema_id": found.schema_id,
        "last_batch_status": found.last_batch_status,
        "is_system": found.is_system,
    }
    return _entry(found.dataset_id, found.name, details, usable=found.is_union and not found.is_system)


def _segment(found: Segment) -> Entry:
    kept = ("description", "merge_policy_id", "namespace", "evaluation")
    return _entry(found.segment_id, found.name, {key: getattr(found, key) for key in kept})


def _merge_policy(found: MergePolicy) -> Entry:
    details = {"version": found.version, "is_default": found.is_default}
    return _entry(found.policy_id, found.name, details)


def _namespace(found: Namespace) -> Entry:
    return _entry(found.code, found.name, {"id_type": found.id_type})


def _entry(remote_id: str, name: str, details: Entry, *, usable: bool = True) -> Entry:
    return {"remote_id": remote_id[:300], "name": name[:1000], "details": details, "usable": usable}
