"""Reads the first rows of a local Parquet file and prints them as JSON; runs as a process of its own.

`python parquet.py FILE HELD LIMIT`: of the file only the first HELD bytes and its footer need to be there. It prints
`{"needs": bytes}` when the first group of rows does not lie within them, else
`{"columns": [[name, type]], "rows": [[text or null]], "total": rows of the file, "left_out": columns}`.

Nobody imports it: the engine would stay in the memory of the web server, and a file that makes it crash would take
the server along.
"""

from __future__ import annotations

import json
import resource
import sys
from typing import Any

import duckdb

MEMORY_BYTES = 2 * 1024**3
CPU_S = 15
MOST_COLUMNS = 200
MOST_CHARACTERS = 2000
MOST_OUTPUT = 4 * 1024 * 1024
_NESTED = ("STRUCT", "MAP", "UNION", "VARIANT")
_SETTINGS: dict[str, Any] = {
    "threads": 1,
    "memory_limit": "400MB",
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "temp_directory": "",
}


def main(path: str, held: int, limit: int) -> dict[str, Any]:
    """What is printed. Raises duckdb.Error for a file that is not what it should be."""
    with duckdb.connect(config=_SETTINGS) as db:
        total, first, needs = _layout(db, path)
        if needs > held:
            return {"needs": needs}
        columns = db.execute("DESCRIBE SELECT * FROM read_parquet(?)", [path]).fetchall()
        shown = [(str(name), str(kind)) for name, kind, *_ in columns[:MOST_COLUMNS]]
        rows = _rows(db, path, shown, min(limit, first))
        return {"columns": shown, "rows": rows, "total": total, "left_out": len(columns) - len(shown)}


def _layout(db: duckdb.DuckDBPyConnection, path: str) -> tuple[int, int, int]:
    """Rows of the file, rows of its first group, and where that group ends; all by the footer."""
    counted = db.execute("SELECT num_rows FROM parquet_file_metadata(?)", [path]).fetchone()
    starts = "least(data_page_offset, coalesce(nullif(dictionary_page_offset, 0), data_page_offset))"
    found = db.execute(
        f"SELECT max(row_group_num_rows), max({starts} + total_compressed_size)"  # noqa: S608 - no input
        " FROM parquet_metadata(?) WHERE row_group_id = 0",
        [path],
    ).fetchone()
    first, needs = found or (0, 0)
    return int(counted[0]) if counted else 0, int(first or 0), int(needs or 0)


def _rows(
    db: duckdb.DuckDBPyConnection, path: str, columns: list[tuple[str, str]], limit: int
) -> list[list[str | None]]:
    """Text of each cell, made and cut by the engine; no more rows than fit into what may be printed."""
    if not columns:
        return []
    cells = ", ".join(_as_text(name, kind) for name, kind in columns)
    found = db.execute(f"SELECT {cells} FROM read_parquet(?) LIMIT ?", [path, limit])  # noqa: S608 - quoted
    rows: list[list[str | None]] = []
    size = 0
    while (row := found.fetchone()) is not None and size < MOST_OUTPUT:
        rows.append(list(row))
        size += sum(len(cell or "") for cell in row)
    return rows


def _as_text(name: str, kind: str) -> str:
    """SQL for a column as text: nested values as JSON, bytes as hexadecimal digits."""
    column = '"' + name.replace('"', '""') + '"'
    if kind == "BLOB":
        return f"left('0x' || hex({column}), {MOST_CHARACTERS})"
    is_nested = kind.startswith(_NESTED) or kind.endswith("]")
    return f"left({f'to_json({column})' if is_nested else column}::VARCHAR, {MOST_CHARACTERS})"


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    try:
        sys.stdout.write(json.dumps(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
    except (duckdb.Error, ValueError, OverflowError, MemoryError) as error:
        sys.exit(f"{type(error).__name__}: {error}"[:500])
