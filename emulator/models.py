"""What the emulated platform remembers: a tenant, its sandboxes, what can be exported, the export jobs."""

from __future__ import annotations

from django.db import models

UNION_SCHEMA = "https://ns.adobe.com/xdm/context/profile__union"
EXPORT_PERMISSION = "Export Audience for Segment"


def all_permissions() -> list[str]:
    """What the credential may do at first (platform.md §1.4); one that is taken away can be missed."""
    return [
        EXPORT_PERMISSION,
        "View Segments",
        "View Profiles",
        "View Merge Policies",
        "Manage Datasets",
    ]


class Tenant(models.Model):
    """The one organisation and its one credential; the secret is a toy, shown to everyone who asks."""

    org_id = models.CharField(max_length=80)
    client_id = models.CharField(max_length=80)
    client_secret = models.CharField(max_length=80)
    last_job_id = models.BigIntegerField(default=24_000)
    clock_offset_ms = models.BigIntegerField(default=0)
    permissions = models.JSONField(default=all_permissions)

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
    """A segment definition and what its latest evaluation found.

    `rule` is the definition as SQL over the store (`store/segments.py`); `membership` names the file with its
    members, "" while it was never evaluated; `profiles` is how many are in it.
    """

    segment_id = models.CharField(max_length=64, unique=True)
    sandbox = models.ForeignKey(Sandbox, models.CASCADE)
    profiles = models.BigIntegerField()
    body = models.JSONField()
    rule = models.TextField(default="")
    membership = models.CharField(max_length=100, default="", blank=True)
    evaluated_ms = models.BigIntegerField(null=True)

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
    changes the record next. `asked` is the payload and the ordered outcome of one that really exports.
    `gone` marks a job that vanished: it is not shown any more, but a list that was being read when it went
    can still be read on.
    """

    remote_id = models.CharField(max_length=128, db_index=True)
    sandbox = models.ForeignKey(Sandbox, models.CASCADE)
    created_ms = models.BigIntegerField()
    status = models.CharField(max_length=40)
    record = models.JSONField(null=True)
    script = models.JSONField(default=dict)
    asked = models.JSONField(default=dict)
    next_change_ms = models.BigIntegerField(null=True, db_index=True)
    gone = models.BooleanField(default=False)

    class Meta:
        indexes = [
            models.Index(fields=["sandbox", "-created_ms", "-id"], name="job_newest_first"),
            models.Index(
                fields=["sandbox", "status", "-created_ms", "-id"],
                name="job_newest_of_status",
            ),
        ]

    def __str__(self) -> str:
        return self.remote_id


class Batch(models.Model):
    """What one export writes into a dataset: `loading` from the job's first moment on, then how it ended.

    segment_id is "" unless the job makes a batch for each segment; size is in bytes; errors have the keys of
    the catalog, `{code, description, rows}`, which are others than those of a job (platform.md §5).
    """

    class Status(models.TextChoices):
        LOADING = "loading"
        SUCCESS = "success"
        FAILED = "failed"
        ABORTED = "aborted"
        DELETED = "deleted"

    batch_id = models.CharField(max_length=64, unique=True)
    sandbox = models.ForeignKey(Sandbox, models.CASCADE)
    dataset = models.ForeignKey(Dataset, models.CASCADE)
    job = models.ForeignKey(Job, models.CASCADE, null=True)
    segment_id = models.CharField(max_length=64, default="", blank=True)
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.LOADING)
    created_ms = models.BigIntegerField()
    updated_ms = models.BigIntegerField()
    rows = models.BigIntegerField(default=0)
    size = models.BigIntegerField(default=0)
    metrics = models.JSONField(default=dict)
    errors = models.JSONField(default=list)

    class Meta:
        indexes = [models.Index(fields=["dataset", "-created_ms"], name="batch_newest_of_dataset")]

    def __str__(self) -> str:
        return self.batch_id


class BatchFile(models.Model):
    """A Parquet file of a batch that succeeded: `<data dir>/lake/<sandbox>/<batch id>/<name>`."""

    batch = models.ForeignKey(Batch, models.CASCADE, related_name="files")
    file_id = models.CharField(max_length=80, unique=True)
    name = models.CharField(max_length=80)
    length = models.BigIntegerField()
    rows = models.BigIntegerField()

    def __str__(self) -> str:
        return self.file_id


class Evaluation(models.Model):
    """One run over segment definitions: of one segment, or of all that are evaluated in batch (None).

    counts: segment id → members; by_status: segment id → {status: profiles}.
    """

    class Source(models.TextChoices):
        SCHEDULER = "scheduler"
        API = "api"

    sandbox = models.ForeignKey(Sandbox, models.CASCADE)
    segment = models.ForeignKey(Segment, models.CASCADE, null=True)
    started_ms = models.BigIntegerField()
    ended_ms = models.BigIntegerField(null=True)
    status = models.CharField(max_length=20)
    source = models.CharField(max_length=20, choices=Source.choices)
    counts = models.JSONField(default=dict)
    by_status = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"{self.sandbox} {self.started_ms}"
