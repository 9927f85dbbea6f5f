"""Counts kept beside the jobs in the same transaction, so that no page counts a table."""

from __future__ import annotations

from django.db import models

from jobs.models.job import STATUS_CHOICES
from jobs.models.sandbox import Sandbox


class JobTally(models.Model):
    """How many jobs created on a day (UTC) now stand in a state: the numbers on the tabs."""

    sandbox = models.ForeignKey(Sandbox, on_delete=models.CASCADE, related_name="job_tallies", db_index=False)
    day = models.DateField()
    status = models.CharField(max_length=16, choices=STATUS_CHOICES)
    jobs = models.IntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["sandbox", "day", "status"], name="one_tally_per_day")]
        indexes = [models.Index(fields=["day"], name="tally_day")]

    def __str__(self) -> str:
        return f"{self.jobs} {self.status} of {self.day}"


class OutcomeTally(models.Model):
    """How many jobs ended in an hour (UTC) with an outcome: the columns of the charts."""

    sandbox = models.ForeignKey(
        Sandbox, on_delete=models.CASCADE, related_name="outcome_tallies", db_index=False
    )
    hour = models.DateTimeField()
    status = models.CharField(max_length=16, choices=STATUS_CHOICES)
    jobs = models.IntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["sandbox", "hour", "status"], name="one_outcome_per_hour")
        ]
        indexes = [models.Index(fields=["hour"], name="outcome_hour")]

    def __str__(self) -> str:
        return f"{self.jobs} {self.status} at {self.hour:%Y-%m-%d %H}h"
