"""Plan a job: from what was asked, how it shall end, and a seeded random, to its whole script."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import UUID

from emulator import failures
from emulator.progress import Script

ECHOED = ("fields", "filter", "additionalFields", "evaluationInfo", "properties")
SHARES = {"ECID": (0.80, 0.97), "Email": (0.50, 0.75), "CRMID": (0.35, 0.55), "Phone": (0.10, 0.25)}
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
CANCEL_PLATFORM_S = 45
CURRENT = ["realized", "existing"]  # the statuses that count unless said otherwise: who is in the segment now


@dataclass(frozen=True, slots=True)
class Ending:
    """How a job shall end: failed with these errors, succeeded (perhaps with some as well), or never."""

    outcome: str = "SUCCEEDED"
    errors: list[dict[str, str]] = field(default_factory=list)
    never: bool = False


def plan(
    number: int,
    *,
    payload: Mapping[str, Any],
    org_id: str,
    merge_policy: Mapping[str, Any],
    profiles: int,
    created_ms: int,
    ending: Ending,
    speed: float,
    rng: Random,
    request_id: str = "",
) -> Script:
    """The whole script of job `number`, of the past; `speed` divides every duration."""
    started_ms, phases, end_ms = _timetable(
        created_ms, profiles=profiles, ending=ending, speed=speed, rng=rng
    )
    return Script(
        base=_base(number, payload, org_id, merge_policy, created_ms, rng, request_id),
        created_ms=created_ms,
        started_ms=started_ms,
        end_ms=end_ms,
        outcome=ending.outcome,
        phases=phases,
        counters=_counters(profiles, rng),
        compute={"exportJob": random_uuid(rng), "pushJob": random_uuid(rng)},
        errors=ending.errors,
    )


def wait(
    number: int,
    *,
    payload: Mapping[str, Any],
    org_id: str,
    merge_policy: Mapping[str, Any],
    profiles: int,
    created_ms: int,
    speed: float,
    rng: Random,
    request_id: str = "",
) -> Script:
    """The script of a new job that will really export, as far as it is known: how long each step lasts at least.

    The steps are minutes at speed 1: queue, prepare, export, a gap without a name, write, finish. `fail` is
    how far into the export a failing one gets.
    """
    work_s = 180 + min(profiles, 4_000_000) / 8_000
    spans = {
        "queue": (40, 160),
        "prepare": (60, 180),
        "export": (work_s, work_s * 1.6),
        "gap": (40, 240),
        "write": (5, 60),
        "finish": (2, 10),
        "fail": (30, work_s),
    }
    return Script(
        base=_base(number, payload, org_id, merge_policy, created_ms, rng, request_id),
        created_ms=created_ms,
        started_ms=None,
        end_ms=None,
        outcome="SUCCEEDED",
        compute={"exportJob": random_uuid(rng), "pushJob": random_uuid(rng)},
        pace={name: max(1, round(1000 * rng.uniform(*span) / speed)) for name, span in spans.items()},
    )


def _base(
    number: int,
    payload: Mapping[str, Any],
    org_id: str,
    merge_policy: Mapping[str, Any],
    created_ms: int,
    rng: Random,
    request_id: str,
) -> dict[str, Any]:
    base = {
        "id": number,
        "jobType": "BATCH",
        "profileInstanceId": "ups",
        "imsOrgId": org_id,
        "schema": payload["schema"],
        "mergePolicy": dict(merge_policy),
        "destination": _destination(payload, rng),
        "creationTime": created_ms,
        "requestId": request_id or "".join(rng.choices(ALPHABET, k=32)),
    }
    return base | {name: payload[name] for name in ECHOED if name in payload}


def failure(code: str, *, number: int, rng: Random) -> Ending:
    return Ending("FAILED", failures.entries(code, job_id=number, rng=rng))


def chance(number: int, *, rng: Random, risk: float = 0.09) -> Ending:
    """Mostly success; else one of the documented failures."""
    if rng.random() >= risk:
        return Ending()
    return failure(rng.choices(failures.CODES, failures.WEIGHTS)[0], number=number, rng=rng)


def risk(rng: Random, *, share: float = 0.09) -> dict[str, str]:
    """What befalls a job of somebody else: mostly nothing, else one of the documented failures."""
    return {} if rng.random() >= share else {"code": rng.choices(failures.CODES, failures.WEIGHTS)[0]}


def random_uuid(rng: Random) -> str:
    return str(UUID(int=rng.getrandbits(128), version=4))


def _timetable(
    created_ms: int, *, profiles: int, ending: Ending, speed: float, rng: Random
) -> tuple[int, dict[str, list[int | None]], int | None]:
    """Queue, preparation, export, a gap without a name, the dataset write: about 12 minutes for most.

    A failing job gets as far as some part of the export; one that never ends stays in it.
    """

    def after(start_ms: int, least_s: float, most_s: float) -> int:
        return start_ms + max(1, round(1000 * rng.uniform(least_s, most_s) / speed))

    started_ms = after(created_ms, 40, 160)
    export_ms = after(started_ms, 60, 180)
    work_s = 180 + profiles / 8_000
    if ending.never:
        return started_ms, {"profileExportTime": [export_ms, None]}, None
    if ending.outcome == "FAILED":
        broken_ms = after(export_ms, 30, work_s)
        return started_ms, {"profileExportTime": [export_ms, broken_ms]}, after(broken_ms, 2, 8)
    exported_ms = after(export_ms, work_s, work_s * 1.6)
    write_ms = after(exported_ms, 40, 240)
    written_ms = after(write_ms, 5, 60)
    phases: dict[str, list[int | None]] = {
        "profileExportTime": [export_ms, exported_ms],
        "aCPDatasetWriteTime": [write_ms, written_ms],
    }
    return started_ms, phases, after(written_ms, 2, 10)


def _destination(payload: Mapping[str, Any], rng: Random) -> dict[str, Any]:
    """The target, with its batches from the first moment on: one, or one a segment (platform.md §2.2)."""
    asked = payload["destination"]
    per_segment = asked.get("segmentPerBatch", False)
    segments = payload.get("filter", {}).get("segments", [])
    told = {"datasetId": asked["datasetId"], "segmentPerBatch": per_segment}
    if not (per_segment and segments):
        return told | {"batchId": _batch_id(rng)}
    return told | {
        "batches": [
            {
                "segmentId": segment["segmentId"],
                "segmentNs": segment.get("segmentNs", "ups"),
                "status": segment.get("status", CURRENT),
                "batchId": _batch_id(rng),
            }
            for segment in segments
        ]
    }


def _batch_id(rng: Random) -> str:
    return f"{rng.getrandbits(128):032x}"


def _counters(profiles: int, rng: Random) -> dict[str, Any]:
    by_namespace = {code: round(profiles * rng.uniform(*share)) for code, share in SHARES.items()}
    return {
        "totalExportedProfileCounter": profiles,
        "exportedProfileByNamespaceCounter": {code: count for code, count in by_namespace.items() if count},
    }
