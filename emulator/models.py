"""What the emulated platform remembers: a tenant, its sandboxes, what can be exported, the export jobs."""

from __future__ import annotations

from django.db import models

UNION_SCHEMA = "https://ns.adobe.com/xdm/context/profile__union"


class Tenant(models.Model):
    """The one organisation and its one credential; the secret is a toy, shown to everyone who asks."""

    org_id = models.CharField(max_length=80)
    client_id = models.CharField(max_length=80)
    client_secret = models.CharField(max_length=80)
    last_job_id = models.BigIntegerField(default=24_000)
    clock_offset_ms = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return self.org_id


class Sandbox(models.Model):
    name = models.CharField(max_length=64, unique=True)
    title = models.CharField(max_length=128)
    kind = models.CharField(max_length=20)
    region = models.CharField(max_length=10, default="VA7")
    is_default = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.name


class Token(models.Model):
    """An access token, by the SHA-256 of its text."""

    digest = models.CharField(max_length=64, unique=True)
    expires_ms = models.BigIntegerField()

    def __str__(self) -> str:
        return self.digest[:8]


class Dataset(models.Model):
    dataset_id = models.CharField(max_length=64, unique=True)
    sandbox = models.ForeignKey(Sandbox, models.CASCADE)
    name = models.CharField(max_length=512)
    schema_id = models.CharField(max_length=512)
    body = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["sandbox", "name"], name="one_dataset_of_a_name")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_union(self) -> bool:
        return self.schema_id == UNION_SCHEMA


class Segment(models.Model):
    """A segment definition; `profiles` is about how many qualify, which decides the counters of an export."""

    segment_id = models.CharField(max_length=64, unique=True)
    sandbox = models.ForeignKey(Sandbox, models.CASCADE)
    profiles = models.BigIntegerField()
    body = models.JSONField()

    def __str__(self) -> str:
        return self.segment_id


class MergePolicy(models.Model):
    policy_id = models.CharField(max_length=64, unique=True)
    sandbox = models.ForeignKey(Sandbox, models.CASCADE)
    is_default = models.BooleanField(default=False)
    body = models.JSONField()

    def __str__(self) -> str:
        return self.policy_id


class Namespace(models.Model):
    sandbox = models.ForeignKey(Sandbox, models.CASCADE)
    body = models.JSONField()

    def __str__(self) -> str:
        return str(self.body["code"])


class Job(models.Model):
    """An export job: its record as the platform shows it now, and the script that says how it will go on.

    `script` is empty for a job that is over or was put in from outside; `next_change_ms` is when the script
    changes the record next. `gone` marks a job that vanished: it is not shown any more, but a list that was
    being read when it went can still be read on.
    """

    remote_id = models.CharField(max_length=128, db_index=True)
    sandbox = models.ForeignKey(Sandbox, models.CASCADE)
    created_ms = models.BigIntegerField()
    status = models.CharField(max_length=40)
    record = models.JSONField(null=True)
    script = models.JSONField(default=dict)
    next_change_ms = models.BigIntegerField(null=True, db_index=True)
    gone = models.BooleanField(default=False)

    class Meta:
        indexes = [
            models.Index(fields=["sandbox", "-created_ms", "-id"], name="job_newest_first"),
            models.Index(fields=["sandbox", "status", "-created_ms", "-id"], name="job_newest_of_status"),
        ]

    def __str__(self) -> str:
        return self.remote_id
