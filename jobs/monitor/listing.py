"""Reading pages of a sandbox's list, and learning what the platform's lists can do."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from django.utils import timezone

from jobs.client.api import Client
from jobs.client.errors import Refused
from jobs.client.records import JobPage
from jobs.models import Connection, Sandbox
from jobs.rules import clock
from jobs.rules.plan import Shelf

SIZES = (1000, 500, 100)
HEAD = 100
_LENGTH = 2500


def largest(connection: Connection) -> int:
    """The largest page this platform is known to give; before it was tried, the largest we try."""
    return connection.page_limit or SIZES[0]


class Answer(NamedTuple):
    """A page with the moments at which it was asked for and came."""

    page: JobPage
    asked_at: datetime
    answered_at: datetime


Ask = Callable[[], Answer]


def ask(client: Client, *, limit: int, offset: str) -> Answer:
    """A page as it comes; touches nothing of ours, so that it may run in a thread of its own."""
    asked_at = timezone.now()
    page = client.list_jobs(limit=limit, offset=offset)
    return Answer(page, asked_at, timezone.now())


def read_page(
    sandbox: Sandbox, client: Client, *, limit: int, offset: str = "", asked: Ask | None = None
) -> JobPage:
    """A page of at most `limit` records; a platform that refuses so many is asked for fewer, and remembered.

    A page that holds fewer than asked for though the list goes on tells the platform's own limit. How far its
    clock is from ours is noted by the way. `asked` waits for the answer where the page was asked for before.
    """
    connection = sandbox.connection
    smaller = next((size for size in SIZES if size < limit), 0)
    try:
        answer = asked() if asked else ask(client, limit=limit, offset=offset)
    except Refused:
        if not smaller or limit <= (connection.page_limit or 0):
            raise
        page = read_page(sandbox, client, limit=smaller, offset=offset)
        _learn(connection, page_limit=min(smaller, connection.page_limit or smaller))
        return page
    page = answer.page
    held = len(page.jobs) + len(page.rejected)
    if page.next_offset and 0 < held < limit:
        _learn(connection, page_limit=held)
    elif held >= limit > (connection.page_limit or limit):
        _learn(connection, page_limit=limit)
    _note_clock(connection, answer)
    return page


def cursor(sandbox: Sandbox, begins: datetime) -> str:
    """The offset of a page that begins with the jobs created at this moment: the key of the job before them.

    It is the key of a stored job, so that a platform that looks its cursors up finds it; "" at the head.
    """
    before = sandbox.jobs.filter(created_at__gt=begins).order_by("created_at", "id")
    found = before.values_list("created_at", "remote_id").first()
    return "" if found is None else f"{round(found[0].timestamp() * 1000)}_{found[1]}"


def read_from(
    sandbox: Sandbox, client: Client, *, begins: datetime, limit: int, asked: Ask | None = None
) -> JobPage | None:
    """A page that begins with the jobs created at this moment; None from a platform that takes no such cursor.

    One that refuses it, or ignores it and gives younger jobs, is remembered as such.
    """
    connection, offset = sandbox.connection, cursor(sandbox, begins)
    try:
        page = read_page(sandbox, client, limit=limit, offset=offset, asked=asked)
    except Refused:
        if not offset or connection.takes_cursors:
            raise
        _learn(connection, takes_cursors=False)
        return None
    if not offset:
        return page
    if any(job.created_at and job.created_at > begins for job in page.jobs):
        _learn(connection, takes_cursors=False)
        return None
    if page.jobs and not connection.takes_cursors:
        _learn(connection, takes_cursors=True)
    return page


def shelf(sandbox: Sandbox) -> Shelf:
    """The stored list of a sandbox, taken off the database in lengths of some thousands."""
    taken: list[datetime] = []

    def times(begins: datetime, count: int) -> Sequence[datetime]:
        nonlocal taken
        first = bisect_left(taken, -begins.timestamp(), key=lambda time: -time.timestamp())
        if not taken or begins > taken[0] or len(taken) - first < count:
            stored = sandbox.jobs.filter(created_at__lte=begins).order_by("-created_at", "-id")
            taken, first = list(stored.values_list("created_at", flat=True)[: max(count, _LENGTH)]), 0
        return taken[first : first + count]

    return times


def reaches(page: JobPage, created_at: datetime) -> bool:
    """Whether a page that begins before this moment goes on behind it: then it should hold what was created then."""
    return not page.next_offset or any(job.created_at and job.created_at < created_at for job in page.jobs)


def _learn(connection: Connection, **fields: object) -> None:
    for name, value in fields.items():
        setattr(connection, name, value)
    Connection.objects.filter(pk=connection.pk).update(**fields)


def _note_clock(connection: Connection, answer: Answer) -> None:
    told = answer.page.server_time
    if told is None:
        return
    found = clock.offset_ms(told, asked_at=answer.asked_at, answered_at=answer.answered_at)
    if clock.has_moved(connection.clock_offset_ms, found):
        _learn(connection, clock_offset_ms=found)
