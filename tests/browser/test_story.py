"""The story the product is for, walked in a browser against a running copy: watch, launch, understand, cancel."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
import requests
from playwright.sync_api import Locator, Page, expect

from tests.running import Copy

pytestmark = [pytest.mark.xdist_group("up"), pytest.mark.timeout(600)]

SignIn = Callable[[str], Page]


def history(page: Page) -> Locator:
    return (
        page.locator("section, details")
        .filter(has=page.get_by_role("heading", name="History"))
        .locator("ol.history")
    )


def choose_segment(page: Page, row: int, choice: int) -> str:
    """Pick an entry of a row's list; the name of the segment."""
    select = page.locator(f'[name="segments-{row}-segment"]')
    option = select.locator("option:not([value=''])").nth(choice)
    value, name = option.get_attribute("value"), option.text_content()
    select.select_option(value)
    return (name or "").strip()


def launch_two_segments(page: Page) -> list[str]:
    """From the button in the rail to the job's page; the segments' names."""
    page.get_by_role("link", name="New export").first.click()
    dataset = page.locator('[name="dataset"]')
    dataset.select_option(
        dataset.locator("option:not([value='']):not([disabled])").first.get_attribute("value")
    )
    names = [choose_segment(page, 0, 0)]
    page.get_by_role("button", name="Add segment").click()
    names.append(choose_segment(page, 1, 1))
    policy = page.locator('[name="merge_policy"]')
    policy.select_option(policy.locator("option:not([value=''])").first.get_attribute("value"))
    expect(page.locator("#payload")).to_contain_text('"segmentId"')
    page.get_by_role("button", name="Launch export").click()
    page.wait_for_url(re.compile(r"/jobs/\d+/"))
    return names


def look_into_the_results(page: Page, tmp_path: Path) -> None:
    """What the export wrote: rows in a table, and a file that holds as many of them as the page says."""
    results = page.get_by_role("region", name="Results")
    row = results.locator("table:not(.sheet) tbody tr").first
    counted = (row.locator("td[data-label=Records]").text_content() or "").replace(
        "\N{NARROW NO-BREAK SPACE}", ""
    )
    row.get_by_role("link", name="Preview").click()
    expect(results.locator("table.sheet th").first).to_be_visible()
    expect(results.locator("table.sheet tbody tr").first).to_be_visible()
    with page.expect_download() as begun:
        row.get_by_role("link", name="Download").click()
    saved = tmp_path / begun.value.suggested_filename
    begun.value.save_as(saved)
    with duckdb.connect() as one_of_its_own:
        held = one_of_its_own.execute("SELECT count(*) FROM read_parquet(?)", [str(saved)]).fetchone()
    assert held == (int(counted),) and int(counted) > 0
    page.reload()
    for noted in ("Previewed rows of a result", "Downloaded a file of a result"):
        expect(page.locator("#job-activity")).to_contain_text(noted)


def test_an_operator_walks_from_a_failure_to_a_finished_and_a_cancelled_export(
    sign_in: SignIn, tmp_path: Path
) -> None:
    page = sign_in("operator")

    page.get_by_role("link", name="Jobs", exact=True).first.click()
    page.get_by_role("navigation", name="States").get_by_role("link", name=re.compile("^Failed")).click()
    failed = page.locator("table.jobs tbody tr.is-failed").first
    expect(failed).to_contain_text("Failed")
    failed.locator("a.job-name").click()
    expect(page.get_by_role("heading", name="Why it failed")).to_be_visible()
    expect(page.locator("code.code").first).not_to_be_empty()

    launch_two_segments(page)
    expect(page.locator("h1")).to_contain_text("Succeeded")  # by itself: nobody reloads
    for word in ("Running", "Succeeded"):
        expect(history(page)).to_contain_text(word)
    expect(page.get_by_text("operator").first).to_be_visible()

    look_into_the_results(page, tmp_path)

    launch_two_segments(page)
    page.get_by_role("link", name="Request cancellation").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("may still finish")
    dialog.get_by_role("button", name="Request cancellation").click()
    expect(page.locator("h1")).to_contain_text("Cancelled")
    expect(history(page)).to_contain_text("Cancelling")


def test_a_refusal_of_the_platform_keeps_everything_that_was_typed(sign_in: SignIn, platform: str) -> None:
    words = "Segmentation is being upgraded"
    refusal = {"reply": {"status": 400, "json": {"errors": {"400": [{"code": "400", "message": words}]}}}}
    rule = {"match": {"method": "POST", "path": "/data/core/ups/export/jobs"}, "times": 1, "do": refusal}
    page = sign_in("operator")
    page.get_by_role("link", name="New export").first.click()
    dataset = page.locator('[name="dataset"]')
    dataset.select_option(
        dataset.locator("option:not([value='']):not([disabled])").first.get_attribute("value")
    )
    choose_segment(page, 0, 2)
    page.locator('[name="profile_fields"]').fill("identityMap, person.name")
    assert requests.post(f"{platform}/_emulator/faults", json=rule, timeout=10).ok
    page.get_by_role("button", name="Launch export").click()
    expect(page.get_by_text(words).first).to_be_visible()
    page.get_by_role("link", name="Edit and try again").click()
    expect(page.get_by_text(words).first).to_be_visible()
    expect(page.locator('[name="profile_fields"]')).to_have_value(re.compile(r"identityMap,\s*person\.name"))


def test_rows_of_the_list_move_by_themselves(sign_in: SignIn, copy: Copy) -> None:
    page = sign_in("operator")
    launch_two_segments(page)
    address = page.url.split("?")[0]
    pk = address.rstrip("/").rpartition("/")[2]
    page.goto(f"{copy.url}/jobs/")
    row = page.locator(f"#job-{pk}")
    expect(row).to_be_visible()
    page.evaluate("document.title = 'not reloaded'")
    expect(row).to_contain_text("Succeeded")
    assert page.title() == "not reloaded"


def test_a_dataset_is_made_on_the_spot(sign_in: SignIn) -> None:
    page = sign_in("operator")
    page.get_by_role("link", name="New export").first.click()
    page.locator('[name="profile_fields"]').fill("identityMap")
    page.get_by_text("Create one").click()
    page.locator('[name="new_dataset"]').fill("Made in a walk")
    page.get_by_role("button", name="Create dataset").click()
    expect(page.locator('[name="dataset"] option:checked')).to_contain_text("Made in a walk")
    expect(page.locator('[name="profile_fields"]')).to_have_value("identityMap")


def test_an_admin_adds_tests_and_watches_a_second_connection(sign_in: SignIn, platform: str) -> None:
    known = requests.get(f"{platform}/credentials.json", timeout=10).json()
    page = sign_in("admin")
    page.get_by_role("link", name="Connections").click()
    page.get_by_role("link", name="Add connection").click()
    page.get_by_label("Name", exact=False).first.fill("second")
    page.get_by_label("IMS organisation").fill(known["org_id"])
    page.get_by_label("Client id").fill(known["client_id"])
    page.get_by_label("Client secret").fill("wrong-on-purpose")
    page.get_by_label("Platform URL").fill(known["platform_url"])
    page.get_by_label("Token URL").fill(known["token_url"])
    page.get_by_role("button", name="Add connection").click()
    expect(page.get_by_text("secret is wrong")).to_be_visible()
    page.get_by_role("link", name="Cancel").click()
    page.get_by_label("New client secret").fill(known["client_secret"])
    page.get_by_role("button", name="Replace secret").click()
    page.get_by_role("button", name="Test connection").click()
    expect(page.get_by_text("second works")).to_be_visible()
    page.get_by_role("link", name="Choose sandboxes").click()
    page.get_by_role("checkbox").first.check()
    page.get_by_role("button", name="Watch these").click()
    page.goto(page.url.split("/connections")[0] + "/connections/")
    expect(page.get_by_role("row", name=re.compile("second"))).to_contain_text("Works")


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_page_scrolls_sideways_or_breaks_its_policy(
    sign_in: SignIn, copy: Copy, width: int, theme: str
) -> None:
    page = sign_in("admin")
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.context.add_cookies([{"name": "theme", "value": theme, "url": copy.url}])
    page.set_viewport_size({"width": width, "height": 844})
    for path in (
        "/",
        "/jobs/",
        "/jobs/new/",
        "/failures/",
        "/activity/",
        "/connections/",
        "/people/",
        "/account/preferences/",
    ):
        page.goto(copy.url + path)
        expect(page.locator("h1")).to_be_visible()
        wider = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wider <= 0, f"{path} is {wider} px too wide at {width}"
    assert said == []


def test_the_launch_button_stays_where_it_is_while_the_payload_grows(sign_in: SignIn, copy: Copy) -> None:
    """Else a click lands beside it when the answer to the last keystroke arrives."""
    page = sign_in("operator")
    page.goto(f"{copy.url}/jobs/new/")
    button = page.get_by_role("button", name="Launch export")
    below = (
        "button => button.getBoundingClientRect().top - button.closest('aside').getBoundingClientRect().top"
    )
    before = button.evaluate(below)
    choose_segment(page, 0, 0)
    expect(page.locator("#payload")).to_contain_text('"segmentId"')
    assert button.evaluate(below) == before
