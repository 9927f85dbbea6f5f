"""Carrying out a plan: pages and single records of the jobs that move."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from concurrent.futures import Executor, Future, ThreadPoolExecutor

from django.utils import timezone

from jobs.client.api import Client
from jobs.client.errors import PlatformDown, Unreadable
from jobs.client.records import JobPage
from jobs.models import ExportJob, Sandbox
from jobs.monitor.leaving import leaving
from jobs.monitor.listing import Answer, ask, cursor, largest, reaches, read_from, read_page, shelf
from jobs.monitor.refresh import again_later, read_one
from jobs.rules.plan import Moving, Plan, Step, plan
from jobs.sync import Recorded, record

# Plans are made for so many seconds: what has grown hungry meanwhile has its turn in the next.
SLICE_S = 4.0
# So many pages are asked for ahead: the platform answers them while we store the one before.
AHEAD = 3
_TROUBLE_WITH_ONE = (PlatformDown, Unreadable)
_MOST_TROUBLE = 3


def planned(sandbox: Sandbox) -> Plan:
    """What to ask in the next seconds with the sandbox's share of its connection's rate."""
    connection, now = sandbox.connection, timezone.now()
    at_work = connection.sandboxes.filter(leased_until__gt=now).count()
    per_second = connection.requests_per_second / max(1, at_work)
    columns = ("pk", "remote_id", "created_at", "last_seen_at", "next_poll_at")
    return plan(
        [Moving(*row) for row in sandbox.jobs.moving().order_by().values_list(*columns)],
        shelf=shelf(sandbox),
        page_limit=largest(connection),
        takes_cursors=connection.takes_cursors is not False,
        budget=max(1, round(per_second * SLICE_S)),
        per_second=per_second,
        now=now,
    )


def cover(sandbox: Sandbox, client: Client, steps: Iterable[Step]) -> Recorded:
    """Make the requests of a plan; raises PlatformError when the sandbox cannot be read.

    A page that turns out not to begin where it should ends it: a new plan can do without.
    """
    covering, rest = Covering(sandbox, client), deque(steps)
    with ThreadPoolExecutor(AHEAD) as pool:
        under_way: deque[Future[Answer] | None] = deque()
        while rest and not leaving.is_set():
            while len(under_way) < min(AHEAD, len(rest)):
                under_way.append(covering.asked_ahead(rest[len(under_way)], pool))
            if not covering.makes(rest.popleft(), under_way.popleft()):
                break
        pool.shutdown(wait=False, cancel_futures=True)
    return covering.done


class Covering:
    """A plan being carried out: what was done, where the next page of the chain begins, how much went wrong."""

    def __init__(self, sandbox: Sandbox, client: Client) -> None:
        self.sandbox = sandbox
        self.client = client
        self.done = Recorded()
        self.offset = ""
        self.trouble = 0

    def asked_ahead(self, step: Step, pool: Executor) -> Future[Answer] | None:
        """The answer to come for a page whose beginning is known; the others have their turn."""
        if step.begins is None:
            return None
        offset = cursor(self.sandbox, step.begins)
        return pool.submit(ask, self.client, limit=step.entries, offset=offset)

    def makes(self, step: Step, answer: Future[Answer] | None) -> bool:
        """Make the request, or take its answer; False when what follows cannot be made."""
        if not step.is_page:
            self.ask_for(step.jobs, unlisted=set())
            return True
        as_of = answer.result().asked_at if answer and not answer.exception() else timezone.now()
        page = self.page(step, answer)
        if page is None:
            return False
        self.done += record(self.sandbox, page.jobs, as_of=as_of)
        held = {job.remote_id for job in page.jobs}
        absent = [job for job in step.jobs if job.remote_id not in held]
        self.ask_for(absent, unlisted={job.pk for job in absent if reaches(page, job.created_at)})
        return step.begins is not None or bool(self.offset)

    def page(self, step: Step, answer: Future[Answer] | None) -> JobPage | None:
        if step.begins is not None:
            asked = answer.result if answer else None
            return read_from(self.sandbox, self.client, begins=step.begins, limit=step.entries, asked=asked)
        page = read_page(self.sandbox, self.client, limit=step.entries, offset=self.offset)
        self.offset = page.next_offset or ""
        return page

    def ask_for(self, jobs: Iterable[Moving], *, unlisted: set[int]) -> None:
        """Single records; one that makes trouble does not hold up the others, three do."""
        for job in ExportJob.objects.filter(pk__in=[each.pk for each in jobs]):
            if leaving.is_set():
                return
            try:
                self.done += read_one(self.sandbox, self.client, job, is_unlisted=job.pk in unlisted)
            except _TROUBLE_WITH_ONE as error:
                self.trouble += 1
                if self.trouble == _MOST_TROUBLE:
                    raise
                again_later(job, error.sentence)
