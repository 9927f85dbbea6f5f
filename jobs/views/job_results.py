"""What an export wrote: its batches, their files and how many records they hold, read when somebody looks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from jobs.client.records import RemoteBatch, RemoteJob, read_job
from jobs.models import ExportJob
from jobs.results.files import File
from jobs.results.overview import MOST_FILES, Results, Written, results
from jobs.rights import MAY_SEE_ROWS
from jobs.rules import agreement, batch_state
from jobs.rules.status import Look
from jobs.views import job_request
from jobs.views.job_facts import Named, Names
from jobs.views.page import page
from jobs.views.result_addresses import link, results_of

SECTION = "job-results"
MOST_BATCHES = 10


class FileRow(NamedTuple):
    """A file as the page shows it; without addresses for who may not open it."""

    file: File
    download: str
    rows: str


class BatchCard(NamedTuple):
    """A batch as the page shows it; `word` is the catalog's own."""

    written: Written
    look: Look
    word: str
    segments: list[Named]
    remarks: list[str]
    files: list[FileRow]
    earlier: str
    later: str


@require_safe
def job_results(request: HttpRequest, pk: int) -> HttpResponse:
    """All batches, ten at a time (`from`), or one (`batch`) with its files from entry `start` on."""
    job = results_of(request, pk)
    remote = read_job(job.record.raw)
    asked = request.GET.get("batch", "")
    first, start = _number(request, "from"), _number(request, "start") if asked else 0
    chosen = [each for each in remote.batches if each.batch_id == asked] if asked else list(remote.batches)
    if asked and not chosen:
        raise Http404("This job has no such batch.")
    found = results(job.sandbox, chosen[first : first + MOST_BATCHES], start=start)
    context = _context(request, job, remote, found) | {
        "asked": asked,
        "earlier": _here(job, first - MOST_BATCHES) if first > 0 else "",
        "later": _here(job, first + MOST_BATCHES) if first + MOST_BATCHES < len(chosen) else "",
        "span": f"{first + 1}–{min(first + MOST_BATCHES, len(chosen))} of {len(chosen)} batches",
    }
    parts = {SECTION: "jobs/_job_results.html"}
    return page(request, "jobs/job_results.html", context, parts=parts, about=job.sandbox)


def _context(request: HttpRequest, job: ExportJob, remote: RemoteJob, found: Results) -> dict[str, Any]:
    may_open = job.sandbox.may(request.user, MAY_SEE_ROWS)
    told = job_request.asked(job, remote).read
    segments = [segment.segment_id for segment in told.segments]
    ids = [job.dataset_id, *segments, *(each.asked.segment_id for each in found.written)]
    names = Names.of(job.sandbox, ids)
    cards = [_card(job, each, names, segments, may_open=may_open) for each in found.written]
    return {
        "job": job,
        "results": found,
        "cards": cards,
        "names": names,
        "may_open": may_open,
        "needed_role": MAY_SEE_ROWS.label.lower(),
        "disagreement": _disagreement(remote, found),
        "with_events": "eventList" in told.additional_fields,
    }


def _disagreement(remote: RemoteJob, found: Results) -> str:
    """What the whole of the batches says against the job's counter; nothing unless all of them were read."""
    return agreement.of_job(
        exported=remote.profiles_exported,
        written=[each.batch.records_written if each.batch else None for each in found.written],
        is_all=len(found.written) == len(remote.batches),
        with_events="eventList" in remote.additional_fields,
    )


def _card(
    job: ExportJob, written: Written, names: Names, segments: Sequence[str], *, may_open: bool
) -> BatchCard:
    asked, batch = written.asked, written.batch
    mine = [asked.segment_id] if asked.segment_id else segments
    files = [
        FileRow(
            file, _link("jobs:result_file", job, asked, file), _link("jobs:result_rows", job, asked, file)
        )
        if may_open
        else FileRow(file, "", "")
        for file in written.files.files
    ]
    return BatchCard(
        written,
        batch_state.LOOK[written.state],
        batch.status if batch else "",
        [names.segment(segment) for segment in mine],
        _remarks(job, written),
        files,
        _files(job, asked, written.files.start - MOST_FILES) if written.files.start else "",
        _files(job, asked, written.files.end) if written.files.is_cut else "",
    )


def _remarks(job: ExportJob, written: Written) -> list[str]:
    """What does not fit together about a batch, in words."""
    batch = written.batch
    if batch is None:
        return []
    counts = agreement.of_batch(
        written=batch.records_written, failed=batch.records_failed, in_files=written.files.records
    )
    elsewhere = job.dataset_id and batch.dataset_ids and job.dataset_id not in batch.dataset_ids
    where = (
        f"The catalog files this batch under dataset {batch.dataset_ids[0]}, not the job's."
        if elsewhere
        else ""
    )
    return list(filter(None, [agreement.of_states(job.state, written.state), *counts, where]))


def _link(name: str, job: ExportJob, batch: RemoteBatch, file: File) -> str:
    return link(name, job, batch.batch_id, file)


def _files(job: ExportJob, batch: RemoteBatch, start: int) -> str:
    query = {"batch": batch.batch_id, "start": max(0, start)}
    return f"{reverse('jobs:job_results', args=[job.pk])}?{urlencode(query)}"


def _here(job: ExportJob, first: int) -> str:
    return f"{reverse('jobs:job_results', args=[job.pk])}?{urlencode({'from': max(0, first)})}"


def _number(request: HttpRequest, name: str) -> int:
    """A position in a list, 0 for anything that is none."""
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 7 else 0
