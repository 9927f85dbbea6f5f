"""A field that takes a name or an id: a list where it is short enough to read, else an input that suggests."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from jobs.forms.names import Option, Options

# Longer lists are typed with suggestions: they stand once in the page, not once a row.
LIST_LIMIT = 300
REFUSED_SHOWN = 100
TEXT_LIMIT = 1100


class SelectWidget(forms.Widget):
    """A `<select>` of names; a value the list lacks stays, as an option of its own."""

    def __init__(self, options: Options, *, blank: str, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        self.options, self.blank = options, blank

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        text = str(value or "")
        found = self.options.find(text) if text else []
        chosen = found[0].value if len(found) == 1 else text
        spare = [Option(text, text, f"{text} (not in the list)")] if text and len(found) != 1 else []
        usable = [Option("", "", self.blank), *spare, *self.options.usable]
        given = flatatt({**self.build_attrs(self.attrs, attrs), "name": name})
        return format_html("<select{}>{}{}</select>", given, _options(usable, chosen), self._refused(chosen))

    def _refused(self, chosen: str) -> SafeString:
        """What cannot be picked, with the reason; one of them stays chosen if a job is cloned that has it."""
        refused = self.options.refused[:REFUSED_SHOWN]
        if not refused:
            return mark_safe("")
        more = len(self.options.refused) - len(refused)
        rest = format_html("<option disabled>… and {} more</option>", more) if more else ""
        return format_html(
            '<optgroup label="Cannot be exported to">{}{}</optgroup>', _options(refused, chosen), rest
        )


class PickText(forms.TextInput):
    """An input with the page's one `<datalist>` of this kind; an id that has a name shows as the name."""

    def __init__(self, options: Options, *, suggestions: str, attrs: dict[str, Any] | None = None) -> None:
        given = {
            "list": suggestions,
            "autocomplete": "off",
            "spellcheck": "false",
            "placeholder": "Name or id",
        }
        super().__init__({**given, **(attrs or {})})
        self.options = options

    def format_value(self, value: Any) -> str | None:
        found = self.options.find(str(value)) if value else []
        return found[0].label if len(found) == 1 else super().format_value(value)


class PickField(forms.CharField):
    """Cleans to an id: that of the picked or named thing, or the id as typed when the list lacks it."""

    def offer(self, options: Options, *, blank: str, suggestions: str, typed: bool) -> None:
        """Say what can be picked now, and how."""
        self.options = options
        as_list = options.usable and len(options.usable) <= LIST_LIMIT and not typed
        self.widget = (
            SelectWidget(options, blank=blank) if as_list else PickText(options, suggestions=suggestions)
        )

    def clean(self, value: Any) -> str:
        text = super().clean(value)
        if len(text) > TEXT_LIMIT:
            raise ValidationError(f"This has {len(text)} characters; type a name or an id.")
        return self.options.read(text) if text else ""


def _options(options: Iterable[Option], chosen: str) -> SafeString:
    return format_html_join(
        "",
        '<option value="{}"{}{}>{}{}</option>',
        (
            (
                option.value,
                mark_safe(" selected") if option.value == chosen else "",
                mark_safe(" disabled") if option.refusal else "",
                option.label,
                f" – {option.refusal}" if option.refusal else "",
            )
            for option in options
        ),
    )
