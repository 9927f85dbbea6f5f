"""A job's script, and what the platform's record of the job says at any moment of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

ONGOING = {"NEW", "PROCESSING", "CANCELLING"}


@dataclass(frozen=True, slots=True)
class Script:
    """What has happened to a job and, as far as that is known, will; in platform epoch milliseconds.

    A job that really exports gets its moments one after the other (`runner.py`): `started_ms` is None while it
    waits, `pace` says how long each step takes at least. Of a job of the past everything is known.
    `base` holds what never changes (id, echo of the request, destination); `phases` maps the name of a metric
    to `[start_ms, end_ms]`; an end of None never comes. A cancellation asked for at `cancel_ms` is through at
    `cancelled_ms`; nothing planned for later than `cancel_ms` happens.
    """

    base: dict[str, Any]
    created_ms: int
    started_ms: int | None
    end_ms: int | None
    outcome: str
    phases: dict[str, list[int | None]] = field(default_factory=dict)
    counters: dict[str, Any] = field(default_factory=dict)
    compute: dict[str, str] = field(default_factory=dict)
    errors: list[dict[str, str]] = field(default_factory=list)
    pace: dict[str, int] = field(default_factory=dict)
    cancel_ms: int | None = None
    cancelled_ms: int | None = None

    def stored(self) -> dict[str, Any]:
        """As JSON; `Script(**stored)` is the same script again."""
        return asdict(self)


def status(script: Script, now_ms: int) -> str:
    """NEW → PROCESSING → the outcome; a cancelled job → CANCELLING → CANCELLED (platform.md §2.4)."""
    if script.cancel_ms is not None and script.cancelled_ms is not None and now_ms >= script.cancel_ms:
        return "CANCELLED" if now_ms >= script.cancelled_ms else "CANCELLING"
    if script.started_ms is None or now_ms < script.started_ms:
        return "NEW"
    if script.end_ms is None or now_ms < script.end_ms:
        return "PROCESSING"
    return script.outcome


def record(script: Script, now_ms: int) -> dict[str, Any]:
    """The record as the platform would send it now (shape of platform.md §2.3)."""
    state = status(script, now_ms)
    shown = dict(script.base)
    shown |= {
        "status": state,
        "computeGatewayJobId": _compute(script, now_ms),
        "metrics": _metrics(script, now_ms),
        "updateTime": max(
            moment for moment in milestones(script) if moment <= max(now_ms, script.created_ms)
        ),
    }
    if script.errors and state == script.outcome:
        shown["errors"] = script.errors
    return shown


def next_change_ms(script: Script, now_ms: int) -> int | None:
    """When the record changes next, or None: it is as it will stay."""
    return min((moment for moment in milestones(script) if moment > now_ms), default=None)


def milestones(script: Script) -> list[int]:
    """Every moment at which the record changes."""
    planned = [script.started_ms, script.end_ms, *(edge for span in script.phases.values() for edge in span)]
    until = script.cancel_ms
    happening = [edge for edge in planned if edge is not None and (until is None or edge < until)]
    cancelling = [edge for edge in (script.cancel_ms, script.cancelled_ms) if edge is not None]
    return [script.created_ms, *happening, *cancelling]


def _metrics(script: Script, now_ms: int) -> dict[str, Any]:
    """Phases as far as they have come: only a start while one runs; counters when the job has succeeded."""
    seen_ms = now_ms if script.cancel_ms is None else min(now_ms, script.cancel_ms)
    over_ms = script.end_ms if script.cancelled_ms is None else script.cancelled_ms
    metrics: dict[str, Any] = {"totalTime": _span(script.created_ms, over_ms, now_ms)}
    for name, (start_ms, end_ms) in script.phases.items():
        if start_ms is not None and start_ms <= seen_ms:
            metrics[name] = _span(start_ms, end_ms, seen_ms)
    if status(script, now_ms) == "SUCCEEDED":
        metrics |= script.counters
    return metrics


def _span(start_ms: int, end_ms: int | None, now_ms: int) -> dict[str, int]:
    if end_ms is None or now_ms < end_ms:
        return {"startTimeInMs": start_ms}
    return {"startTimeInMs": start_ms, "endTimeInMs": end_ms, "totalTimeInMs": end_ms - start_ms}


def _compute(script: Script, now_ms: int) -> dict[str, str]:
    """Empty until the job leaves the queue; the push job comes with the dataset write (platform.md §2.3)."""
    seen_ms = now_ms if script.cancel_ms is None else min(now_ms, script.cancel_ms - 1)
    push_ms = script.phases.get("aCPDatasetWriteTime", [None])[0]
    since = {"exportJob": script.started_ms, "pushJob": push_ms}
    return {
        name: value
        for name, value in script.compute.items()
        if (start_ms := since[name]) is not None and start_ms <= seen_ms
    }
