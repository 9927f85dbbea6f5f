"""Rounds in which everything that is compared takes its turn, and what is made of them: medians, ranges, ratios."""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable, Mapping
from typing import NamedTuple


class Figure(NamedTuple):
    """Seconds by round."""

    rounds: list[float]

    @property
    def median(self) -> float:
        return statistics.median(self.rounds)

    def ms(self) -> str:
        low, high = min(self.rounds) * 1000, max(self.rounds) * 1000
        return f"{self.median * 1000:.2f} ({low:.2f}–{high:.2f})"

    def over(self, anchor: Figure) -> float:
        """How many times the anchor: the median of the ratios of each round."""
        pairs = zip(self.rounds, anchor.rounds, strict=True)
        return statistics.median(mine / base for mine, base in pairs)


def interleaved(works: Mapping[str, Callable[[], float]], *, rounds: int) -> dict[str, Figure]:
    """Each work once a round, in another order each time; a work returns its own seconds."""
    found: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name in random.sample(list(works), len(works)):
            found[name].append(works[name]())
    return {name: Figure(values) for name, values in found.items()}


def repeated(ask: Callable[[], float], *, times: int, at_most_s: float = 1.5) -> Callable[[], float]:
    """The median of several askings, fewer when they are slow."""

    def work() -> float:
        taken: list[float] = []
        while len(taken) < times and sum(taken) < at_most_s:
            taken.append(ask())
        return statistics.median(taken)

    return work


def noisy(anchor: Figure) -> bool:
    """Whether the machine was too busy with other things for figures to be compared with another run's."""
    return max(anchor.rounds) / min(anchor.rounds) > 1.6
