"""Why a job should stop: one optional line, kept in the audit log."""

from __future__ import annotations

from django import forms


class CancelForm(forms.Form):
    """The reason of a cancellation."""

    reason = forms.CharField(
        label="Reason",
        required=False,
        max_length=500,
        help_text="For the people who will read the history. The platform does not get it.",
    )
