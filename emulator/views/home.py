"""The page for people at the emulator's address, and the credentials for programs."""

from __future__ import annotations

from django.db.models import Count
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from emulator import clock, jobs
from emulator.models import UNION_SCHEMA, Dataset, Job, Sandbox, Segment, Tenant


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    jobs.settle(clock.now_ms())
    counts = Job.objects.filter(gone=False).values("sandbox__name", "status").annotate(count=Count("pk"))
    context = {
        "credentials": _credentials(request),
        "sandboxes": Sandbox.objects.order_by("pk"),
        "counts": counts.order_by("sandbox__name", "status"),
    }
    return render(request, "emulator/home.html", context)


@require_safe
def credentials(request: HttpRequest) -> JsonResponse:
    """Everything a client needs; `dataset_id` is a usable target and `segment_id` a segment of `sandbox`."""
    return JsonResponse(_credentials(request))


def _credentials(request: HttpRequest) -> dict[str, object]:
    tenant = Tenant.objects.get()
    sandboxes = list(Sandbox.objects.order_by("-is_default", "pk"))
    first = sandboxes[0]
    root = f"http://{request.get_host()}"
    return {
        "client_id": tenant.client_id,
        "client_secret": tenant.client_secret,
        "org_id": tenant.org_id,
        "sandbox": first.name,
        "sandboxes": [sandbox.name for sandbox in sandboxes],
        "dataset_id": Dataset.objects.filter(sandbox=first, schema_id=UNION_SCHEMA)
        .order_by("pk")[0]
        .dataset_id,
        "segment_id": Segment.objects.filter(sandbox=first).order_by("pk")[0].segment_id,
        "platform_url": root,
        "token_url": f"{root}/ims/token/v3",
    }


def nowhere(request: HttpRequest, exception: Exception) -> JsonResponse:
    """A path that no service has."""
    return JsonResponse({"code": "404", "message": f"No resource at {request.path[:200]}"}, status=404)
