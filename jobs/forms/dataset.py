"""The name of a dataset to be created beside the export form."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError

NAME_LIMIT = 200


class DatasetForm(forms.Form):
    """`new_dataset` stands in the export form, so that one page posts both."""

    use_required_attribute = False

    new_dataset = forms.CharField(
        label="Name of the new dataset",
        help_text="Made in this sandbox on the union schema. The name must be new there.",
        error_messages={"required": "Give the dataset a name."},
        widget=forms.TextInput({"autocomplete": "off"}),
    )

    def clean_new_dataset(self) -> str:
        name: str = self.cleaned_data["new_dataset"]
        if len(name) > NAME_LIMIT:
            raise ValidationError(
                f"A dataset's name has at most {NAME_LIMIT} characters here; this one has {len(name)}."
            )
        if not name.isprintable():
            raise ValidationError("A dataset's name is one line of letters, digits and signs.")
        return name
