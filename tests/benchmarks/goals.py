"""The goals of the product's speed, as ratios to anchors of the same rounds, and whether a run met them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from tests.benchmarks.measure import Figure


class Goal(NamedTuple):
    """One line of the table; `verdict` is great, met, or not met."""

    name: str
    what: str
    got: str
    must: str
    verdict: str


def judged(
    name: str, what: str, got: float, *, must: float, great: float, unit: str = "×", more: bool = False
) -> Goal:
    """`more`: the larger the better."""
    is_great, is_met = (got >= great, got >= must) if more else (got <= great, got <= must)
    sign = "≥" if more else "≤"
    said = "great" if is_great else "met" if is_met else "not met"
    return Goal(name, what, f"{got:.3g} {unit}", f"{sign} {must:g} {unit}", said)


def web_goals(large: Mapping[str, Figure], small: Mapping[str, Figure], *, postgres: bool) -> Iterator[Goal]:
    """Pages; the rounds of both sizes are the same ones."""
    noop, signed_in = large["noop"], large["noop, signed in"]
    for name in ("list", "list FAILED", "list 3 filters", "list deep"):
        own = Figure(
            [
                max(a - b + c, 0)
                for a, b, c in zip(large[name].rounds, signed_in.rounds, noop.rounds, strict=True)
            ]
        )
        yield judged(
            "G1",
            f"{name}, without what signing in costs, over the do-nothing view",
            own.over(noop),
            must=10,
            great=6 if postgres else 5,
        )
    yield judged(
        "G1",
        "list as a person gets it, over rows from memory",
        large["list"].over(large["rows from memory"]),
        must=10,
        great=3,
    )
    yield judged(
        "G2", "list, all jobs over 10,000 jobs", large["list"].over(small["list"]), must=1.3, great=1.15
    )
    yield judged("G2", "90 % deep over page 1", large["list deep"].over(large["list"]), must=1.25, great=1.15)
    yield judged(
        "G3",
        "Django's admin over our list",
        large["admin"].over(large["list"]),
        must=5,
        great=20 if postgres else 12,
        more=True,
    )
    yield judged("G6", "overview over the do-nothing view", large["overview"].over(noop), must=15, great=6)


def ingest_goals(figures: Mapping[str, Figure]) -> Iterator[Goal]:
    rows = figures["executemany, job rows"].over(figures["own SQL, job rows"]) * 100
    yield judged(
        "G7", "changed rows, share of raw executemany's speed", rows, must=50, great=100, unit="%", more=True
    )
    unchanged = figures["unchanged"].over(figures["json.loads"])
    yield judged("G8", "an unchanged record over json.loads of it", unchanged, must=8, great=5)
    whole = figures["executemany, all of a change"].over(figures["changed 100 %"]) * 100
    yield judged(
        "G9",
        "everything changed, share of the raw path's speed",
        whole,
        must=60,
        great=90,
        unit="%",
        more=True,
    )


def export_goals(told: Mapping[str, float]) -> Iterator[Goal]:
    """The emulator's own: half of what the engine does when it only copies, within a gigabyte."""
    share = told["export_rows_s"] / told["copy_rows_s"]
    yield judged("E1", "export, rows a second over a plain copy's", share, must=0.5, great=0.9, more=True)
    yield judged("E2", "memory of the export", told["peak_mib"], must=1024, great=512, unit="MiB")


def other_goals(facts: Mapping[str, Any]) -> Iterator[Goal]:
    yield judged(
        "G5", "queries of the list page, signing in apart", facts["queries"], must=4, great=3, unit=""
    )
    yield judged(
        "G13",
        "200 tabs each 2 s, nothing changed, of one core",
        facts["tabs_idle"] * 100,
        must=25,
        great=15,
        unit="%",
    )
    yield judged(
        "G14",
        "200 tabs each 2 s, a change each time, of one core",
        facts["tabs_moving"] * 100,
        must=60,
        great=30,
        unit="%",
    )
    yield judged("G16", "first list view, compressed", facts["weight_kb"], must=100, great=60, unit="KB")
    yield judged("G16", "its requests", facts["weight_requests"], must=8, great=6, unit="")
    yield judged(
        "G17", "memory of the web worker, all jobs over 10,000", facts["rss_growth"], must=1.2, great=1.05
    )
    yield judged("G17", "memory of the web worker", facts["rss_mb"], must=120, great=80, unit="MB")
    yield judged("G18", "start to the first list page", facts["start_s"], must=2, great=1, unit="s")
