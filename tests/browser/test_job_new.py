"""The export form in a browser: rows, the payload beside it, and what a stray key does not do."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page, expect

from jobs.models import CatalogEntry, EntryKind, Launch, Role, Sandbox
from tests import make

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def place() -> Sandbox:
    made = make.sandbox(catalog_seen_at=timezone.now())
    other = make.sandbox(made.connection, "dev", catalog_seen_at=timezone.now())
    names = [
        (made, EntryKind.DATASET, "DS1", "Profile export"),
        (made, EntryKind.SEGMENT, "SEG1", "Spring buyers"),
        (made, EntryKind.SEGMENT, "SEG2", "Lapsed"),
        (made, EntryKind.MERGE_POLICY, "MP1", "Default"),
        (other, EntryKind.DATASET, "DS9", "Dev export"),
    ]
    for sandbox, kind, pk, name in names:
        CatalogEntry.objects.create(
            sandbox=sandbox, kind=kind, remote_id=pk, name=name, seen_at=timezone.now()
        )
    return made


@pytest.fixture
def form(page: Page, live_server: Any, place: Sandbox) -> Page:
    """The empty form as an operator sees it; the test fails on any error of a script."""
    person = make.user("olga")
    make.member(person, place.connection, Role.OPERATOR)
    session = make.signed_in(Client(), person).cookies[settings.SESSION_COOKIE_NAME]
    page.context.add_cookies([{"name": session.key, "value": session.value, "url": live_server.url}])
    page.on("pageerror", lambda error: pytest.fail(f"a script failed: {error}"))
    page.goto(f"{live_server.url}/jobs/new/?sandbox={place.ref}")
    return page


def test_two_segments_are_put_together_and_the_payload_follows(form: Page) -> None:
    payload = form.locator("#payload")
    expect(payload).to_contain_text("Choose the dataset to export to.")
    form.get_by_label("Dataset", exact=True).select_option("Profile export")
    form.locator("#id_segments-0-segment").select_option("Spring buyers")
    form.get_by_role("button", name="Add segment").click()
    form.locator("#id_segments-1-segment").select_option("Lapsed")
    expect(payload).to_contain_text("Several segments need one merge policy")
    form.get_by_label("Merge policy").select_option("Default")
    expect(payload).to_contain_text("Exports 2 segments into one batch.")
    form.get_by_label("One batch for each segment").check()
    expect(payload).to_contain_text("Exports one batch for each of the 2 segments.")
    expect(payload).to_contain_text("Nothing is missing.")
    form.get_by_role("button", name="Remove segment").first.click()
    expect(payload).to_contain_text("Exports 1 segment into one batch.")
    expect(payload).to_contain_text('"segmentId": "SEG2"')
    expect(form.locator("#id_segments-0-segment")).to_have_value("SEG2")
    form.get_by_role("button", name="Launch export").click()
    form.wait_for_url("**/launches/*/")
    assert Launch.objects.get().payload["filter"]["segments"][0]["segmentId"] == "SEG2"


def test_another_sandbox_keeps_what_was_typed_and_names_itself_everywhere(form: Page) -> None:
    form.get_by_label("Profile fields").fill("person.name")
    form.get_by_label("Sandbox", exact=True).select_option("acme/dev")
    expect(form.get_by_label("Dataset", exact=True)).to_contain_text("Dev export")
    expect(form.get_by_label("Profile fields")).to_have_value("person.name")
    expect(form.locator("nav.crumbs")).to_contain_text("acme/dev")
    expect(form.locator("#payload")).to_contain_text('"fields": "person.name"')
    assert "sandbox=acme%2Fdev" in form.url
    form.get_by_label("Profile fields").fill("person.nick")
    expect(form.locator("#payload")).to_contain_text("person.nick")


def test_the_enter_key_checks_and_never_launches(form: Page) -> None:
    form.get_by_label("Dataset", exact=True).select_option("Profile export")
    form.get_by_role("button", name="Remove segment").click()
    expect(form.locator("#payload")).to_contain_text("Exports every profile of the sandbox.")
    form.get_by_label("Version").fill("1")
    form.get_by_label("Version").press("Enter")
    expect(form.get_by_text("A version needs its merge policy.").first).to_be_visible()
    expect(form.get_by_label("Merge policy")).to_be_focused()
    form.get_by_label("Version").fill("")
    form.get_by_label("Version").press("Enter")
    expect(form.locator(".field-error")).to_have_count(0)
    assert not Launch.objects.exists()


def test_fields_of_events_show_once_events_are_wanted(form: Page) -> None:
    expect(form.get_by_label("Event fields")).to_be_hidden()
    form.get_by_label("Export events too").check()
    form.get_by_label("Event fields").fill("_id")
    expect(form.locator("#payload")).to_contain_text('"eventList"')
    form.get_by_label("Export events too").uncheck()
    expect(form.locator("#payload")).not_to_contain_text('"eventList"')


def test_a_phone_shows_all_of_it_without_scrolling_sideways(form: Page) -> None:
    form.set_viewport_size({"width": 390, "height": 844})
    width = form.locator("html").evaluate("page => page.scrollWidth")
    assert width <= 390
    expect(form.get_by_role("button", name="Launch export")).to_be_visible()
