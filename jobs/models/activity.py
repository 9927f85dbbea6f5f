"""Who did what, when, to what: one row for each thing a person or a schedule changed."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.db import models

from jobs.models.connection import Connection
from jobs.models.job import ExportJob
from jobs.models.launch import Launch
from jobs.models.sandbox import Sandbox


class Verb(models.TextChoices):
    LAUNCH_REQUESTED = "launch.requested", "asked for an export"
    LAUNCH_ACCEPTED = "launch.accepted", "export was accepted"
    LAUNCH_REJECTED = "launch.rejected", "export was rejected"
    LAUNCH_UNKNOWN = "launch.unknown", "reply to an export was lost"
    LAUNCH_FOUND = "launch.found", "found the job of a lost reply"
    CANCEL_REQUESTED = "cancel.requested", "requested cancellation"
    CANCEL_ACKNOWLEDGED = "cancel.acknowledged", "cancellation was acknowledged"
    CANCEL_FAILED = "cancel.failed", "cancellation was refused"
    RESULT_PREVIEWED = "result.previewed", "previewed rows of a result"
    RESULT_DOWNLOADED = "result.downloaded", "downloaded a file of a result"
    DATASET_CREATED = "dataset.created", "created a dataset"
    CONNECTION_CREATED = "connection.created", "added a connection"
    CONNECTION_CHANGED = "connection.changed", "changed a connection"
    CONNECTION_TESTED = "connection.tested", "tested a connection"
    SECRET_ROTATED = "connection.secret", "replaced the secret of a connection"
    SANDBOXES_CHOSEN = "connection.sandboxes", "chose the sandboxes of a connection"
    MEMBER_CHANGED = "member.changed", "changed who may use a connection"
    PERSON_CREATED = "person.created", "added a person"
    PERSON_CHANGED = "person.changed", "changed a person"
    TOKEN_CREATED = "token.created", "made an API token"
    TOKEN_REVOKED = "token.revoked", "revoked an API token"


class ActivityQuerySet(models.QuerySet["Activity"]):
    def visible_to(self, user: Any) -> Self:
        """Rows of the person's connections and the person's own; a superuser sees all."""
        if user.is_superuser and user.is_active:
            return self
        mine = models.Q(actor_id=user.pk or 0)
        return self.filter(mine | models.Q(connection__in=Connection.objects.visible_to(user)))


class Activity(models.Model):
    """One row of the audit log; never holds a secret, and outlives what it speaks of.

    `before` and `after` hold the changed fields only.
    """

    at = models.DateTimeField(db_index=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="activity"
    )
    actor_name = models.CharField(max_length=150, blank=True, default="")
    verb = models.CharField(max_length=32, choices=Verb.choices)
    target = models.CharField(max_length=300, blank=True, default="")
    reason = models.CharField(max_length=500, blank=True, default="")
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    connection = models.ForeignKey(Connection, null=True, on_delete=models.SET_NULL, related_name="activity")
    job = models.ForeignKey(ExportJob, null=True, on_delete=models.SET_NULL, related_name="activity")
    launch = models.ForeignKey(Launch, null=True, on_delete=models.SET_NULL, related_name="activity")

    objects = ActivityQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["connection", "at", "id"], name="activity_connection")]
        verbose_name_plural = "activity"

    def __str__(self) -> str:
        return f"{self.actor_name or 'the watcher'} {self.get_verb_display()} {self.target}"

    @classmethod
    def note(
        cls,
        verb: Verb,
        *,
        at: Any,
        actor: Any = None,
        target: object = "",
        sandbox: Sandbox | None = None,
        connection: Connection | None = None,
        job: ExportJob | None = None,
        launch: Launch | None = None,
        reason: str = "",
        before: dict[str, Any] | None = None,
        after: dict[str, Any] | None = None,
    ) -> Self:
        """Write a row inside the caller's transaction."""
        return cls.objects.create(
            verb=verb,
            at=at,
            actor=actor,
            actor_name=actor.get_username() if actor else "",
            target=str(target)[:300],
            connection=connection or (sandbox.connection if sandbox else None),
            job=job,
            launch=launch,
            reason=reason[:500],
            before=before or {},
            after=after or {},
        )
