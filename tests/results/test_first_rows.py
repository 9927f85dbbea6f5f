"""The first rows of a Parquet file: read in a child process, from as few bytes as will do."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from jobs.client.errors import PlatformDown
from jobs.results import first_rows as reading
from jobs.results.first_rows import NotReadable, Table, first_rows
from jobs.rules.byte_range import Span


class Far:
    """A file far away, and which of its bytes were asked for."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.asked: list[Span] = []

    def read(self, span: Span) -> bytes:
        self.asked.append(span)
        return self.data[span.first : span.last + 1]

    @property
    def fetched(self) -> int:
        return sum(span.length for span in self.asked)

    def rows(self, limit: int = 5) -> Table:
        return first_rows(self.read, length=len(self.data), limit=limit)


def parquet(tmp_path: Path, query: str, options: str = "") -> Far:
    path = tmp_path / "made.parquet"
    with duckdb.connect() as one_of_its_own:
        one_of_its_own.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet{options})")
    return Far(path.read_bytes())


def test_values_of_every_kind_are_text(tmp_path: Path) -> None:
    made = """SELECT 1 AS id, {'name': 'ö', 'tags': ['a', 'b']} AS person, MAP {'Email': ['x@y.z']} AS "identityMap",
        TIMESTAMP '2026-01-02 03:04:05' AS at, 'ab'::BLOB AS raw, NULL::VARCHAR AS nothing, true AS yes"""
    table = parquet(tmp_path, made).rows()
    assert table.total == 1
    assert [name for name, _ in table.columns] == [
        "id",
        "person",
        "identityMap",
        "at",
        "raw",
        "nothing",
        "yes",
    ]
    assert table.rows == [
        [
            "1",
            '{"name":"ö","tags":["a","b"]}',
            '{"Email":["x@y.z"]}',
            "2026-01-02 03:04:05",
            "0x6162",
            None,
            "true",
        ]
    ]


def test_hostile_names_and_endless_values_are_taken_as_text_and_cut(tmp_path: Path) -> None:
    name = "\"; DROP TABLE x; --<script>alert(1)</script>'"
    quoted = name.replace('"', '""')
    table = parquet(tmp_path, f"""SELECT repeat('x', 100000) AS "{quoted}" """).rows()
    assert table.columns == [(name, "VARCHAR")]
    assert table.rows == [["x" * 2000]]


def test_of_a_large_file_the_middle_is_never_fetched(tmp_path: Path) -> None:
    far = parquet(
        tmp_path,
        "SELECT i, random() AS r, md5(i::VARCHAR) AS h FROM range(600000) t(i)",
        ", ROW_GROUP_SIZE 50000",
    )
    assert len(far.data) > 12 * 1024 * 1024
    table = far.rows(limit=3)
    assert [row[0] for row in table.rows] == ["0", "1", "2"] and table.total == 600_000
    assert far.fetched < len(far.data) / 2


def test_a_large_first_group_is_fetched_to_its_end_and_no_further(tmp_path: Path) -> None:
    far = parquet(
        tmp_path,
        "SELECT i, random() AS r, md5(i::VARCHAR) AS h FROM range(400000) t(i)",
        ", ROW_GROUP_SIZE 200000",
    )
    table = far.rows(limit=2)
    assert len(table.rows) == 2 and table.total == 400_000
    assert 4 * 1024 * 1024 < far.fetched < len(far.data)


def test_rows_stop_at_the_end_of_the_first_group_for_the_rest_is_not_there(tmp_path: Path) -> None:
    wide = ", ".join(f"random() AS c{n}" for n in range(200))
    far = parquet(tmp_path, f"SELECT {wide} FROM range(40960)", ", ROW_GROUP_SIZE 2048")  # noqa: S608
    table = far.rows(limit=5000)
    assert 0 < len(table.rows) <= 2048 and table.total == 40_960


def test_an_empty_file_has_columns_and_no_rows(tmp_path: Path) -> None:
    table = parquet(tmp_path, "SELECT 1 AS a WHERE false").rows()
    assert table.columns == [("a", "INTEGER")]
    assert (table.rows, table.total) == ([], 0)


def test_too_many_columns_are_counted_not_shown(tmp_path: Path) -> None:
    table = parquet(tmp_path, "SELECT " + ", ".join(f"{n} AS c{n}" for n in range(230))).rows()
    assert (len(table.columns), len(table.rows[0]), table.left_out) == (200, 200, 30)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PAR1",
        b"{}" * 50,
        b"PAR1" + b"\0" * 40 + b"\xff\xff\xff\x7fPAR1",
        b"PAR1" + b"junk" * 10 + b"\x10\0\0\0PAR1",
    ],
)
def test_what_is_no_parquet_is_said_so(data: bytes) -> None:
    with pytest.raises(NotReadable) as said:
        Far(data).rows()
    assert said.value.reason.endswith((".", "…")) or "Parquet" in said.value.reason
    assert "/tmp" not in said.value.reason


def test_a_first_group_beyond_all_measure_is_not_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "AT_FIRST", 1000)
    monkeypatch.setattr(reading, "AT_MOST", 100_000)
    far = parquet(tmp_path, "SELECT random() AS r FROM range(100000)")
    with pytest.raises(NotReadable, match="too much for a preview"):
        far.rows()
    assert far.fetched < 200_000


def test_an_error_of_the_platform_comes_through_as_it_is(tmp_path: Path) -> None:
    def fails(span: Span) -> bytes:
        raise PlatformDown("down")

    with pytest.raises(PlatformDown):
        first_rows(fails, length=100, limit=1)


def test_the_child_gets_no_secret_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = tmp_path / "reader.py"
    reader.write_text(
        "import json, os\n"
        "print(json.dumps({'columns': [], 'rows': [sorted(os.environ)], 'total': 0, 'left_out': 0}))\n"
    )
    monkeypatch.setattr(reading, "READER", reader)
    monkeypatch.setenv("SECRET_KEY", "s3cret")
    (seen,) = parquet(tmp_path, "SELECT 1 AS a").rows().rows
    assert "SECRET_KEY" not in seen and not [
        name for name in seen if name and name.startswith(("EXPORTUI", "DATABASE"))
    ]
