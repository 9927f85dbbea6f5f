"""The browser of the tests is a real one, and our frame around its policy lets a person in."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer


@pytest.mark.django_db(transaction=True)
def test_a_person_signs_in_and_the_browser_blocks_nothing(live_server: LiveServer, page: Page) -> None:
    get_user_model().objects.create_user("ann", password="correct horse")
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto(f"{live_server.url}/accounts/login/")
    page.locator("[name=login]").fill("ann")
    page.locator("[name=password]").fill("correct horse")
    page.locator("form:has([name=password]) [type=submit]").click()
    expect(page).to_have_url(f"{live_server.url}/")
    assert complaints == []
