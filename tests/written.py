"""A platform on which one export has written a batch and another has failed, for tests of what results show."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.emulator.world import World
from tests.remote import Remote


@pytest.fixture(scope="session")
def in_use(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One for each test process; its exports take a few seconds."""
    remote = Remote(tmp_path_factory.mktemp("written")).start()
    try:
        yield World(remote)
    finally:
        remote.stop()


@pytest.fixture
def world(in_use: World) -> World:
    """The same, without the faults and quirks of the test before and with an empty journal."""
    in_use.remote.clear_faults()
    in_use.remote.quirks()
    in_use.remote.clear_requests()
    return in_use
