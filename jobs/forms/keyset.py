"""Pages by keyset: a page says where the next one starts, so depth costs nothing and nothing is counted."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Self

from django.db import models
from django.db.models import F, Func, Q

from jobs.models import ExportJob
from jobs.models.job import JobQuerySet

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LARGEST = 2**63 - 1


class Order(NamedTuple):
    """A way to sort jobs: how it is said, the column, and which way it runs; ties are broken by id."""

    word: str
    column: str
    descending: bool


NEWEST_FIRST = "-created"
ORDERS = {
    NEWEST_FIRST: Order("newest first", "created_at", True),
    "created": Order("oldest first", "created_at", False),
    "-duration": Order("longest first", "duration_ms", True),
    "duration": Order("shortest first", "duration_ms", False),
    "-updated": Order("latest change first", "updated_at", True),
}

# Written with the number in it, not with a parameter: only so does SQLite see that it is the index `job_duration`.
DURATION = Func(
    F("duration_ms"), template="COALESCE(%(expressions)s, -1)", output_field=models.BigIntegerField()
)


class Cursor(NamedTuple):
    """The place of a job in an order: its sort value as a whole number (µs since 1970, or ms) and its id."""

    sort: str
    value: int
    pk: int

    def __str__(self) -> str:
        plain = f"{self.sort},{self.value},{self.pk}".encode()
        return base64.urlsafe_b64encode(plain).decode().rstrip("=")

    @classmethod
    def of(cls, job: ExportJob, *, sort: str) -> Self:
        held = getattr(job, ORDERS[sort].column)
        if isinstance(held, datetime):
            return cls(sort, (held - _EPOCH) // _MICROSECOND, job.pk)
        return cls(sort, -1 if held is None else held, job.pk)

    @classmethod
    def read(cls, text: str, *, sort: str) -> Self:
        """The cursor a page gave out; raises ValueError for anything else, and for one of another order."""
        try:
            plain = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode()
            its_sort, value, pk = plain.split(",")
            made = cls(its_sort, int(value), int(pk))
        except (binascii.Error, UnicodeError, ValueError) as error:
            raise ValueError("not a cursor") from error
        if its_sort != sort or str(made) != text or not 0 <= made.pk <= _LARGEST:
            raise ValueError("a cursor of another list")
        made.column_value()
        return made

    def column_value(self) -> Any:
        """The sort value as the column holds it; raises ValueError when no column could."""
        if ORDERS[self.sort].column == "duration_ms":
            if not -1 <= self.value <= _LARGEST:
                raise ValueError("no duration")
            return self.value
        try:
            return _EPOCH + self.value * _MICROSECOND
        except OverflowError as error:
            raise ValueError("no time") from error


class Page(NamedTuple):
    """One page in the order asked for, and the cursors of its neighbours (None where there is none)."""

    items: list[ExportJob]
    previous: str | None
    next: str | None


def paginate(
    rows: JobQuerySet,
    *,
    sort: str,
    size: int,
    after: Cursor | None = None,
    before: Cursor | None = None,
    read: Callable[[JobQuerySet], list[ExportJob]] = list,
) -> Page:
    """At most `size` jobs after the one cursor or before the other: one query, one row more than shown."""
    backwards = before is not None
    start = before or after
    ordered = in_order(rows, sort=sort, backwards=backwards)
    if start:
        ordered = ordered.filter(beyond(start, backwards=backwards))
    found = read(ordered[: size + 1])
    more, items = len(found) > size, found[:size]
    if backwards:
        items.reverse()
    has_previous, has_next = (more, True) if backwards else (start is not None, more)
    return Page(
        items,
        str(Cursor.of(items[0], sort=sort)) if items and has_previous else None,
        str(Cursor.of(items[-1], sort=sort)) if items and has_next else None,
    )


def in_order(rows: JobQuerySet, *, sort: str, backwards: bool = False) -> JobQuerySet:
    """The rows sorted as an index has them."""
    sign = "-" if ORDERS[sort].descending != backwards else ""
    return rows.alias(took=DURATION).order_by(f"{sign}{_key(sort)}", f"{sign}id")


def beyond(cursor: Cursor, *, backwards: bool = False) -> Q:
    """Rows of `in_order` that come after the cursor (before it when `backwards`).

    A range of the sort value with the tie inside it: both databases answer that from the index.
    """
    side = "lt" if ORDERS[cursor.sort].descending != backwards else "gt"
    key, value = _key(cursor.sort), cursor.column_value()
    reached = Q(**{f"{key}__{side}e": value})
    return reached & (Q(**{f"{key}__{side}": value}) | Q(**{f"id__{side}": cursor.pk}))


def _key(sort: str) -> str:
    column = ORDERS[sort].column
    return "took" if column == "duration_ms" else column
