"""What stands now and what happened lately, over the sandboxes a person may see."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Sum

from jobs.models import CatalogEntry, ExportJob, JobTally, Sandbox
from jobs.monitor import outcomes
from jobs.monitor.outcomes import Outcomes
from jobs.monitor.scope import Scope
from jobs.rules.kept import Kept
from jobs.rules.lateness import LATE_AFTER
from jobs.rules.status import JobStatus

SHOWN = 5
_kept_outcomes: Kept[outcomes.Tally] = Kept(200)
_kept_standing: Kept[Counter[JobStatus]] = Kept(5_000)
FAILURES_WITHIN = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Overview:
    """The figures of the first page; `names` knows datasets and segments by (sandbox id, platform id)."""

    standing: Counter[JobStatus]
    known: dict[int, int]
    late: int
    hours: list[Outcomes]
    days: list[Outcomes]
    failures: list[ExportJob]
    longest: list[ExportJob]
    names: dict[tuple[int, str], str]

    @property
    def last_day(self) -> Outcomes:
        return outcomes.together(self.hours)

    @property
    def last_week(self) -> Outcomes:
        return outcomes.together(self.days[-7:])


def read(scope: Scope, *, now: datetime, zone: ZoneInfo) -> Overview:
    """At most six queries however many jobs: two over tallies, three that an index answers, one for names."""
    since = min(
        outcomes.day_edges(now, zone=zone, days=outcomes.DAYS)[0],
        outcomes.day_start(now),
    )
    versions = tuple((place.pk, place.version) for place in scope.places)
    tally = _kept_outcomes.get((versions, since), lambda: outcomes.tallies(scope, since=since))
    by_sandbox = standing(scope.places)
    known = {place.pk: by_sandbox[place.pk].total() for place in scope.places}
    failures, longest = newest_failures(scope, now=now), longest_running(scope)
    return Overview(
        standing=sum(by_sandbox.values(), Counter()),
        known=known,
        late=late(scope, now=now),
        hours=outcomes.by_hour(tally, now=now),
        days=outcomes.by_day(tally, now=now, zone=zone),
        failures=failures,
        longest=longest,
        names=names([*failures, *longest]),
    )


def standing(places: Collection[Sandbox]) -> dict[int, Counter[JobStatus]]:
    """How many jobs of each sandbox stand in each state; added up once for each version of a sandbox.

    A sandbox's version grows in the transaction that moves its tallies.
    """
    sums: dict[int, Counter[JobStatus]] = {
        place.pk: Counter() for place in places if (place.pk, place.version) not in _kept_standing
    }
    if sums:
        rows = JobTally.objects.filter(sandbox__in=list(sums)).values_list("sandbox_id", "status").order_by()
        for sandbox_id, status, jobs in rows.annotate(total=Sum("jobs")):
            sums[sandbox_id][JobStatus(status)] += jobs
    return {
        place.pk: _kept_standing.get((place.pk, place.version), lambda: sums[place.pk])  # noqa: B023
        for place in places
    }


def late(scope: Scope, *, now: datetime) -> int:
    """Jobs that run longer than the yardstick of rules/lateness.py."""
    return scope.jobs.active().filter(created_at__lt=now - LATE_AFTER).count()


def newest_failures(scope: Scope, *, now: datetime) -> list[ExportJob]:
    """The jobs that failed last, by the time they ended; nothing older than 30 days is news."""
    failed = scope.jobs.failed().filter(ended_at__gte=now - FAILURES_WITHIN)
    return list(failed.select_related("failure").order_by("-ended_at", "-id")[:SHOWN])


def longest_running(scope: Scope) -> list[ExportJob]:
    """Those that run for the longest time, the longest first."""
    return list(scope.jobs.filter(status=JobStatus.PROCESSING).order_by("created_at", "id")[:SHOWN])


def names(jobs: Iterable[ExportJob]) -> dict[tuple[int, str], str]:
    """What the platform calls the datasets and segments of these jobs, in one query."""
    return CatalogEntry.objects.names(
        {(job.sandbox_id, remote) for job in jobs for remote in (job.dataset_id, *job.segment_ids)}
    )


def version(places: Iterable[Sandbox], *, now: datetime) -> str:
    """A short text that is the same as long as the overview has nothing new to say, at most for a minute."""
    said = [
        (place.pk, place.version, place.is_watched, place.failing_since, place.first_contact_jobs)
        for place in places
    ]
    text = repr((sorted(said, key=lambda row: row[0]), now.replace(second=0, microsecond=0)))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
