"""The profile stores on the server's side: have them made at first start, take up what they hold."""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path
from typing import Any

from django.conf import settings

from emulator import pool
from emulator.models import Evaluation, MergePolicy, Sandbox, Segment
from emulator.store.generate import DAY_MS, MANIFEST, SOURCES

QUIET_BELOW = 10_000  # profiles: nothing to wait for
BAR = 30
PRECEDENCE = [source for source, _, _ in SOURCES]


def folder(sandbox: Sandbox) -> Path:
    return settings.DATA_DIR.resolve() / "store" / sandbox.name


def policy(found: MergePolicy) -> dict[str, Any]:
    """A merge policy as `store/merge.py` reads it."""
    return {
        "id": found.policy_id,
        "graph": found.body["identityGraph"]["type"],
        "merge": found.body["attributeMerge"]["type"],
        "order": PRECEDENCE,
    }


def rule(segment: Segment) -> dict[str, Any]:
    """A definition as `store/segments.py` reads it."""
    return {"id": segment.segment_id, "policy": segment.body["mergePolicyId"], "rule": segment.rule}


def prepare(now_ms: int) -> None:
    """Make the stores that are missing, all at once, and note who is in which segment.

    Raises `pool.WorkFailed`. A store that is there stays, whatever `--profiles` says.
    """
    missing = [sandbox for sandbox in Sandbox.objects.order_by("pk") if not _is_made(sandbox)]
    (settings.DATA_DIR.resolve() / "store").mkdir(parents=True, exist_ok=True)
    asked = [(sandbox.name, _asked(sandbox, now_ms)) for sandbox in missing]
    if asked:
        _make(asked)
    for sandbox in Sandbox.objects.order_by("pk"):
        _adopt(sandbox)


def tidy() -> None:
    """Remove the members that later evaluations replaced; at a start, when nobody reads them any more."""
    for sandbox in Sandbox.objects.all():
        first = json.loads((folder(sandbox) / MANIFEST).read_text())["runs"][-1]["segments"]
        kept = {found["file"] for found in first.values()}
        kept |= set(Segment.objects.filter(sandbox=sandbox).values_list("membership", flat=True))
        for path in (folder(sandbox) / "members").iterdir():
            if path.name not in kept:
                path.unlink()


def _is_made(sandbox: Sandbox) -> bool:
    """By these merge policies; another seed would have made others."""
    path = folder(sandbox) / MANIFEST
    known = MergePolicy.objects.filter(sandbox=sandbox).order_by("pk").values_list("policy_id", flat=True)
    return path.exists() and json.loads(path.read_text())["policies"] == list(known)


def _asked(sandbox: Sandbox, now_ms: int) -> dict[str, Any]:
    segments = Segment.objects.filter(sandbox=sandbox, body__evaluationInfo__synchronous__enabled=False)
    return {
        "folder": str(folder(sandbox)),
        "seed": f"{settings.SEED}/{sandbox.name}",
        "profiles": settings.PROFILES,
        "anchor_ms": now_ms // DAY_MS * DAY_MS,
        "policies": [policy(p) for p in MergePolicy.objects.filter(sandbox=sandbox).order_by("pk")],
        "segment_rules": [rule(segment) for segment in segments.order_by("pk")],
    }


def _make(asked: list[tuple[str, dict[str, Any]]]) -> None:
    """Each sandbox in a child of its own; raises the first failure when all are through."""
    shares, failed = {name: 0.0 for name, _ in asked}, []

    def make(name: str, task: dict[str, Any]) -> None:
        def progress(share: float, what: str) -> None:
            shares[name] = share
            _tell(sum(shares.values()) / len(shares), f"{name}: {what}")

        try:
            pool.call("generate", task, progress)
        except pool.WorkFailed as error:
            failed.append(error)

    threads = [threading.Thread(target=make, args=pair) for pair in asked]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if sys.stderr.isatty():
        print(file=sys.stderr)
    if failed:
        raise failed[0]


def _tell(share: float, what: str) -> None:
    """A bar on a terminal, a line each else; nothing for a small store."""
    if settings.PROFILES < QUIET_BELOW:
        return
    done = f"profile store {share:4.0%}  {what}"
    if sys.stderr.isatty():
        bar = "█" * round(BAR * share)
        print(f"\r{bar:░<{BAR}} {done:<70}", end="", file=sys.stderr, flush=True)
    else:
        print(done, file=sys.stderr, flush=True)


def _adopt(sandbox: Sandbox) -> None:
    """Note the evaluations that made the store, unless there are evaluations already."""
    if Evaluation.objects.filter(sandbox=sandbox).exists():
        return
    runs = json.loads((folder(sandbox) / MANIFEST).read_text())["runs"]
    Evaluation.objects.bulk_create(
        Evaluation(
            sandbox=sandbox,
            started_ms=run["at_ms"] - run["took_ms"],
            ended_ms=run["at_ms"],
            status="SUCCEEDED",
            source=Evaluation.Source.SCHEDULER,
            counts={key: found["members"] for key, found in run["segments"].items()},
            by_status={key: found["by_status"] for key, found in run["segments"].items()},
        )
        for run in runs
    )
    found = runs[-1]["segments"]
    segments = list(Segment.objects.filter(sandbox=sandbox, segment_id__in=found))
    for segment in segments:
        segment.membership = found[segment.segment_id]["file"]
        segment.profiles = found[segment.segment_id]["members"]
        segment.evaluated_ms = runs[-1]["at_ms"]
    Segment.objects.bulk_update(segments, ["membership", "profiles", "evaluated_ms"])
