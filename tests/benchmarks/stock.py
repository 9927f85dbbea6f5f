"""Fills a database with jobs from a seed, as bulk loading does: `python -m tests.benchmarks.stock JOBS`.

94 of 100 succeeded, 5 failed, 1 is running; two connections with five sandboxes each; a year of history, the running
ones among the youngest. Every job has its record, snapshots, errors, identifiers and place in the tallies. Prints one
line of JSON: what the measuring side needs to know.
"""

# ruff: noqa: S608 - the SQL is made of our own names; Django is set up before models are imported
from __future__ import annotations

import json
import os
import random
import sys
import time
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import django

if __name__ == "__main__":
    django.setup()

from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from jobs.client.records import read_job
from jobs.forms.keyset import NEWEST_FIRST, Cursor
from jobs.models import (
    CatalogEntry,
    ExportJob,
    FailureSignature,
    JobError,
    JobIdentifier,
    JobRecord,
    JobSnapshot,
    JobTally,
    OutcomeTally,
    Role,
    Sandbox,
)
from jobs.models.record import pack
from jobs.rules import fingerprint
from tests import make
from tests.benchmarks import records

SPAN = timedelta(days=365)
COMBINATIONS = 1500
MOVES = 50  # snapshots of the one job whose page is measured
LOADED = (ExportJob, JobRecord, JobSnapshot, JobError, JobIdentifier, JobTally, OutcomeTally)
POSTGRES = connection.vendor == "postgresql"


def main(jobs: int, seed: int = 7) -> dict[str, Any]:
    began = time.monotonic()
    call_command("migrate", verbosity=0, interactive=False)
    places, people = settle()
    rows = Rows(places, random.Random(seed), jobs)
    with unindexed():
        load(ExportJob, rows.jobs())
        load(JobRecord, rows.records())
        load(JobSnapshot, rows.snapshots())
        load(JobError, rows.errors())
        load(JobIdentifier, rows.identifiers())
        load(JobTally, ((place, day, word, n) for (place, day, word), n in rows.days.items()), numbered=True)
        load(
            OutcomeTally,
            ((place, hour, word, n) for (place, hour, word), n in rows.hours.items()),
            numbered=True,
        )
    settle_statistics()
    return {
        "jobs": jobs,
        "seconds": round(time.monotonic() - began, 1),
        "cookies": {person.username: cookie(person) for person in people},
        "sandbox": places[0].ref,
        "detail": rows.moved,
        "segment_common": records.segment_id(records.COMMON),
        "segment_usual": records.segment_id(17),
        "dataset": records.dataset_id(1),
        "batch": rows.some_batch(),
        "deep": str(Cursor.of(ExportJob.objects.get(pk=max(1, jobs // 10)), sort=NEWEST_FIRST)),
        "queries": queries(people[0]),
    }


def settle() -> tuple[list[Sandbox], list[User]]:
    """Two connections, ten sandboxes, names for what is exported; an admin of both and a superuser."""
    viewer, root = make.user("viewer"), make.superuser("root")
    now, places = timezone.now(), []
    for name in ("acme", "globex"):
        of = make.connection(name, label="prod" if name == "acme" else "dev")
        make.member(viewer, of, Role.OPERATOR)
        read = {
            "first_contact_done_at": now,
            "catalog_seen_at": now,
            "last_ok_at": now,
            "next_discovery_at": now + timedelta(days=1),
        }
        places += [make.sandbox(of, f"sandbox-{number}", **read) for number in range(5)]
    CatalogEntry.objects.bulk_create(
        CatalogEntry(
            sandbox=place,
            kind=kind,
            remote_id=made(number),
            name=f"{kind} {number} of {place.name}",
            seen_at=now,
        )
        for place in places
        for kind, made, size in (
            ("segment", records.segment_id, 200),
            ("dataset", records.dataset_id, records.DATASETS),
        )
        for number in range(size)
    )
    return places, [viewer, root]


def cookie(person: User) -> str:
    client = Client()
    client.force_login(person)
    return "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())


def queries(person: User) -> int:
    """What the list page asks of the database when it has been asked for before, without session and person."""
    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(person)
    client.get("/jobs/")
    with CaptureQueriesContext(connection) as spent:
        client.get("/jobs/")
    return sum('"jobs_' in each["sql"] for each in spent)


class Rows:
    """The rows of all tables; jobs come first and leave behind what the others need."""

    def __init__(self, places: list[Sandbox], rng: random.Random, size: int) -> None:
        self.places, self.rng, self.size = [place.pk for place in places], rng, size
        self.combinations = [records.chosen_segments(rng) for _ in range(COMBINATIONS)]
        self.combinations[0] = [*self.combinations[0], records.RARE]
        self.start = datetime.now(UTC).replace(microsecond=0) - SPAN
        self.step = SPAN / size
        self.of_combination: list[array[int]] = [array("q") for _ in self.combinations]
        self.failed = array("q")
        self.days: Counter[tuple[int, Any, str]] = Counter()
        self.hours: Counter[tuple[int, Any, str]] = Counter()
        self.moved = size // 2
        self.signatures = self._signatures()
        self.bodies: dict[tuple[int, str], bytes] = {}

    def _signatures(self) -> list[tuple[int, str]]:
        """Id and first line by `number % 6`."""
        made = []
        for number in range(6):
            remote = read_job(self._record(number, "FAILED", 0))
            kind = fingerprint.signature(remote.errors)
            assert kind
            row, _ = FailureSignature.objects.get_or_create(
                digest=kind.digest, defaults={"code": kind.code, "pattern": kind.pattern}
            )
            made.append((row.pk, remote.errors[0].message))
        return made

    def _record(self, number: int, status: str, combination: int) -> dict[str, Any]:
        at = int((self.start + self.step * number).timestamp() * 1000)
        segments = self.combinations[combination]
        return records.record(
            number,
            status,
            segments,
            created_ms=at,
            updated_ms=at + 900_000,
            dataset=number % records.DATASETS,
        )

    def some_batch(self) -> str:
        return f"01B{self.size // 3:023d}"

    def jobs(self) -> Iterator[tuple[Any, ...]]:
        rng, young = self.rng, self.size - max(1, self.size // 50)
        shown = [json.dumps([records.segment_id(one) for one in many[:5]]) for many in self.combinations]
        datasets = [records.dataset_id(number) for number in range(records.DATASETS)]
        for number in range(1, self.size + 1):
            chance = rng.random()
            running = number > young and chance < 0.5
            status = "PROCESSING" if running else "FAILED" if chance > 0.95 else "SUCCEEDED"
            created = self.start + self.step * number
            took = 60_000 + int(rng.random() ** 3 * 7_200_000)
            updated = created + timedelta(milliseconds=min(took, 60_000) if running else took)
            ended = None if running else updated
            combination = int(chance * 1_000_003) % COMBINATIONS
            place = self.places[number * 7 % len(self.places)]
            failure, line = self.signatures[number % 6] if status == "FAILED" else (None, "")
            odd = chance < 0.003 and not running
            errors = 2 if status == "FAILED" else int(0.003 < chance < 0.008)
            self.of_combination[combination].append(number)
            if status == "FAILED":
                self.failed.append(number)
            self.days[place, created.date(), status] += 1
            if ended:
                self.hours[place, moment(ended.replace(minute=0, second=0, microsecond=0)), status] += 1
            yield (
                number, place, str(number), status, status, moment(created), moment(updated), moment(created),
                moment(updated), moment(updated), ended and moment(ended), None, None if running else took,
                datasets[number % records.DATASETS], shown[combination], len(self.combinations[combination]),
                number % 3 == 0, 0 if odd else number % 90_000 + 1, errors, line, failure,
                f"{number:08d}-4d3e-4b0a-9d55-6f6e00000000", 1 if number % 50 == 0 else None, None, None, "",
                moment(updated) if running else None, f"{number:064x}",
            )  # fmt: skip

    def records(self) -> Iterator[tuple[Any, ...]]:
        """Bodies are drawn from a few thousand packed ones: loading should not be compressing."""
        failed = set(self.failed)
        for combination, many in enumerate(self.of_combination):
            for number in many:
                status = "FAILED" if number in failed else "SUCCEEDED"
                key = combination, status
                if key not in self.bodies:
                    self.bodies[key] = pack(self._record(number, status, combination))
                yield number, self.bodies[key], "[]"

    def snapshots(self) -> Iterator[tuple[Any, ...]]:
        change = json.dumps(
            [["status", "PROCESSING", "SUCCEEDED"], ["metrics.totalTime.endTimeInMs", None, 1790000000000]]
        )
        for number in range(1, self.size + 1):
            seen = self.start + self.step * number
            yield 2 * number, number, moment(seen), "PROCESSING", "[]"
            yield 2 * number + 1, number, moment(seen + timedelta(minutes=15)), "SUCCEEDED", change
        seen = self.start + self.step * self.moved
        for extra in range(MOVES - 2):
            yield (
                2 * self.size + 2 + extra,
                self.moved,
                moment(seen + timedelta(seconds=20 * extra)),
                "PROCESSING",
                change,
            )

    def errors(self) -> Iterator[tuple[Any, ...]]:
        row = 0
        for number in self.failed:
            for position, error in enumerate(records.errors(number)):
                row += 1
                yield row, number, position, error["code"], error["msg"], error["callStack"]

    def identifiers(self) -> Iterator[tuple[Any, ...]]:
        row = 0
        for combination, many in enumerate(self.of_combination):
            segments = [records.segment_id(one) for one in dict.fromkeys(self.combinations[combination])]
            for number in many:
                own = (
                    ("job", str(number)),
                    ("batch", f"01B{number:023d}"),
                    ("dataset", records.dataset_id(number % records.DATASETS)),
                    ("request", f"{number:08d}-4d3e-4b0a-9d55-6f6e00000000"),
                    ("compute", f"{number:08d}-cccc-4000-8000-000000000000"),
                )
                for kind, value in own:
                    row += 1
                    yield row, number, kind, value
                for value in segments:
                    row += 1
                    yield row, number, "segment", value


def moment(at: datetime) -> datetime | str:
    return at if POSTGRES else at.replace(tzinfo=None).isoformat(" ")


def load(model: type[models.Model], rows: Iterable[tuple[Any, ...]], *, numbered: bool = False) -> None:
    """COPY on PostgreSQL, executemany in one transaction on SQLite; `numbered`: the database gives the ids."""
    fields = [field for field in model._meta.concrete_fields if not (numbered and field.primary_key)]
    table, columns = model._meta.db_table, ", ".join(f'"{field.column}"' for field in fields)
    with connection.cursor() as cursor:
        if not POSTGRES:
            cursor.execute("BEGIN")
            holes = ", ".join("?" * len(fields))
            cursor.cursor.connection.executemany(f'INSERT INTO "{table}" ({columns}) VALUES ({holes})', rows)
            cursor.execute("COMMIT")
            return
        with cursor.copy(f'COPY "{table}" ({columns}) FROM STDIN') as copy:
            for row in rows:
                copy.write_row(row)
        if not numbered and model._meta.pk and model._meta.pk.column == "id":
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"
            )


@contextmanager
def unindexed() -> Iterator[None]:
    """Indexes are dropped before the load and made again after it."""
    tables = [model._meta.db_table for model in LOADED]
    with connection.cursor() as cursor:
        if POSTGRES:
            cursor.execute(
                "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY(%s) AND indexname NOT IN "
                "(SELECT conname FROM pg_constraint)",
                [tables],
            )
        else:
            cursor.execute("PRAGMA cache_size = -1000000")
            cursor.execute("PRAGMA synchronous = OFF")
            names = ", ".join(f"'{table}'" for table in tables)
            cursor.execute(
                f"SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql NOT NULL AND tbl_name IN ({names})"
            )
        indexes = cursor.fetchall()
        for name, _ in indexes:
            cursor.execute(f'DROP INDEX "{name}"')
    yield
    with connection.cursor() as cursor:
        for _, made in indexes:
            cursor.execute(made)


def settle_statistics() -> None:
    """What a database that lives for a while has anyway."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if POSTGRES else "PRAGMA optimize")
        if not POSTGRES:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


if __name__ == "__main__":
    assert os.environ.get("EXPORTUI_DATA_DIR"), "say where: EXPORTUI_DATA_DIR"
    print(json.dumps(main(int(sys.argv[1]))))
