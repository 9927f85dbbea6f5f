"""Failed exports by kind: how many, since when, where, and what they have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import BigIntegerField, Case, Count, DateField, Max, Min, Q, When
from django.db.models.functions import TruncDate

from jobs.models import ExportJob, IdentifierKind, JobError, JobIdentifier
from jobs.models.job import JobQuerySet
from jobs.monitor import outcomes
from jobs.monitor.scope import Scope
from jobs.rules import fingerprint
from jobs.rules.remedy import Remedy, remedy

WINDOWS: dict[str, timedelta | None] = {
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
    "all": None,
}
NO_ERROR = 0  # the address of the one group without a signature: failed, and no error was given
TREND_DAYS = 30
LOOKED_AT = 200
MOST_SHOWN = 8
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNEXPLAINED = Remedy(
    "The platform said that the export failed and gave no error.",
    "Open a job and look at its last phase. If a relaunch fails the same way, give the platform's support the request "
    "id and the compute gateway ids.",
    "",
)


@dataclass(slots=True)
class Kind:
    """One kind of failure in a window; `sandboxes` counts its jobs by sandbox id, `days` by midnight in UTC."""

    pk: int
    code: str
    pattern: str
    first_at: datetime
    last_at: datetime
    sandboxes: Counter[int] = field(default_factory=Counter)
    days: Counter[datetime] = field(default_factory=Counter)

    @property
    def count(self) -> int:
        return self.sandboxes.total()

    @property
    def remedy(self) -> Remedy:
        return remedy(self.code) if self.pk != NO_ERROR else _UNEXPLAINED


@dataclass(frozen=True, slots=True)
class Place:
    """A dataset or segment that failing jobs had in common: (kind, id), and in how many of those looked at."""

    kind: IdentifierKind
    value: str
    jobs: int


def window_start(window: str, *, now: datetime) -> datetime | None:
    """Since when a window counts; 24 hours begin at a full hour, as on the overview, so that both say one number."""
    length = WINDOWS[window]
    if window == "24h":
        return outcomes.day_start(now)
    return now - length if length else None


def kinds(scope: Scope, *, since: datetime | None, now: datetime, zone: ZoneInfo) -> list[Kind]:
    """All kinds of failure among the jobs that ended since then, last seen first; with the trend of 30 days."""
    found = _grouped(scope.jobs.failed(), since=since, now=now, zone=zone).values()
    return sorted(found, key=lambda kind: (kind.last_at, kind.pk), reverse=True)


def kind(scope: Scope, pk: int, *, now: datetime, zone: ZoneInfo) -> Kind | None:
    """One kind over all time; None when the person may see no job of it."""
    return _grouped(of_kind(scope, pk), since=None, now=now, zone=zone).get(pk)


def of_kind(scope: Scope, pk: int) -> JobQuerySet:
    """The failed jobs of a kind that the person may see; none for a number no id can be."""
    if pk > BigIntegerField.MAX_BIGINT:
        return scope.jobs.none()
    return scope.jobs.failed().filter(failure=None if pk == NO_ERROR else pk)


def _grouped(
    failed: JobQuerySet, *, since: datetime | None, now: datetime, zone: ZoneInfo
) -> dict[int, Kind]:
    """Kinds by id, in one query: counts since then, and days of the zone for the last 30 whatever the window."""
    first_day = outcomes.day_edges(now, zone=zone, days=TREND_DAYS)[0]
    if since:
        failed = failed.filter(ended_at__gte=min(since, first_day))
    inside = Q(ended_at__gte=since) if since else Q(ended_at__isnull=False)
    recent = When(ended_at__gte=first_day, then=TruncDate("ended_at", tzinfo=zone))
    rows = (
        failed.annotate(day=Case(recent, default=None, output_field=DateField()))
        .values_list("failure_id", "failure__code", "failure__pattern", "sandbox_id", "day")
        .annotate(
            on_day=Count("id"),
            jobs=Count("id", filter=inside),
            first=Min("ended_at", filter=inside),
            last=Max("ended_at", filter=inside),
        )
        .order_by()
    )
    found: dict[int, Kind] = {}
    for pk, code, pattern, sandbox_id, day, on_day, jobs, first, last in rows:
        kind = found.setdefault(pk or NO_ERROR, Kind(pk or NO_ERROR, code or "", pattern or "", now, _EPOCH))
        if day:
            kind.days[datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)] += on_day
        if jobs:
            kind.first_at, kind.last_at = min(kind.first_at, first), max(kind.last_at, last)
            kind.sandboxes[sandbox_id] += jobs
    return {pk: kind for pk, kind in found.items() if kind.count}


def example(job: ExportJob) -> JobError | None:
    """The entry of the job's errors that makes it this kind: the most specific one."""
    errors = list(job.errors.all())
    chosen = fingerprint.most_specific(errors)
    return next((error for error in errors if error is chosen), None)


def places(failed: JobQuerySet) -> list[Place]:
    """Datasets and segments of the newest 200 of these jobs, the commonest first; at most 8 of each."""
    newest = failed.order_by("-created_at", "-id").values("pk")[:LOOKED_AT]
    rows = (
        JobIdentifier.objects.filter(
            job__in=newest, kind__in=[IdentifierKind.DATASET, IdentifierKind.SEGMENT]
        )
        .values_list("kind", "value")
        .annotate(jobs=Count("id"))
        .order_by("-jobs", "value")
    )
    found = [Place(IdentifierKind(kind), value, jobs) for kind, value, jobs in rows]
    return [*_first(found, IdentifierKind.DATASET), *_first(found, IdentifierKind.SEGMENT)]


def _first(found: Iterable[Place], kind: IdentifierKind) -> list[Place]:
    return [place for place in found if place.kind is kind][:MOST_SHOWN]
