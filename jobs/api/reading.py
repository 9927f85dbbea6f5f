"""Reading by program: jobs, their history and records, failures, sandboxes, the overview."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from ninja import Router

from jobs.api.problems import Bad
from jobs.api.shapes import (
    FailureOut,
    JobOut,
    JobPageOut,
    OverviewOut,
    SandboxOut,
    SnapshotOut,
    failure_out,
    job_out,
    overview_out,
    sandbox_out,
    snapshot_out,
)
from jobs.forms.job_filter import JobFilter
from jobs.models import ExportJob, Membership, Role, Sandbox
from jobs.monitor import failures as kinds
from jobs.monitor import overview as figures
from jobs.monitor.scope import NoSuchSandbox, Scope
from jobs.rights import visible

router = Router(tags=["reading"])

_WHOLE = ("sandbox__connection", "record", "launched_by")


@router.get("/jobs", response=JobPageOut)
def jobs(request: HttpRequest) -> JobPageOut:
    """The jobs you may see, newest first; takes the same parameters as the job list page."""
    now = timezone.now()
    chosen = JobFilter.read(request.GET, user=request.user)
    if chosen.errors:
        raise Bad(list(chosen.errors.items()))
    page = chosen.page(ExportJob.objects.visible_to(request.user).select_related(*_WHOLE), now=now)
    items = [job_out(job, now=now) for job in page.items]
    return JobPageOut(items=items, next=page.next, previous=page.previous)


@router.get("/jobs/{int:pk}", response=JobOut)
def job(request: HttpRequest, pk: int) -> JobOut:
    found = visible(ExportJob.objects.select_related(*_WHOLE), request, pk=pk)
    return job_out(found, now=timezone.now())


@router.get("/jobs/{int:pk}/snapshots", response=list[SnapshotOut])
def snapshots(request: HttpRequest, pk: int) -> list[SnapshotOut]:
    """Every observed change of the job, oldest first."""
    return [
        snapshot_out(snapshot)
        for snapshot in visible(ExportJob.objects.all(), request, pk=pk).snapshots.all()
    ]


@router.get("/jobs/{int:pk}/record", response=dict[str, Any])
def raw_record(request: HttpRequest, pk: int) -> dict[str, Any]:
    """The platform's record, as it was last sent."""
    return visible(ExportJob.objects.select_related("record"), request, pk=pk).record.raw


@router.get("/overview", response=OverviewOut)
def overview(request: HttpRequest) -> OverviewOut:
    """The figures of the first page; `sandbox` (repeatable) narrows them."""
    read = figures.read(_scope(request), now=timezone.now(), zone=ZoneInfo(settings.EXPORTUI_TIME_ZONE))
    return overview_out(read)


@router.get("/failures", response=list[FailureOut])
def failures(request: HttpRequest) -> list[FailureOut]:
    """Kinds of failure, last seen first; `range` is 24h, 7d, 30d (default) or all, `sandbox` narrows."""
    now, scope, window = timezone.now(), _scope(request), request.GET.get("range", "30d")
    if window not in kinds.WINDOWS:
        raise Bad([("range", f"Use one of {', '.join(kinds.WINDOWS)}.")])
    zone = ZoneInfo(settings.EXPORTUI_TIME_ZONE)
    found = kinds.kinds(scope, since=kinds.window_start(window, now=now), now=now, zone=zone)
    return [failure_out(kind, scope) for kind in found]


@router.get("/sandboxes", response=list[SandboxOut])
def sandboxes(request: HttpRequest) -> list[SandboxOut]:
    """The sandboxes you may see and your role on each."""
    user: Any = request.user
    roles = dict(Membership.objects.filter(user=user).values_list("connection_id", "role"))
    rows = Sandbox.objects.visible_to(user).select_related("connection")
    default = Role.ADMIN.value if user.is_superuser else ""
    return [sandbox_out(row, role=roles.get(row.connection_id, default)) for row in rows]


def _scope(request: HttpRequest) -> Scope:
    try:
        return Scope.of(request.user, request.GET.getlist("sandbox"))
    except NoSuchSandbox as error:
        raise Bad([("sandbox", str(error))]) from None
