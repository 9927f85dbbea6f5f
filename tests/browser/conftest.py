"""One running copy of the product for all browser walks, and people who are signed in."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.running import Copy

PATIENCE_MS = 120_000


def has_met_the_platform(home: Path) -> bool:
    """Whether every sandbox has been read and its names looked up, as a person finds it a minute after the start."""
    with closing(sqlite3.connect(f"file:{home}/exportui.sqlite3?mode=ro", uri=True)) as database:
        met = "first_contact_done_at IS NOT NULL AND catalog_seen_at IS NOT NULL"
        rows = database.execute(f"SELECT count(*), sum({met}) FROM jobs_sandbox").fetchone()  # noqa: S608
    return bool(rows[0] and rows[0] == rows[1])


@pytest.fixture(scope="session")
def copy() -> Iterator[Copy]:
    """A short path: the socket of the embedded Redis lies below it."""
    home = Path(tempfile.mkdtemp(prefix="walk-"))
    running = Copy(home).until_ready()
    running.until(lambda: has_met_the_platform(home))
    yield running
    running.stop()
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def platform(copy: Copy) -> str:
    """Where the copy's emulator answers."""
    url = copy.text.partition("local emulator at ")[2].split()[0]
    assert requests.get(f"{url}/credentials.json", timeout=10).ok
    return url


@pytest.fixture
def sign_in(copy: Copy, page: Page) -> Iterator[Callable[[str], Page]]:
    """`sign_in("operator")`: the page of that person, who has come in by the sign-in form."""

    def come_in(name: str) -> Page:
        page.set_default_timeout(PATIENCE_MS)
        page.goto(f"{copy.url}/accounts/login/")
        page.get_by_label("Username").fill(name)
        page.get_by_label("Password").fill(copy.passwords()[name])
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name="Overview")).to_be_visible()
        return page

    expect.set_options(timeout=PATIENCE_MS)
    said = len(copy.lines)
    yield come_in
    print("\n".join(copy.lines[said:]))  # shown when the walk failed
