"""Evaluate segments: what to ask of the engine, and what its answer changes here."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction

from emulator import stores
from emulator.models import Evaluation, MergePolicy, Sandbox, Segment


def asked(sandbox: Sandbox, segments: Iterable[Segment], *, at_ms: int) -> dict[str, Any]:
    """The arguments of `store.segments.evaluate`; new files are named by the moment."""
    chosen = list(segments)
    policies = MergePolicy.objects.filter(sandbox=sandbox)
    return {
        "store": str(stores.folder(sandbox)),
        "rules": [stores.rule(segment) for segment in chosen],
        "policies": {found.policy_id: stores.policy(found) for found in policies},
        "before": {segment.segment_id: segment.membership for segment in chosen if segment.membership},
        "at_ms": at_ms,
        "took_ms": 1_000,
        "run": str(at_ms),
    }


def shown_id(evaluation_pk: int) -> str:
    """The id of a segment job as clients see it."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"evaluation/{evaluation_pk}"))


@transaction.atomic
def note(
    sandbox: Sandbox,
    found: Mapping[str, dict[str, Any]],
    *,
    started_ms: int,
    ended_ms: int,
    segment: Segment | None = None,
) -> Evaluation:
    """Take up new memberships and record the run that found them."""
    for known in Segment.objects.filter(sandbox=sandbox, segment_id__in=list(found)):
        told = found[known.segment_id]
        known.membership, known.profiles, known.evaluated_ms = told["file"], told["members"], started_ms
        known.save(update_fields=["membership", "profiles", "evaluated_ms"])
    return Evaluation.objects.create(
        sandbox=sandbox,
        segment=segment,
        started_ms=started_ms,
        ended_ms=ended_ms,
        status="SUCCEEDED",
        source=Evaluation.Source.API,
        counts={key: told["members"] for key, told in found.items()},
        by_status={key: told["by_status"] for key, told in found.items()},
    )
