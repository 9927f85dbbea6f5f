"""Asking for a job's end: a page that says what the platform will do, and the request itself."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from jobs.client.records import read_job
from jobs.forms.cancel import CancelForm
from jobs.launch.cancel import request_cancel
from jobs.models import ExportJob, Role
from jobs.rights import require, visible
from jobs.views import job_facts, job_request
from jobs.views.job_detail import whole_jobs
from jobs.views.page import page

CONFLICT = 409
ASKED = "Cancellation requested. The job stops at its next opportunity, and may still finish."


@require_http_methods(["GET", "HEAD", "POST"])
def job_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """GET asks whether it is meant, POST asks the platform; a job that cannot be stopped any more is not an error."""
    job = visible(whole_jobs(), request, pk=pk)
    require(Role.OPERATOR, request, job.sandbox)
    if request.method != "POST":
        return _confirmation(request, job, CancelForm(), status=200)
    form = CancelForm(request.POST)
    if not form.is_valid():
        return _confirmation(request, job, form, status=422)
    reason = form.cleaned_data["reason"]
    if not request_cancel(job, actor=request.user, reason=reason, now=timezone.now()):
        job.refresh_from_db(fields=["status", "cancel_requested_at", "ended_at"])
        return _confirmation(request, job, form, status=CONFLICT)
    messages.success(request, ASKED)
    return redirect("jobs:job", job.pk)


def _confirmation(request: HttpRequest, job: ExportJob, form: CancelForm, *, status: int) -> HttpResponse:
    remote = read_job(job.record.raw)
    asked = job_request.asked(job, remote)
    names = job_facts.Names.of(job.sandbox, job_facts.identifiers(job, remote, asked.read))
    context = {
        "job": job,
        "title": job_facts.title(asked.read, names, told=asked.told),
        "why_not_cancel": job_facts.why_not_cancel(job, may_operate=True),
        "form": form,
    }
    return page(request, "jobs/job_cancel.html", context, status=status, about=job.sandbox)
