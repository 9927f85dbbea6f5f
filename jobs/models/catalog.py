"""What the platform calls things: names of datasets, segments, merge policies and namespaces of a sandbox."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

from django.db import models

from jobs.models.sandbox import Sandbox


class EntryKind(models.TextChoices):
    DATASET = "dataset", "Dataset"
    SEGMENT = "segment", "Segment"
    MERGE_POLICY = "merge_policy", "Merge policy"
    NAMESPACE = "namespace", "Identity namespace"


class CatalogQuerySet(models.QuerySet["CatalogEntry"]):
    def names(self, pairs: Iterable[tuple[int, str]]) -> dict[tuple[int, str], str]:
        """Names for (sandbox id, platform id) pairs in one query; unknown ones are left out."""
        wanted = {(sandbox, remote) for sandbox, remote in pairs if remote}
        rows = self.filter(sandbox_id__in={s for s, _ in wanted}, remote_id__in={r for _, r in wanted})
        found = rows.values_list("sandbox_id", "remote_id", "name")
        return {(sandbox, remote): name for sandbox, remote, name in found if name}

    def of(self, sandbox: Sandbox, kind: EntryKind) -> Self:
        return self.filter(sandbox=sandbox, kind=kind).order_by("name", "remote_id")


class CatalogEntry(models.Model):
    """One named thing of a sandbox, as last looked up; kept when the platform is down.

    `usable` is False for a dataset no export can write to (not on the union schema, platform.md §4.1), and
    `details` holds what the form shows: dataset {schema_id, last_batch_status, is_system}, segment {description,
    merge_policy_id, namespace, evaluation}, merge policy {version, is_default}, namespace {id_type}.
    """

    sandbox = models.ForeignKey(Sandbox, on_delete=models.CASCADE, related_name="catalog")
    kind = models.CharField(max_length=16, choices=EntryKind.choices)
    remote_id = models.CharField(max_length=300)
    name = models.CharField(max_length=1000, blank=True, default="")
    usable = models.BooleanField(default=True)
    details = models.JSONField(default=dict)
    seen_at = models.DateTimeField()

    objects = CatalogQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["sandbox", "kind", "remote_id"], name="one_entry_per_id")
        ]

    def __str__(self) -> str:
        return self.name or self.remote_id
