"""The first rows of a Parquet file as JSON, read in a child process so that the server stays small."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

TIMEOUT_S = 60


def rows(path: Path, limit: int) -> list[dict[str, Any]]:
    """The first `limit` rows, times as text. OSError for a file that cannot be read."""
    command = [sys.executable, "-m", "emulator.store.preview", str(path), str(limit)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    if done.returncode:
        raise OSError(done.stderr.strip()[-300:])
    return json.loads(done.stdout, parse_constant=lambda _: None)


def _print(path: str, limit: int) -> None:
    """What the child does; DuckDB itself writes the JSON, so that maps and times come out as its own."""
    import duckdb  # here alone: whoever imports this module must not load the engine

    with duckdb.connect() as db:
        found = db.execute("SELECT to_json(t)::VARCHAR FROM read_parquet(?) AS t LIMIT ?", [path, limit])
        print(f"[{','.join(row[0] for row in found.fetchall())}]")


if __name__ == "__main__":
    _print(sys.argv[1], int(sys.argv[2]))
