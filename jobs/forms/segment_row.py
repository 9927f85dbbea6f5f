"""The rows of segments in the export form: each is one entry of `filter.segments`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict

from jobs.forms.extra import ExtraField
from jobs.forms.names import Option, Options
from jobs.forms.pick import PickField
from jobs.forms.places import merge

PREFIX = "segments"
ROW_LIMIT = 100
NAMESPACES = ("ups", "AAM", "AdCloud")
STATUSES = (("realized", "Realized"), ("existing", "Existing"), ("exited", "Exited"))
BLANK_ROW: dict[str, list[str]] = {"segment": [""], "namespace": ["ups"], "statuses": ["realized"]}
_NAME = re.compile(rf"{PREFIX}-(\d{{1,4}})-(\w+)", re.ASCII)


class SegmentRow(forms.Form):
    """One segment: which, in whose namespace, and which memberships of it."""

    use_required_attribute = False

    segment = PickField(
        error_messages={
            "required": "Choose a segment, or remove this row: without rows every profile is exported."
        }
    )
    namespace = PickField(required=False)
    statuses = forms.MultipleChoiceField(
        label="Membership", choices=STATUSES, required=False, widget=forms.CheckboxSelectMultiple
    )
    extra = ExtraField(required=False)

    def __init__(self, data: Any, *, segments: Options, typed: bool, index: int | str) -> None:
        super().__init__(data, prefix=f"{PREFIX}-{index}")
        self.index = index
        pick, namespace = self.fields["segment"], self.fields["namespace"]
        pick.offer(segments, blank="Choose a segment…", suggestions="names-segment", typed=typed)  # type: ignore[attr-defined]
        namespace.offer(  # type: ignore[attr-defined]
            _NAMESPACES, blank="Not sent (ups)", suggestions="names-namespace", typed=typed
        )

    def clean(self) -> dict[str, Any]:
        """What is wrong with the hidden part stands beside the segment."""
        for sentence in self.errors.pop("extra", []):
            self.add_error("segment", sentence)
        return self.cleaned_data

    def entry(self) -> dict[str, Any]:
        """The entry of the payload; parts left empty are left out."""
        data = self.cleaned_data
        given = {"segmentId": data["segment"], "segmentNs": data["namespace"], "status": data["statuses"]}
        return merge(data["extra"], {key: value for key, value in given.items() if value})

    def place(self, key: str, sentence: str) -> None:
        """Put an error about a part of the entry beside its field."""
        self.add_error({"segmentNs": "namespace", "status": "statuses"}.get(key, "segment"), sentence)


class SegmentRows:
    """All rows a form was posted with, in the order of their numbers; numbers may have gaps."""

    def __init__(self, data: Any, *, segments: Options, typed: bool) -> None:
        rows = [SegmentRow(data, segments=segments, typed=typed, index=n) for n in indexes(data)[:ROW_LIMIT]]
        self.rows = rows
        self.blank = SegmentRow(None, segments=segments, typed=typed, index="__prefix__")
        self.blank.initial = {"namespace": "ups", "statuses": ["realized"]}
        self.too_many = len(indexes(data)) > ROW_LIMIT

    def __iter__(self) -> Iterator[SegmentRow]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def is_valid(self) -> bool:
        """Every row on its own, and no segment twice."""
        good = [row for row in self.rows if row.is_valid()]
        seen: dict[tuple[str, str], SegmentRow] = {}
        for row in good:
            key = (row.cleaned_data["segment"], (row.cleaned_data["namespace"] or "ups").lower())
            if key in seen:
                row.add_error("segment", f"Row {self.rows.index(seen[key]) + 1} already has this segment.")
            seen.setdefault(key, row)
        return not self.too_many and all(not row.errors for row in self.rows)

    def right(self) -> list[SegmentRow]:
        """The rows without an error; their entries are what is sent."""
        return [row for row in self.rows if not row.errors]


_NAMESPACES = Options("namespace", [Option(name, name, name) for name in NAMESPACES])


def indexes(data: Any) -> list[int]:
    """The numbers of the rows in posted data, rising; rows marked for deletion are left out."""
    found = {int(match[1]) for name in data if (match := _NAME.fullmatch(name)) and match[2] == "segment"}
    return sorted(number for number in found if not data.get(f"{PREFIX}-{number}-DELETE"))


def row_data(number: int, row: dict[str, list[str]]) -> dict[str, list[str]]:
    """One row as a form posts it."""
    return {f"{PREFIX}-{number}-{name}": values for name, values in row.items()}


def with_row(data: QueryDict) -> MultiValueDict[str, str]:
    """The posted data and one more row at the end."""
    kept = _renumbered(data, indexes(data))
    return MultiValueDict({**kept, **row_data(len(indexes(data)), BLANK_ROW)})


def without_row(data: QueryDict, name: str) -> MultiValueDict[str, str]:
    """The posted data without the row that is named, like `segments-3`; rows after it move up."""
    return MultiValueDict(_renumbered(data, [n for n in indexes(data) if name != f"{PREFIX}-{n}"]))


def _renumbered(data: QueryDict, numbers: list[int]) -> dict[str, list[str]]:
    """The data with only these rows, numbered from 0: scripts count on there being no gap."""
    kept = {key: values for key, values in data.lists() if not _NAME.fullmatch(key)}
    for new, old in enumerate(numbers):
        row = {name: data.getlist(f"{PREFIX}-{old}-{name}") for name in (*BLANK_ROW, "extra")}
        kept |= row_data(new, row)
    return kept
