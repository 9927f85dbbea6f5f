"""What all tests share: an environment of their own, a real Redis, a real database, a browser."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import django
import pytest
from django.conf import settings
from django.core.cache import cache
from django.utils.module_loading import import_string

from exportui import valkey
from tests import chromium, postgres

pytest_plugins = ["tests.remote", "tests.written"] if find_spec("tests.remote") else []

POSTGRES = "EXPORTUI_TEST_POSTGRES"  # set by the first process, read by its xdist workers
OURS = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "ALLOWED_HOSTS")
cleanup = ExitStack()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database",
        choices=["sqlite", "postgres"],
        default="sqlite",
        help="postgres: only the tests that use the database, on a server started for this run",
    )


def pytest_configure(config: pytest.Config) -> None:
    """An environment of its own for each test process, set before Django reads its settings."""
    if settings.configured:
        raise pytest.UsageError("Unset DJANGO_SETTINGS_MODULE: the tests bring their own environment.")
    home = Path(tempfile.mkdtemp(prefix="exportui-test-"))
    cleanup.callback(shutil.rmtree, home, ignore_errors=True)
    for name in [*OURS, *(name for name in os.environ if name.startswith("EXPORTUI_") and name != POSTGRES)]:
        os.environ.pop(name, None)
    if config.getoption("database") == "postgres":
        if POSTGRES not in os.environ:
            os.environ[POSTGRES] = cleanup.enter_context(postgres.server())
        os.environ["DATABASE_URL"] = os.environ[POSTGRES]
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "exportui.settings",
        "DJANGO_ALLOW_ASYNC_UNSAFE": "true",  # Playwright runs an event loop in the thread of the test
        "EXPORTUI_ENV": "test",
        "EXPORTUI_DATA_DIR": str(home),
    }
    django.setup()
    if config.getoption("numprocesses", None):
        # Its presence would make the xdist workers read the settings before they get here, with our directory.
        del os.environ["DJANGO_SETTINGS_MODULE"]


def pytest_unconfigure(config: pytest.Config) -> None:
    cleanup.close()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On PostgreSQL only what asks the database is worth a second run; the browser tests have had theirs."""
    if config.getoption("database") != "postgres":
        return
    keep = [item for item in items if asks_the_database(item)]
    config.hook.pytest_deselected(items=[item for item in items if item not in keep])
    items[:] = keep


def asks_the_database(item: pytest.Item) -> bool:
    fixtures = set(getattr(item, "fixturenames", ()))
    if item.get_closest_marker("sqlite_only") or "page" in fixtures or "browser" in fixtures:
        return False
    return item.get_closest_marker("django_db") is not None or bool(fixtures & {"db", "transactional_db"})


@pytest.fixture(autouse=True)
def _fresh_cache() -> None:
    """What a process remembers of one test must not hold in the next: counters, refusals, durations, budgets."""
    cache.clear()
    importlib.import_module("jobs.client.token")._refusals.clear()
    importlib.import_module("jobs.models.usual").usual_ms.cache_clear()
    importlib.import_module("jobs.connect.budget").slots_of.cache_clear()
    import_string("jobs.rules.kept.Kept").forget()


@pytest.fixture(scope="session")
def redis_server() -> Iterator[str]:
    """A real server of the Redis protocol where the settings expect the embedded one; yields its URL."""
    from_settings = Path(os.environ["EXPORTUI_DATA_DIR"]) / "valkey" / "valkey.sock"
    with subprocess.Popen(valkey.command(from_settings), stdout=subprocess.DEVNULL) as server:
        deadline = time.monotonic() + 10
        while not valkey.answers(from_settings):
            assert server.poll() is None, "the embedded server of the Redis protocol stopped at once"
            assert time.monotonic() < deadline, "the embedded server of the Redis protocol did not answer"
            time.sleep(0.02)
        yield f"unix://{from_settings}?db=0"
        server.terminate()


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """pytest-playwright drives the Chromium of this machine."""
    return browser_type_launch_args | chromium.launch_options()
