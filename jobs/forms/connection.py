"""What an admin says about a connection: its address and credential, its sandboxes, its members."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import get_user_model

from jobs.client.errors import PlatformError
from jobs.client.wire import checked_url
from jobs.models import Connection, Role
from jobs.models.connection import DEFAULT_PLATFORM_URL, DEFAULT_TOKEN_URL, OPEN_FIELDS

_SECRET = forms.PasswordInput(render_value=False, attrs={"autocomplete": "off"})


class ConnectionForm(forms.ModelForm):
    """Everything of a connection but its secret."""

    platform_url = forms.URLField(
        label="Platform URL", max_length=500, assume_scheme="https", initial=DEFAULT_PLATFORM_URL
    )
    token_url = forms.URLField(
        label="Token URL", max_length=500, assume_scheme="https", initial=DEFAULT_TOKEN_URL
    )

    class Meta:
        model = Connection
        fields = OPEN_FIELDS
        help_texts = {
            "name": "Short, lower case; part of addresses and of the API, for example acme-prod.",
            "label": "Colours the top of every page, so that production is unmistakable.",
            "org_id": "Ends in @AdobeOrg; the developer console shows it beside the credential.",
            "client_id": "Also sent as x-api-key.",
            "scopes": "Separated by commas.",
            "requests_per_second": "At most so many calls a second from all workers together.",
            "keep_jobs_days": "Older ones that are over are deleted; their counts stay.",
            "keep_jobs_count": "More than so many are deleted, oldest days first.",
            "keep_records_days": "What the platform sent, after a job has ended.",
            "keep_snapshots_days": "Every change of a job, after it has ended.",
        }

    def clean_platform_url(self) -> str:
        return _address(self.cleaned_data["platform_url"], "platform URL")

    def clean_token_url(self) -> str:
        return _address(self.cleaned_data["token_url"], "token URL")


class NewConnectionForm(ConnectionForm):
    """A connection with its first secret."""

    secret = forms.CharField(
        label="Client secret",
        max_length=1000,
        widget=_SECRET,
        help_text="Stored encrypted and never shown again.",
    )

    def fields_of_connection(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in OPEN_FIELDS}


class SecretForm(forms.Form):
    """A new secret for a connection."""

    secret = forms.CharField(
        label="New client secret",
        max_length=1000,
        widget=_SECRET,
        help_text="Replaces the stored one at once. It is encrypted and never shown again.",
    )


class SandboxesForm(forms.Form):
    """Which sandboxes of a connection to watch: ticked from the platform's list, or typed by name."""

    listed = forms.MultipleChoiceField(label="Sandboxes", required=False, widget=forms.CheckboxSelectMultiple)
    typed = forms.CharField(
        label="Others, by name",
        required=False,
        max_length=2000,
        help_text="Separated by commas; for a credential that may not list its sandboxes.",
    )

    def __init__(self, *args: Any, choices: list[tuple[str, str]], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["listed"].choices = choices  # type: ignore[attr-defined]
        if not choices:
            del self.fields["listed"]

    def clean_typed(self) -> list[str]:
        names = [name.strip() for name in self.cleaned_data["typed"].split(",") if name.strip()]
        long = [name for name in names if len(name) > 256 or "/" in name]
        if long:
            raise forms.ValidationError("A sandbox name has at most 256 characters and no slash.")
        return names

    def names(self) -> list[str]:
        return [*self.cleaned_data.get("listed", []), *self.cleaned_data["typed"]]


class MemberForm(forms.Form):
    """A person's role on a connection; no role takes the person off it."""

    username = forms.CharField(max_length=150)
    role = forms.ChoiceField(choices=[*Role.choices, ("", "No role: remove")], required=False)

    def clean_username(self) -> Any:
        person = get_user_model().objects.filter(username=self.cleaned_data["username"].strip()).first()
        if person is None:
            raise forms.ValidationError(
                "There is no person of this name. A superuser adds people under People."
            )
        return person

    def clean_role(self) -> Role | None:
        return Role(self.cleaned_data["role"]) if self.cleaned_data["role"] else None


def _address(url: str, name: str) -> str:
    try:
        return checked_url(url, name)
    except PlatformError as error:
        raise forms.ValidationError(error.sentence) from None
