"""What of a sandbox can be picked in a form, by name: datasets, segments and merge policies as last looked up."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, NamedTuple, Self

from django.core.exceptions import ValidationError

from jobs.models import CatalogEntry, EntryKind, Sandbox

ID_LIMIT = 300
UNION_REFUSAL = "not on the union schema"
SYSTEM_REFUSAL = "a system dataset"
_ID = re.compile(r"[\w.:@/+=~-]+")


@dataclass(frozen=True, slots=True)
class Option:
    """One thing that can be picked; `refusal` says why this one cannot."""

    value: str
    name: str
    label: str
    refusal: str = ""


class Options:
    """What one field offers, and how a typed text finds it: by id, by label, by a name that only one has."""

    def __init__(self, noun: str, options: Iterable[Option] = ()) -> None:
        self.noun = noun
        self.all = tuple(options)
        self.usable = [option for option in self.all if not option.refusal]
        self.refused = [option for option in self.all if option.refusal]
        self._by_id = {option.value: option for option in self.all}
        self._by_text: defaultdict[str, list[Option]] = defaultdict(list)
        for option in self.all:
            if option.name == option.value:
                continue  # an id is spelled in one way only
            for text in {option.label.casefold(), option.name.casefold()}:
                self._by_text[text].append(option)

    def find(self, text: str) -> list[Option]:
        """The option with this id, else all whose label or name is the text in any case."""
        exact = self._by_id.get(text)
        return [exact] if exact else self._by_text.get(text.casefold(), [])

    def read(self, text: str) -> str:
        """The id that the text means; an id the list lacks is taken as it is. Else ValidationError with a sentence."""
        found = self.find(text)
        if len(found) > 1:
            ids = ", ".join(option.value for option in found[:5])
            raise ValidationError(
                f"{len(found)} {self.noun}s are called “{_cut(text)}”. Choose one by its id: {ids}."
            )
        if not found:
            return self._unlisted(text)
        if found[0].refusal:
            what = f"“{_cut(found[0].name)}” is {found[0].refusal}."
            raise ValidationError(
                f"{what} Exports can only be written to a dataset of your own on the union schema."
            )
        return found[0].value

    def _unlisted(self, text: str) -> str:
        if len(text) > ID_LIMIT:
            raise ValidationError(f"This has {len(text)} characters; an id has at most {ID_LIMIT}.")
        near = get_close_matches(text, (option.name for option in self.usable), n=1, cutoff=0.85)
        if near or not _ID.fullmatch(text):
            hint = f"Did you mean “{_cut(near[0])}”?" if near else "If the list lacks it, type its id."
            raise ValidationError(f"No {self.noun} of this sandbox is called “{_cut(text)}”. {hint}")
        return text


@dataclass(frozen=True)
class Names:
    """Everything the export form can name in one sandbox."""

    datasets: Options
    segments: Options
    merge_policies: Options

    @classmethod
    def of(cls, sandbox: Sandbox) -> Self:
        """Read in two queries; the details of thousands of segments stay where they are."""
        entries = CatalogEntry.objects.filter(sandbox=sandbox).order_by("name", "remote_id")
        segments = entries.filter(kind=EntryKind.SEGMENT).values_list("remote_id", "name")
        described = entries.filter(kind__in=[EntryKind.DATASET, EntryKind.MERGE_POLICY])
        rows = list(described.values_list("kind", "remote_id", "name", "usable", "details"))
        return cls(
            datasets=Options(
                "dataset",
                _labelled(
                    _Row(pk, name, refusal=_refusal(usable, details))
                    for kind, pk, name, usable, details in rows
                    if kind == EntryKind.DATASET
                ),
            ),
            segments=Options("segment", _labelled(_Row(pk, name) for pk, name in segments)),
            merge_policies=Options(
                "merge policy",
                _labelled(
                    _Row(pk, name, mark=_mark(details))
                    for kind, pk, name, _, details in rows
                    if kind == EntryKind.MERGE_POLICY
                ),
            ),
        )


class _Row(NamedTuple):
    value: str
    name: str
    refusal: str = ""
    mark: str = ""


def _labelled(rows: Iterable[_Row]) -> list[Option]:
    """A name that several have carries its id; one without a name is called by its id."""
    named = [row._replace(name=row.name.strip() or row.value) for row in rows]
    count = Counter(row.name.casefold() for row in named)
    return [_option(row, alone=count[row.name.casefold()] == 1) for row in named]


def _option(row: _Row, *, alone: bool) -> Option:
    label = row.name if alone else f"{row.name} ({row.value})"
    return Option(row.value, row.name, label + row.mark, row.refusal)


def _mark(details: dict[str, Any]) -> str:
    return " (default)" if details.get("is_default") else ""


def _refusal(usable: bool, details: dict[str, Any]) -> str:
    if usable:
        return ""
    return SYSTEM_REFUSAL if details.get("is_system") else UNION_REFUSAL


def _cut(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:79]}…"
