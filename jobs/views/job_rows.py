"""Rows of the job list, prepared so that the template only prints: one query for all names, none for a row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import NamedTuple
from urllib.parse import urlencode

from django.db.models import F
from django.urls import reverse

from jobs.context import Frame
from jobs.models import CatalogEntry, ExportJob, Role, Sandbox
from jobs.models.job import JobQuerySet
from jobs.rules.status import JobStatus, Look
from jobs.templatetags.jinja import flag_icons
from jobs.views.exported import Names, what, whither

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


class Action(NamedTuple):
    """An entry of a row's menu."""

    word: str
    url: str


class JobRow(NamedTuple):
    """One job as the list shows it; `version` changes whenever anything shown but the passing of time does."""

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
    duration_ms: int | None
    actions: list[Action]


def narrow(jobs: JobQuerySet) -> JobQuerySet:
    """Only the columns a row needs, and the launcher's name without the launcher."""
    return jobs.only(*_NARROW).annotate(who=F("launched_by__username"))


def names_of(jobs: Iterable[ExportJob], *, also: Iterable[tuple[int, str]] = ()) -> Names:
    """Names of everything the jobs export and of what they export to, and of some ids more: one query."""
    pairs = {(job.sandbox_id, one) for job in jobs for one in (job.dataset_id, *job.segment_ids)}
    wanted = pairs | set(also)
    return CatalogEntry.objects.names(wanted) if wanted else {}


def job_rows(jobs: Sequence[ExportJob], *, names: Names, frame: Frame, now: datetime) -> list[JobRow]:
    """The rows of some jobs of `narrow`."""
    places = _places(jobs, frame)
    return [_row(job, places[job.sandbox_id], names=names, frame=frame, now=now) for job in jobs]


def version_of(job: ExportJob, *, now: datetime) -> str:
    """A short text that differs when the row would look different: time of the last change and conditions."""
    flags = "".join(sorted(flag.value[0] for flag in job.flags(now)))
    return f"{int(job.changed_at.timestamp() * 1000):x}{flags}"


def _places(jobs: Iterable[ExportJob], frame: Frame) -> dict[int, Sandbox]:
    """The sandboxes of the jobs by id: those the frame has read, and ones no longer watched."""
    known = {sandbox.pk: sandbox for sandbox in frame.sandboxes}
    missing = {job.sandbox_id for job in jobs} - known.keys()
    if missing:
        known |= Sandbox.objects.select_related("connection").in_bulk(missing)
    return known


def _row(job: ExportJob, place: Sandbox, *, names: Names, frame: Frame, now: datetime) -> JobRow:
    url = f"{_before_id('jobs:job')}{job.pk}/"
    asked = [CANCEL_ASKED] if job.is_active and job.cancel_requested_at else []
    named = [names.get((job.sandbox_id, one), one) for one in job.segment_ids]
    return JobRow(
        pk=job.pk,
        version=version_of(job, now=now),
        kind=_kind(job),
        look=job.look,
        extra=flag_icons(job.flags(now)) + asked,
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
        duration_ms=job.elapsed_ms(now),
        actions=list(_actions(job, place, url, frame)),
    )


def _actions(job: ExportJob, place: Sandbox, url: str, frame: Frame) -> Iterable[Action]:
    yield Action("Open", url)
    if job.dataset_id:
        yield Action("Exports to this dataset", _list(place, "dataset", job.dataset_id))
    if job.segment_ids:
        yield Action("Exports of this segment", _list(place, "segment", job.segment_ids[0]))
    if job.failure_id:
        yield Action("Failures of this kind", f"{_before_id('jobs:failure')}{job.failure_id}/")
    if job.is_active and not job.cancel_requested_at and frame.may(Role.OPERATOR, place):
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
