"""What can be exported from a sandbox, held in memory while jobs are planned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from emulator.models import UNION_SCHEMA, Dataset, MergePolicy, Sandbox, Segment
from emulator.planning import CURRENT

FIELDS = (
    "identityMap",
    "identityMap,person.name,personalEmail.address",
    "personalEmail.address,consents.marketing.email",
    "identityMap,loyalty.tier,loyalty.points",
    "",
)
FOREIGN_SEGMENT_PROFILES = 0  # of another namespace than ours: nobody here is in it


@dataclass(frozen=True, slots=True)
class Stock:
    targets: list[str]
    segments: list[Segment]
    policies: list[MergePolicy]

    @classmethod
    def of(cls, sandbox: Sandbox) -> Stock:
        """Read it from the database; targets are the union-schema datasets that people use."""
        union = Dataset.objects.filter(sandbox=sandbox, schema_id=UNION_SCHEMA).order_by("pk")
        return cls(
            targets=[
                dataset.dataset_id for dataset in union if "Profile-Snapshot-Export" not in dataset.name
            ],
            segments=list(Segment.objects.filter(sandbox=sandbox).order_by("pk")),
            policies=list(MergePolicy.objects.filter(sandbox=sandbox).order_by("pk")),
        )

    def merge_policy(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """The one asked for; else that of a single segment; else the default (platform.md §2.2)."""
        if given := payload.get("mergePolicy"):
            return {"version": 1} | given
        default = next(policy.policy_id for policy in self.policies if policy.is_default)
        asked = [segment["segmentId"] for segment in payload.get("filter", {}).get("segments", [])]
        own = [s.body["mergePolicyId"] for s in self.segments if s.segment_id in asked]
        return {"id": own[0] if len(asked) == len(own) == 1 else default, "version": 1}

    def profiles(self, payload: Mapping[str, Any], rng: Random) -> int:
        """About how many profiles this export finds."""
        size_of = {segment.segment_id: segment.profiles for segment in self.segments}
        wanted = payload.get("filter", {})
        asked = [size_of.get(s["segmentId"], FOREIGN_SEGMENT_PROFILES) for s in wanted.get("segments", [])]
        everybody = 2 * max(size_of.values(), default=0)
        windowed = "fromIngestTimestamp" in wanted or "segmentQualificationTime" in wanted
        share = rng.uniform(0.05, 0.2) if windowed else rng.uniform(0.93, 1.05)
        return round((sum(asked) or everybody) * share)

    def usual_payload(self, rng: Random) -> dict[str, Any]:
        """What people here usually launch: one segment, now and then several or everybody."""
        kind = rng.choices(("one", "several", "everybody"), (80, 15, 5))[0]
        count = {"one": 1, "several": rng.randint(2, 3), "everybody": 0}[kind]
        known = [segment for segment in self.segments if segment.membership]
        asked = [{"segmentId": s.segment_id, "segmentNs": "ups"} for s in rng.sample(known, count)]
        payload: dict[str, Any] = {
            "fields": rng.choice(FIELDS),
            "filter": {"segments": [s | {"status": CURRENT} for s in asked]} if asked else {},
            "destination": {"datasetId": rng.choice(self.targets), "segmentPerBatch": kind == "several"},
            "schema": {"name": "_xdm.context.profile"},
        }
        if kind == "several":
            payload["mergePolicy"] = {"id": self.policies[0].policy_id, "version": 1}
        if rng.random() < 0.1:
            payload["additionalFields"] = {"eventList": {"fields": "_id, timestamp, web.webPageDetails.name"}}
        return payload
