"""Creating a dataset from within the export form, which keeps everything that was typed."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.datastructures import MultiValueDict
from django.views.decorators.http import require_POST
from django_htmx.http import trigger_client_event

from jobs.client.errors import PlatformError
from jobs.forms.dataset import DatasetForm
from jobs.launch.dataset import create_dataset
from jobs.models import Sandbox
from jobs.views.export_form import UNPROCESSABLE, filled, posted, show

PARTS = {"dataset-new": "jobs/_dataset_new.html"}


@require_POST
def dataset_new(request: HttpRequest) -> HttpResponse:
    """The form again with the new dataset chosen; or with the reason why there is none, beside its name."""
    form, sandbox, places = posted(request)
    asked = DatasetForm(request.POST)
    if asked.is_valid():
        try:
            made = create_dataset(
                sandbox, asked.cleaned_data["new_dataset"], actor=request.user, now=timezone.now()
            )
        except PlatformError as error:
            asked.add_error("new_dataset", error.sentence)
        else:
            return _chosen(request, made.remote_id, made.name, sandbox, places)
    return show(request, form, sandbox, status=UNPROCESSABLE, parts=PARTS, dataset_form=asked)


def _chosen(
    request: HttpRequest, pk: str, name: str, sandbox: Sandbox, places: list[Sandbox]
) -> HttpResponse:
    data = MultiValueDict({**dict(request.POST.lists()), "dataset": [pk], "new_dataset": []})
    text = f"Created the dataset “{name}” and chose it."
    if not request.htmx:  # type: ignore[attr-defined]
        messages.success(request, text)
    response = show(request, filled(data, sandbox, places), sandbox, parts=PARTS)
    trigger_client_event(response, "notice", {"kind": "good", "text": text}, after="settle")
    return trigger_client_event(response, "payload-changed", after="settle")
