"""The job list as a CSV file: exactly the jobs the filter selects, in its order, as far as a file should go."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from jobs.forms.job_filter import JobFilter
from jobs.models import ExportJob, Sandbox
from jobs.templatetags.jinja import iso
from jobs.views.exported import Names
from jobs.views.job_rows import names_of, narrow

MOST_ROWS = 50_000
_CHUNK = 1_000
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
COLUMNS = (
    "id",
    "job",
    "sandbox",
    "status",
    "flags",
    "created_at",
    "updated_at",
    "duration_ms",
    "dataset_id",
    "dataset",
    "segments",
    "segment_ids",
    "segment_names",
    "with_events",
    "profiles_exported",
    "errors",
    "error",
    "launched_by",
    "url",
)


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


@require_safe
def jobs_csv(request: HttpRequest) -> HttpResponseBase:
    """At most 50,000 rows, streamed; a file that was cut says so in its name and in `X-Truncated`.

    A filter that cannot be read is refused (400): a file does not show that it holds more than was asked for.
    Times are UTC, cells are never formulas.
    """
    now = timezone.now()
    chosen = JobFilter.read(request.GET, user=request.user)
    if chosen.errors:
        said = "\n".join(f"{name}: {sentence}" for name, sentence in chosen.errors.items())
        return HttpResponse(said + "\n", status=400, content_type="text/plain; charset=utf-8")
    jobs = chosen.ordered(narrow(ExportJob.objects.visible_to(request.user)), now=now)
    cut = jobs[MOST_ROWS : MOST_ROWS + 1].exists()
    name = f"jobs-{now:%Y-%m-%dT%H%MZ}{f'-first-{MOST_ROWS}' if cut else ''}.csv"
    lines = _lines(jobs[:MOST_ROWS].iterator(_CHUNK), here=request.build_absolute_uri("/")[:-1], now=now)
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    if cut:
        response["X-Truncated"] = str(MOST_ROWS)
    return response


def safe(cell: object) -> object:
    """A cell no spreadsheet takes for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def _lines(jobs: Iterator[ExportJob], *, here: str, now: datetime) -> Iterator[str]:
    writer: Any = csv.writer(_Echo())
    yield writer.writerow(COLUMNS)
    refs = {place.pk: place.ref for place in Sandbox.objects.select_related("connection")}
    while chunk := list(islice(jobs, _CHUNK)):
        names = names_of(chunk)
        for job in chunk:
            cells = _cells(job, ref=refs[job.sandbox_id], names=names, here=here, now=now)
            yield writer.writerow([safe(cell) for cell in cells])


def _cells(job: ExportJob, *, ref: str, names: Names, here: str, now: datetime) -> Iterable[object]:
    return (
        job.pk,
        job.remote_id,
        ref,
        job.status,
        " ".join(sorted(job.flags(now))),
        iso(job.created_at),
        iso(job.updated_at),
        job.duration_ms,
        job.dataset_id,
        names.get((job.sandbox_id, job.dataset_id), ""),
        job.segment_count,
        " ".join(job.segment_ids),
        "; ".join(names.get((job.sandbox_id, one), "") for one in job.segment_ids),
        "yes" if job.with_events else "no",
        job.profiles_exported,
        job.error_count,
        job.error_line,
        job.who,  # type: ignore[attr-defined]
        here + reverse("jobs:job", args=[job.pk]),
    )
