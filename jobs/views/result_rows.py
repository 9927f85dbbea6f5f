"""The first rows of a file that an export wrote, for who may see them."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from jobs.client.errors import PlatformError
from jobs.results.download import Busy
from jobs.results.files import File
from jobs.results.preview import preview
from jobs.views.page import page
from jobs.views.result_addresses import asked_file, link

REGION = "result-rows"
BUSY = "Others are looking at rows just now, and there is room for two at a time. Try again in a moment."


@require_GET
@never_cache
def result_rows(request: HttpRequest, pk: int, batch: str, file: str) -> HttpResponse:
    """A table, or a sentence why there is none; each look is noted, so HEAD is not answered."""
    job, path = asked_file(request, pk, batch)
    context: dict[str, Any] = {"job": job, "batch": batch, "preview": None, "trouble": ""}
    try:
        context["preview"] = preview(
            job, batch, file_id=file, path=path, actor=request.user, now=timezone.now()
        )
    except PlatformError as error:
        context["trouble"] = error.sentence
    except Busy:
        context["trouble"] = BUSY
    asked = File(file, path, None, None)
    context |= {"file": asked, "download": link("jobs:result_file", job, batch, asked)}
    return page(
        request, "jobs/result_rows.html", context, parts={REGION: "jobs/_result_rows.html"}, about=job.sandbox
    )
