"""The platform in use, one for each test file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.emulator.world import World
from tests.remote import Remote


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    remote = Remote(tmp_path_factory.mktemp("world")).start()
    try:
        yield World(remote)
    finally:
        remote.stop()
