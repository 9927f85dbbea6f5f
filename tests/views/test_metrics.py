"""Figures for Prometheus: told to superusers alone, in its format, at a cost that does not grow."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from jobs.access.people import issue_token
from jobs.models import Connection, ExportJob, Sandbox
from tests import make

RULES = Path(__file__).resolve().parents[2] / "examples" / "prometheus-rules.yaml"

pytestmark = pytest.mark.django_db


@pytest.fixture
def root(client: Client) -> Client:
    return make.signed_in(client, make.superuser())


def value(said: str, sample: str) -> float:
    found = re.search(rf"^{re.escape(sample)} (\S+)$", said, re.MULTILINE)
    assert found, said
    return float(found[1])


@pytest.mark.parametrize("who", ["nobody", "viewer", "viewer's token", "no token"])
def test_it_is_told_to_superusers_alone(client: Client, who: str) -> None:
    viewer, headers = make.user(), {}
    if who == "viewer":
        client.force_login(viewer)
    if who == "viewer's token":
        headers = {"Authorization": f"Bearer {issue_token(viewer, actor=None, now=timezone.now())}"}
    if who == "no token":
        headers = {"Authorization": "Bearer nothing"}
    answer = client.get("/metrics", headers=headers)
    assert answer.status_code == (403 if "viewer" in who else 401)
    assert b"exportui_" not in answer.content


def test_a_superusers_token_opens_it(client: Client) -> None:
    token = issue_token(make.superuser(), actor=None, now=timezone.now())
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain; version=0.0.4")


def test_it_tells_what_stands_and_how_old_it_is(root: Client) -> None:
    place = make.sandbox(last_ok_at=timezone.now() - timedelta(seconds=90), failing_since=timezone.now())
    make.failed_job(place)
    late = make.job(place)
    long_ago = timezone.now() - timedelta(hours=5)
    ExportJob.objects.filter(pk=late.pk).update(created_at=long_ago, next_poll_at=long_ago)
    Connection.objects.update(credential_error="Refused.")
    said = root.get("/metrics").content.decode()
    here = 'connection="acme",sandbox="prod"'
    assert 90 <= value(said, f"exportui_sandbox_staleness_seconds{{{here}}}") < 100
    assert value(said, f"exportui_sandbox_failing{{{here}}}") == 1
    assert value(said, f'exportui_jobs{{{here},status="FAILED"}}') == 1
    assert value(said, f'exportui_jobs_ended_lately{{{here},status="FAILED"}}') == 1
    assert value(said, f"exportui_jobs_late{{{here}}}") == 1
    assert value(said, "exportui_jobs_due") == 1
    assert value(said, "exportui_queue_age_seconds") > 17_000
    assert value(said, 'exportui_credential_refused{connection="acme"}') == 1


def test_the_example_alerts_ask_for_figures_that_there_are(root: Client) -> None:
    make.job(make.sandbox(last_ok_at=timezone.now()))
    named = set(re.findall(r"exportui_\w+", RULES.read_text()))
    assert named <= set(re.findall(r"^# TYPE (\w+)", root.get("/metrics").content.decode(), re.MULTILINE))


def test_every_line_is_of_the_format(root: Client) -> None:
    make.job(make.sandbox(name='a"b\\c'))
    for line in root.get("/metrics").content.decode().splitlines():
        assert re.fullmatch(r'# (HELP|TYPE) \w+ .+|\w+(\{(\w+="(\\.|[^"\\])*",?)+\})? [-+.\deE]+', line), line


@pytest.mark.parametrize("size", [0, 30])
def test_its_cost_does_not_grow(root: Client, size: int, django_assert_max_num_queries: Any) -> None:
    place = make.sandbox()
    for _ in range(size):
        make.failed_job(place)
    Sandbox.objects.update(is_watched=True)
    with django_assert_max_num_queries(12):
        root.get("/metrics")
