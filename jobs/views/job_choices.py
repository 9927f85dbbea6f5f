"""What can be chosen in the filter row: the segments and datasets the platform has names for."""

from __future__ import annotations

from typing import NamedTuple

from jobs.context import Frame
from jobs.forms.job_filter import JobFilter
from jobs.models import CatalogEntry, EntryKind

MOST = 300
FEW = 40


class Choice(NamedTuple):
    value: str
    name: str


class Choices(NamedTuple):
    """Options of the form; with few a select is offered, with many a box that suggests and takes any id."""

    datasets: list[Choice]
    segments: list[Choice]

    def few(self, kind: list[Choice]) -> bool:
        return 0 < len(kind) <= FEW


def choices(chosen: JobFilter, frame: Frame) -> Choices:
    """Datasets an export can go to and segments, of the chosen sandboxes or all in sight: one query."""
    places = chosen.sandboxes or frame.sandboxes
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
    return Choices(
        _with(found[EntryKind.DATASET], chosen.dataset), _with(found[EntryKind.SEGMENT], chosen.segment)
    )


def _with(names: dict[str, str], chosen: str) -> list[Choice]:
    """The one in use is always there, or the form would change what it only shows."""
    if chosen and names:
        names.setdefault(chosen, chosen)
    return [Choice(value, name) for value, name in names.items()]
