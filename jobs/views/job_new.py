"""The page on which an export is put together and launched."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.datastructures import MultiValueDict
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods
from django_htmx.http import replace_url

from jobs.forms.export import ExportForm, blank_data, new_key
from jobs.forms.segment_row import BLANK_ROW, row_data, with_row, without_row
from jobs.forms.start import Start, echoed, initial_from
from jobs.launch.submit import launch
from jobs.models import ExportJob, Launch, LaunchState, Sandbox
from jobs.rights import visible
from jobs.views.export_form import UNPROCESSABLE, asked_sandbox, filled, operable, posted, show

CONFLICT = 409
NOT_TOLD = (
    "The platform's record does not say which segments this job exported. Choose them, or remove the row to export "
    "every profile."
)
OTHER_VALUES = (
    "This form was launched before with other values; that export stands. Launch again to start this one too."
)


@require_http_methods(["GET", "HEAD", "POST"])
def job_new(request: HttpRequest) -> HttpResponse:
    """GET starts a form: empty, from a job (`from`) or from a launch (`launch`). POST launches or rearranges it."""
    if request.method != "POST":
        return _started(request)
    form, sandbox, places = posted(request)
    if rearranged := _rearranged(request):
        return show(request, filled(rearranged, sandbox, places), sandbox)
    if request.POST.get("do", "launch") != "launch":
        response = show(request, form, sandbox, judged=request.POST["do"] == "check")
        return replace_url(response, f"{request.path}?{urlencode({'sandbox': sandbox.ref})}")
    if not form.is_valid():
        return show(request, form, sandbox, judged=True, status=UNPROCESSABLE)
    return _launched(request, form, sandbox, places)


def _launched(
    request: HttpRequest, form: ExportForm, sandbox: Sandbox, places: list[Sandbox]
) -> HttpResponse:
    """To the launch's page: the same one for a form that is posted twice, but never for other values than its own."""
    payload, key = form.payload(), form.cleaned_data["key"]
    wish = launch(sandbox, payload, actor=request.user, key=key, now=timezone.now())
    if wish.payload == payload:
        return redirect("jobs:launch", pk=wish.pk)
    data = MultiValueDict({**dict(request.POST.lists()), "key": [new_key()]})
    again = ExportForm(data, names=form.names, sandboxes=places)
    return show(request, again, sandbox, status=CONFLICT, warning=OTHER_VALUES, standing=wish)


def _rearranged(request: HttpRequest) -> MultiValueDict[str, str] | None:
    """The data after a button that changes the form itself; None for any other."""
    data = request.POST
    if "add_row" in data:
        return with_row(data)
    if "remove_row" in data:
        return without_row(data, data["remove_row"])
    changes: dict[str, dict[str, list[str]]] = {
        "type": {"typed": ["on"]},
        "list": {"typed": []},
        "drop": {"extra": []},
    }
    change = changes.get(data.get("do", ""))
    return MultiValueDict({**dict(data.lists()), **change}) if change else None


def _started(request: HttpRequest) -> HttpResponse:
    places = operable(request)
    if "from" in request.GET:
        return _from_job(request, places)
    if "launch" in request.GET:
        return _from_launch(request, places)
    sandbox = asked_sandbox(request, places, request.GET.get("sandbox", ""))
    return show(request, filled(MultiValueDict(blank_data(sandbox)), sandbox, places), sandbox)


def _from_job(request: HttpRequest, places: list[Sandbox]) -> HttpResponse:
    """As the job was launched here, else as far as its record repeats the request."""
    jobs = ExportJob.objects.select_related("sandbox__connection", "launch", "record")
    job = visible(jobs, request, pk=_number(request.GET["from"]))
    sandbox = asked_sandbox(request, places, job.sandbox.ref)
    sent: Launch | None = getattr(job, "launch", None)
    record = getattr(job, "record", None)
    start = initial_from(sent.payload if sent else echoed(record.raw if record else {}))
    told = bool(sent) or (record is not None and isinstance(record.raw.get("filter"), dict))
    blank = {} if told else row_data(0, BLANK_ROW)
    return _show_start(request, start, sandbox, places, blank, source=job, warning="" if told else NOT_TOLD)


def _from_launch(request: HttpRequest, places: list[Sandbox]) -> HttpResponse:
    """After a refusal: everything as it was sent, and what the platform said to it on top."""
    rows = Launch.objects.select_related("sandbox__connection")
    wish = visible(rows, request, pk=_number(request.GET["launch"]))
    sandbox = asked_sandbox(request, places, wish.sandbox.ref)
    refusal = wish.error if wish.state == LaunchState.REJECTED else None
    return _show_start(request, initial_from(wish.payload), sandbox, places, {}, refusal=refusal)


def _show_start(
    request: HttpRequest,
    start: Start,
    sandbox: Sandbox,
    places: list[Sandbox],
    added: dict[str, list[str]],
    **more: Any,
) -> HttpResponse:
    data = MultiValueDict({**start.data, **added, "sandbox": [sandbox.ref]})
    return show(request, filled(data, sandbox, places), sandbox, **more)


def _number(text: str) -> int:
    """The number of a row; one that no row has for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
