"""A month of export jobs, so that a newcomer meets a platform that has been in use.

Their files are gone: a batch of the past is `deleted`, as after the end of its retention, so no file can
contradict a counter from before the first start.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from random import Random
from typing import Any

from emulator import failures, jobs, planning
from emulator.models import Batch, Dataset, Job, Sandbox
from emulator.planning import Ending
from emulator.progress import ONGOING, Script, next_change_ms, record
from emulator.stock import Stock

HOUR_MS = 3_600_000
DAYS = 30
RUNNING = 4  # jobs under way at the start, when there are jobs at all
SPECIAL = 20  # from this many jobs on, the rare cases are among them


class Historian:
    """Makes jobs one after the other, oldest first, each from the seeded random alone."""

    def __init__(
        self, *, sandboxes: list[Sandbox], org_id: str, first_id: int, now_ms: int, rng: Random
    ) -> None:
        self.stocks = [(sandbox, Stock.of(sandbox)) for sandbox in sandboxes]
        self.org_id, self.number, self.now_ms, self.rng = org_id, first_id, now_ms, rng

    def save_month(self, count: int) -> None:
        """The jobs of a month and their batches, into the database."""
        made = Job.objects.bulk_create(self.month(count), batch_size=1_000)
        datasets = {dataset.dataset_id: dataset for dataset in Dataset.objects.all()}
        Batch.objects.bulk_create((b for job in made for b in _batches(job, datasets)), batch_size=1_000)

    def month(self, count: int) -> list[Job]:
        """`count` jobs but those under way; with rare cases (platform.md §2.6) if there is room."""
        rare: dict[int, Ending] = {}
        zero = count // 3
        if count >= SPECIAL:
            rare = {count // 2: Ending(errors=failures.warning()), zero: Ending()}
        over = max(0, count - RUNNING - (1 if rare else 0))
        moments = sorted(_moment(self.now_ms, self.rng) for _ in range(over))
        past = [
            self._job(at_ms, ending=rare.get(place), profiles=0 if rare and place == zero else None)
            for place, at_ms in enumerate(moments)
        ]
        if rare:
            past.append(self._job(self.now_ms - 5 * HOUR_MS, ending=Ending(never=True), sandbox=0))
        return past

    def _job(
        self,
        created_ms: int,
        *,
        ending: Ending | None,
        profiles: int | None = None,
        sandbox: int | None = None,
    ) -> Job:
        place = self.rng.choices(range(len(self.stocks)), [3, 1])[0] if sandbox is None else sandbox
        where, stock = self.stocks[place]
        payload = stock.usual_payload(self.rng)
        self.number += 1
        script = planning.plan(
            self.number,
            payload=payload,
            org_id=self.org_id,
            merge_policy=stock.merge_policy(payload),
            profiles=stock.profiles(payload, self.rng) if profiles is None else profiles,
            created_ms=created_ms,
            ending=ending or planning.chance(self.number, rng=self.rng),
            speed=1,
            rng=self.rng,
        )
        return row(script, where, self.now_ms, vary=lambda shown: _vary(shown, self.rng))


def _batches(job: Job, datasets: dict[str, Dataset]) -> list[Batch]:
    """What is still known of them: failed ones failed, those that were written have been deleted since."""
    shown: dict[str, Any] = job.record or {}
    destination, metrics = shown["destination"], shown["metrics"]
    dataset = datasets[destination.get("datasetId") or destination["dataSetId"]]
    made = jobs.batches(job, destination, dataset)
    states = {"SUCCEEDED": Batch.Status.DELETED, "FAILED": Batch.Status.FAILED}
    for batch in made:
        batch.status = states.get(job.status, Batch.Status.LOADING)
        batch.updated_ms = shown["updateTime"]
        if job.status == "SUCCEEDED":
            rows = metrics.get("totalExportedProfileCounter", 0) // len(made)
            batch.metrics = {"recordsWritten": rows, "recordsFailed": 0}
    return made


def row(
    script: Script, sandbox: Sandbox, now_ms: int, *, vary: Callable[[dict[str, Any]], None] | None = None
) -> Job:
    """A job as it is stored; `vary` may change the record of a finished one, which stays like that."""
    shown = record(script, now_ms)
    is_over = shown["status"] not in ONGOING
    if is_over and vary is not None:
        vary(shown)
    return Job(
        remote_id=str(shown["id"]),
        sandbox=sandbox,
        created_ms=script.created_ms,
        status=shown["status"],
        record=shown,
        script={} if is_over else script.stored(),
        next_change_ms=next_change_ms(script, now_ms),
    )


def _moment(now_ms: int, rng: Random) -> int:
    """Some time in the month: mostly working hours (UTC), few at the week-end, a group of nightly ones."""
    while True:
        at_ms = now_ms - rng.randrange(HOUR_MS, DAYS * 24 * HOUR_MS)
        at = datetime.fromtimestamp(at_ms / 1000, UTC)
        weight = 1.0 if 7 <= at.hour < 18 else 0.5 if at.hour == 2 else 0.12
        if rng.random() < weight * (0.3 if at.weekday() >= 5 else 1):
            return at_ms


def _vary(shown: dict[str, Any], rng: Random) -> None:
    """The contradictions that old records carry (platform.md §2.6); each hits some of them."""
    destination = shown["destination"]
    if rng.random() < 0.25:
        for name in planning.ECHOED:
            shown.pop(name, None)
    if rng.random() < 0.15:
        destination["dataSetId"] = destination.pop("datasetId")
    if rng.random() < 0.1:
        destination.pop("segmentPerBatch")
    if shown["status"] == "FAILED" and "batchId" in destination and rng.random() < 0.4:
        destination["batchId"] = ""
    for batch in destination.get("batches", [])[1:]:
        batch["status"] = "realized"
    if rng.random() < 0.2:
        shown["metrics"].pop("aCPDatasetWriteTime", None)
    if rng.random() < 0.2:
        shown["computeGatewayJobId"].pop("pushJob", None)
    if rng.random() < 0.2:
        shown["requestId"] = planning.random_uuid(rng)
    if rng.random() < 0.02:
        shown["profileInstanceId"] = f"test_xdm_latest_profile_20_e2e_{shown['creationTime']}"
