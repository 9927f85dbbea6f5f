"""The history of a job for reading: newest first, each change in words, readings without news folded."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, NamedTuple

from jobs.models import ExportJob, JobSnapshot
from jobs.rules.changes import MAX_CHANGES, Change
from jobs.rules.duration import human
from jobs.rules.status import Look
from jobs.templatetags.jinja import exact, from_ms, thousands

SHOWN = 200
LONG = 90
_FRESH = timedelta(seconds=90)
_NOISE = frozenset({"updateTime"})
_MOMENTS = frozenset({"creationTime", "updateTime", "startTimeInMs", "endTimeInMs"})
_COUNTERS = ("metrics.totalExportedProfileCounter", "metrics.exportedProfileByNamespaceCounter")
_ENDED = {
    "succeeded": ", when it had already succeeded",
    "failed": ", when it had already failed",
    "cancelled": ", when it had already been cancelled",
}
_LABELS = {
    "status": "Status",
    "updateTime": "Updated",
    "requestId": "Request id",
    "destination.batchId": "Batch",
    "metrics.totalTime.startTimeInMs": "Started",
    "metrics.totalTime.endTimeInMs": "Ended",
    "metrics.totalTime.totalTimeInMs": "Total time",
    "metrics.profileExportTime.startTimeInMs": "Profile export started",
    "metrics.profileExportTime.endTimeInMs": "Profile export ended",
    "metrics.profileExportTime.totalTimeInMs": "Profile export took",
    "metrics.aCPDatasetWriteTime.startTimeInMs": "Dataset write started",
    "metrics.aCPDatasetWriteTime.endTimeInMs": "Dataset write ended",
    "metrics.aCPDatasetWriteTime.totalTimeInMs": "Dataset write took",
    "metrics.totalExportedProfileCounter": "Profiles exported",
    "computeGatewayJobId.exportJob": "Compute job of the export",
    "computeGatewayJobId.pushJob": "Compute job of the push",
    "errors": "Errors",
}


class Difference(NamedTuple):
    """One changed path in words; `is_long` asks the page to fold the values."""

    label: str
    path: str
    before: str
    after: str
    is_long: bool


class Entry(NamedTuple):
    """A line of the history: one snapshot, or a run of them in which nothing but the update time moved."""

    anchors: list[str]
    look: Look
    at: datetime
    story: str
    differences: list[Difference]
    is_quiet: bool


def history(snapshots: Sequence[JobSnapshot], job: ExportJob, *, launched_here: bool) -> list[Entry]:
    """Entries of a job's snapshots, given newest first and answered newest first."""
    entries = []
    for (_, quiet), group in groupby(snapshots, key=lambda each: (each.status, _is_quiet(each))):
        run = list(group)
        if quiet:
            entries.append(_quiet(run))
        else:
            entries += [_entry(snapshot, job, launched_here) for snapshot in run]
    return entries


def first_meeting(snapshot: JobSnapshot, job: ExportJob, *, launched_here: bool) -> str:
    """How the history begins: what happened before we looked is not in it, and the page says so."""
    if launched_here:
        return "Launched from here; this is how it was first seen."
    late = snapshot.seen_at - job.created_at
    if late < _FRESH:
        return "First seen here, just after its creation."
    word = snapshot.look.word.lower()
    since = human(int(late.total_seconds() * 1000))
    if snapshot.look.role in ("waiting", "running", "cancelling"):
        met = f"Adopted while it was already {word}, {since} after its creation."
    else:
        met = f"First seen {since} after its creation{_ENDED.get(snapshot.look.role, '')}."
    return f"{met} What happened before is not known here."


def _entry(snapshot: JobSnapshot, job: ExportJob, launched_here: bool) -> Entry:
    story = "" if snapshot.changes else first_meeting(snapshot, job, launched_here=launched_here)
    if len(snapshot.changes) == MAX_CHANGES:
        story = f"More changed than is kept: these are the first {MAX_CHANGES} differences."
    shown = [difference(change) for change in snapshot.differences]
    return Entry([_anchor(snapshot)], snapshot.look, snapshot.seen_at, story, shown, is_quiet=False)


def _quiet(run: list[JobSnapshot]) -> Entry:
    times = "once" if len(run) == 1 else f"{len(run)} times since {exact(run[-1].seen_at)}"
    story = f"The record was touched {times}: only its update time moved."
    return Entry([_anchor(each) for each in run], run[0].look, run[0].seen_at, story, [], is_quiet=True)


def _is_quiet(snapshot: JobSnapshot) -> bool:
    return bool(snapshot.changes) and all(change.path in _NOISE for change in snapshot.differences)


def _anchor(snapshot: JobSnapshot) -> str:
    return f"s-{snapshot.pk}"


def difference(change: Change) -> Difference:
    """A change in words: known times as times, sums as durations, counters with their thousands."""
    before, after = said(change.path, change.before), said(change.path, change.after)
    return Difference(_label(change.path), change.path, before, after, max(len(before), len(after)) > LONG)


def _label(path: str) -> str:
    counter, _, namespace = path.partition("exportedProfileByNamespaceCounter.")
    return f"Profiles in {namespace}" if namespace and counter == "metrics." else _LABELS.get(path, path)


def said(path: str, value: Any) -> str:
    """A value of a record as a person reads it; nothing for an absent one."""
    leaf = re.sub(r"\[\d+\]$", "", path).rpartition(".")[2]
    if isinstance(value, int) and not isinstance(value, bool):
        return _number(path, leaf, value)
    if value is None or isinstance(value, str):
        return value or ""
    if path == "errors" and isinstance(value, list):
        return "; ".join(_error(each) for each in value)
    return json.dumps(value, ensure_ascii=False)


def _error(value: Any) -> str:
    """An error in the history: its code and the beginning of its message; the whole stands above."""
    if not isinstance(value, dict):
        return str(value)[:LONG]
    return f"{value.get('code', '')} {str(value.get('msg', ''))[:LONG]}".strip()


def _number(path: str, leaf: str, value: int) -> str:
    moment = from_ms(value) if leaf in _MOMENTS else None
    if moment is not None:
        return exact(moment)
    if leaf == "totalTimeInMs" and value >= 0:
        return human(value)
    return thousands(value) if path.startswith(_COUNTERS) else str(value)
