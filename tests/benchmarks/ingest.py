"""What writing costs, in rounds beside its anchors: `python -m tests.benchmarks.ingest ROUNDS`.

On the database of the environment; prints JSON:
seconds for each record, by name, one value a round. `executemany` writes the same changed rows and
snapshots as raw SQL, prepared outside of the clock; `json.loads` reads the same records.
"""

# ruff: noqa: S608 - the SQL is made of our own names
from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import django

if __name__ == "__main__":
    django.setup()

from django.db import connection, transaction
from django.utils import timezone

from jobs.client.records import read_job
from jobs.models import Connection, ExportJob, JobRecord, JobSnapshot, Sandbox
from jobs.models.bulk import update_rows
from jobs.models.record import pack
from jobs.sync import FILLED, record
from tests.benchmarks import records

PAGE, PAGES = 100, 10
Raw = dict[str, Any]


class Ingest:
    """A sandbox of its own with a thousand running jobs, written again and again."""

    def __init__(self, rng: random.Random) -> None:
        of = Connection.objects.first()
        assert of
        self.place, _ = Sandbox.objects.get_or_create(
            connection=of, name="ingest", defaults={"is_watched": False}
        )
        self.rng, self.at = rng, timezone.now() - timedelta(days=1)
        self.number = 50_000_000 + int(time.time()) % 1_000_000 * 10
        self.raws = [self.new() for _ in range(PAGE * PAGES)]
        self.write(self.raws)

    def new(self) -> Raw:
        self.number += 1
        created = int(self.at.timestamp() * 1000)
        return records.record(
            self.number,
            "PROCESSING",
            records.chosen_segments(self.rng),
            created_ms=created,
            updated_ms=created + 1000,
        )

    def moved(self, share: float) -> list[Raw]:
        """The same records, so many of them with newer counters, as running exports have."""
        for place in self.rng.sample(range(len(self.raws)), int(share * len(self.raws))):
            raw = self.raws[place]
            metrics = raw["metrics"] | {"totalExportedProfileCounter": self.rng.randrange(10**7)}
            self.raws[place] = raw | {"updateTime": raw["updateTime"] + 1000, "metrics": metrics}
        return self.raws

    def write(self, raws: list[Raw]) -> None:
        self.at += timedelta(seconds=5)
        for start in range(0, len(raws), PAGE):
            record(self.place, [read_job(raw) for raw in raws[start : start + PAGE]], as_of=self.at)


def timed(work: Callable[[], Any], size: int) -> float:
    """Seconds a record."""
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) / size


def rounds(many: int) -> dict[str, list[float]]:
    ingest, found = Ingest(random.Random(3)), {}
    size = PAGE * PAGES

    def json_loads() -> float:
        texts = [json.dumps(raw) for raw in ingest.raws]
        return timed(lambda: [json.loads(text) for text in texts], size)

    def share(part: float) -> Callable[[], float]:
        def work() -> float:
            raws = ingest.moved(part)
            return timed(lambda: ingest.write(raws), size)

        return work

    def changed_rows() -> float:
        """The database's part of a change: rows that are ready are written, as `sync` does it."""
        ingest.write(ingest.moved(1))
        jobs = list(ingest.place.jobs.order_by("pk")[:size])
        return raw_update(jobs, snapshots=False)

    def raw_path() -> float:
        ingest.write(ingest.moved(1))
        jobs = list(ingest.place.jobs.order_by("pk").select_related("record")[:size])
        return raw_update(jobs, snapshots=True)

    def new_rows() -> float:
        raws = [ingest.new() for _ in range(size)]
        seconds = timed(lambda: ingest.write(raws), size)
        ExportJob.objects.filter(
            sandbox=ingest.place, remote_id__in=[str(raw["id"]) for raw in raws]
        ).delete()
        return seconds

    works = {
        "json.loads": json_loads,
        "unchanged": share(0),
        "changed 1 %": share(0.01),
        "changed 10 %": share(0.1),
        "changed 100 %": share(1),
        "own SQL, job rows": own_rows(ingest, size),
        "executemany, job rows": changed_rows,
        "executemany, all of a change": raw_path,
        "new": new_rows,
    }
    for _ in range(many):
        for name in random.sample(list(works), len(works)):
            found.setdefault(name, []).append(works[name]())
    return found


def own_rows(ingest: Ingest, size: int) -> Callable[[], float]:

    def work() -> float:
        jobs = later(list(ingest.place.jobs.order_by("pk")[:size]))

        def write() -> None:
            for start in range(0, size, PAGE):
                with transaction.atomic():
                    update_rows(jobs[start : start + PAGE], FILLED)

        return timed(write, size)

    return work


def later(jobs: list[ExportJob]) -> list[ExportJob]:
    for job in jobs:
        job.updated_at += timedelta(milliseconds=7)
        job.changed_at = job.last_seen_at = job.last_seen_at + timedelta(milliseconds=7)
        job.profiles_exported = (job.profiles_exported or 0) + 1
    return jobs


def raw_update(jobs: list[ExportJob], *, snapshots: bool) -> float:
    """executemany of prepared values, a page to a transaction."""
    fields = [ExportJob._meta.get_field(name) for name in FILLED]
    sets = ", ".join(f'"{field.column}" = %s' for field in fields)
    update = f'UPDATE jobs_exportjob SET {sets} WHERE "id" = %s'
    rows = [
        [*(field.get_db_prep_save(getattr(job, field.attname), connection) for field in fields), job.pk]
        for job in later(jobs)
    ]
    bodies = [[pack(job.record.raw), job.pk] for job in jobs] if snapshots else []
    seen = JobSnapshot._meta.get_field("seen_at").get_db_prep_save(timezone.now(), connection)
    notes = [[job.pk, seen, job.status, '[["metrics.totalExportedProfileCounter", 1, 2]]'] for job in jobs]

    def write() -> None:
        for start in range(0, len(rows), PAGE):
            page = slice(start, start + PAGE)
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.executemany(update, rows[page])
                if snapshots:
                    cursor.executemany(
                        f"UPDATE {JobRecord._meta.db_table} SET body = %s WHERE job_id = %s", bodies[page]
                    )
                    cursor.executemany(
                        "INSERT INTO jobs_jobsnapshot (job_id, seen_at, status, changes) VALUES (%s, %s, %s, %s)",
                        notes[page],
                    )

    return timed(write, len(rows))


if __name__ == "__main__":
    print(json.dumps(rounds(int(sys.argv[1]))))
