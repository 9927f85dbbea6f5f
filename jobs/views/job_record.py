"""The record of a job exactly as the platform last sent it, as a file."""

from __future__ import annotations

import re

import orjson
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from jobs.models import ExportJob
from jobs.rights import visible

_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9._-]+")


@require_safe
def job_record(request: HttpRequest, pk: int) -> HttpResponse:
    """JSON, to be saved; only what the text could not be stored with is replaced (see client/values.py)."""
    job = visible(ExportJob.objects.select_related("record"), request, pk=pk)
    body = orjson.dumps(job.record.raw, option=orjson.OPT_INDENT_2)
    name = _NOT_IN_A_NAME.sub("-", job.remote_id)[:80]
    saved_as = f'attachment; filename="export-job-{name}.json"'
    return HttpResponse(body, content_type="application/json", headers={"Content-Disposition": saved_as})
