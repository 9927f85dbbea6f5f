"""The job list: what stands in a row, on a tab, in a link; and what it costs."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from jobs.models import CatalogEntry, EntryKind, ExportJob, Role, Sandbox
from jobs.sync import recount
from jobs.views import job_tabs
from tests import make

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true", "HX-Target": "job-table"}


@pytest.fixture
def ana() -> User:
    return make.user("ana")


@pytest.fixture
def prod(ana: User) -> Sandbox:
    place = make.sandbox(make.connection("acme"), "prod", first_contact_done_at=timezone.now())
    make.member(ana, place.connection)
    return place


@pytest.fixture
def visitor(client: Client, ana: User) -> Client:
    return make.signed_in(client, ana)


def text(response: Any) -> str:
    assert response.status_code == 200
    return response.content.decode()


def rows(html: str) -> list[str]:
    return re.findall(r'<tr id="job-(\d+)"', html)


def tab(html: str, word: str) -> str:
    found = re.search(rf'id="tab-{word}"[^>]*>[^<]*<span class="count">([^<]*)', html)
    assert found
    return found[1]


def named(place: Sandbox, kind: EntryKind, remote_id: str, name: str) -> None:
    CatalogEntry.objects.create(
        sandbox=place, kind=kind, remote_id=remote_id, name=name, seen_at=timezone.now()
    )


# --- who sees what ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["/jobs/", "/jobs/live/", "/jobs.csv"])
def test_a_stranger_is_sent_to_sign_in(client: Client, address: str) -> None:
    response = client.get(address)
    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/login/")


def test_jobs_of_others_are_in_no_row_and_no_number(visitor: Client, prod: Sandbox) -> None:
    mine = make.job(prod)
    hidden = make.sandbox(make.connection("other"), "prod")
    theirs = make.failed_job(hidden, id=777001)
    html = text(visitor.get("/jobs/"))
    assert rows(html) == [str(mine.pk)]
    assert (tab(html, "all"), tab(html, "failed")) == ("1", "0")
    assert "other/prod" not in html
    for query in ("q=777001", f"sandbox={hidden.ref}&status=FAILED", "range=24h"):
        html = text(visitor.get(f"/jobs/?{query}"))
        assert str(theirs.pk) not in rows(html)
        assert tab(html, "failed") == "0"


def test_nothing_is_changed_by_a_post(visitor: Client) -> None:
    assert visitor.post("/jobs/").status_code == 405


# --- rows -------------------------------------------------------------------------------------------------------------


def test_a_row_says_what_is_exported_and_whither_by_name(visitor: Client, prod: Sandbox) -> None:
    named(prod, EntryKind.SEGMENT, "SEG1", "Spring buyers")
    named(prod, EntryKind.DATASET, "DS1", "Profile export")
    job = make.job(
        prod,
        filter={"segments": [{"segmentId": one} for one in ("SEG1", "SEG2", "SEG3", "SEG4")]},
        additionalFields={"eventList": {"fields": "_id"}},
    )
    html = text(visitor.get("/jobs/"))
    assert "Spring buyers, SEG2 +2 with events" in html
    assert "→ Profile export" in html
    assert f'href="/jobs/{job.pk}/"' in html
    assert job.remote_id in html


def test_without_segments_profiles_are_exported(visitor: Client, prod: Sandbox) -> None:
    make.job(prod, filter={})
    assert ">Profiles</a>" in text(visitor.get("/jobs/"))


def test_a_failed_row_shows_the_first_line_of_its_error_and_leads_to_it(
    visitor: Client, prod: Sandbox
) -> None:
    job = make.failed_job(prod)
    html = text(visitor.get("/jobs/"))
    assert f'class="job-error" id="job-error-{job.pk}" href="/jobs/{job.pk}/#errors"' in html
    assert "Error writing profiles to output path" in html


def test_conditions_stand_beside_the_state_with_their_names(visitor: Client, prod: Sandbox) -> None:
    long_ago = int((timezone.now() - timedelta(hours=4)).timestamp() * 1000)
    job = make.job(prod, creationTime=long_ago, updateTime=long_ago)
    ExportJob.objects.filter(pk=job.pk).update(cancel_requested_at=timezone.now())
    html = text(visitor.get("/jobs/"))
    assert "late: running longer than 150 minutes" in html
    assert "stuck? nothing changed for a long time" in html
    assert "cancellation requested" in html


def test_cancelling_is_offered_only_to_those_who_may_and_where_it_makes_sense(
    visitor: Client, prod: Sandbox, ana: User
) -> None:
    running, ended = make.job(prod), make.job(prod, status="SUCCEEDED")
    assert "cancel/" not in text(visitor.get("/jobs/"))
    ana.memberships.update(role=Role.OPERATOR)
    html = text(visitor.get("/jobs/"))
    assert f'href="/jobs/{running.pk}/cancel/"' in html
    assert f'href="/jobs/{ended.pk}/cancel/"' not in html


def test_hostile_text_is_shown_as_text(visitor: Client, prod: Sandbox) -> None:
    evil = "<img src=x onerror=alert(1)>"
    named(prod, EntryKind.SEGMENT, "SEG1", evil)
    named(prod, EntryKind.DATASET, "DS1", evil)
    make.failed_job(prod, errors=[{"code": "1", "msg": "<script>alert(2)</script>"}])
    Sandbox.objects.update(failing_since=timezone.now(), last_error=evil)
    for query in (
        "",
        "segment=SEG1&dataset=DS1",
        "q=%3Cscript%3E",
        "status=%3Cscript%3E",
        "launched_by=%3Cimg",
    ):
        html = text(visitor.get(f"/jobs/?{query}"))
        assert "<img" not in html
        assert "<script>" not in html
        assert "&lt;img src=x onerror=alert(1)&gt;" in html


def test_an_exact_id_gives_the_list_with_the_one_row(visitor: Client, prod: Sandbox) -> None:
    make.job(prod)
    job = make.job(prod, id=722)
    html = text(visitor.get("/jobs/?q=722"))
    assert rows(html) == [str(job.pk)]
    assert 'class="is-running glow"' in html


def test_a_job_of_a_sandbox_that_is_no_longer_watched_stays_in_the_list(
    visitor: Client, prod: Sandbox
) -> None:
    job = make.job(make.sandbox(prod.connection, "old", is_watched=False))
    html = text(visitor.get("/jobs/?sandbox=acme/old"))
    assert rows(html) == [str(job.pk)]
    assert "acme/old" in html


# --- tabs, chips, links -----------------------------------------------------------------------------------------------


def test_tabs_count_each_state_and_keep_the_other_filters(visitor: Client, prod: Sandbox) -> None:
    for status in ("NEW", "PROCESSING", "SUCCEEDED", "SUCCEEDED", "FAILED"):
        make.job(prod, status=status)
    for query, kept in (("", ""), ("range=24h", "&amp;range=24h")):
        html = text(visitor.get(f"/jobs/?{query}"))
        counts = {
            word: tab(html, word)
            for word in ("all", "waiting", "running", "succeeded", "failed", "cancelled")
        }
        assert counts == {
            "all": "5",
            "waiting": "1",
            "running": "1",
            "succeeded": "2",
            "failed": "1",
            "cancelled": "0",
        }
        assert f'href="/jobs/?status=FAILED{kept}"' in html


def test_tallies_and_counting_agree(visitor: Client, prod: Sandbox) -> None:
    for status in ("NEW", "SUCCEEDED", "FAILED", "STRANGE"):
        make.job(prod, status=status)
    recount(prod)
    by_tally, counted = (
        text(visitor.get("/jobs/")),
        text(visitor.get("/jobs/?max_duration=999999999&range=30d")),
    )
    assert tab(by_tally, "all") == "4"
    assert tab(counted, "all") == "0"
    counted = text(visitor.get("/jobs/?range=30d"))
    for word in ("all", "waiting", "succeeded", "failed", "unknown"):
        assert tab(by_tally, word) == tab(counted, word)


def test_counting_stops_at_a_bound_and_says_so(
    visitor: Client, prod: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_tabs, "COUNTED_UP_TO", 2)
    for _ in range(4):
        make.job(prod)
    assert tab(text(visitor.get("/jobs/?range=24h")), "all") == "2+"
    assert tab(text(visitor.get("/jobs/")), "all") == "4"


def test_the_tab_in_use_is_marked(visitor: Client, prod: Sandbox) -> None:
    html = text(visitor.get("/jobs/?status=QUEUED&status=NEW"))
    assert re.search(r'id="tab-waiting"[^>]*aria-current="page"', html)
    assert html.count('class="tab"') == 7


def test_chips_name_what_is_chosen_and_clear_removes_all(visitor: Client, prod: Sandbox) -> None:
    named(prod, EntryKind.SEGMENT, "SEG1", "Spring buyers")
    make.job(prod)
    html = text(visitor.get("/jobs/?segment=SEG1&range=24h"))
    assert '<a class="chip" href="/jobs/?range=24h">Segment: Spring buyers' in html
    assert '<a href="/jobs/">Clear</a>' in html
    assert 'class="chip"' not in text(visitor.get("/jobs/"))


def test_headers_sort_and_say_how(visitor: Client, prod: Sandbox) -> None:
    make.job(prod)
    html = text(visitor.get("/jobs/"))
    assert 'class="c-age" aria-sort="descending"' in html
    assert 'href="/jobs/?sort=-duration"' in html
    assert 'class="c-took" aria-sort="ascending"' in text(visitor.get("/jobs/?sort=duration"))


def test_pages_lead_on_and_back(visitor: Client, prod: Sandbox) -> None:
    for _ in range(30):
        make.job(prod)
    first = text(visitor.get("/jobs/?per_page=25"))
    assert "Showing 25, newest first" in first
    assert 'rel="prev"' not in first
    onward = re.search(r'href="([^"]*after=[^"]*)"', first)
    assert onward
    second = text(visitor.get(onward[1].replace("&amp;", "&")))
    assert "Showing 5, newest first" in second
    assert not set(rows(first)) & set(rows(second))
    back = re.search(r'href="([^"]*before=[^"]*)"', second)
    assert back
    assert rows(text(visitor.get(back[1].replace("&amp;", "&")))) == rows(first)


def test_the_page_size_is_remembered_and_leaves_the_address(visitor: Client, prod: Sandbox) -> None:
    for _ in range(30):
        make.job(prod)
    assert len(rows(text(visitor.get("/jobs/?per_page=25")))) == 25
    html = text(visitor.get("/jobs/"))
    assert len(rows(html)) == 25
    assert "per_page=25" not in html
    visitor.cookies["per_page"] = "1000000"
    assert len(rows(text(visitor.get("/jobs/")))) == 30


# --- the form ---------------------------------------------------------------------------------------------------------


def test_a_plain_form_ends_at_an_address_without_empty_values(visitor: Client, prod: Sandbox) -> None:
    response = visitor.get("/jobs/?q=&segment=&dataset=DS1&range=24h&sort=-created&launched_by=")
    assert response.status_code == 302
    assert response["Location"] == "/jobs/?dataset=DS1&range=24h"


def test_the_form_shows_what_is_chosen(visitor: Client, prod: Sandbox) -> None:
    named(prod, EntryKind.DATASET, "DS1", "Profile export")
    html = text(visitor.get("/jobs/?dataset=DS1&range=7d&status=FAILED&q=x"))
    assert '<option value="DS1" selected>Profile export</option>' in html
    assert '<option value="7d" selected>Last 7 days</option>' in html
    assert '<input type="hidden" name="status" value="FAILED">' in html


def test_an_id_without_a_name_can_be_chosen_too(visitor: Client, prod: Sandbox) -> None:
    assert 'id="job-segment" name="segment" value="SEG9"' in text(visitor.get("/jobs/?segment=SEG9"))
    named(prod, EntryKind.SEGMENT, "SEG1", "Spring buyers")
    assert '<option value="SEG9" selected>SEG9</option>' in text(visitor.get("/jobs/?segment=SEG9"))


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("status=DONE", "There is no “DONE” here; it can be NEW, QUEUED"),
        ("after=broken", "This place in the list cannot be read"),
        ("since=yesterday", "“yesterday” is not a time with its zone"),
        ("sandbox=no/where", "There is no sandbox “no/where” that you may see."),
        ("q=a%00b", "It holds a character (NUL)"),
    ],
)
def test_what_cannot_be_read_stands_beside_its_field_and_the_rest_is_listed(
    visitor: Client, prod: Sandbox, query: str, said: str
) -> None:
    job = make.job(prod)
    html = text(visitor.get(f"/jobs/?{query}"))
    assert said in html
    assert 'class="field-error"' in html
    assert rows(html) == [str(job.pk)]


# --- why it is empty, and what must be known --------------------------------------------------------------------------


def test_nothing_yet_offers_the_first_export_to_those_who_may_launch(
    visitor: Client, prod: Sandbox, ana: User
) -> None:
    assert "No exports yet" in text(visitor.get("/jobs/"))
    assert "Launch the first export" not in text(visitor.get("/jobs/"))
    ana.memberships.update(role=Role.OPERATOR)
    assert "Launch the first export" in text(visitor.get("/jobs/"))


def test_first_contact_says_how_far_it_has_read(visitor: Client, prod: Sandbox) -> None:
    Sandbox.objects.update(first_contact_done_at=None, first_contact_jobs=412)
    html = text(visitor.get("/jobs/"))
    assert "The history is being read for the first time" in html
    assert "412 jobs read so far" in html


def test_no_match_offers_to_clear_and_names_the_limit_of_text_search(visitor: Client, prod: Sandbox) -> None:
    make.job(prod)
    html = text(visitor.get("/jobs/?q=nothing+says+this"))
    assert "Nothing matches" in html
    assert "newest 10\N{NARROW NO-BREAK SPACE}000 jobs" in html
    assert "Clear filters" in html


def test_no_failure_is_good_news(visitor: Client, prod: Sandbox) -> None:
    make.job(prod)
    assert "No failed exports" in text(visitor.get("/jobs/?status=FAILED&range=24h"))


def test_without_any_sandbox_one_is_told_whom_to_ask(visitor: Client) -> None:
    assert "Ask an administrator" in text(visitor.get("/jobs/"))


def test_a_cursor_past_the_end_leads_back(visitor: Client, prod: Sandbox) -> None:
    for _ in range(26):
        make.job(prod)
    onward = re.search(r"after=([\w-]+)", text(visitor.get("/jobs/?per_page=25")))
    assert onward
    ExportJob.objects.order_by("created_at", "id").first().delete()  # type: ignore[union-attr]
    assert "To the first page" in text(visitor.get(f"/jobs/?after={onward[1]}"))


def test_a_sandbox_that_cannot_be_read_is_told_since_when_why_and_as_of_when(
    visitor: Client, prod: Sandbox, ana: User
) -> None:
    now = timezone.now()
    Sandbox.objects.update(
        failing_since=now - timedelta(minutes=14),
        last_ok_at=now - timedelta(minutes=15),
        last_error="The platform cannot be reached.",
    )
    make.job(prod)
    html = text(visitor.get("/jobs/"))
    assert "acme/prod cannot be read since" in html
    assert "The platform cannot be reached." in html
    assert "15 m ago" in html
    assert "Look at the connection" not in html
    ana.memberships.update(role=Role.ADMIN)
    assert f'href="/connections/{prod.connection_id}/">Look at the connection' in text(visitor.get("/jobs/"))


def test_a_sandbox_out_of_the_filter_is_not_complained_of(visitor: Client, prod: Sandbox) -> None:
    make.sandbox(prod.connection, "stage", failing_since=timezone.now(), last_error="It is down.")
    assert "It is down." in text(visitor.get("/jobs/"))
    assert "It is down." not in text(visitor.get("/jobs/?sandbox=acme/prod"))


# --- with htmx --------------------------------------------------------------------------------------------------------


def test_a_fragment_brings_table_tabs_and_form_and_the_clean_address(visitor: Client, prod: Sandbox) -> None:
    make.job(prod)
    response = visitor.get("/jobs/?q=&status=PROCESSING&sandbox=", headers=HTMX)
    html = text(response)
    assert html.lstrip().startswith('<div class="stack stack-tight" id="job-table">')
    assert re.search(r'id="job-tabs"[^>]*hx-swap-oob="morph"', html)
    assert re.search(r'id="job-filters"[^>]*hx-swap-oob="morph"', html)
    assert response["HX-Push-Url"] == "/jobs/?status=PROCESSING"
    assert "HX-Target" in response["Vary"]


def test_the_page_itself_swaps_nothing_out_of_band(visitor: Client, prod: Sandbox) -> None:
    make.job(prod)
    assert "hx-swap-oob" not in text(visitor.get("/jobs/"))


def test_moving_to_another_sandbox_loads_the_whole_page_so_that_the_frame_follows(
    visitor: Client, prod: Sandbox
) -> None:
    make.sandbox(prod.connection, "stage")
    here = {"HX-Current-URL": "http://testserver/jobs/?sandbox=acme/prod"}
    response = visitor.get("/jobs/?sandbox=acme/stage&q=", headers=HTMX | here)
    assert response["HX-Redirect"] == "/jobs/?sandbox=acme/stage"
    assert "HX-Redirect" not in visitor.get("/jobs/?sandbox=acme/prod&range=1h", headers=HTMX | here)


def test_going_back_in_history_gets_the_whole_page(visitor: Client, prod: Sandbox) -> None:
    response = visitor.get("/jobs/", headers=HTMX | {"HX-History-Restore-Request": "true"})
    assert text(response).lstrip().startswith("<!doctype html>")


# --- what it costs ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 200])
@pytest.mark.parametrize(
    "query",
    [
        "",
        "status=FAILED",
        "sandbox=acme/prod&range=24h",
        "q=writing",
        "q=SEG1&segment=SEG1&dataset=DS1",
        "sort=-duration&launched_by=me",
    ],
)
def test_the_page_takes_at_most_eight_queries(
    visitor: Client, prod: Sandbox, ana: User, size: int, query: str
) -> None:
    make.sandbox(prod.connection, "stage", failing_since=timezone.now(), last_error="It is down.")
    for number in range(size):
        made = make.failed_job if number % 2 else make.job
        made(prod, filter={"segments": [{"segmentId": f"SEG{number % 9}"}]})
    ExportJob.objects.update(launched_by=ana)
    visitor.cookies["per_page"] = "200"
    with CaptureQueriesContext(database) as spent:
        text(visitor.get(f"/jobs/?{query}"))
    assert len(spent) <= 8, "\n".join(each["sql"][:200] for each in spent)
