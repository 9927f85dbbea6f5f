"""The list as a file: the same jobs, no formulas, a bound that is said."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from jobs.models import CatalogEntry, EntryKind, Sandbox
from jobs.views import jobs_csv
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana() -> User:
    return make.user("ana")


@pytest.fixture
def prod(ana: User) -> Sandbox:
    place = make.sandbox(make.connection("acme"), "prod")
    make.member(ana, place.connection)
    return place


@pytest.fixture
def visitor(client: Client, ana: User) -> Client:
    return make.signed_in(client, ana)


def rows(response: Any) -> list[dict[str, str]]:
    assert response.status_code == 200
    return list(csv.DictReader(io.StringIO(response.getvalue().decode())))


def test_the_file_holds_exactly_what_the_filter_selects_in_its_order(visitor: Client, prod: Sandbox) -> None:
    for number in range(60):
        make.job(
            prod, id=number, creationTime=1_700_000_000_000 + number, status="FAILED" if number % 2 else "NEW"
        )
    make.job(make.sandbox(make.connection("other")), id=777, status="FAILED")
    found = rows(visitor.get("/jobs.csv?status=FAILED&sort=created&per_page=25"))
    assert [row["job"] for row in found] == [str(number) for number in range(1, 60, 2)]


def test_a_row_has_machine_times_names_and_a_link(visitor: Client, prod: Sandbox) -> None:
    CatalogEntry.objects.create(
        sandbox=prod, kind=EntryKind.DATASET, remote_id="DS1", name="Export", seen_at="2026-01-01T00:00Z"
    )
    job = make.failed_job(prod, creationTime=1_763_800_000_000)
    (row,) = rows(visitor.get("/jobs.csv"))
    assert row["created_at"] == "2025-11-22T08:26:40.000Z"
    assert (row["sandbox"], row["status"], row["dataset"]) == ("acme/prod", "FAILED", "Export")
    assert row["segment_ids"] == "SEG1"
    assert row["url"] == f"http://testserver/jobs/{job.pk}/"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t"])
def test_no_cell_is_a_formula(visitor: Client, prod: Sandbox, start: str) -> None:
    evil = f'{start}HYPERLINK("http://x")'
    make.job(
        prod,
        id=f"{start}1".strip(),
        errors=[{"code": "1", "msg": "x"}],
        requestId="r",
        destination={"datasetId": evil},
    )
    CatalogEntry.objects.create(
        sandbox=prod, kind=EntryKind.SEGMENT, remote_id="SEG1", name=evil, seen_at="2026-01-01T00:00Z"
    )
    (row,) = rows(visitor.get("/jobs.csv"))
    for cell in row.values():
        assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert row["segment_names"] == f"'{evil}"


def test_a_file_that_is_cut_says_so(visitor: Client, prod: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs_csv, "MOST_ROWS", 2)
    for _ in range(3):
        make.job(prod)
    response = visitor.get("/jobs.csv")
    assert response["X-Truncated"] == "2"
    assert "-first-2.csv" in response["Content-Disposition"]
    assert len(rows(response)) == 2
    whole = visitor.get("/jobs.csv?status=FAILED")
    assert "X-Truncated" not in whole
    assert whole.streaming
    assert rows(whole) == []


def test_a_filter_that_cannot_be_read_is_refused_rather_than_widened(visitor: Client, prod: Sandbox) -> None:
    make.job(prod)
    response = visitor.get("/jobs.csv?status=DONE&since=x")
    assert response.status_code == 400
    said = response.content.decode()
    assert "status: There is no “DONE” here" in said
    assert "since:" in said


def test_queries_do_not_grow_with_the_rows(
    visitor: Client, prod: Sandbox, django_assert_max_num_queries: Any
) -> None:
    for _ in range(200):
        make.job(prod)
    with django_assert_max_num_queries(6):
        assert len(rows(visitor.get("/jobs.csv"))) == 200
