"""From a job to the task of its export: what is checked when it begins, which rows and fields it means."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from emulator import evaluating, failures, lake, stores
from emulator.models import EXPORT_PERMISSION, Batch, Dataset, Job, MergePolicy, Segment, Tenant
from emulator.payload import LEGACY_POLICY
from emulator.planning import CURRENT
from emulator.store import schema

Errors = list[dict[str, str]]


def obstacle(job: Job) -> Errors | None:
    """Why this job cannot export although it was accepted, or None; checked when its export begins."""
    payload = job.asked["payload"]
    dataset = Dataset.objects.filter(dataset_id=payload["destination"]["datasetId"]).first()
    if dataset is None:
        return failures.dataset_missing(payload["destination"]["datasetId"])
    if not dataset.is_union:
        return failures.wrong_schema(dataset.dataset_id, dataset.schema_id)
    if EXPORT_PERMISSION not in Tenant.objects.get().permissions:
        return failures.not_permitted(EXPORT_PERMISSION)
    if not _evaluates(payload):
        unknown = Segment.objects.filter(segment_id__in=_segment_ids(payload), membership="").first()
        if unknown is not None:
            return failures.never_evaluated(unknown.segment_id, unknown.body["name"])
    return None


def task(job: Job, *, now_ms: int) -> dict[str, Any]:
    """What `exporter.run` needs for this job."""
    payload = job.asked["payload"]
    chosen = Segment.objects.filter(sandbox=job.sandbox, segment_id__in=_segment_ids(payload)).order_by("pk")
    evaluation = (
        evaluating.asked(job.sandbox, chosen, at_ms=now_ms) if _evaluates(payload) and chosen else None
    )
    plan = _plan(job, payload)
    batches = Batch.objects.filter(job=job).order_by("pk")
    return {
        "plan": plan,
        "evaluation": evaluation,
        "batches": [
            {
                "batch_id": batch.batch_id,
                "folder": str(lake.temporary(batch.batch_id)),
                "choices": _choices(payload, batch.segment_id, plan),
            }
            for batch in batches
        ],
    }


def _plan(job: Job, payload: Mapping[str, Any]) -> dict[str, Any]:
    """A `store.query.Plan`; fromIngestTimestamp of the filter holds for profiles and for their events."""
    wanted = payload.get("filter", {})
    events = payload.get("additionalFields", {}).get("eventList")
    window = (events or {}).get("filter", {})
    qualified = wanted.get("segmentQualificationTime", {})
    updated = _us(wanted.get("fromIngestTimestamp"))
    policy = _policy(job)
    evaluated = Segment.objects.filter(sandbox=job.sandbox).exclude(membership="")
    later = [us for us in (_us(window.get("fromIngestTimestamp")), updated) if us is not None]
    return {
        "store": str(stores.folder(job.sandbox)),
        "view": policy.policy_id,
        "apart": policy.body["identityGraph"]["type"] == "none",
        "fields": schema.split(payload.get("fields")),
        "event_fields": None if events is None else schema.split(events.get("fields")),
        "updated_after_us": updated,
        "empty": wanted.get("emptyProfiles", False),
        "qualified_from_us": _us(qualified.get("startTime")),
        "qualified_until_us": _us(qualified.get("endTime")),
        "events_after_us": max(later, default=None),
        "events_before_us": _us(window.get("toIngestTimestamp")),
        "members": dict(evaluated.values_list("segment_id", "membership")),
        "limit": job.asked["outcome"].get("profiles"),
    }


def _policy(job: Job) -> MergePolicy:
    """The one the record shows; the legacy name stands for the policy that stitches nothing."""
    policies = MergePolicy.objects.filter(sandbox=job.sandbox).order_by("pk")
    policy_id = job.asked["policy"]
    if policy_id == LEGACY_POLICY:
        return next(found for found in policies if found.body["identityGraph"]["type"] == "none")
    return policies.get(policy_id=policy_id)


def _choices(payload: Mapping[str, Any], only: str, plan: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """The segments of a batch, `only` one if it is a batch a segment; None: everybody.

    A qualification time without segments means whoever qualified for any of them at that time.
    """
    wanted = payload.get("filter", {})
    asked = wanted.get("segments", [])
    if not asked and not wanted.get("segmentQualificationTime"):
        return None
    if not asked:
        asked = [{"segmentId": segment_id} for segment_id in plan["members"]]
    return [
        {
            "id": segment["segmentId"],
            "file": plan["members"].get(segment["segmentId"]),
            "statuses": segment.get("status", CURRENT),
        }
        for segment in asked
        if only in ("", segment["segmentId"])
    ]


def _evaluates(payload: Mapping[str, Any]) -> bool:
    return bool(payload.get("evaluationInfo", {}).get("segmentation", False))


def _segment_ids(payload: Mapping[str, Any]) -> list[str]:
    return [segment["segmentId"] for segment in payload.get("filter", {}).get("segments", [])]


def _us(text: str | None) -> int | None:
    """An RFC 3339 text as epoch microseconds, also at the ends of the calendar."""
    if text is None:
        return None
    moment = datetime.fromisoformat(text.upper())
    since = (
        moment.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC) - (moment.utcoffset() or timedelta())
    )
    return since // timedelta(microseconds=1)
