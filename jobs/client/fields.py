"""Reads one remote JSON object key by key, and writes down what it could not understand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from jobs.client import values
from jobs.client.values import ID_LIMIT, as_flag, as_int, as_text, cut, epoch_ms, iso_time, moment

LIST_LIMIT = 5000
PROBLEM_LIMIT = 30


class Fields:
    """One object at a path of a record. Every reader takes the spellings of a key and never raises.

    A key that is missing, null or empty is no problem (platform.md §2.6: keys come and go); one whose value
    cannot be understood gives an empty answer and a sentence in `problems`, which the whole record shares.
    """

    def __init__(self, raw: object, path: str = "", problems: list[str] | None = None) -> None:
        self.problems: list[str] = [] if problems is None else problems
        self.path = path
        self.raw: dict[str, object] = raw if isinstance(raw, dict) else {}

    def get(self, *keys: str) -> tuple[str, object]:
        """Path and value of the first spelling that says something; (path, None) if none does."""
        key = next((key for key in keys if self.raw.get(key) not in (None, "")), keys[0])
        return self._at(key), self.raw.get(key)

    def text(self, *keys: str, limit: int = ID_LIMIT) -> str:
        """Text or a number as text, cut at `limit` characters; two spellings that disagree are a problem."""
        path, value = self.get(*keys)
        if len(keys) > 1 and len({as_text(self.raw.get(key)) for key in keys} - {None, ""}) > 1:
            self.problem(f"{' and '.join(self._at(key) for key in keys)} differ; the first was taken.")
        text = as_text(value)
        if text is None:
            self._odd(path, value, "text")
            return ""
        if len(text) > limit:
            self.problem(f"{path} has {len(text):,} characters; {limit:,} are shown.")
        return cut(text, limit)

    def flag(self, *keys: str) -> bool | None:
        path, value = self.get(*keys)
        flag = as_flag(value)
        if flag is None:
            self._odd(path, value, "true or false")
        return flag

    def whole(self, *keys: str) -> int | None:
        """A count: a whole number from 0 to 2⁶³-1."""
        path, value = self.get(*keys)
        number = as_int(value)
        if number is None or number < 0:
            self._odd(path, value, "a count")
            return None
        return number

    def epoch_ms(self, *keys: str) -> int | None:
        """Epoch milliseconds, whatever unit was sent (§2.6 item 18); 0 means not set."""
        path, value = self.get(*keys)
        if as_int(value) == 0:
            return None
        found = epoch_ms(value)
        if found is None:
            self._odd(path, value, "a time between 1971 and 2199")
            return None
        if found[1] != "milliseconds":
            self.problem(f"{path} was sent in {found[1]} and read as such.")
        return found[0]

    def time(self, *keys: str) -> datetime | None:
        """A UTC time, from an epoch number in any unit or from ISO 8601 text."""
        _, value = self.get(*keys)
        written = iso_time(value) if isinstance(value, str) and as_int(value) is None else None
        if written is not None:
            return written
        ms = self.epoch_ms(*keys)
        return None if ms is None else moment(ms)

    def child(self, *keys: str) -> Fields:
        """The object under a key; an empty one where there is something else."""
        path, value = self.get(*keys)
        if not isinstance(value, dict):
            self._odd(path, value, "an object")
        return Fields(value, path, self.problems)

    def children(self, *keys: str) -> Iterator[Fields]:
        """The objects of a list, of a lone object, or of a map of objects (§2.6 item 2)."""
        path, value = self.get(*keys)
        for index, item in enumerate(self.items(path, value)):
            if isinstance(item, dict):
                yield Fields(item, f"{path}[{index}]", self.problems)
            else:
                self._odd(f"{path}[{index}]", item, "an object")

    def items(self, path: str, value: object) -> list[object]:
        """What a list holds, at most 5,000 of it; a lone object stands for a list of it."""
        if isinstance(value, dict):
            inner = list(value.values())
            value = inner if inner and all(isinstance(item, dict) for item in inner) else [value]
        if not isinstance(value, list):
            self._odd(path, value, "a list")
            return []
        if len(value) > LIST_LIMIT:
            self.problem(f"{path} has {len(value):,} entries; {LIST_LIMIT:,} were read.")
        return value[:LIST_LIMIT]

    def words(self, *keys: str, limit: int = values.WORD_LIMIT) -> tuple[str, ...]:
        """A list of words, or those of one text with commas between them, trimmed (§2.6 items 3, 19)."""
        path, value = self.get(*keys)
        parts = value.split(",") if isinstance(value, str) else self.items(path, value) if value else []
        texts = [as_text(part) for part in parts[:LIST_LIMIT]]
        if None in texts:
            self._odd(path, value, "a list of words")
        return tuple(cut(text, limit) for text in texts if text)

    def problem(self, sentence: str) -> None:
        """Notes a sentence once, and no more than thirty of them."""
        if sentence not in self.problems and len(self.problems) < PROBLEM_LIMIT:
            self.problems.append(sentence)

    def _odd(self, path: str, value: object, wanted: str) -> None:
        if value not in (None, "", [], {}):
            self.problem(f"{path} is not {wanted}, but {_shown(value)}; it was read as missing.")

    def _at(self, key: str) -> str:
        name = cut(key, 60)
        return f"{self.path}.{name}" if self.path else name


def _shown(value: object) -> str:
    """A value as a sentence names it: short, and without the inside of lists and objects."""
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list):
        return "a list"
    return f"“{cut(value, 60)}”" if isinstance(value, str) else str(value).lower()
