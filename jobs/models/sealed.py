"""Secrets at rest: a field that keeps ciphertext and hands out a sealed value, opened only on purpose."""

from __future__ import annotations

from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models


class SealedError(Exception):
    """The secret was encrypted with a key that is no longer in EXPORTUI_FIELD_KEYS."""

    def __init__(self) -> None:
        super().__init__("The stored secret cannot be decrypted with the present field keys; enter it again.")


def _fernet() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.EXPORTUI_FIELD_KEYS])


class Sealed:
    """A secret as it lies in the database; only `open()` shows it, nothing prints it."""

    __slots__ = ("ciphertext",)

    def __init__(self, ciphertext: str) -> None:
        self.ciphertext = ciphertext

    @classmethod
    def seal(cls, secret: str) -> Sealed:
        """Encrypt with the newest key."""
        return cls(_fernet().encrypt(secret.encode()).decode())

    def open(self) -> str:
        """The secret in clear; raises SealedError when no present key fits."""
        try:
            return _fernet().decrypt(self.ciphertext.encode()).decode()
        except InvalidToken:
            raise SealedError from None

    def resealed(self) -> Sealed:
        """The same secret under the newest key."""
        return Sealed.seal(self.open())

    def __bool__(self) -> bool:
        return bool(self.ciphertext)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sealed) and other.ciphertext == self.ciphertext

    def __hash__(self) -> int:
        return hash(self.ciphertext)

    def __repr__(self) -> str:
        return "<sealed>"


class SealedField(models.Field):
    """A text column of ciphertext; takes and gives `Sealed`, so a plain secret cannot be stored by accident."""

    def get_internal_type(self) -> str:
        return "TextField"

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Sealed | None:
        return None if value is None else Sealed(value)

    def to_python(self, value: Any) -> Sealed | None:
        return value if value is None or isinstance(value, Sealed) else Sealed(value)

    def get_prep_value(self, value: Any) -> str | None:
        if value is None:
            return None
        if isinstance(value, Sealed):
            return value.ciphertext
        raise TypeError("a SealedField stores Sealed values only")

    def value_to_string(self, obj: models.Model) -> str:
        return ""
