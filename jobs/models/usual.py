"""How long a job of a kind usually takes: the middle of the last twenty into the same dataset that succeeded."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from statistics import median_low
from typing import Protocol

from jobs.models.job import ExportJob
from jobs.rules.status import JobStatus

_LAST = 20
_ENOUGH = 3
_REMEMBERED_S = 600


class Alike(Protocol):
    """What tells which jobs a job is like, and when it began."""

    @property
    def sandbox_id(self) -> int: ...
    @property
    def dataset_id(self) -> str: ...
    @property
    def created_at(self) -> datetime: ...


def usual_end(job: Alike, now: datetime) -> datetime | None:
    """When jobs like this one have usually ended; None without a dataset, or with less than three to go by."""
    if not job.dataset_id:
        return None
    usual = usual_ms(job.sandbox_id, job.dataset_id, int(now.timestamp()) // _REMEMBERED_S)
    return None if usual is None else job.created_at + timedelta(milliseconds=usual)


@lru_cache(maxsize=1000)
def usual_ms(sandbox_id: int, dataset_id: str, ten_minutes: int) -> int | None:
    """The usual duration; remembered by the process for ten minutes: the third argument changes with them."""
    ended = ExportJob.objects.filter(
        sandbox_id=sandbox_id,
        dataset_id=dataset_id,
        status=JobStatus.SUCCEEDED,
        duration_ms__isnull=False,
    )
    last = ended.order_by("-created_at", "-id").values_list("duration_ms", flat=True)[:_LAST]
    took = [duration_ms for duration_ms in last if duration_ms is not None]
    return min(median_low(took), 10**12) if len(took) >= _ENOUGH else None
