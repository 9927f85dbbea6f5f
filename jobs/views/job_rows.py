"""Rows of the job list: printed once for each content and kept, with the passing of time filled in at each request."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from operator import itemgetter
from typing import NamedTuple
from urllib.parse import urlencode

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import F
from django.template import engines
from django.urls import reverse
from markupsafe import Markup

from jobs.context import Frame
from jobs.models import CatalogEntry, ExportJob, Role, Sandbox
from jobs.models.job import JobQuerySet
from jobs.rules import duration
from jobs.rules.kept import Kept
from jobs.rules.status import Flag, JobStatus, Look
from jobs.templatetags.jinja import ago, flag_icons
from jobs.views.exported import Names, what, whither

# Where a kept row says how long ago and how long so far; no text of the platform can hold a NUL.
AGE, SO_FAR = "\0age\0", "\0so far\0"
CANCEL_ASKED = ("player-stop", "cancellation requested")
_NARROW = (
    "sandbox_id",
    "remote_id",
    "status",
    "created_at",
    "updated_at",
    "changed_at",
    "gone_at",
    "stepped_back_at",
    "duration_ms",
    "dataset_id",
    "segment_ids",
    "segment_count",
    "with_events",
    "profiles_exported",
    "error_count",
    "error_line",
    "failure_id",
    "cancel_requested_at",
)


_shown = itemgetter(*(name for name in _NARROW if name != "segment_ids"), "id", "who")
_kept_rows: Kept[str] = Kept(20_000)
_kept_jobs: Kept[ExportJob] = Kept(20_000)
_kept_names: Kept[dict[str, str]] = Kept(500)


class Shown(NamedTuple):
    """A row as it goes into the page; `version` changes whenever anything shown but the passing of time does."""

    pk: int
    version: str
    who: str
    html: Markup


class Action(NamedTuple):
    """An entry of a row's menu."""

    word: str
    url: str


class JobRow(NamedTuple):
    """One job as templates/jobs/row/ prints it."""

    pk: int
    version: str
    kind: str
    look: Look
    extra: list[tuple[str, str]]
    url: str
    what: str
    whole: str
    whither: str
    dataset_id: str
    error_line: str
    sandbox: str
    remote_id: str
    who: str
    created_at: datetime
    age: str
    so_far: str
    duration_ms: int | None
    actions: list[Action]


def narrow(jobs: JobQuerySet) -> JobQuerySet:
    """Only the columns a row needs, and the launcher's name without the launcher."""
    return jobs.only(*_NARROW).annotate(who=F("launched_by__username"))


def kept(jobs: JobQuerySet) -> list[ExportJob]:
    """The jobs of a `narrow` queryset; a row that says what it said before is the object it was, which nobody changes.

    Making an object of a row costs more than reading the row.
    """
    compiler = jobs.query.get_compiler(DEFAULT_DB_ALIAS)
    try:
        sql, parameters = compiler.as_sql()
    except EmptyResultSet:
        return []
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows = [tuple(row) for row in cursor.fetchall()]
    found = {row: job for row in rows if (job := _kept_jobs.held.get(row))}
    if new := [row for row in rows if row not in found]:
        names = [
            column.target.attname
            for column, *_ in compiler.select[: len(compiler.klass_info["select_fields"])]
        ]
        for row, told in zip(new, compiler.results_iter(results=[new]), strict=True):
            job = ExportJob.from_db(DEFAULT_DB_ALIAS, names, told[: len(names)])
            for name, column in compiler.annotation_col_map.items():
                setattr(job, name, told[column])
            job.__dict__["content"] = (_shown(job.__dict__), tuple(job.segment_ids))
            found[row] = _kept_jobs.get(row, lambda: job)  # noqa: B023
    return [found[row] for row in rows]


def names_of(
    jobs: Iterable[ExportJob], *, also: Iterable[tuple[int, str]] = (), places: Iterable[Sandbox] = ()
) -> Names:
    """Names of everything the jobs export and of what they export to, and of some ids more.

    Those of the `places` are kept as long as nobody looked names up again; the rest is one query. A dataset that is not
    among them may have been made since; a segment can only come by a look-up.
    """
    jobs = list(jobs)
    kept = {place.pk: _kept_of(place) for place in places if place.catalog_seen_at}
    segments = {(job.sandbox_id, one) for job in jobs for one in job.segment_ids}
    wanted = segments.union(also, ((job.sandbox_id, job.dataset_id) for job in jobs if job.dataset_id))
    found = {(pk, one): kept[pk][one] for pk, one in wanted if pk in kept and one in kept[pk]}
    missing = {pair for pair in wanted - found.keys() if pair[0] not in kept or pair not in segments}
    return found | CatalogEntry.objects.names(missing) if missing else found


def _kept_of(place: Sandbox) -> dict[str, str]:
    return _kept_names.get((place.pk, place.catalog_seen_at), lambda: _all_names(place))


def _all_names(place: Sandbox) -> dict[str, str]:
    rows = CatalogEntry.objects.filter(sandbox=place).exclude(name="")
    return dict(rows.values_list("remote_id", "name"))


def job_rows(
    jobs: Sequence[ExportJob],
    *,
    names: Names,
    frame: Frame,
    now: datetime,
    oob: bool = False,
    glow: bool = False,
) -> list[Shown]:
    """The rows of some jobs of `kept`."""
    places = _places(jobs, frame)
    offers = {pk: frame.may(Role.OPERATOR, place) for pk, place in places.items()}
    made = []
    for job in jobs:
        place, flags = places[job.sandbox_id], job.flags(now)
        known = tuple([names.get((place.pk, one)) for one in (job.dataset_id, *job.segment_ids)])
        look = (
            job.__dict__["content"],
            known,
            tuple(flags),
            place.ref,
            offers[place.pk],
            oob,
            glow,
        )
        text = _kept_rows.get(look, lambda: _printed(job, place, flags, names, offers, oob=oob, glow=glow))  # noqa: B023
        html = text.replace(AGE, ago(job.created_at, now))
        if job.is_active:
            html = html.replace(SO_FAR, duration.human(job.elapsed_ms(now)))
        who: str = job.__dict__["who"] or ""
        made.append(Shown(job.pk, _version(job, flags), who, Markup(html)))  # noqa: S704 - what a template printed
    return made


def version_of(job: ExportJob, *, now: datetime) -> str:
    """A short text that differs when the row would look different: time of the last change and conditions."""
    return _version(job, job.flags(now))


def _version(job: ExportJob, flags: set[Flag]) -> str:
    conditions = "".join(sorted(flag.value[0] for flag in flags)) if flags else ""
    return f"{int(job.changed_at.timestamp() * 1000):x}{conditions}"


def _printed(
    job: ExportJob,
    place: Sandbox,
    flags: set[Flag],
    names: Names,
    offers: dict[int, bool],
    *,
    oob: bool,
    glow: bool,
) -> str:
    """The row's text with holes for what only time changes."""
    row = _row(job, place, flags=flags, names=names, may_cancel=offers[place.pk])
    macros = engines["jinja2"].env.get_template("jobs/row/row.html").module  # type: ignore[attr-defined]
    return str(macros.job_row(row, oob=oob, found=glow))


def _places(jobs: Iterable[ExportJob], frame: Frame) -> dict[int, Sandbox]:
    """The sandboxes of the jobs by id: those the frame has read, and ones no longer watched."""
    known = {sandbox.pk: sandbox for sandbox in frame.sandboxes}
    missing = {job.sandbox_id for job in jobs} - known.keys()
    if missing:
        known |= Sandbox.objects.select_related("connection").in_bulk(missing)
    return known


def _row(job: ExportJob, place: Sandbox, *, flags: set[Flag], names: Names, may_cancel: bool) -> JobRow:
    url = f"{_before_id('jobs:job')}{job.pk}/"
    asked = [CANCEL_ASKED] if job.is_active and job.cancel_requested_at else []
    named = [names.get((job.sandbox_id, one), one) for one in job.segment_ids]
    return JobRow(
        pk=job.pk,
        version=_version(job, flags),
        kind=_kind(job),
        look=job.look,
        extra=flag_icons(flags) + asked,
        url=url,
        what=what(job, names),
        whole="\n".join(named),
        whither=whither(job, names),
        dataset_id=job.dataset_id,
        error_line=job.error_line,
        sandbox=place.ref,
        remote_id=job.remote_id,
        who=job.who or "",  # type: ignore[attr-defined]
        created_at=job.created_at,
        age=AGE,
        so_far=SO_FAR,
        duration_ms=job.duration_ms,
        actions=list(_actions(job, place, url, may_cancel)),
    )


def _actions(job: ExportJob, place: Sandbox, url: str, may_cancel: bool) -> Iterable[Action]:
    yield Action("Open", url)
    if job.dataset_id:
        yield Action("Exports to this dataset", _list(place, "dataset", job.dataset_id))
    if job.segment_ids:
        yield Action("Exports of this segment", _list(place, "segment", job.segment_ids[0]))
    if job.failure_id:
        yield Action("Failures of this kind", f"{_before_id('jobs:failure')}{job.failure_id}/")
    if job.is_active and not job.cancel_requested_at and may_cancel:
        yield Action("Request cancellation…", f"{url}cancel/")


@cache
def _before_id(name: str) -> str:
    """The path of a page up to the id at its end; the URL tree is asked once, not for every row."""
    return reverse(name, args=[0]).removesuffix("0/")


@cache
def _whole_list() -> str:
    return reverse("jobs:jobs")


def _list(place: Sandbox, name: str, value: str) -> str:
    return f"{_whole_list()}?{urlencode({'sandbox': place.ref, name: value}, safe='/')}"


def _kind(job: ExportJob) -> str:
    """Which of templates/jobs/row/ a row shows."""
    if job.is_active:
        return "running"
    return "failed" if job.status == JobStatus.FAILED and job.error_line else "ended"
