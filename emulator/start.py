"""Plant the start data: one tenant, two sandboxes with all they hold, a month of jobs, some under way."""

from __future__ import annotations

from random import Random

from django.conf import settings
from django.db import transaction

from emulator import inventory, jobs, stores
from emulator.clock import now_ms
from emulator.history import RUNNING, Historian
from emulator.models import (
    Batch,
    Dataset,
    Evaluation,
    Job,
    MergePolicy,
    Namespace,
    Sandbox,
    Segment,
    Tenant,
    Token,
)
from emulator.stock import Stock

SANDBOXES = (("prod", "Production", "production", True), ("dev", "Development", "development", False))


def plant_once() -> None:
    """At the first start in a data directory; what is there already stays."""
    if not Tenant.objects.exists():
        plant()


@transaction.atomic
def plant() -> None:
    """Replace everything by the start data. The same seed gives the same ids and the same credential.

    A profile store that is missing is made meanwhile. Raises `pool.WorkFailed`.
    """
    for model in (Evaluation, Batch, Job, Token, Dataset, Segment, MergePolicy, Namespace, Sandbox, Tenant):
        model.objects.all().delete()
    rng = Random(settings.SEED)
    tenant = Tenant.objects.create(
        org_id=f"{rng.getrandbits(96):024X}@AdobeOrg",
        client_id=f"emulator-{rng.getrandbits(64):016x}",
        client_secret=f"local-{rng.getrandbits(128):032x}",
    )
    sandboxes = [_sandbox(tenant.org_id, place, rng) for place in SANDBOXES]
    stores.prepare(now_ms())
    historian = Historian(
        sandboxes=sandboxes,
        org_id=tenant.org_id,
        first_id=tenant.last_job_id,
        now_ms=now_ms(),
        rng=rng,
    )
    historian.save_month(settings.START_JOBS)
    Tenant.objects.update(last_job_id=historian.number)
    for _ in range(min(RUNNING, settings.START_JOBS)):
        _launch_running(sandboxes, rng)


def _launch_running(sandboxes: list[Sandbox], rng: Random) -> None:
    """One that came a moment ago, and goes slowly, so that it is still under way when somebody looks."""
    slow = settings.SPEED / 4
    age_ms = round(rng.uniform(60, 450) * 1000 / slow)
    sandbox = rng.choices(sandboxes, [3, 1])[0]
    payload = Stock.of(sandbox).usual_payload(rng)
    jobs.launch(sandbox, payload, now_ms=now_ms() - age_ms, outcome={}, speed=slow)


def _sandbox(org_id: str, place: tuple[str, str, str, bool], rng: Random) -> Sandbox:
    name, title, kind, is_default = place
    sandbox = Sandbox.objects.create(name=name, title=title, kind=kind, is_default=is_default)
    at_ms = now_ms()
    policies = inventory.policies(sandbox, org_id=org_id, now_ms=at_ms, rng=rng)
    policy_ids = [policy.policy_id for policy in policies]
    segments = inventory.segments(sandbox, policy_ids=policy_ids, org_id=org_id, now_ms=at_ms, rng=rng)
    datasets = inventory.datasets(sandbox, policy_ids=policy_ids, org_id=org_id, now_ms=at_ms, rng=rng)
    inventory.order_sources(policies, datasets)
    MergePolicy.objects.bulk_create(policies)
    Segment.objects.bulk_create(segments)
    Dataset.objects.bulk_create(datasets)
    Namespace.objects.bulk_create(inventory.namespaces(sandbox, now_ms=at_ms))
    return sandbox
