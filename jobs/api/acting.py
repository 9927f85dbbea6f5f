"""Acting by program: the same doors, checks and audit rows as the pages."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest
from django.utils import timezone
from ninja import Router, Status

from jobs.api.problems import Bad
from jobs.api.shapes import JobOut, LaunchIn, LaunchOut, job_out, launch_out
from jobs.client.payload import read_payload
from jobs.launch.cancel import request_cancel
from jobs.launch.submit import launch
from jobs.models import ExportJob, Launch, Role, Sandbox
from jobs.rights import require, visible

router = Router(tags=["acting"])


@router.post("/launches", response={201: LaunchOut, 200: LaunchOut})
def create_launch(request: HttpRequest, asked: LaunchIn) -> Status[LaunchOut]:
    """Ask for an export; the same `key` in the same sandbox answers with the launch that already stands (200)."""
    if not 1 <= len(asked.key) <= 100:
        raise Bad([("key", "Give 1 to 100 characters.")], status=422)
    sandbox = (
        Sandbox.objects.visible_to(request.user)
        .watched()
        .by_ref(asked.sandbox)
        .select_related("connection")
        .first()
    )
    if sandbox is None:
        raise Http404(f"There is no sandbox {asked.sandbox}, or you have no role on its connection.")
    require(Role.OPERATOR, request, sandbox)
    payload: dict[str, Any] = read_payload(asked.payload).wire()
    now = timezone.now()
    wish = launch(sandbox, payload, actor=request.user, key=asked.key, now=now)
    return Status(201 if wish.requested_at == now else 200, launch_out(wish))


@router.get("/launches/{int:pk}", response=LaunchOut)
def read_launch(request: HttpRequest, pk: int) -> LaunchOut:
    return launch_out(visible(Launch.objects.select_related("sandbox__connection"), request, pk=pk))


@router.post("/jobs/{int:pk}/cancel", response={202: JobOut})
def cancel(request: HttpRequest, pk: int) -> Status[JobOut]:
    """Ask the platform to stop the job; it may still finish. 409 when it has ended or was asked already."""
    rows = ExportJob.objects.select_related("sandbox__connection", "record", "launched_by")
    job = visible(rows, request, pk=pk)
    require(Role.OPERATOR, request, job.sandbox)
    now = timezone.now()
    if not request_cancel(job, actor=request.user, now=now):
        raise Bad([("job", "It has ended, or its cancellation was asked for already.")], status=409)
    return Status(202, job_out(job, now=now))
