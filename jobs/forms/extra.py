"""What a payload says that no field can show: carried along as JSON in the form, checked like the rest."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from jobs.client.payload import PayloadErrors, load_json
from jobs.client.values import plain

EXTRA_LIMIT = 100_000


class ExtraField(forms.CharField):
    """Hidden JSON text; cleans to a dict, empty for nothing. Size and depth are refused before it is parsed."""

    widget = forms.HiddenInput

    def clean(self, value: Any) -> dict[str, Any]:
        text = str(value or "").strip()
        if not text:
            return {}
        if len(text) > EXTRA_LIMIT:
            raise ValidationError(f"The kept part of the payload has more than {EXTRA_LIMIT} characters.")
        try:
            loaded = load_json(text)
        except PayloadErrors as refused:
            raise ValidationError([sentence for _, sentence in refused.errors]) from None
        return self._storable(loaded)

    def _storable(self, loaded: object) -> dict[str, Any]:
        if not isinstance(loaded, dict):
            raise ValidationError("The kept part of the payload is no JSON object.")
        notes: list[str] = []
        clean: Any = plain(loaded, notes)
        if notes:
            raise ValidationError(["The kept part of the payload cannot be sent as it is.", *notes])
        return clean


def dumped(extra: dict[str, Any]) -> str:
    """As a hidden field holds it; no text for nothing."""
    return json.dumps(extra, separators=(",", ":")) if extra else ""
