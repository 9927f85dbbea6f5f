"""How people get in: nobody signs up by themselves, and one-time-code secrets are encrypted at rest."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.http import HttpRequest


class ClosedAdapter(DefaultAccountAdapter):
    """Accounts are made by an administrator."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False


class EncryptingMFAAdapter(DefaultMFAAdapter):
    """TOTP keys and recovery seeds are stored under EXPORTUI_FIELD_KEYS; a key that is gone raises InvalidToken."""

    def encrypt(self, text: str) -> str:
        return field_keys().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return field_keys().decrypt(encrypted_text.encode()).decode()


def field_keys() -> MultiFernet:
    """The first key encrypts, all of them decrypt."""
    return MultiFernet([Fernet(key) for key in settings.EXPORTUI_FIELD_KEYS])
