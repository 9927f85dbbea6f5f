"""The profile store: it follows from its seed, holds what exports can be told apart by, and is made once."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import duckdb
import pytest

from emulator.store import generate, schema, segments
from tests.emulator.reckoning import sorted_rows, table
from tests.remote import ROOT, Remote

ANCHOR_MS = 1_795_305_600_000
DAY_MS = 86_400_000
POLICIES = [
    {"id": "A", "graph": "pdg", "merge": "timestampOrdered", "order": []},
    {"id": "C", "graph": "none", "merge": "timestampOrdered", "order": []},
]
RULES = [
    {"id": f"segment-{number}", "policy": "A", "rule": definition.rule}
    for number, definition in enumerate(segments.DEFINITIONS)
]


def make(folder: Path, *, seed: str = "1/prod", profiles: int = 200, threads: int = 2) -> Path:
    with duckdb.connect(":memory:", config={"threads": threads}) as db:
        generate.generate(
            db,
            folder,
            seed=seed,
            profiles=profiles,
            anchor_ms=ANCHOR_MS,
            policies=POLICIES,
            segment_rules=RULES,
        )
    return folder


def content(folder: Path) -> dict[str, list[str]]:
    files = sorted(folder.rglob("*.parquet"))
    return {str(file.relative_to(folder)): sorted_rows(table(file)) for file in files}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("stores") / "first", profiles=2_000)


def test_the_same_seed_makes_the_same_store_on_any_number_of_threads(tmp_path: Path) -> None:
    first, second = make(tmp_path / "first"), make(tmp_path / "second", threads=1)
    assert content(first) == content(second)
    assert (first / "store.json").read_text() == (second / "store.json").read_text()


def test_another_seed_makes_another_one(tmp_path: Path) -> None:
    first, second = content(make(tmp_path / "first")), content(make(tmp_path / "second", seed="2/prod"))
    assert first.keys() == second.keys()
    for name in ("graph-000.parquet", "fragments-000.parquet", "events-000.parquet"):
        assert not set(first[name]) & set(second[name])


def test_a_store_of_nobody_is_a_store(tmp_path: Path) -> None:
    found = content(make(tmp_path / "empty", profiles=0))
    assert len(found) > 3
    assert not any(found.values())


def test_a_store_in_several_shards_is_the_same_as_in_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = make(tmp_path / "whole")
    monkeypatch.setattr(generate, "SHARD", 60)
    parts = make(tmp_path / "parts")
    assert generate.shards(parts) == ["000", "001", "002", "003"]
    for name in ("graph", "fragments", "events", "profiles-A", "profiles-C"):
        assert sorted_rows(table(parts / f"{name}-*.parquet")) == sorted_rows(
            table(whole / f"{name}-000.parquet")
        )
    members = {name: rows for name, rows in content(whole).items() if name.startswith("members")}
    assert members == {name: rows for name, rows in content(parts).items() if name.startswith("members")}


def test_profiles_have_identities_in_several_namespaces_and_ten_events_each(store: Path) -> None:
    graph = table(store / "graph-*.parquet")
    assert len(graph) == 2_000
    spaces = [sum(bool(row[name]) for name in ("ecids", "emails", "crmids", "phones")) for row in graph]
    assert sum(number >= 2 for number in spaces) > 1_000
    assert sum(len(row["ecids"]) > 1 for row in graph) > 300
    lists = [row["eventList"] for row in table(store / "events-*.parquet")]
    assert sum(len(events) for events in lists) == 20_000
    for events in lists[:200]:
        assert [event["timestamp"] for event in events] == sorted(event["timestamp"] for event in events)
        assert all(event["receivedTimestamp"] >= event["timestamp"] for event in events)
    late = sum(e["receivedTimestamp"].date() > e["timestamp"].date() for events in lists for e in events)
    assert late > 500, "some come days after they happened"


def test_some_profiles_have_events_only_and_sources_contradict_each_other(store: Path) -> None:
    graph, fragments = table(store / "graph-*.parquet"), table(store / "fragments-*.parquet")
    empty = [row for row in graph if not row["has_record"]]
    assert 40 < len(empty) < 300
    assert all(row["has_events"] for row in empty)
    cities: dict[int, set[str]] = {}
    for row in fragments:
        assert row["modified"] <= row["ingested"]
        cities.setdefault(row["profile"], set()).update([row["city"]] if row["city"] else [])
    assert sum(len(known) > 1 for known in cities.values()) > 200


def test_segments_have_members_that_came_stayed_and_left(store: Path) -> None:
    """Three evaluations before the first start, each on what had been ingested by then."""
    runs = json.loads((store / "store.json").read_text())["runs"]
    assert [run["at_ms"] for run in runs] == [ANCHOR_MS - days * DAY_MS for days in (60, 20, 0)]
    assert all(found["by_status"]["existing"] == 0 for found in runs[0]["segments"].values())
    last = runs[-1]["segments"]
    assert len(last) == len(segments.DEFINITIONS)
    for number, definition in enumerate(segments.DEFINITIONS):
        assert last[f"segment-{number}"]["members"] > 0, definition.name
    for status in ("realized", "existing", "exited"):
        assert sum(found["by_status"][status] > 0 for found in last.values()) >= 6
    for found in last.values():
        rows = table(store / "members" / found["file"])
        assert len({row["profile"] for row in rows}) == len(rows)
        assert all(row["qualified"].timestamp() is not None for row in rows)
    assert len(list((store / "members").iterdir())) == len(last), "members of earlier runs are not kept"


def test_the_union_schema_names_every_column_of_the_store(store: Path) -> None:
    [view] = store.glob("profiles-A-*.parquet")
    columns = set(table(view)[0])
    assert set(schema.union_schema()["properties"]) - {"segmentMembership"} <= columns
    event = table(store / "events-000.parquet")[0]["eventList"][0]
    assert set(event) == set(schema.union_schema("experienceevent")["properties"])


def leaves(described: dict[str, Any], above: str = "") -> set[str]:
    found = set()
    for name, told in described["properties"].items():
        below = told.get("items", told)
        found.add(above + name)
        if "properties" in below:
            found |= leaves(below, f"{above}{name}.")
    return found


def test_every_path_of_the_schema_can_be_exported_and_no_other() -> None:
    assert leaves(schema.union_schema()) == schema.paths()
    assert leaves(schema.union_schema("experienceevent")) == schema.event_paths()


def test_a_store_is_made_once_and_a_reset_keeps_it(start_remote: Any) -> None:
    remote: Remote = start_remote("--jobs", "0", "--arrivals", "0")
    manifest = remote.data_dir / "store" / "prod" / "store.json"
    made = manifest.stat().st_mtime_ns
    remote.reset()
    remote.stop()
    remote.start()
    assert manifest.stat().st_mtime_ns == made
    assert not list((remote.data_dir / "store").glob(".tmp-*"))


def test_a_large_store_tells_how_far_it_is_and_leaves_nothing_when_interrupted(tmp_path: Path) -> None:
    options = ["--data-dir", str(tmp_path), "--jobs", "0", "--arrivals", "0", "--profiles", "60000"]
    command = [sys.executable, "-m", "emulator", *options]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        process.kill()
    assert line.startswith("profile store ")
    assert "%" in line
    deadline = time.monotonic() + 5
    while not list((tmp_path / "store").glob(".tmp-*")) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not list((tmp_path / "store").glob("*/store.json"))
