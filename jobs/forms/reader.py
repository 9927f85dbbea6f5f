"""Takes values out of a query string: what cannot be used is left out, and a sentence says why."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime

from django.http import QueryDict

MAX_TEXT = 300
MAX_VALUES = 50
_SECONDS = re.compile(r"[0-9]{1,9}\Z")
_LOST_PLUS = re.compile(r" (?=\d\d:\d\d\Z)")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)\Z")


class Reader:
    """Reads one query string; `errors` maps the name of a parameter to what is wrong with its value."""

    def __init__(self, query: QueryDict) -> None:
        self._query = query
        self.errors: dict[str, str] = {}

    def values(self, name: str) -> list[str]:
        """Every non-empty value of a repeatable parameter, each once, in the order given."""
        given = list(dict.fromkeys(value for raw in self._query.getlist(name) if (value := raw.strip())))
        if len(given) > MAX_VALUES:
            self.errors[name] = f"At most {MAX_VALUES} values can be given at once."
        return [value for value in given[:MAX_VALUES] if self._is_text(name, value)]

    def text(self, name: str) -> str:
        """The last non-empty value, without spaces around it."""
        given = self.values(name)
        return given[-1] if given else ""

    def one(self, name: str, known: Iterable[str], default: str = "") -> str:
        """One of the known words."""
        value = self.text(name)
        if not value:
            return default
        return value if value in self._known(name, [value], known) else default

    def many(self, name: str, known: Iterable[str]) -> list[str]:
        """Those of the given words that are known, in capitals or not."""
        return self._known(name, [value.upper() for value in self.values(name)], known)

    def seconds(self, name: str) -> int | None:
        """A whole number of seconds."""
        value = self.text(name)
        if value and not _SECONDS.match(value):
            self.errors[name] = f"“{shown(value)}” is not a whole number of seconds, such as 3600."
            return None
        return int(value) if value else None

    def moment(self, name: str) -> datetime | None:
        """A time with its zone (RFC 3339), in UTC; a `+` that a URL turned into a space is put back."""
        value = _LOST_PLUS.sub("+", self.text(name))
        if not value:
            return None
        try:
            if _MOMENT.match(value):
                return datetime.fromisoformat(value).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
        self.errors[name] = f"“{shown(value)}” is not a time with its zone, such as 2026-11-22T09:00:00Z."
        return None

    def _known(self, name: str, given: list[str], known: Iterable[str]) -> list[str]:
        words = list(known)
        strange = [value for value in given if value not in words]
        if strange:
            choice = ", ".join(words)
            self.errors[name] = f"There is no “{shown(strange[0])}” here; it can be {choice}."
        return [value for value in given if value in words]

    def _is_text(self, name: str, value: str) -> bool:
        if "\x00" in value:
            self.errors[name] = "It holds a character (NUL) that no name or id can have."
        elif len(value) > MAX_TEXT:
            self.errors[name] = f"It is longer than {MAX_TEXT} characters, which no name or id is."
        else:
            return True
        return False


def shown(value: str) -> str:
    """What was typed, short enough for a sentence."""
    return value if len(value) <= 60 else f"{value[:59]}…"
