"""Run an export: read a profile store, write Parquet. Lives in child processes; the server never imports it.

`python -m emulator.exporter STORE` measures: all profiles of a store against a plain copy of the same columns,
printed as one JSON object. With `--make N` it makes such a store first, if there is none, and only that.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb

from emulator.store import generate, query, schema, segments

MEMORY = "700MB"
BENCH_ANCHOR_MS = 1_790_000_000_000 // generate.DAY_MS * generate.DAY_MS
BENCH_FIELDS = "identityMap,person,homeAddress,personalEmail,loyalty,consents"


def connect(spill: Path) -> duckdb.DuckDBPyConnection:
    """An engine that holds no more than `MEMORY` and puts the rest into a folder."""
    settings: dict[str, Any] = {
        "threads": min(2, os.cpu_count() or 1),
        "memory_limit": MEMORY,
        "temp_directory": str(spill),
        "preserve_insertion_order": False,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    return duckdb.connect(":memory:", config=settings)


def run(db: duckdb.DuckDBPyConnection, task: dict[str, Any]) -> dict[str, Any]:
    """Write every batch of an export into its temporary folder and count what the files hold.

    task: {plan, evaluation: null or the arguments of `segments.evaluate`, batches: [{batch_id, folder,
    choices}]}. The result: {batches: [{batch_id, files, rows, size, by_namespace}], evaluated, evaluation_ms,
    export_ms, write_ms}; times are measured. Raises OSError or duckdb.Error.
    """
    plan, begun = task["plan"], time.monotonic()
    evaluated = evaluate(db, task["evaluation"]) if task["evaluation"] else {}
    judged = time.monotonic()
    plan["members"] |= {segment_id: found["file"] for segment_id, found in evaluated.items()}
    for batch in task["batches"]:
        _refresh(batch["choices"], evaluated)
        _write(db, plan, batch["choices"], Path(batch["folder"]))
    written = time.monotonic()
    batches = [_counted(db, plan, batch) for batch in task["batches"]]
    return {
        "batches": batches,
        "evaluated": evaluated,
        "evaluation_ms": round(1000 * (judged - begun)),
        "export_ms": round(1000 * (written - begun)),
        "write_ms": round(1000 * (time.monotonic() - written)),
    }


def evaluate(db: duckdb.DuckDBPyConnection, asked: dict[str, Any]) -> dict[str, Any]:
    """asked: the arguments of `segments.evaluate`, with the folder as `store`."""
    folder = Path(asked["store"])
    given = {name: value for name, value in asked.items() if name != "store"}
    return segments.evaluate(db, folder, shards=generate.shards(folder), **given)


def preview(db: duckdb.DuckDBPyConnection, path: str, limit: int) -> list[dict[str, Any]]:
    """The first rows of a file; the engine writes the JSON, so that maps and times come out as its own."""
    found = db.execute("SELECT to_json(t)::VARCHAR FROM read_parquet(?) AS t LIMIT ?", [path, limit])
    return [json.loads(text, parse_constant=lambda _: None) for (text,) in found.fetchall()]


def _refresh(choices: list[query.Choice] | None, evaluated: dict[str, Any]) -> None:
    for choice in choices or []:
        if choice["id"] in evaluated:
            choice["file"] = evaluated[choice["id"]]["file"]


def _write(
    db: duckdb.DuckDBPyConnection, plan: query.Plan, choices: list[query.Choice] | None, folder: Path
) -> None:
    """One file; with events one a shard, because they are joined in memory."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    parts = ["*"] if plan["event_fields"] is None else generate.shards(Path(plan["store"]))
    left = plan["limit"]
    for number, shard in enumerate(parts):
        part = plan if left is None else plan | {"limit": left}
        path = folder / f"part-{number:05d}.parquet"
        rows = query.select(part, choices, shard)
        copied = db.execute(f"COPY ({rows}) TO '{path}' (FORMAT parquet, COMPRESSION snappy)").fetchone()
        left = None if left is None or copied is None else left - copied[0]


def _counted(db: duckdb.DuckDBPyConnection, plan: query.Plan, batch: dict[str, Any]) -> dict[str, Any]:
    """On the disk for good, and counted: rows as the files say, namespaces of the same profiles."""
    files = [_file(db, path) for path in sorted(Path(batch["folder"]).iterdir())]
    counted = db.execute(query.count(plan, batch["choices"])).fetchone() or ()
    return {
        "batch_id": batch["batch_id"],
        "files": files,
        "rows": sum(file["rows"] for file in files),
        "size": sum(file["length"] for file in files),
        "by_namespace": query.by_namespace(counted),
    }


def _file(db: duckdb.DuckDBPyConnection, path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        os.fsync(file.fileno())
    [(rows,)] = db.execute(
        "SELECT sum(num_rows)::BIGINT FROM parquet_file_metadata(?)", [str(path)]
    ).fetchall()
    return {"name": path.name, "length": path.stat().st_size, "rows": rows}


def everybody(store: Path, fields: str, event_fields: str | None = None) -> query.Plan:
    """All profiles of a store by its first merge policy."""
    manifest = json.loads((store / generate.MANIFEST).read_text())
    return {
        "store": str(store),
        "view": manifest["policies"][0],
        "apart": False,
        "fields": schema.split(fields),
        "event_fields": None if event_fields is None else schema.split(event_fields),
        "updated_after_us": None,
        "empty": True,
        "qualified_from_us": None,
        "qualified_until_us": None,
        "events_after_us": None,
        "events_before_us": None,
        "members": {},
        "limit": None,
    }


def make(store: Path, profiles: int) -> None:
    """A store of one merge policy and no segments, to measure with."""
    policy = {"id": "default", "graph": "pdg", "merge": "timestampOrdered", "order": []}
    with connect(store.parent / "spill") as db:
        generate.generate(
            db,
            store,
            seed="bench",
            profiles=profiles,
            anchor_ms=BENCH_ANCHOR_MS,
            policies=[policy],
            segment_rules=[],
        )


def measure(
    store: Path, fields: str = BENCH_FIELDS, event_fields: str | None = None, *, rounds: int = 3
) -> dict[str, float]:
    """Rows a second of an export of everybody and of a plain copy of the same columns, peak memory in MiB.

    Both take turns, and the best of each counts: what else the machine does hits one as much as the other.
    With event fields the copy still is one of the profile columns alone.
    """
    plan = everybody(store, fields, event_fields)
    with tempfile.TemporaryDirectory(dir=store.parent) as name:
        took = [(_copy(plan, Path(name)), _export(plan, Path(name))) for _ in range(rounds)]
    copy_s = min(seconds for seconds, _ in took)
    export_s, rows = min(exported for _, exported in took)
    return {
        "rows": rows,
        "export_s": round(export_s, 3),
        "copy_s": round(copy_s, 3),
        "export_rows_s": round(rows / export_s),
        "copy_rows_s": round(rows / copy_s),
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def _export(plan: query.Plan, folder: Path) -> tuple[float, int]:
    """Seconds and rows of the whole of it: files written, on the disk for good, and counted."""
    begun = time.monotonic()
    task = {"batches": [{"batch_id": "b", "folder": str(folder / "b"), "choices": None}]}
    with connect(folder / "spill") as db:
        result = run(db, task | {"plan": plan, "evaluation": None})
    return time.monotonic() - begun, result["batches"][0]["rows"]


def _copy(plan: query.Plan, folder: Path) -> float:
    begun = time.monotonic()
    names = ", ".join(f'"{name}"' for name in schema.columns(plan["fields"]) if name != "segmentMembership")
    source, target = f"{plan['store']}/profiles-{plan['view']}-*.parquet", folder / "copy.parquet"
    copied = f"SELECT {names} FROM read_parquet('{source}')"  # noqa: S608
    with connect(folder / "spill") as db:
        db.execute(f"COPY ({copied}) TO '{target}' (FORMAT parquet, COMPRESSION snappy)")
    return time.monotonic() - begun


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m emulator.exporter", description=__doc__)
    parser.add_argument("store", type=Path, help="a sandbox's folder below <data dir>/store")
    parser.add_argument("--fields", default=BENCH_FIELDS)
    parser.add_argument("--events", default=None, help="event fields, to export events as well")
    parser.add_argument("--make", type=int, metavar="N", help="make a store of N profiles, and only that")
    options = parser.parse_args()
    if options.make is not None:
        if not (options.store / generate.MANIFEST).exists():
            make(options.store.resolve(), options.make)
        return
    print(json.dumps(measure(options.store.resolve(), options.fields, options.events)))


if __name__ == "__main__":
    main()
