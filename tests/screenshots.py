"""Takes the README's pictures from a running demo: `python -m tests.screenshots`."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from tests import chromium
from tests.running import ROOT, Copy

WHERE = ROOT / "docs" / "screenshots"
SIZE = {"width": 1440, "height": 900}


def main() -> None:
    """A fresh copy each time, so that the pictures show what a newcomer sees."""
    home = Path(tempfile.mkdtemp(prefix="shots-"))
    copy = Copy(home).until_ready()
    WHERE.mkdir(parents=True, exist_ok=True)
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(**chromium.launch_options())
            page = browser.new_context(viewport=SIZE, device_scale_factor=1).new_page()
            sign_in(page, copy)
            take_all(page, copy)
            browser.close()
    finally:
        copy.stop()
        shutil.rmtree(home, ignore_errors=True)


def sign_in(page: Page, copy: Copy) -> None:
    page.set_default_timeout(60_000)
    page.goto(f"{copy.url}/accounts/login/")
    page.get_by_label("Username").fill("operator")
    page.get_by_label("Password").fill(copy.passwords()["operator"])
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("Up to date").first).to_be_visible(timeout=60_000)


def take_all(page: Page, copy: Copy) -> None:
    page.goto(f"{copy.url}/")
    take(page, "overview")
    page.goto(f"{copy.url}/jobs/")
    take(page, "jobs")
    page.goto(f"{copy.url}/jobs/?status=FAILED&q=0090000009")
    page.locator("table.jobs a.job-name").first.click()
    expect(page.get_by_role("heading", name="Why it failed")).to_be_visible()
    take(page, "failed-job")
    page.context.add_cookies([{"name": "theme", "value": "dark", "url": copy.url}])
    page.goto(f"{copy.url}/jobs/new/")
    dataset = page.locator('[name="dataset"]')
    dataset.select_option(index=1)
    page.locator('[name="segments-0-segment"]').select_option(index=1)
    expect(page.locator("#payload")).to_contain_text('"segmentId"')
    take(page, "new-export")


def take(page: Page, name: str) -> None:
    page.screenshot(path=WHERE / f"{name}.png")


if __name__ == "__main__":
    main()
