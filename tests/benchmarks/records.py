"""Records as the platform sends them, in the sizes met there (1.8 to 4.8 KB), made from a seed."""

from __future__ import annotations

import random
import uuid
from typing import Any

SEGMENT_POOL = 600
DATASETS = 40
COMMON, RARE = 0, SEGMENT_POOL - 1
_CODES = ("0090000009", "0090000010", "unknown", "23005", "0090000042", "0090000077")
_STACK = "\n".join(
    f"\tat com.adobe.platform.profile.export.Stage{n}.run(Stage{n}.scala:{40 + n})" for n in range(14)
)


def segment_id(number: int) -> str:
    return str(uuid.UUID(int=0x5E6 << 116 | number * 0x9E3779B97F4A7C15 % 2**64, version=4))


def dataset_id(number: int) -> str:
    return f"{0x5D5 << 84 | number * 0x9E3779B97F4A7C15 % 2**64:024x}"


def chosen_segments(rng: random.Random) -> list[int]:
    """4 to 23 segments; the first of the pool is in a third of all jobs."""
    some = rng.sample(range(1, SEGMENT_POOL - 1), rng.randint(4, 23) - 1)
    return [COMMON if rng.random() < 1 / 3 else rng.randrange(1, SEGMENT_POOL - 1), *some]


def record(
    number: int, status: str, segments: list[int], *, created_ms: int, updated_ms: int, dataset: int = 0
) -> dict[str, Any]:
    """One record (platform.md §2.3)."""
    ended = status in ("SUCCEEDED", "FAILED")
    took = updated_ms - created_ms
    total: dict[str, int] = {"startTimeInMs": created_ms + 900}
    if ended:
        total |= {"endTimeInMs": updated_ms, "totalTimeInMs": took}
    return {
        "id": number,
        "jobType": "BATCH",
        "status": status,
        "profileInstanceId": "ups",
        "imsOrgId": "0123456789ABCDEF01234567@AdobeOrg",
        "schema": {"name": "_xdm.context.profile"},
        "mergePolicy": {"id": "b5f1a8a3-8b3f-4c7d-9a39-0d5b6b1d7e11", "version": 1},
        "fields": "identityMap,person.name,personalEmail.address,segmentMembership,homeAddress.country,consents",
        "filter": {
            "segments": [
                {"segmentId": segment_id(one), "segmentNs": "ups", "status": ["realized", "existing"]}
                for one in segments
            ]
        },
        "additionalFields": {
            "eventList": {"fields": "_id,eventType,timestamp", "filter": {"toIngestTimestamp": "now"}}
        },
        "destination": {
            "datasetId": dataset_id(dataset),
            "segmentPerBatch": False,
            "batchId": f"01B{number:023d}",
        },
        "updateTime": updated_ms,
        "creationTime": created_ms,
        "requestId": f"{number:08d}-4d3e-4b0a-9d55-6f6e00000000",
        "computeGatewayJobId": {"exportJob": f"{number:08d}-cccc-4000-8000-000000000000", "pushJob": ""},
        "metrics": {
            "totalTime": total,
            "profileExportTime": {"startTimeInMs": created_ms + 1000}
            | ({"endTimeInMs": updated_ms - 800, "totalTimeInMs": took - 1800} if ended else {}),
            "totalExportedProfileCounter": number % 90_000 + 1,
            "exportedProfileByNamespaceCounter": {"ECID": number % 60_000, "Email": number % 30_000},
        },
    } | ({"errors": errors(number)} if status == "FAILED" else {})


def errors(number: int) -> list[dict[str, str]]:
    code = _CODES[number % len(_CODES)]
    return [
        {
            "code": code,
            "msg": f"Error writing profiles to output path 'adl://store/snapshot/{number}'",
            "callStack": _STACK,
        },
        {
            "code": "unknown",
            "msg": "Job aborted.",
            "callStack": "org.apache.spark.SparkException: Job aborted.",
        },
    ]
