"""The raw record of a job, exactly as the platform last sent it."""

from __future__ import annotations

import zlib
from typing import Any, Self

import orjson
from django.db import models

from jobs.models.job import ExportJob

EXPIRED = "What the platform sent has expired."


class JobRecord(models.Model):
    """One compressed JSON document beside the narrow job row."""

    job = models.OneToOneField(ExportJob, on_delete=models.CASCADE, primary_key=True, related_name="record")
    body = models.BinaryField()
    # Sentences on what could not be understood in it.
    problems = models.JSONField(default=list)

    def __str__(self) -> str:
        return f"record of {self.job_id}"

    @classmethod
    def of(cls, job: ExportJob, raw: dict[str, Any], problems: list[str]) -> Self:
        return cls(job=job, body=pack(raw), problems=problems)

    @property
    def has_expired(self) -> bool:
        """Whether only the id and the state of what the platform sent were kept (monitor/retention.py)."""
        return bool(self.problems == [EXPIRED])

    @property
    def raw(self) -> dict[str, Any]:
        """The record as a dict, as the platform sent it."""
        return unpack(bytes(self.body))


def pack(raw: dict[str, Any]) -> bytes:
    """Compressed JSON of a record."""
    return zlib.compress(orjson.dumps(raw), 6)


def unpack(body: bytes) -> dict[str, Any]:
    """The record of a compressed JSON document."""
    raw: dict[str, Any] = orjson.loads(zlib.decompress(body))
    return raw
