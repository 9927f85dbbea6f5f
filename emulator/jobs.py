"""What happens to export jobs: launched, moved on by the clock, paged through, cancelled.

Nothing runs in the background. Whoever reads first brings the stored records up to the clock (`settle`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from random import Random
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet

from emulator import failures, planning
from emulator.history import row
from emulator.models import Dataset, Job, Sandbox, Tenant
from emulator.planning import Ending
from emulator.progress import ONGOING, Script, next_change_ms, record, status
from emulator.stock import Stock


@transaction.atomic
def launch(
    sandbox: Sandbox,
    payload: Mapping[str, Any],
    *,
    now_ms: int,
    ending: Callable[[int, Random], Ending],
    request_id: str = "",
    profiles: int | None = None,
) -> Job:
    """A new job from a checked payload, ending as told, or failed if its target is off the union schema."""
    Tenant.objects.update(last_job_id=F("last_job_id") + 1)
    tenant = Tenant.objects.get()
    number = tenant.last_job_id
    rng = Random(f"{settings.SEED}/{number}")
    stock = Stock.of(sandbox)
    dataset = Dataset.objects.get(dataset_id=payload["destination"]["datasetId"])
    end = ending(number, rng)
    if not dataset.is_union:
        end = Ending("FAILED", failures.wrong_schema(dataset.dataset_id, dataset.schema_id))
    script = planning.plan(
        number,
        payload=payload,
        org_id=tenant.org_id,
        merge_policy=stock.merge_policy(payload),
        profiles=stock.profiles(payload, rng) if profiles is None else profiles,
        created_ms=now_ms,
        ending=end,
        speed=settings.SPEED,
        rng=rng,
        request_id=request_id,
    )
    job = row(script, sandbox, now_ms)
    job.save()
    return job


def ordered_ending(outcome: Mapping[str, Any]) -> Callable[[int, Random], Ending]:
    """How the jobs of people here end: well, unless a fault rule says otherwise.

    outcome: `code` (one of `failures.CODES`) fails it, `never` keeps it in PROCESSING, `warn` lets it succeed
    with an error entry. (`profiles`, how many it finds, is read by the view.)
    """

    def ending(number: int, rng: Random) -> Ending:
        if code := outcome.get("code"):
            return planning.failure(code, number=number, rng=rng)
        return Ending(
            never=outcome.get("never", False), errors=failures.warning() if outcome.get("warn") else []
        )

    return ending


def settle(now_ms: int) -> None:
    """Bring every job whose record has changed meanwhile up to the clock."""
    due = Job.objects.filter(next_change_ms__lte=now_ms)
    if not due.exists():
        return
    with transaction.atomic():
        moved = list(due)
        for job in moved:
            _show(job, Script(**job.script), now_ms)
        Job.objects.bulk_update(moved, ["status", "record", "script", "next_change_ms"], batch_size=100)


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


@transaction.atomic
def cancel(job_pk: int, now_ms: int) -> str:
    """Mark for cancelling and return the status it had; one that is over or marked already stays as it is."""
    job = Job.objects.get(pk=job_pk)
    script = Script(**job.script) if job.script else None
    before = status(script, now_ms) if script else job.status
    if before in ("NEW", "PROCESSING"):
        done_ms = now_ms + round(1000 * planning.CANCEL_PLATFORM_S / settings.SPEED)
        if script:
            _show(job, replace(script, cancel_ms=now_ms, cancelled_ms=done_ms), now_ms)
        else:
            _mark(job)
        job.save()
    return before


def _show(job: Job, script: Script, now_ms: int) -> None:
    job.record = record(script, now_ms)
    job.status = job.record["status"]
    job.script = script.stored() if job.status in ONGOING else {}
    job.next_change_ms = next_change_ms(script, now_ms)


def _mark(job: Job) -> None:
    """A record that was put in from outside has no script: it stays CANCELLING until somebody changes it."""
    job.status = "CANCELLING"
    job.record = (job.record or {}) | {"status": job.status}
