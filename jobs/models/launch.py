"""A wish to export, written down before it is sent, with what became of it."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.db import models

from jobs.models.job import ExportJob
from jobs.models.sandbox import Sandbox


class LaunchState(models.TextChoices):
    """QUEUED is not sent yet; UNKNOWN was sent and the reply was lost, so it is never sent again by itself."""

    QUEUED = "queued", "Queued"
    SENDING = "sending", "Sending"
    ACCEPTED = "accepted", "Accepted"
    REJECTED = "rejected", "Rejected"
    UNKNOWN = "unknown", "Unknown"


class LaunchQuerySet(models.QuerySet["Launch"]):
    def visible_to(self, user: Any) -> Self:
        return self.filter(sandbox__in=Sandbox.objects.visible_to(user))


class Launch(models.Model):
    """One create request: at most one POST to the platform, and the job it made."""

    sandbox = models.ForeignKey(Sandbox, on_delete=models.CASCADE, related_name="launches")
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="launches"
    )
    # Chosen by whoever asks; the same key twice in a sandbox is the same launch.
    key = models.CharField(max_length=100)
    payload = models.JSONField()
    digest = models.CharField(max_length=64, db_index=True)
    # Sent as x-request-id; the platform may echo it in the record, which is how a lost reply is found again.
    request_id = models.CharField(max_length=64, unique=True)
    state = models.CharField(max_length=8, choices=LaunchState.choices, default=LaunchState.QUEUED)
    requested_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    # The refusal in the platform's words and in ours: {sentence, detail, status, code, request_id}, and `has_left`:
    # whether the request itself went out, or nothing but the call for a token.
    error = models.JSONField(default=dict)
    job = models.OneToOneField(
        ExportJob, null=True, blank=True, on_delete=models.SET_NULL, related_name="launch"
    )

    objects = LaunchQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["sandbox", "key"], name="one_launch_per_key")]
        indexes = [models.Index(fields=["state", "requested_at"], name="launch_state")]

    def __str__(self) -> str:
        return f"launch {self.pk} ({self.state})"

    @property
    def is_settled(self) -> bool:
        return self.state in (LaunchState.ACCEPTED, LaunchState.REJECTED)
