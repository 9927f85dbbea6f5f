"""The page of one job: what it is, why it failed, where the time went, what changed when."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from jobs.client.records import read_job
from jobs.forms.cancel import CancelForm
from jobs.models import Activity, ExportJob, Role
from jobs.monitor.attention import looked_at
from jobs.rights import visible
from jobs.rules.canonical import digest
from jobs.templatetags.jinja import flag_icons
from jobs.views import job_facts, job_request
from jobs.views.cancel_story import cancel_story
from jobs.views.job_history import SHOWN, history
from jobs.views.page import NOTHING_NEW, STOP_POLLING, page

LIVE = "job-live"
# Elapsed times on the page of a moving job are at most this old.
AGES_AFTER_S = 20
MOST_ACTIVITY = 30
# The clock comes by every few seconds; a look that is due for longer is late.
OVERDUE = timedelta(seconds=30)


@require_safe
def job_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """A job; its living part answers 204 to who has seen this version, and 286 once it has ended."""
    now = timezone.now()
    job = visible(whole_jobs(), request, pk=pk)
    is_part = request.htmx.target == LIVE  # type: ignore[attr-defined]
    if is_part and _has_seen(request.GET.get("v", ""), job, now):
        return HttpResponse(status=NOTHING_NEW)
    status = STOP_POLLING if is_part and job.is_terminal else 200
    looked_at(job)
    context = _context(request, job, now) | {"is_part": is_part}
    parts = {LIVE: "jobs/_job_live.html"}
    return page(request, "jobs/job_detail.html", context, parts=parts, status=status, about=job.sandbox)


def whole_jobs() -> Any:
    """Jobs with everything their page needs that is one row, in one query."""
    return ExportJob.objects.select_related(
        "sandbox__connection", "record", "launch", "failure", "launched_by"
    )


def version(job: ExportJob, now: datetime) -> str:
    """Names what the page shows of a job, so that a reader can ask whether it is still true."""
    moved = (job.changed_at, job.status, job.gone_at, job.cancel_requested_at, job.cancel_acknowledged_at)
    trouble = (job.cancel_error, job.sandbox.failing_since, sorted(job.flags(now)))
    return f"{digest([*moved, *trouble])[:16]}-{int(now.timestamp())}"


def _has_seen(seen: str, job: ExportJob, now: datetime) -> bool:
    """Whether the version is the present one and, while the job moves, not too old for its elapsed times."""
    said, _, at = seen.partition("-")
    same = said == version(job, now).partition("-")[0]
    is_fresh = at.isdecimal() and now.timestamp() - int(at[:12]) < AGES_AFTER_S
    return same and (job.is_terminal or is_fresh)


def _context(request: HttpRequest, job: ExportJob, now: datetime) -> dict[str, Any]:
    remote = read_job(job.record.raw)
    asked = job_request.asked(job, remote)
    names = job_facts.Names.of(job.sandbox, job_facts.identifiers(job, remote, asked.read))
    may_operate = job.sandbox.may(request.user, Role.OPERATOR)
    involved = Q(job=job) | Q(launch__job=job)
    activity = list(Activity.objects.visible_to(request.user).filter(involved)[:MOST_ACTIVITY])
    return {
        "job": job,
        "remote": remote,
        "names": names,
        "is_overdue": bool(job.next_poll_at and job.next_poll_at < now - OVERDUE),
        "now_ms": int(now.timestamp() * 1000),
        "version": version(job, now),
        "title": job_facts.title(asked.read, names, told=asked.told),
        "org": job_facts.organisation(remote),
        "flags": flag_icons(job.flags(now)),
        "elapsed_ms": job.elapsed_ms(now),
        "errors": job_facts.errors(remote.errors),
        "times": job_facts.times(job, remote),
        "profiles": job_facts.profiles(remote, names),
        "asked": job_request.request_of(asked, remote, names),
        "raw_text": job_request.pretty(remote.raw),
        "may_operate": may_operate,
        "why_not_cancel": job_facts.why_not_cancel(job, may_operate=may_operate),
        "cancelling": cancel_story(job, activity, now=now),
        "cancel_form": CancelForm(),
        "activity": activity,
    } | _history(request, job, launched_here=asked.launch is not None)


def _history(request: HttpRequest, job: ExportJob, *, launched_here: bool) -> dict[str, Any]:
    """The newest 200 snapshots, or all of them when the address asks for them."""
    everything = request.GET.get("history") == "all"
    newest_first = job.snapshots.order_by("-seen_at", "-id")
    rows = list(newest_first if everything else newest_first[: SHOWN + 1])
    is_cut = not everything and len(rows) > SHOWN
    entries = history(rows[:SHOWN] if is_cut else rows, job, launched_here=launched_here)
    return {"history": entries, "history_is_cut": is_cut, "whole_history": everything}
