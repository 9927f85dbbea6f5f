"""The addresses of results: batches are those of the job, files are named by id and path."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import Http404, HttpRequest
from django.urls import NoReverseMatch, reverse

from jobs.client.records import RemoteBatch, read_job
from jobs.models import ExportJob
from jobs.results.files import File
from jobs.rights import MAY_SEE_ROWS, require, visible

PATH_LIMIT = 500


def link(name: str, job: ExportJob, batch_id: str, file: File) -> str:
    """Where a file is downloaded or shown; nothing for an id that cannot stand in an address."""
    try:
        address = reverse(name, args=[job.pk, batch_id, file.file_id])
    except NoReverseMatch:
        return ""
    return f"{address}?{urlencode({'path': file.path})}"


def results_of(request: HttpRequest, pk: int) -> ExportJob:
    """The job whose results are asked for, with all that a page about it needs."""
    return visible(
        ExportJob.objects.select_related("sandbox__connection", "record", "launch"), request, pk=pk
    )


def batches_of(job: ExportJob) -> tuple[RemoteBatch, ...]:
    return read_job(job.record.raw).batches


def asked_file(request: HttpRequest, pk: int, batch: str) -> tuple[ExportJob, str]:
    """The job and the path of a file that the person may open; 404 for a batch the job does not have."""
    job = results_of(request, pk)
    require(MAY_SEE_ROWS, request, job.sandbox)
    path = request.GET.get("path", "")
    if batch not in {each.batch_id for each in batches_of(job)} or not 0 < len(path) <= PATH_LIMIT:
        raise Http404("This job has no such file.")
    return job, path
