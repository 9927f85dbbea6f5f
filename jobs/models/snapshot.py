"""The history of a job: one row for each observed change, holding only what changed."""

from __future__ import annotations

from django.db import models

from jobs.models.job import STATUS_CHOICES, ExportJob
from jobs.rules.changes import Change
from jobs.rules.status import LOOK, JobStatus, Look


class JobSnapshot(models.Model):
    """A moment at which the record differed from before; `changes` is a list of [path, before, after].

    The first snapshot of a job has no changes: it says what we met.
    """

    job = models.ForeignKey(ExportJob, on_delete=models.CASCADE, related_name="snapshots", db_index=False)
    seen_at = models.DateTimeField()
    status = models.CharField(max_length=16, choices=STATUS_CHOICES)
    changes = models.JSONField(default=list)

    class Meta:
        ordering = ["seen_at", "id"]
        indexes = [models.Index(fields=["job", "seen_at"], name="snapshot_job_seen")]

    def __str__(self) -> str:
        return f"{self.status} at {self.seen_at:%Y-%m-%d %H:%M:%S}"

    @property
    def look(self) -> Look:
        return LOOK[JobStatus(self.status)]

    @property
    def differences(self) -> list[Change]:
        return [Change(*change) for change in self.changes]
