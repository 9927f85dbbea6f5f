"""The form of an export: everything the create payload can say, as people think of it."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.forms.utils import ErrorDict

from jobs.client.payload import PROFILE_CLASS, PayloadErrors, read_payload
from jobs.forms.extra import ExtraField
from jobs.forms.moment import MomentField, parse
from jobs.forms.names import Names
from jobs.forms.pick import PickField
from jobs.forms.places import EVENTS, PAYLOAD_KEYS, PLACES, SEGMENTS, field_at, find, merge, put
from jobs.forms.segment_row import BLANK_ROW, ROW_LIMIT, SegmentRow, SegmentRows, row_data
from jobs.models import Sandbox

PATHS_LIMIT = 20_000
PATH_LIMIT = 500
EVENT_FIELDS = ("event_fields", "events_from", "events_until")
_PATH = re.compile(r"[^\s,]+")


class PathsField(forms.CharField):
    """Field paths, separated by commas or lines; cleans to the comma-separated text the platform takes."""

    def __init__(self, **kwargs: Any) -> None:
        hint = {"rows": 2, "class": "mono", "spellcheck": "false", "autocapitalize": "off"}
        super().__init__(required=False, widget=forms.Textarea(hint), **kwargs)

    def clean(self, value: Any) -> str:
        text = super().clean(value)
        if len(text) > PATHS_LIMIT:
            raise ValidationError(
                f"This has {len(text)} characters; {PATHS_LIMIT} are the most this form takes."
            )
        paths = [path for part in re.split(r"[,\n]", text) if (path := part.strip())]
        for path in paths:
            if len(path) > PATH_LIMIT or not _PATH.fullmatch(path):
                shown = path if len(path) <= 80 else f"{path[:79]}…"
                raise ValidationError(f"“{shown}” is no field path. Write paths like person.name.firstName.")
        return ",".join(paths)


class ExportForm(forms.Form):
    """Always filled, from a person's typing or from `jobs.forms.start`; `payload()` is what would be sent.

    `names` and `sandboxes` say what can be chosen. Errors of the payload rules stand beside the field they are about.
    """

    use_required_attribute = False

    sandbox = forms.ChoiceField(help_text="Where the export runs. The names below belong to it.")
    dataset = PickField(
        help_text="Where the profiles are written. Only datasets on the union schema can take them.",
        error_messages={"required": "Choose the dataset to export to."},
    )
    merge_policy = PickField(required=False, help_text="How fragments of a profile are put together.")
    merge_version = forms.IntegerField(
        label="Version", required=False, min_value=0, max_value=2**31, help_text="Empty: the latest."
    )
    profile_fields = PathsField(
        label="Profile fields",
        help_text="Paths such as identityMap, person.name.firstName. Empty: all fields. For events only: identityMap.",
    )
    qualified_from = MomentField(label="Qualified from", required=False)
    qualified_until = MomentField(label="Qualified until", required=False)
    updated_after = MomentField(
        label="Updated after",
        required=False,
        help_text="Only profiles whose merged record changed later than this.",
    )
    empty_profiles = forms.BooleanField(
        label="Include profiles that have only events",
        required=False,
        help_text="Otherwise they are left out.",
    )
    events = forms.BooleanField(
        label="Export events too", required=False, help_text="The time series of each exported profile."
    )
    event_fields = PathsField(
        label="Event fields", help_text="Paths such as _id, timestamp, environment. Empty: all fields."
    )
    events_from = MomentField(label="Ingested from", required=False)
    events_until = MomentField(label="Ingested until", required=False)
    segment_per_batch = forms.BooleanField(
        label="One batch for each segment",
        required=False,
        help_text="Easier to tell apart, but may take longer.",
    )
    evaluate_first = forms.BooleanField(
        label="Evaluate the segments first",
        required=False,
        help_text="Otherwise the export takes memberships as last evaluated, usually once a day.",
    )
    schema = forms.CharField(
        label="Schema class", help_text=f"Profiles are {PROFILE_CLASS}; other classes are for special cases."
    )
    extra = ExtraField(required=False)
    key = forms.CharField(required=False, widget=forms.HiddenInput)
    typed = forms.BooleanField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any, *, names: Names, sandboxes: Iterable[Sandbox]) -> None:
        super().__init__(data)
        typed = bool(data.get("typed"))
        self.names = names
        self.rows = SegmentRows(data, segments=names.segments, typed=typed)
        fields: dict[str, Any] = self.fields
        fields["sandbox"].choices = [(place.ref, _named(place)) for place in sandboxes]
        fields["dataset"].offer(
            names.datasets, blank="Choose a dataset…", suggestions="names-dataset", typed=typed
        )
        fields["merge_policy"].offer(
            names.merge_policies,
            blank="Segment's own, else the default",
            suggestions="names-merge-policy",
            typed=typed,
        )

    def is_valid(self) -> bool:
        return super().is_valid() and self.rows.is_valid()

    def payload(self) -> dict[str, Any]:
        """The create payload of what was given, as far as it is right: complete once `is_valid()`."""
        said: dict[str, Any] = {}
        data = self.cleaned_data
        if entries := [row.entry() for row in self.rows.right()]:
            put(said, SEGMENTS, entries)
        for field, path in PLACES.items():
            value = data.get(field)
            if value is not None and value is not False and value != "":  # a version may be 0
                put(said, path, value)
        if data.get("events") and find(said, EVENTS) is None:
            put(said, EVENTS, {})
        whole = merge(data.get("extra") or {}, said)
        first = {key: whole[key] for key in PAYLOAD_KEYS if key in whole}
        return {**first, **whole}

    def clean(self) -> dict[str, Any]:
        """What fields say together; then the rules that form, API and client share."""
        self.rows.is_valid()
        for sentence in self.errors.pop("extra", []):
            self.add_error(None, sentence)  # the field itself is hidden
        if not self.cleaned_data.get("events"):
            self._forget(EVENT_FIELDS)
        self._check_segments()
        self._check_order("qualified_from", "qualified_until")
        self._check_order("events_from", "events_until")
        self._check_payload()
        return self.cleaned_data

    def clean_key(self) -> str:
        """One key is one launch; a form without a usable one gets its own."""
        key: str = self.cleaned_data["key"]
        return key if re.fullmatch(r"[\w-]{8,100}", key, re.ASCII) else uuid.uuid4().hex

    def clean_schema(self) -> str:
        name: str = self.cleaned_data["schema"]
        if len(name) > 300:
            raise ValidationError(f"This has {len(name)} characters; the name of a schema has at most 300.")
        return name

    def _forget(self, names: Iterable[str]) -> None:
        """What is switched off is neither sent nor judged, but stays in the page."""
        for name in names:
            self.cleaned_data.pop(name, None)
            self.errors.pop(name, None)

    def _check_segments(self) -> None:
        data = self.cleaned_data
        kept = find(data.get("extra") or {}, SEGMENTS)
        count = len(self.rows) or (len(kept) if isinstance(kept, list) else 0)
        if self.rows.too_many:
            self.add_error(None, f"One export takes {ROW_LIMIT} segments here. Remove some, or use the API.")
        if not data.get("merge_policy") and not self.has_error("merge_policy"):
            if data.get("merge_version") is not None:
                self.add_error("merge_policy", "A version needs its merge policy.")
            if count > 1:
                self.add_error(
                    "merge_policy", "Several segments need one merge policy: each may have another."
                )
        if data.get("segment_per_batch") and not count:
            self.add_error("segment_per_batch", "A batch for each segment needs segments.")

    def _check_order(self, first: str, last: str) -> None:
        start, end = (parse(self.cleaned_data.get(name) or "") for name in (first, last))
        if start and end and start >= end:
            self.add_error(last, "Must be later than the start.")

    def _check_payload(self) -> None:
        """Errors of the shared rules, unless a field already says what is wrong with it."""
        sent = self.rows.right()
        try:
            read_payload(self.payload())
        except PayloadErrors as refused:
            for path, sentence in refused.errors:
                self._place(path, sentence, sent)

    def _place(self, path: str, sentence: str, sent: list[SegmentRow]) -> None:
        match = re.match(r"filter\.segments\.(\d+)(?:\.(\w+))?", path)
        if match and int(match[1]) < len(sent):
            sent[int(match[1])].place(match[2] or "", sentence)
            return
        field = field_at(path)
        if field is None or field not in self.fields:
            self.add_error(None, f"{path}: {sentence}" if path else sentence)
        elif field not in self.errors:
            self.add_error(field, sentence)

    def hush(self) -> None:
        """Show what was typed without judging it yet."""
        for form in (self, *self.rows):
            form._errors = ErrorDict()

    def focus_first_error(self) -> None:
        """Let the page open at the first field to correct, in the order of the page."""
        head: list[tuple[forms.Form, str]] = [(self, "sandbox"), (self, "dataset")]
        rows: list[tuple[forms.Form, str]] = [(row, name) for row in self.rows for name in row.fields]
        for form, name in [*head, *rows, *((self, name) for name in self.fields)]:
            widget = form.fields[name].widget
            if form.has_error(name) and not widget.is_hidden:
                widget.attrs["autofocus"] = True
                return


def _named(place: Sandbox) -> str:
    return f"{place.ref} · {place.title}" if place.title not in ("", place.name) else place.ref


def new_key() -> str:
    return uuid.uuid4().hex


def blank_data(sandbox: Sandbox) -> dict[str, list[str]]:
    """What an empty form holds: one row to fill, so that exporting every profile is a choice and no accident."""
    return {
        "sandbox": [sandbox.ref],
        "schema": [PROFILE_CLASS],
        "key": [new_key()],
        **row_data(0, BLANK_ROW),
    }


def zone_name() -> str:
    """The zone the form's times are read in."""
    return str(settings.EXPORTUI_TIME_ZONE)
