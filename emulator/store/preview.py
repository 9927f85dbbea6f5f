"""The first rows of a Parquet file as JSON, read in a child process so that the server stays small."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from emulator import pool


def rows(path: Path, limit: int) -> list[dict[str, Any]]:
    """The first `limit` rows, times as text. OSError for a file that cannot be read."""
    try:
        found: list[dict[str, Any]] = pool.call("preview", {"path": str(path), "limit": limit})
    except pool.WorkFailed as error:
        raise OSError(error.message) from error
    return found
