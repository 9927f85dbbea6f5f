"""How long things took: the phases a job reports, the gaps it does not, and how to say it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol


class Reported(Protocol):
    """A phase as the platform reports it; times in epoch milliseconds, any of them missing."""

    @property
    def name(self) -> str: ...
    @property
    def start_ms(self) -> int | None: ...
    @property
    def end_ms(self) -> int | None: ...
    @property
    def duration_ms(self) -> int | None: ...


class Phase(NamedTuple):
    """A stretch of a job's life; `end_ms` is None where none is known, `reported` False for a gap."""

    name: str
    label: str
    start_ms: int
    end_ms: int | None
    duration_ms: int | None
    reported: bool
    running: bool


TOTAL = "totalTime"
LABELS = {
    TOTAL: "Total",
    "profileExportTime": "Profile export",
    "aCPDatasetWriteTime": "Dataset write",
}
_GAPS = {
    ("", "profileExportTime"): "Waiting before the export",
    ("profileExportTime", "aCPDatasetWriteTime"): "Hand-over between export and write",
    ("aCPDatasetWriteTime", ""): "Closing after the write",
    ("profileExportTime", ""): "After the export",
    ("", ""): "Nothing reported inside",
}
_GAP_FROM_MS = 1000
_SLACK_MS = 60_000


def total_ms(reported: Iterable[Reported]) -> int | None:
    """The platform's own total in milliseconds; from its start and end where it gives no sum.

    Times are never subtracted across records or fields: job 24115's metrics lie months before its
    creation time (platform.md §2.6 item 9).
    """
    total = next((phase for phase in reported if phase.name == TOTAL), None)
    if total is None:
        return None
    if total.duration_ms is not None and total.duration_ms >= 0:
        return total.duration_ms
    return _span(total.start_ms, total.end_ms)


def outside(reported: Iterable[Reported], *, created_ms: int | None, updated_ms: int | None) -> bool:
    """Whether reported times lie more than a minute before the record's creation or after its last update.

    Then only the durations mean something (platform.md §2.6 item 9: job 24115).
    """
    moments = [at for phase in reported for at in (phase.start_ms, phase.end_ms) if at is not None]
    early = created_ms is not None and any(at < created_ms - _SLACK_MS for at in moments)
    return early or (updated_ms is not None and any(at > updated_ms + _SLACK_MS for at in moments))


def timeline(reported: Iterable[Reported], *, ended: bool = False) -> list[Phase]:
    """The phases inside the total in order of time, with the stretches nobody reported between them.

    A phase without an end runs, unless the job has `ended`: then its end was only not reported.
    """
    known = [phase for phase in reported if phase.start_ms is not None]
    total = next((phase for phase in known if phase.name == TOTAL), None)
    inner = sorted((phase for phase in known if phase.name != TOTAL), key=lambda phase: phase.start_ms or 0)
    solid = [_solid(phase, ended) for phase in inner]
    if total is None:
        return solid
    whole = _solid(total, ended)
    if whole.end_ms is None and not solid:
        return [] if ended else [whole]
    return list(_with_gaps(solid, whole))


def _with_gaps(solid: list[Phase], total: Phase) -> Iterator[Phase]:
    """Gaps before, between and after; none next to a phase whose end nobody knows."""
    at, last = total.start_ms, ""
    for phase in solid:
        if phase.start_ms - at >= _GAP_FROM_MS and not _is_open(solid, last):
            yield _gap(last, phase.name, at, phase.start_ms)
        yield phase
        at, last = max(at, phase.end_ms if phase.end_ms is not None else phase.start_ms), phase.name
    if any(phase.end_ms is None for phase in solid):
        return
    if total.running or (total.end_ms is not None and total.end_ms - at >= _GAP_FROM_MS):
        yield _gap(last, "", at, total.end_ms)


def _is_open(solid: list[Phase], name: str) -> bool:
    return any(phase.name == name and phase.end_ms is None for phase in solid)


def _solid(phase: Reported, ended: bool) -> Phase:
    """A reported phase; an end that is missing or lies before the start follows from the platform's own sum."""
    start, end = phase.start_ms or 0, phase.end_ms
    took = phase.duration_ms if phase.duration_ms is not None and phase.duration_ms >= 0 else None
    if end is None or end < start:
        end = start + took if took is not None else None
    took = took if took is not None else _span(start, end)
    label = LABELS.get(phase.name, phase.name)
    running = end is None and not ended
    return Phase(phase.name, label, start, end, took, reported=True, running=running)


def _gap(before: str, after: str, start_ms: int, end_ms: int | None) -> Phase:
    label = _GAPS.get((before, after)) or f"Unreported before {LABELS.get(after, after) or 'the end'}"
    return Phase("", label, start_ms, end_ms, _span(start_ms, end_ms), reported=False, running=end_ms is None)


def _span(start_ms: int | None, end_ms: int | None) -> int | None:
    if start_ms is None or end_ms is None or end_ms < start_ms:
        return None
    return end_ms - start_ms


def human(ms: int | None) -> str:
    """A duration as a person says it: `543 ms`, `46.6 s`, `8 m 26 s`, `3 h 12 m`, `2 d 4 h`; a dash for None."""
    if ms is None or ms < 0:
        return "–"
    if ms < 1000:
        return f"{ms} ms"
    if ms < 59_950:
        return f"{ms / 1000:.1f} s".replace(".0 s", " s")
    seconds = max(ms // 1000, 60)
    if seconds < 3600:
        return f"{seconds // 60} m {seconds % 60} s"
    if seconds < 86400:
        return f"{seconds // 3600} h {seconds % 3600 // 60} m"
    return f"{seconds // 86400} d {seconds % 86400 // 3600} h"
