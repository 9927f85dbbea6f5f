"""What happens to export jobs: launched, moved on by the clock, paged through, cancelled."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet

from emulator import planning, runner
from emulator.models import Batch, Dataset, Job, Sandbox, Tenant
from emulator.progress import record
from emulator.stock import Stock


@transaction.atomic
def launch(
    sandbox: Sandbox,
    payload: Mapping[str, Any],
    *,
    now_ms: int,
    outcome: Mapping[str, Any],
    request_id: str = "",
    speed: float | None = None,
) -> Job:
    """A new job from a checked payload, with its batches; it will really export.

    outcome: what was ordered for it. `code` (one of `failures.CODES`) fails it, `never` keeps it in
    PROCESSING, `warn` lets it succeed with an error entry, `profiles` is how many it exports at most,
    `miscount` is added to its own counter, so that this contradicts its files. With a `speed` of its own a job
    takes no place among those that run at once.
    """
    Tenant.objects.update(last_job_id=F("last_job_id") + 1)
    tenant = Tenant.objects.get()
    number = tenant.last_job_id
    rng = Random(f"{settings.SEED}/{number}")
    stock = Stock.of(sandbox)
    policy = stock.merge_policy(payload)
    script = planning.wait(
        number,
        payload=payload,
        org_id=tenant.org_id,
        merge_policy=policy,
        profiles=stock.profiles(payload, rng),
        created_ms=now_ms,
        speed=speed or settings.SPEED,
        rng=rng,
        request_id=request_id,
    )
    job = Job.objects.create(
        remote_id=str(number),
        sandbox=sandbox,
        created_ms=now_ms,
        status="NEW",
        record=record(script, now_ms),
        script=script.stored(),
        asked={
            "payload": payload,
            "outcome": dict(outcome),
            "policy": policy["id"],
            "stage": "waiting",
            "apart": speed is not None,
        },
        next_change_ms=now_ms + script.pace["queue"],
    )
    dataset = Dataset.objects.get(dataset_id=payload["destination"]["datasetId"])
    Batch.objects.bulk_create(batches(job, script.base["destination"], dataset))
    transaction.on_commit(runner.wake)
    return job


def batches(job: Job, destination: Mapping[str, Any], dataset: Dataset) -> list[Batch]:
    """Not saved: one for each batch that the record's destination names, still loading."""
    named = destination.get("batches") or [{"batchId": destination.get("batchId", "")}]
    return [
        Batch(
            batch_id=told["batchId"],
            sandbox=job.sandbox,
            dataset=dataset,
            job=job,
            segment_id=told.get("segmentId", ""),
            created_ms=job.created_ms,
            updated_ms=job.created_ms,
        )
        for told in named
        if told["batchId"]
    ]


def settle(now_ms: int) -> None:
    """Bring every job whose record has changed meanwhile up to the clock."""
    runner.settle(now_ms)


def visible(sandbox: Sandbox) -> QuerySet[Job]:
    return Job.objects.filter(sandbox=sandbox, gone=False)


def newest(sandbox: Sandbox, *, of_status: str = "") -> QuerySet[Job]:
    """Newest first, of this status if one is given."""
    jobs = visible(sandbox).order_by("-created_ms", "-pk")
    return jobs.filter(status=of_status) if of_status else jobs


def behind(jobs: QuerySet[Job], *, created_ms: int, remote_id: str) -> QuerySet[Job]:
    """Those older than the named one, which may itself have vanished since."""
    anchor = Job.objects.filter(remote_id=remote_id, created_ms=created_ms).order_by("pk").first()
    older = Q(created_ms__lt=created_ms)
    return jobs.filter(older | Q(created_ms=created_ms, pk__lt=anchor.pk) if anchor else older)


def cancel(job_pk: int, now_ms: int) -> str:
    """Mark for cancelling and return the status it had; one that is over or marked already stays as it is."""
    with runner.lock, transaction.atomic():
        job = Job.objects.get(pk=job_pk)
        before = job.status
        if before in ("NEW", "PROCESSING"):
            if job.script:
                runner.cancel(job, now_ms)
            else:
                _mark(job)
    return before


def _mark(job: Job) -> None:
    """A record that was put in from outside has no script: it stays CANCELLING until somebody changes it."""
    job.status = "CANCELLING"
    job.record = (job.record or {}) | {"status": job.status}
    job.save()
