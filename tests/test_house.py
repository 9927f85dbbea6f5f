"""The house stands: imports run downward only, rooms on one floor never import each other, nothing runs in circles."""

from __future__ import annotations

import ast
import graphlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent
OURS = ("exportui", "jobs", "emulator")

# From the ground up; a room is what stands directly below jobs/, and a line is a floor.
FLOORS = [
    {"rules"},
    {"client", "models", "templatetags"},
    {"connect", "sync", "forms", "admin", "rights", "migrations"},
    {"launch", "monitor", "access", "results", "context"},
    {"views", "api", "tasks", "management"},
    {"urls"},
]
LEVEL = {room: level for level, floor in enumerate(FLOORS, start=1) for room in floor}
UNROOMED = {"", "apps"}  # jobs/__init__.py and jobs/apps.py import nothing of ours

# What these rooms may use besides the standard library and what stands below them.
PURE = {
    "jobs.rules": {"orjson"},
    "jobs.client": {"requests", "urllib3", "pydantic", "pydantic_core", "orjson"},
}


class Import(NamedTuple):
    """One module names another, at a line, at the top of the file or inside a function."""

    source: str
    target: str
    line: int
    inside_function: bool

    @property
    def place(self) -> str:
        return f"{self.source}:{self.line}"


def modules(root: Path) -> dict[str, Path]:
    """Every module of ours below `root`, by dotted name; a package goes by its own name."""
    found = {}
    for path in sorted(file for package in OURS for file in (root / package).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(source: str, path: Path, known: set[str]) -> Iterator[Import]:
    """Every import of one file; `from package import name` points at the module `package.name` if there is one."""
    tree = ast.parse(path.read_text())
    inside = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for node in ast.walk(function)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            names = [
                f"{base}.{alias.name}" if f"{base}.{alias.name}" in known else base for alias in node.names
            ]
        else:
            continue
        for name in dict.fromkeys(names):
            yield Import(source, name, node.lineno, id(node) in inside)


def room(module: str) -> str:
    """The room of a module of jobs: `jobs.models.job` stands in `models`, `jobs.urls` in `urls`."""
    return [*module.split("."), ""][1]


def complaints(root: Path) -> list[str]:
    """One sentence for each thing that breaks the house, in the order of the files."""
    known = modules(root)
    every = [one for name, path in known.items() for one in imports(name, path, set(known))]
    found = [sentence for name in known for sentence in homeless(name)]
    found += [sentence for one in every for rule in RULES for sentence in rule(one)]
    return found + list(circles(known, every))


def homeless(module: str) -> Iterator[str]:
    if module.startswith("jobs.") and room(module) not in LEVEL.keys() | UNROOMED:
        yield f"{module} stands on no floor: give its room a place in FLOORS"


def inside_function(one: Import) -> Iterator[str]:
    if one.inside_function:
        yield f"{one.place} imports {one.target} inside a function"


def relative(one: Import) -> Iterator[str]:
    if one.target.startswith("."):
        yield f"{one.place} imports {one.target} relatively"


def between_houses(one: Import) -> Iterator[str]:
    """exportui names jobs only by string, jobs knows nothing above it, and the emulator is alone."""
    source, target = one.source.split(".")[0], one.target.split(".")[0]
    if target in OURS and source != target:
        yield f"{one.place} imports {one.target}, which belongs to another house"


def upward_or_sideways(one: Import) -> Iterator[str]:
    source, target = room(one.source), room(one.target)
    if not (one.source.startswith("jobs.") and one.target.startswith("jobs.")) or source == target:
        return
    if source in LEVEL and target in LEVEL and LEVEL[source] <= LEVEL[target]:
        yield f"{one.place} imports {one.target} {'upward' if LEVEL[source] < LEVEL[target] else 'sideways'}"


def impure(one: Import) -> Iterator[str]:
    top = one.target.split(".")[0]
    for package, allowed in PURE.items():
        stranger = top not in allowed and top not in OURS and top not in sys.stdlib_module_names
        if f"{one.source}.".startswith(f"{package}.") and stranger and top:
            yield f"{one.place} imports {one.target}; {package} may not use {top}"


RULES = (inside_function, relative, between_houses, upward_or_sideways, impure)


def circles(known: dict[str, Path], every: list[Import]) -> Iterator[str]:
    graph: dict[str, set[str]] = {name: set() for name in known}
    for one in every:
        if one.target in known and one.target != one.source:
            graph[one.source].add(one.target)
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as circle:
        yield f"imports run in a circle: {' -> '.join(reversed(circle.args[1]))}"


def test_the_house_stands() -> None:
    assert complaints(ROOT) == []


def test_the_house_is_not_empty() -> None:
    assert {"jobs.urls", "jobs.models", "exportui.settings", "emulator.settings"} <= modules(ROOT).keys()


SOUND = {
    "exportui/urls.py": "from django.urls import path",
    "jobs/__init__.py": "",
    "jobs/rules/status.py": "from enum import StrEnum",
    "jobs/rules/cadence.py": "from jobs.rules.status import JobStatus",
    "jobs/client/__init__.py": "",
    "jobs/client/errors.py": "import requests\nfrom jobs.rules import status",
    "jobs/models/__init__.py": "from jobs.models.job import Job",
    "jobs/models/job.py": "from django.db import models\nfrom jobs.rules.status import JobStatus",
    "jobs/sync.py": "from jobs.client import errors\nfrom jobs.models import Job",
    "jobs/connect.py": "from jobs.models import Job",
    "jobs/views/jobs.py": "from jobs.views.page import page\nfrom jobs.sync import write",
    "jobs/views/page.py": "from jobs.models import Job",
    "jobs/urls.py": "from jobs.views import jobs",
    "emulator/views.py": "import duckdb\nfrom emulator import models",
    "emulator/models.py": "",
}


def build(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_a_sound_house_has_no_complaints(tmp_path: Path) -> None:
    assert complaints(build(tmp_path, SOUND)) == []


@pytest.mark.parametrize(
    ("path", "text", "complaint"),
    [
        ("jobs/models/new.py", "import jobs.sync", "jobs.models.new:1 imports jobs.sync upward"),
        ("jobs/rules/new.py", "from jobs import models", "jobs.rules.new:1 imports jobs.models upward"),
        ("jobs/client/errors.py", "from jobs.models import Job", "imports jobs.models sideways"),
        ("jobs/connect.py", "from jobs.sync import write", "jobs.connect:1 imports jobs.sync sideways"),
        ("jobs/sync.py", "from jobs import connect", "jobs.sync:1 imports jobs.connect sideways"),
        ("jobs/sync.py", "def f():\n    import json", "jobs.sync:2 imports json inside a function"),
        ("jobs/sync.py", "class A:\n  async def f(self):\n    from json import loads", "inside a function"),
        ("jobs/sync.py", "from .models import Job", "jobs.sync:1 imports .models relatively"),
        ("jobs/sync.py", "import emulator.models", "imports emulator.models, which belongs to another house"),
        ("jobs/sync.py", "from exportui import settings", "imports exportui.settings, which belongs"),
        (
            "exportui/urls.py",
            "from jobs.urls import urlpatterns",
            "exportui.urls:1 imports jobs.urls, which belongs",
        ),
        (
            "exportui/up.py",
            "import emulator",
            "exportui.up:1 imports emulator, which belongs to another house",
        ),
        (
            "emulator/views.py",
            "from jobs.rules import status",
            "emulator.views:1 imports jobs.rules.status, which",
        ),
        ("jobs/client/errors.py", "from django.conf import settings", "jobs.client may not use django"),
        ("jobs/client/__init__.py", "import redis", "jobs.client may not use redis"),
        ("jobs/rules/status.py", "import requests", "jobs.rules may not use requests"),
        ("jobs/helpers.py", "", "jobs.helpers stands on no floor"),
        ("jobs/views/page.py", "from jobs.views import jobs", "imports run in a circle: jobs.views."),
        ("jobs/models/job.py", "from jobs.models import Job", "imports run in a circle: jobs.models"),
        (
            "jobs/sync.py",
            "if True:\n    from jobs import connect",
            "jobs.sync:2 imports jobs.connect sideways",
        ),
    ],
)
def test_each_way_to_break_the_house_is_seen(tmp_path: Path, path: str, text: str, complaint: str) -> None:
    broken = complaints(build(tmp_path, SOUND | {"exportui/settings.py": "", path: text}))
    assert [sentence for sentence in broken if complaint in sentence]
    assert len(broken) == 1
