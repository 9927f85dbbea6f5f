"""An export job as lists need it: narrow, indexed, one row a job."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import F
from django.db.models.functions import Coalesce

from jobs.models.failure import FailureSignature
from jobs.models.sandbox import Sandbox
from jobs.rules.lateness import outcome_flags, running_flags
from jobs.rules.status import ACTIVE, LOOK, TERMINAL, Flag, JobStatus, Look

STATUS_CHOICES = [(status.value, LOOK[status].word) for status in JobStatus]
_EVER = datetime(1970, 1, 1, tzinfo=UTC)
_ACTIVE = sorted(status.value for status in ACTIVE)


class Unindexed(models.Func):
    """A column as it is, which SQLite is kept from answering by an index.

    Asked for rows in an order and in one of several places, SQLite takes the index that finds the places and sorts all
    of them; walking the order and looking at each place is what costs the same however many rows there are.
    PostgreSQL weighs both by its statistics.
    """

    arity = 1
    template = "%(expressions)s"

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return super().as_sql(compiler, connection, template="+%(expressions)s", **context)


PLACE = Unindexed(F("sandbox_id"), output_field=models.BigIntegerField())


class Stated(models.Func):
    """A condition with its values written out in the SQL: only so does SQLite see that a partial index holds it."""

    arity = 1
    output_field = models.BooleanField()
    conditional = True


WITH_ERRORS = Stated(F("error_count"), template="%(expressions)s > 0")
WITHOUT_PROFILES = Stated(F("profiles_exported"), template="%(expressions)s = 0")
UNDER_WAY = Stated(F("status"), template=f"%(expressions)s IN ({', '.join(map(repr, _ACTIVE))})")


class JobQuerySet(models.QuerySet["ExportJob"]):
    def visible_to(self, user: Any) -> Self:
        """Jobs of sandboxes the person may see: every list, count, search and file goes through here."""
        if user.is_superuser and user.is_active:
            return self
        return self.within(Sandbox.objects.visible_to(user).values("pk"))

    def within(self, sandboxes: Any) -> Self:
        """Jobs of several sandboxes, given as ids or as a query for them."""
        return self.alias(place=PLACE).filter(place__in=sandboxes)

    def active(self) -> Self:
        return self.filter(UNDER_WAY)

    def failed(self) -> Self:
        return self.filter(status=JobStatus.FAILED)

    def due(self, now: datetime) -> Self:
        """Jobs whose record should be read again."""
        return self.filter(next_poll_at__lte=now)

    def moving(self) -> Self:
        """Jobs whose record may still change; written so that the partial index of them is used."""
        return self.filter(next_poll_at__gt=_EVER)

    def named(self, identifier: str) -> Self:
        """Jobs that carry the identifier anywhere: job, batch, dataset, segment, request or gateway id."""
        return self.filter(pk__in=JobIdentifier.objects.filter(value=identifier).values("job_id"))


class ExportJob(models.Model):
    """A job of the platform (platform.md §2.3). Only `jobs/sync.py` writes what the platform says."""

    # Foreign keys have no index of their own where another one begins with them.
    sandbox = models.ForeignKey(Sandbox, on_delete=models.CASCADE, related_name="jobs", db_index=False)
    remote_id = models.CharField(max_length=200)
    status = models.CharField(max_length=16, choices=STATUS_CHOICES)
    remote_status = models.CharField(max_length=100, blank=True, default="")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    changed_at = models.DateTimeField(db_index=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    gone_at = models.DateTimeField(null=True, blank=True)
    # A reading that would move the job back waits here for a second one that says the same.
    doubt_digest = models.CharField(max_length=64, blank=True, default="")
    doubted_at = models.DateTimeField(null=True, blank=True)
    # When the platform last took something back that it had said: an older update time, or an end.
    stepped_back_at = models.DateTimeField(null=True, blank=True)
    duration_ms = models.BigIntegerField(null=True, blank=True)

    dataset_id = models.CharField(max_length=300, blank=True, default="")
    # The first few segment ids, for the list; all of them are identifiers of the job.
    segment_ids = models.JSONField(default=list)
    segment_count = models.PositiveIntegerField(default=0)
    with_events = models.BooleanField(default=False)
    profiles_exported = models.BigIntegerField(null=True, blank=True)
    error_count = models.PositiveIntegerField(default=0)
    error_line = models.CharField(max_length=300, blank=True, default="")
    failure = models.ForeignKey(
        FailureSignature,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="jobs",
        db_index=False,
    )
    request_id = models.CharField(max_length=200, blank=True, default="")

    launched_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="launched_jobs",
        db_index=False,
    )
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    cancel_acknowledged_at = models.DateTimeField(null=True, blank=True)
    cancel_error = models.TextField(blank=True, default="")

    next_poll_at = models.DateTimeField(null=True, blank=True)
    digest = models.CharField(max_length=64, blank=True, default="")

    objects = JobQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["sandbox", "remote_id"], name="one_job_per_remote_id")]
        indexes = [
            # Place and state stand in these so that a walk or a count looks at no row that it leaves out.
            models.Index(fields=["created_at", "id", "sandbox", "status"], name="job_created"),
            models.Index(fields=["sandbox", "created_at", "id", "status"], name="job_sandbox_created"),
            models.Index(fields=["status", "created_at", "id", "sandbox"], name="job_status_created"),
            models.Index(fields=["sandbox", "status", "created_at", "id"], name="job_sandbox_status"),
            models.Index(
                fields=["dataset_id", "created_at", "id", "sandbox", "status"], name="job_dataset_created"
            ),
            models.Index(
                fields=["launched_by", "created_at", "id", "sandbox", "status"], name="job_launcher_created"
            ),
            models.Index(fields=["failure", "created_at", "id"], name="job_failure_created"),
            models.Index(fields=["updated_at", "id", "sandbox", "status"], name="job_updated"),
            models.Index(
                Coalesce("duration_ms", models.Value(-1)), "id", "sandbox", "status", name="job_duration"
            ),
            models.Index(fields=["status", "ended_at", "id"], name="job_status_ended"),
            models.Index(
                fields=["created_at", "id"], name="job_active", condition=models.Q(status__in=_ACTIVE)
            ),
            models.Index(
                fields=["status", "created_at", "id", "sandbox"],
                name="job_with_errors",
                condition=models.Q(error_count__gt=0),
            ),
            models.Index(
                fields=["status", "created_at", "id", "sandbox"],
                name="job_odd_volume",
                condition=models.Q(profiles_exported=0),
            ),
            models.Index(
                fields=["next_poll_at"], name="job_due", condition=models.Q(next_poll_at__isnull=False)
            ),
            models.Index(
                fields=["sandbox", "next_poll_at"],
                name="job_moving",
                condition=models.Q(next_poll_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.remote_id} in {self.sandbox_id}"

    @property
    def state(self) -> JobStatus:
        return JobStatus(self.status)

    @property
    def look(self) -> Look:
        return LOOK[self.state]

    @property
    def is_active(self) -> bool:
        return self.state in ACTIVE

    @property
    def is_terminal(self) -> bool:
        return self.state in TERMINAL

    def flags(self, now: datetime) -> set[Flag]:
        """Conditions beside the state as of `now`."""
        if (
            self.status == JobStatus.SUCCEEDED
            and not (self.error_count or self.gone_at)
            and self.profiles_exported
        ):
            return set()  # the usual job, of which a page shows many
        timed = running_flags(self.state, created_at=self.created_at, updated_at=self.updated_at, now=now)
        ended = outcome_flags(
            self.state, error_count=self.error_count, profiles_exported=self.profiles_exported
        )
        gone = {Flag.GONE} if self.gone_at else set()
        return timed | ended | gone | ({Flag.STEPPED_BACK} if self.stepped_back_at else set())

    def elapsed_ms(self, now: datetime) -> int | None:
        """What the platform says it took; while it runs, the time since its creation."""
        if self.is_active:
            return max(0, int((now - self.created_at).total_seconds() * 1000))
        return self.duration_ms


class IdentifierKind(models.TextChoices):
    JOB = "job", "Job"
    BATCH = "batch", "Batch"
    DATASET = "dataset", "Dataset"
    SEGMENT = "segment", "Segment"
    REQUEST = "request", "Request"
    COMPUTE = "compute", "Compute gateway job"


class JobIdentifier(models.Model):
    """Every id an operator may paste, so that each is found by one index."""

    job = models.ForeignKey(ExportJob, on_delete=models.CASCADE, related_name="identifiers", db_index=False)
    kind = models.CharField(max_length=8, choices=IdentifierKind.choices)
    value = models.CharField(max_length=300)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["job", "kind", "value"], name="one_identifier_per_job")
        ]
        indexes = [models.Index(fields=["value", "kind", "job"], name="identifier_value")]

    def __str__(self) -> str:
        return f"{self.kind} {self.value}"
