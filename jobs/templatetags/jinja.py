"""The words our page templates may use beyond Jinja2's own: times, durations, numbers, identifiers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone

from jobs.rules import duration
from jobs.rules.status import FLAG_LOOK, LOOK, Flag, JobStatus

_STEPS = (
    (60, 1, "s"),
    (3600, 60, "m"),
    (86400, 3600, "h"),
    (86400 * 60, 86400, "d"),
    (86400 * 730, 86400 * 30, "mo"),
)


_SIZES = ("B", "KiB", "MiB", "GiB", "TiB")


def ago(moment: datetime | None, now: datetime | None = None) -> str:
    """How long ago, in one unit: `12 s ago`, `3 h ago`, `in 5 m`; a dash for None."""
    if moment is None:
        return "–"
    seconds = int(((now or timezone.now()) - moment).total_seconds())
    if -5 < seconds < 5:
        return "now"
    size = abs(seconds)
    unit, word = next(((unit, word) for limit, unit, word in _STEPS if size < limit), (86400 * 365, "y"))
    said = f"{size // unit} {word}"
    return f"{said} ago" if seconds > 0 else f"in {said}"


def exact(moment: datetime | None) -> str:
    """The moment in the zone of the page, which it names: `2026-11-22 09:41:03 CET`; a dash for None."""
    if moment is None:
        return "–"
    return moment.astimezone(ZoneInfo(settings.EXPORTUI_TIME_ZONE)).strftime("%Y-%m-%d %H:%M:%S %Z")


def iso(moment: datetime) -> str:
    """The moment in UTC as machines read it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_ms(ms: int | None) -> datetime | None:
    """Epoch milliseconds as a moment; None for None or a time no calendar holds."""
    try:
        return None if ms is None else datetime.fromtimestamp(ms / 1000, tz=UTC)
    except (OverflowError, OSError, ValueError):
        return None


def thousands(number: int | None) -> str:
    """A count with narrow spaces between thousands; a dash for None."""
    return "–" if number is None else f"{number:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def human_bytes(size: int | None) -> str:
    """A size in the unit that fits: `249 058 B` is `243 KiB`; a dash for None."""
    if size is None:
        return "–"
    if size < 1024:
        return f"{size} B"
    power = min(4, (size.bit_length() - 1) // 10)
    amount = size / 1024**power
    return f"{amount:.0f} {_SIZES[power]}" if amount >= 100 else f"{amount:.3g} {_SIZES[power]}"


def short_id(text: str) -> str:
    """An identifier short enough for a row: whole up to 13 characters, else its first 8 and last 4."""
    return text if len(text) <= 13 else f"{text[:8]}…{text[-4:]}"


def flag_icons(flags: set[Flag]) -> list[tuple[str, str]]:
    """(icon, name) pairs for a badge's extra conditions, in a steady order."""
    return [FLAG_LOOK[flag] for flag in Flag if flag in flags]


def look(status: str) -> Any:
    """Word, icon and colour role of a status."""
    return LOOK[JobStatus(status)]


FILTERS: dict[str, Callable[..., Any]] = {
    "ago": ago,
    "exact": exact,
    "iso": iso,
    "from_ms": from_ms,
    "human_ms": duration.human,
    "thousands": thousands,
    "human_bytes": human_bytes,
    "short_id": short_id,
    "flag_icons": flag_icons,
    "look": look,
}
GLOBALS: dict[str, Any] = {"now": timezone.now, **FILTERS}
