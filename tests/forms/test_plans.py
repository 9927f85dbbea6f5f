"""Every filter and order that the list offers is answered from an index, on both databases: no table is read whole."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.http import QueryDict
from django.utils import timezone

from jobs.context import Frame
from jobs.forms.job_filter import COMMON_FROM, FLAGS, JobFilter
from jobs.forms.keyset import ORDERS, Cursor, beyond
from jobs.models import ExportJob, Sandbox
from jobs.views import job_tabs
from tests import make

pytestmark = pytest.mark.django_db

FILTERS = [
    "",
    "status=FAILED",
    "status=SUCCEEDED&status=FAILED",
    "status=NEW&status=QUEUED",
    "sandbox=acme/prod",
    "sandbox=acme/prod&status=FAILED",
    "sandbox=acme/prod&sandbox=acme/stage",
    "dataset=DS1",
    "sandbox=acme/prod&status=FAILED&dataset=DS1",
    "launched_by=me",
    "segment=SEG1",
    "range=7d",
    "since=2026-01-01T00:00:00Z&until=2026-02-01T00:00:00Z",
    "min_duration=60&max_duration=600",
    *(f"flag={flag}" for flag in FLAGS),
]
# Few rows by nature: what is under way, of one dataset or person, in a stretch of time, odd. They may be sorted.
FEW = ("until", "dataset", "launched_by", "segment", "flag", "duration=", "status=NEW")


@pytest.fixture
def ana() -> User:
    person, of = make.user("ana"), make.connection("acme")
    make.member(person, of)
    make.job(make.sandbox(of, "prod"))
    make.sandbox(of, "stage")
    return person


def plan(rows: object) -> list[str]:
    """What the database says it will do; PostgreSQL is asked not to prefer the ways that only suit small tables."""
    sql, parameters = rows.query.sql_with_params()  # type: ignore[attr-defined]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_sort = off")
            cursor.execute("SET LOCAL enable_bitmapscan = off")
        cursor.execute(
            ("EXPLAIN " if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN ") + sql, parameters
        )
        return [str(row[-1]) for row in cursor.fetchall()]


def jobs_of(person: User) -> object:
    return ExportJob.objects.within([place.pk for place in Sandbox.objects.visible_to(person)])


def reads_whole_table(line: str) -> bool:
    bare = line.startswith("SCAN jobs_") and " USING " not in line
    return bare or "Seq Scan on jobs_exportjob" in line or "Seq Scan on jobs_jobidentifier" in line


@pytest.mark.parametrize("sort", ORDERS)
@pytest.mark.parametrize("query", FILTERS)
def test_a_page_is_read_from_an_index_in_its_order(ana: User, query: str, sort: str) -> None:
    chosen = JobFilter.read(QueryDict(f"{query}&sort={sort}"), user=ana)
    assert not chosen.errors
    steps = plan(chosen.ordered(jobs_of(ana), now=timezone.now())[:51])  # type: ignore[arg-type]
    assert not [step for step in steps if reads_whole_table(step)], steps
    if not any(word in query for word in FEW):
        assert not [step for step in steps if "TEMP B-TREE" in step or "Sort" in step], steps


@pytest.mark.parametrize("sort", ORDERS)
def test_a_page_in_the_middle_starts_at_its_cursor(ana: User, sort: str) -> None:
    cursor = Cursor.of(ExportJob.objects.get(), sort=sort)
    chosen = JobFilter.read(QueryDict(f"sort={sort}&after={cursor}"), user=ana)
    rows = chosen.ordered(jobs_of(ana), now=timezone.now())  # type: ignore[arg-type]
    steps = " ".join(plan(rows.filter(beyond(cursor))[:51]))
    assert "SEARCH jobs_exportjob" in steps or "Index Cond" in steps, steps


@pytest.mark.parametrize("query", [each for each in FILTERS if each])
def test_a_count_reads_no_whole_table(ana: User, query: str) -> None:
    chosen = JobFilter.read(QueryDict(query), user=ana).without("status")
    rows = chosen.apply(jobs_of(ana), now=timezone.now(), most=job_tabs.COUNTED_UP_TO + 1)  # type: ignore[arg-type]
    steps = plan(rows.order_by().values("status")[: job_tabs.COUNTED_UP_TO + 1])
    assert not [step for step in steps if reads_whole_table(step)], steps


@pytest.mark.parametrize("sort", ["created", "-created"])
def test_jobs_of_a_common_segment_are_met_on_the_way(
    ana: User, sort: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.forms.job_filter.COMMON_FROM", 0)
    assert COMMON_FROM > 0
    chosen = JobFilter.read(QueryDict(f"segment=SEG1&sort={sort}"), user=ana)
    steps = plan(chosen.ordered(jobs_of(ana), now=timezone.now())[:51])  # type: ignore[arg-type]
    assert not [step for step in steps if "TEMP B-TREE" in step or reads_whole_table(step)], steps


def test_the_frames_jobs_are_those_one_may_see(ana: User) -> None:
    make.job(make.sandbox(make.connection("other")))
    frame = Frame(request=type("Request", (), {"user": ana})())
    assert set(frame.jobs) == set(ExportJob.objects.visible_to(ana))
