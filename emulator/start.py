"""Plant the start data: one tenant, two sandboxes with all they hold, a month of jobs."""

from __future__ import annotations

from random import Random

from django.conf import settings
from django.db import transaction

from emulator import inventory
from emulator.clock import now_ms
from emulator.history import Historian
from emulator.models import Dataset, Job, MergePolicy, Namespace, Sandbox, Segment, Tenant, Token

SANDBOXES = (("prod", "Production", "production", True), ("dev", "Development", "development", False))


def plant_once() -> None:
    """At the first start in a data directory; what is there already stays."""
    if not Tenant.objects.exists():
        plant()


@transaction.atomic
def plant() -> None:
    """Replace everything by the start data. The same seed gives the same ids and the same credential."""
    for model in (Job, Token, Dataset, Segment, MergePolicy, Namespace, Sandbox, Tenant):
        model.objects.all().delete()
    rng = Random(settings.SEED)
    tenant = Tenant.objects.create(
        org_id=f"{rng.getrandbits(96):024X}@AdobeOrg",
        client_id=f"emulator-{rng.getrandbits(64):016x}",
        client_secret=f"local-{rng.getrandbits(128):032x}",
    )
    sandboxes = [_sandbox(tenant.org_id, place, rng) for place in SANDBOXES]
    historian = Historian(
        sandboxes=sandboxes,
        org_id=tenant.org_id,
        first_id=tenant.last_job_id,
        now_ms=now_ms(),
        speed=settings.SPEED,
        rng=rng,
    )
    Job.objects.bulk_create(historian.month(settings.START_JOBS), batch_size=1_000)
    tenant.last_job_id = historian.number
    tenant.save()


def _sandbox(org_id: str, place: tuple[str, str, str, bool], rng: Random) -> Sandbox:
    name, title, kind, is_default = place
    sandbox = Sandbox.objects.create(name=name, title=title, kind=kind, is_default=is_default)
    at_ms = now_ms()
    policies = inventory.policies(sandbox, org_id=org_id, now_ms=at_ms, rng=rng)
    policy_ids = [policy.policy_id for policy in policies]
    segments = inventory.segments(sandbox, policy_ids=policy_ids, org_id=org_id, now_ms=at_ms, rng=rng)
    datasets = inventory.datasets(sandbox, policy_ids=policy_ids, org_id=org_id, now_ms=at_ms, rng=rng)
    MergePolicy.objects.bulk_create(policies)
    Segment.objects.bulk_create(segments)
    Dataset.objects.bulk_create(datasets)
    Namespace.objects.bulk_create(inventory.namespaces(sandbox, now_ms=at_ms))
    return sandbox
