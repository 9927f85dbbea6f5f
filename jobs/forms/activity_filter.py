"""What may be asked of the audit log."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet

from jobs.models import Activity, Verb


class ActivityFilter(forms.Form):
    """Who, what, and the cursor: `before` is the id of the last row shown."""

    who = forms.CharField(required=False, max_length=150, label="Who")
    verb = forms.ChoiceField(required=False, choices=[("", "Anything"), *Verb.choices], label="Did what")
    about = forms.CharField(required=False, max_length=300, label="To what")
    before = forms.IntegerField(required=False, min_value=1, max_value=2**62, widget=forms.HiddenInput)

    def apply(self, rows: QuerySet[Activity]) -> QuerySet[Activity]:
        """The rows asked for; a part that makes no sense is left out and said beside its field."""
        self.full_clean()
        given = self.cleaned_data
        lookups: dict[str, Any] = {
            "actor_name__icontains": given.get("who"),
            "verb": given.get("verb"),
            "target__icontains": given.get("about"),
            "id__lt": given.get("before"),
        }
        return rows.filter(**{name: value for name, value in lookups.items() if value})
