"""One kind of failure: what it means, an example, where it happens, and the jobs behind it."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from jobs.forms.keyset import NEWEST_FIRST, Cursor, Page, paginate
from jobs.models import CatalogEntry, ExportJob, IdentifierKind
from jobs.models.job import JobQuerySet
from jobs.monitor import failures as kinds
from jobs.monitor.failures import Kind, Place
from jobs.monitor.outcomes import day_edges
from jobs.monitor.scope import Scope
from jobs.rules.status import LOOK, JobStatus
from jobs.templatetags.jinja import short_id
from jobs.views.exported import Names, what, whither
from jobs.views.failures import kind_url, list_of_kinds_url, said, sandboxes
from jobs.views.listing import list_url
from jobs.views.page import page
from jobs.views.scope import page_zone, scope_of

JOBS_SHOWN = 20
BROKEN = "The address of this page of jobs is broken; the newest jobs are shown."


class JobRow(NamedTuple):
    """A failed job of this kind."""

    job: ExportJob
    what: str
    whither: str
    sandbox: str


class Where(NamedTuple):
    """A sandbox, dataset or segment in which it happened, in how many jobs, and the list of those that failed there."""

    value: str
    name: str
    jobs: int
    url: str


@require_safe
def failure(request: HttpRequest, pk: int) -> HttpResponse:
    """The page of one kind; `after` and `before` turn the pages of its jobs, newest first."""
    now, scope = timezone.now(), scope_of(request)
    kind = kinds.kind(scope, pk, now=now, zone=page_zone())
    if kind is None:
        raise Http404("There is no failure with this address, or none of its jobs is yours to see.")
    failed = kinds.of_kind(scope, pk)
    jobs, problem = _jobs(request, failed)
    places = kinds.places(failed)
    names = _names(jobs.items, places, kind)
    context = {
        "kind": kind,
        "said": said(kind),
        "example": kinds.example(jobs.items[0]) if jobs.items else None,
        "rows": [_row(job, scope, names) for job in jobs.items],
        "previous_url": kind_url(pk, scope, before=jobs.previous) + "#jobs" if jobs.previous else "",
        "next_url": kind_url(pk, scope, after=jobs.next) + "#jobs" if jobs.next else "",
        "places": _places(kind, scope, places, names),
        "looked_at": min(kind.count, kinds.LOOKED_AT),
        "trend": _trend(kind, scope, now=now, zone=page_zone()),
        "list_url": list_url(scope.refs, status=JobStatus.FAILED, q=kind.code) if kind.code else "",
        "back_url": list_of_kinds_url(scope),
        "problem": problem,
    }
    return page(request, "jobs/failure.html", context, status=400 if problem else 200)


def _jobs(request: HttpRequest, failed: JobQuerySet) -> tuple[Page, str]:
    """The asked-for page of jobs; a broken address begins at the newest and says so."""
    after, before = (request.GET.get(name, "") for name in ("after", "before"))
    try:
        places = [Cursor.read(text, sort=NEWEST_FIRST) if text else None for text in (after, before)]
    except ValueError:
        return paginate(failed, sort=NEWEST_FIRST, size=JOBS_SHOWN), BROKEN
    return paginate(failed, sort=NEWEST_FIRST, size=JOBS_SHOWN, after=places[0], before=places[1]), ""


def _names(jobs: list[ExportJob], places: list[Place], kind: Kind) -> Names:
    """What the platform calls the datasets and segments in sight, in one query."""
    pairs = {(job.sandbox_id, one) for job in jobs for one in (job.dataset_id, *job.segment_ids)}
    pairs |= {(sandbox, place.value) for sandbox in kind.sandboxes for place in places}
    return CatalogEntry.objects.names(pairs)


def _row(job: ExportJob, scope: Scope, names: Names) -> JobRow:
    place = scope.place(job.sandbox_id)
    return JobRow(job, what(job, names), whither(job, names), place.ref if place else "")


def _places(kind: Kind, scope: Scope, places: list[Place], names: Names) -> list[tuple[str, list[Where]]]:
    """Sandboxes over all time, datasets and segments over the newest jobs; what there is none of is left out."""
    here = [
        Where("", ref, jobs, list_url([ref], status=JobStatus.FAILED)) for ref, jobs in sandboxes(kind, scope)
    ]
    datasets = [_where(place, kind, scope, names) for place in places if place.kind == IdentifierKind.DATASET]
    segments = [_where(place, kind, scope, names) for place in places if place.kind == IdentifierKind.SEGMENT]
    found = [("Sandboxes", here), ("Datasets", datasets), ("Segments", segments)]
    return [(word, rows) for word, rows in found if rows]


def _where(place: Place, kind: Kind, scope: Scope, names: Names) -> Where:
    known = (names.get((sandbox, place.value), "") for sandbox in kind.sandboxes)
    url = list_url(scope.refs, status=JobStatus.FAILED, **{place.kind.value: place.value})
    return Where(place.value, next(filter(None, known), "") or short_id(place.value), place.jobs, url)


def _trend(kind: Kind, scope: Scope, *, now: datetime, zone: ZoneInfo) -> list[dict[str, Any]]:
    """The columns of the last 30 days, each a link to the jobs that failed on its day."""
    edges, look = day_edges(now, zone=zone, days=kinds.TREND_DAYS), LOOK[JobStatus.FAILED]
    return [
        {
            "label": f"{(day := since.astimezone(zone)).day} {day:%b}",
            "title": f"{day:%a} {day.day} {day:%b %Y}",
            "href": list_url(scope.refs, status=JobStatus.FAILED, since=since, until=until),
            "values": [(look.role, look.word, kind.days[since])],
        }
        for since, until in pairwise(edges)
    ]
