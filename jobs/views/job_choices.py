"""What can be chosen in the filter row: the segments and datasets the platform has names for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from markupsafe import Markup

from jobs.context import Frame
from jobs.forms.job_filter import JobFilter
from jobs.models import CatalogEntry, EntryKind, Sandbox
from jobs.rules.kept import Kept

MOST = 300
FEW = 40
_kept_options: Kept[Markup] = Kept(100)
_option = Markup('<option value="{0.value}">{0.name}</option>').format
_kept: Kept[dict[str, dict[str, str]]] = Kept(100)


class Choice(NamedTuple):
    value: str
    name: str


class Choices(NamedTuple):
    """Options of the form; with few a select is offered, with many a box that suggests and takes any id."""

    datasets: list[Choice]
    segments: list[Choice]

    def few(self, kind: list[Choice]) -> bool:
        return 0 < len(kind) <= FEW

    @staticmethod
    def listed(kind: list[Choice]) -> Markup:
        """The options of the box, printed once."""
        return _kept_options.get(tuple(kind), lambda: Markup().join(map(_option, kind)))


def choices(chosen: JobFilter, frame: Frame) -> Choices:
    """Datasets an export can go to and segments, of the chosen sandboxes or all in sight.

    One query, and none as long as nobody looked names up again.
    """
    places = chosen.sandboxes or tuple(frame.sandboxes)
    stamps = tuple((place.pk, place.catalog_seen_at) for place in places)
    known = all(seen for _, seen in stamps)
    found = _kept.get(stamps, lambda: _read(places)) if known else _read(places)
    return Choices(
        _with(found[EntryKind.DATASET], chosen.dataset), _with(found[EntryKind.SEGMENT], chosen.segment)
    )


def _read(places: Iterable[Sandbox]) -> dict[str, dict[str, str]]:
    rows = CatalogEntry.objects.filter(
        sandbox__in=[place.pk for place in places],
        kind__in=[EntryKind.DATASET, EntryKind.SEGMENT],
        usable=True,
    )
    named = (
        rows.exclude(name="").order_by("kind", "name", "remote_id").values_list("kind", "remote_id", "name")
    )
    found: dict[str, dict[str, str]] = {EntryKind.DATASET: {}, EntryKind.SEGMENT: {}}
    for kind, remote_id, name in named[:MOST]:
        found[kind][remote_id] = name
    return found


def _with(names: dict[str, str], chosen: str) -> list[Choice]:
    """The one in use is always there, or the form would change what it only shows."""
    shown = names | {chosen: chosen} if chosen and names and chosen not in names else names
    return [Choice(value, name) for value, name in shown.items()]
