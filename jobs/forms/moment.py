"""A moment in a form: picked in the page's zone, sent as RFC 3339, and kept to the letter while nobody changes it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.html import format_html
from django.utils.safestring import SafeString

from jobs.client.payload import instant

_LOCAL = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d{1,3})?", re.ASCII)


def zone() -> ZoneInfo:
    return ZoneInfo(settings.EXPORTUI_TIME_ZONE)


def parse(text: str) -> datetime | None:
    """The moment of an RFC 3339 text; None if it is none."""
    try:
        return instant(text)
    except ValueError:
        return None


class MomentInput(forms.DateTimeInput):
    """`datetime-local` beside the text it was filled from, so that `…-07:00` survives a round through the page."""

    input_type = "datetime-local"

    def value_from_datadict(self, data: Any, files: Any, name: str) -> str:
        """What was typed; or the text it was filled from when what stands there still means the same second."""
        typed, given = str(data.get(name) or "").strip(), str(data.get(f"{name}_given") or "")
        return given if given and typed and _local(given) == _seconds(typed) else typed

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        text = str(value or "")
        given = text if parse(text) else ""
        shown = super().render(name, _local(given) if given else text, attrs, renderer)
        if not given:
            return shown
        return format_html('{}<input type="hidden" name="{}_given" value="{}">', shown, name, given)

    def format_value(self, value: Any) -> str:
        return str(value or "")


class MomentField(forms.Field):
    """Cleans to RFC 3339 text; without an offset the page's zone is meant. Hours that clocks skip are refused."""

    widget = MomentInput

    def to_python(self, value: Any) -> str:
        text = str(value or "").strip()
        if not text or parse(text):
            return text
        if not _LOCAL.fullmatch(text):
            raise ValidationError("This is no date and time. Write it like 2026-11-22T09:30.")
        try:
            return _sent(datetime.fromisoformat(text).replace(tzinfo=zone()))
        except (ValueError, OverflowError):
            raise ValidationError("There is no such date or time.") from None


def _sent(moment: datetime) -> str:
    if moment.astimezone(UTC).astimezone(moment.tzinfo).replace(tzinfo=None) != moment.replace(tzinfo=None):
        raise ValidationError(f"Clocks in {moment.tzinfo} skip this hour. Choose another time.")
    return moment.isoformat().replace("+00:00", "Z")


def _local(text: str) -> str:
    """An RFC 3339 text as `datetime-local` shows it, to the second."""
    try:
        moment = parse(text)
        return moment.astimezone(zone()).strftime("%Y-%m-%dT%H:%M:%S") if moment else ""
    except OverflowError:
        return ""


def _seconds(typed: str) -> str:
    """What a browser sends for whole minutes leaves the seconds out."""
    return f"{typed}:00" if re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d", typed) else typed[:19]
