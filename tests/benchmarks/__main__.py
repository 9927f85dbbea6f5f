"""Measures the product and prints how it stands to its goals: `make bench`, or `python -m tests.benchmarks --help`."""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests import postgres
from tests.benchmarks import goals
from tests.benchmarks.export import exported
from tests.benchmarks.goals import Goal
from tests.benchmarks.measure import Figure, interleaved, noisy
from tests.benchmarks.pages import asking, pages, tabs, weight
from tests.benchmarks.web import Line, Web, environment, serving
from tests.running import ROOT

SMALL = 10_000


def main() -> None:
    options = read_options()
    results = {database: run(database, options) for database in options.db.split(",") if database}
    results["export"] = export(options.profiles)
    if options.json:
        told = {"machine": f"{platform.platform()}, Python {platform.python_version()}", "results": results}
        Path(options.json).write_text(json.dumps(told, indent=1))


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--db", default="sqlite,postgres", help="which databases, separated by a comma")
    parser.add_argument("--jobs", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--profiles", type=int, default=1_000_000, help="in the store that is exported")
    parser.add_argument("--json", metavar="FILE", help="write every round of every figure there")
    return parser.parse_args()


def run(database: str, options: argparse.Namespace) -> dict[str, Any]:
    """One database: filled in two sizes, then pages of both and writing, in rounds."""
    with ExitStack() as stack:
        large_env, large_told = stack.enter_context(filled(database, options.jobs))
        small_env, small_told = stack.enter_context(filled(database, SMALL))
        print(f"\n{database}: {large_told['jobs']:,} jobs loaded in {large_told['seconds']} s", flush=True)
        large, small = stack.enter_context(serving(large_env)), stack.enter_context(serving(small_env))
        figures = compared(large, large_told, small, small_told, rounds=options.rounds)
        facts = other_facts(large, large_told, small, large_env)
    with filled(database, SMALL) as (env, _):
        ingest = {
            name: Figure(values) for name, values in told_by("ingest", str(options.rounds), env=env).items()
        }
    is_postgres = database == "postgres"
    own = {name: figure for (where, name), figure in figures.items() if where == "large"}
    tenth = {name: figure for (where, name), figure in figures.items() if where == "small"}
    judged = [
        *goals.web_goals(own, tenth, postgres=is_postgres),
        *goals.ingest_goals(ingest),
        *goals.other_goals(facts),
    ]
    report(own, ingest, judged)
    return {
        "pages": {name: figure.rounds for name, figure in own.items()},
        "pages of 10,000": {name: figure.rounds for name, figure in tenth.items()},
        "ingest": {name: figure.rounds for name, figure in ingest.items()},
        "facts": facts,
        "goals": [goal._asdict() for goal in judged],
    }


def export(profiles: int) -> dict[str, Any]:
    """The emulator's export beside a plain copy by the same engine."""
    told = exported(profiles)
    print(
        f"\nexport: {told['rows']:,.0f} profiles, {told['export_rows_s']:,.0f} rows a second; "
        f"plain copy {told['copy_rows_s']:,.0f}; peak {told['peak_mib']:.0f} MiB"
    )
    judged = list(goals.export_goals(told))
    list_goals(judged)
    return {"figures": told, "goals": [goal._asdict() for goal in judged]}


@contextmanager
def filled(database: str, jobs: int) -> Iterator[tuple[dict[str, str], dict[str, Any]]]:
    """The environment of a copy whose database holds so many jobs, and what filling it said."""
    home = Path(tempfile.mkdtemp(prefix="exportui-bench-"))
    try:
        with ExitStack() as stack:
            url = stack.enter_context(postgres.server()) if database == "postgres" else ""
            env = environment(home, url)
            subprocess.run(
                [sys.executable, "manage.py", "collectstatic", "--noinput", "-v0"],
                cwd=ROOT,
                env=env,
                check=True,
            )
            yield env, told_by("stock", str(jobs), env=env)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def told_by(module: str, *words: str, env: dict[str, str]) -> dict[str, Any]:
    """The JSON that a module of the benchmark prints, run in the environment of a copy."""
    ran = subprocess.run(
        [sys.executable, "-m", f"tests.benchmarks.{module}", *words],
        cwd=ROOT,
        env=env,
        stdout=subprocess.PIPE,
        check=True,
    )
    told: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return told


def compared(
    large: Web, large_told: dict[str, Any], small: Web, small_told: dict[str, Any], *, rounds: int
) -> dict[tuple[str, str], Figure]:
    works = {}
    for where, web, told in (("large", large, large_told), ("small", small, small_told)):
        line = Line(web.port)
        for name, page in pages(told, line).items():
            works[where, name] = asking(line, page, told["cookies"], times=20)
    return interleaved(works, rounds=rounds)


def other_facts(web: Web, told: dict[str, Any], small: Web, env: dict[str, str]) -> dict[str, Any]:
    line, cookie = Line(web.port), told["cookies"]["viewer"]
    path = pages(told, line)["poll, nothing new"].path
    idle = tabs(web, line, path, cookie, seconds=10)
    kb, requests = weight(line, cookie)
    facts = {"queries": told["queries"], "tabs_idle": idle, "weight_kb": kb, "weight_requests": requests}
    facts |= {"rss_mb": web.rss_mb(), "rss_growth": web.rss_mb() / small.rss_mb()}
    with serving(env) as again:
        first = Line(again.port).get("/jobs/", cookie)
        facts["start_s"] = again.ready_s + first.seconds
    words = [sys.executable, "-m", "tests.benchmarks.writer"]
    with subprocess.Popen(
        words, cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdin and writer.stdout and writer.stdout.readline()
        orders = writer.stdin

        def move() -> None:
            orders.write("\n")
            orders.flush()

        facts["tabs_moving"] = tabs(web, line, path, cookie, seconds=10, move=move)
        orders.close()
    return facts


def report(pages: dict[str, Figure], ingest: dict[str, Figure], judged: list[Goal]) -> None:
    noop = pages["noop"]
    print(
        f"\n{'page':28} {'ms, median (range)':>26} {'÷ do-nothing':>13}"
        + ("   NOISY RUN" if noisy(noop) else "")
    )
    for name, figure in pages.items():
        print(f"{name:28} {figure.ms():>26} {figure.over(noop):>12.1f}×")
    print(f"\n{'writing':34} {'µs a record':>12} {'÷ json.loads':>13}")
    for name, figure in ingest.items():
        print(f"{name:34} {figure.median * 1e6:>12.0f} {figure.over(ingest['json.loads']):>12.1f}×")
    print()
    list_goals(judged)


def list_goals(judged: list[Goal]) -> None:
    for goal in judged:
        print(f"{goal.name:4} {goal.what:64} {goal.got:>9}  {goal.must:>9}  {goal.verdict}")


if __name__ == "__main__":
    main()
