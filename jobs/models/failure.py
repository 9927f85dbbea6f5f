"""Errors of jobs, and the kinds of failure they fall into."""

from __future__ import annotations

from typing import Any, Self

from django.db import models

from jobs.models.sandbox import Sandbox


class FailureQuerySet(models.QuerySet["FailureSignature"]):
    def visible_to(self, user: Any) -> Self:
        """Kinds of failure that hit at least one job the person may see."""
        return self.filter(jobs__sandbox__in=Sandbox.objects.visible_to(user)).distinct()


class FailureSignature(models.Model):
    """A kind of failure: the most specific error with everything incidental cut out (rules/fingerprint.py)."""

    digest = models.CharField(max_length=64, unique=True)
    code = models.CharField(max_length=200, blank=True, default="")
    pattern = models.CharField(max_length=300, blank=True, default="")

    objects = FailureQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.code} {self.pattern}".strip()


class JobError(models.Model):
    """One entry of a record's `errors`, in the order the platform gave them."""

    job = models.ForeignKey("jobs.ExportJob", on_delete=models.CASCADE, related_name="errors", db_index=False)
    position = models.PositiveSmallIntegerField()
    code = models.CharField(max_length=200, blank=True, default="")
    message = models.TextField(blank=True, default="")
    call_stack = models.TextField(blank=True, default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "position"], name="one_error_per_position")]
        ordering = ["position"]

    def __str__(self) -> str:
        return f"{self.code}: {self.message[:80]}"
