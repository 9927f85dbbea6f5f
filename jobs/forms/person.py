"""What a superuser says about a person."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import get_user_model, password_validation

User = get_user_model()
_NAMES = ("username", "first_name", "last_name", "email")
PERSON_FIELDS = ("first_name", "last_name", "email", "is_active", "is_superuser")


class PersonForm(forms.ModelForm):
    """Names and rights of somebody who is there already."""

    class Meta:
        model = User
        fields = PERSON_FIELDS
        labels = {"is_active": "May sign in", "is_superuser": "Superuser"}
        help_texts = {
            "is_active": "Without this the person and their API tokens are shut out at once.",
            "is_superuser": "Sees and may change everything, people included.",
        }


class NewPersonForm(forms.ModelForm):
    """Somebody new, with a first password to hand over."""

    password = forms.CharField(
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        label="First password",
    )

    class Meta:
        model = User
        fields = _NAMES
        help_texts = {"username": "What the person signs in with."}

    def clean(self) -> dict[str, Any]:
        super().clean()
        _check_password(self, User(**{name: self.cleaned_data.get(name, "") for name in _NAMES}))
        return self.cleaned_data


class PasswordForm(forms.Form):
    """A new password for somebody else."""

    password = forms.CharField(
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        label="New password",
    )

    def __init__(self, *args: Any, person: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.person = person

    def clean(self) -> dict[str, Any]:
        _check_password(self, self.person)
        return self.cleaned_data


def _check_password(form: forms.BaseForm, person: Any) -> None:
    password = form.cleaned_data.get("password")
    if password:
        try:
            password_validation.validate_password(password, person)
        except forms.ValidationError as error:
            form.add_error("password", error)
