"""What a process keeps between requests: results under keys that hold everything they were made of."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Made = TypeVar("Made")


class Kept(Generic[Made]):
    """The newest `most` results. A key names the content or a version of it, so nothing in here is ever out of date.

    Threads share it without a lock: two that miss at once make the same thing twice, which costs and harms nothing.
    """

    _all: list[Kept[object]] = []

    def __init__(self, most: int) -> None:
        self.most = most
        self.held: OrderedDict[Hashable, Made] = OrderedDict()
        self._all.append(self)  # type: ignore[arg-type]

    def __contains__(self, key: Hashable) -> bool:
        return key in self.held

    def get(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """The result under the key; made when it is not there."""
        found = self.held.get(key)
        if found is None:
            found = self.held[key] = make()
            if len(self.held) > self.most:
                self.held.pop(next(iter(self.held)), None)
        return found

    @classmethod
    def forget(cls) -> None:
        """Drops everything: for tests, in which two databases have the same ids and versions."""
        for each in cls._all:
            each.held.clear()
