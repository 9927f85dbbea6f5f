"""Names are looked up kind by kind, and kept when the platform does not give them."""

from __future__ import annotations

import pytest
from django.utils import timezone

from jobs.models import CatalogEntry, EntryKind, Sandbox
from jobs.monitor.catalog import refresh_catalog
from tests import make
from tests.remote import Remote

pytestmark = pytest.mark.django_db


@pytest.fixture
def sandbox(remote: Remote) -> Sandbox:
    return make.connected(remote)


def named(sandbox: Sandbox, kind: EntryKind) -> set[str]:
    return {entry.remote_id for entry in CatalogEntry.objects.of(sandbox, kind)}


def test_names_of_every_kind_are_stored(remote: Remote, sandbox: Sandbox) -> None:
    assert refresh_catalog(sandbox) == CatalogEntry.objects.count()
    assert remote.credentials["dataset_id"] in named(sandbox, EntryKind.DATASET)
    assert remote.credentials["segment_id"] in named(sandbox, EntryKind.SEGMENT)
    assert named(sandbox, EntryKind.MERGE_POLICY) and "Email" in named(sandbox, EntryKind.NAMESPACE)


def test_only_datasets_on_the_union_schema_are_usable(remote: Remote, sandbox: Sandbox) -> None:
    refresh_catalog(sandbox)
    datasets = CatalogEntry.objects.of(sandbox, EntryKind.DATASET)
    assert datasets.get(remote_id=remote.credentials["dataset_id"]).usable
    unusable = datasets.filter(usable=False)
    assert unusable.exists()
    assert all(
        not entry.details["schema_id"].endswith("__union") or entry.details["is_system"] for entry in unusable
    )


def test_what_cannot_be_looked_up_keeps_its_last_names_and_says_why(remote: Remote, sandbox: Sandbox) -> None:
    refresh_catalog(sandbox)
    before = named(sandbox, EntryKind.SEGMENT)
    refused = {"reply": {"status": 403, "json": {"title": "Not for you", "status": 403}}}
    remote.fault(refused, path="/data/core/ups/segment", times=None)
    refresh_catalog(Sandbox.objects.get())
    assert named(sandbox, EntryKind.SEGMENT) == before
    assert Sandbox.objects.get().catalog_error.startswith("Segment: ")
    remote.clear_faults()
    refresh_catalog(Sandbox.objects.get())
    assert Sandbox.objects.get().catalog_error == ""


def test_a_name_the_platform_no_longer_lists_is_forgotten(remote: Remote, sandbox: Sandbox) -> None:
    refresh_catalog(sandbox)
    CatalogEntry.objects.create(
        sandbox=sandbox, kind=EntryKind.SEGMENT, remote_id="left-over", seen_at=timezone.now()
    )
    refresh_catalog(Sandbox.objects.get())
    assert "left-over" not in named(sandbox, EntryKind.SEGMENT)
