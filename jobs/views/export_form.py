"""The export form as a page: what stands in it, beside it and above it, whichever button was pressed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple, Self

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from jobs.forms.consequence import consequence, doubts
from jobs.forms.dataset import DatasetForm
from jobs.forms.export import ExportForm, zone_name
from jobs.forms.names import Names, Options
from jobs.forms.pick import LIST_LIMIT
from jobs.forms.segment_row import NAMESPACES
from jobs.forms.start import worth_showing
from jobs.models import Role, Sandbox
from jobs.rights import require, visible
from jobs.views.page import page

UNPROCESSABLE = 422


class Problem(NamedTuple):
    """Something still to correct, and the field it is about."""

    label: str
    sentence: str
    field_id: str


class Preview(NamedTuple):
    """The payload as far as it stands."""

    text: str
    consequence: str
    problems: list[Problem]
    doubts: list[str]

    @classmethod
    def of(cls, form: ExportForm) -> Self:
        """Judges the form, so ask before `form.hush()`."""
        form.is_valid()
        payload = form.payload()
        return cls(_pretty(payload), _said(form, payload), _problems(form), doubts(payload))


def operable(request: HttpRequest) -> list[Sandbox]:
    """The sandboxes the person may launch in; 403 when there is none."""
    found = Sandbox.objects.operated_by(request.user).watched().select_related("connection")
    if places := list(found):
        return places
    raise PermissionDenied(
        "You may look at exports but not launch them. That needs the role operator on a connection with a sandbox."
    )


def asked_sandbox(request: HttpRequest, places: list[Sandbox], ref: str) -> Sandbox:
    """The sandbox that is named, or the first; 404 if the person may not see it, 403 if not operate it.

    The frame around the page takes its name and colour from the address, so it is written there.
    """
    sandbox = next((place for place in places if place.ref == ref), None if ref else places[0])
    if sandbox is None:
        connection, _, name = ref.partition("/")
        rows = Sandbox.objects.select_related("connection")
        sandbox = visible(rows, request, connection__name=connection, name=name)
        require(Role.OPERATOR, request, sandbox)
        places.append(sandbox)  # one that is not watched; the form must not fall back to another
    address = request.GET.copy()
    address["sandbox"] = sandbox.ref
    request.GET = address  # type: ignore[assignment]
    return sandbox


def filled(data: Any, sandbox: Sandbox, places: list[Sandbox]) -> ExportForm:
    """The form over data as a browser posts it."""
    return ExportForm(data, names=Names.of(sandbox), sandboxes=places)


def posted(request: HttpRequest) -> tuple[ExportForm, Sandbox, list[Sandbox]]:
    """What was posted, in a sandbox that the person may operate."""
    places = operable(request)
    sandbox = asked_sandbox(request, places, request.POST.get("sandbox", ""))
    return filled(request.POST, sandbox, places), sandbox, places


def show(
    request: HttpRequest,
    form: ExportForm,
    sandbox: Sandbox,
    *,
    judged: bool = False,
    status: int = 200,
    parts: Mapping[str, str] | None = None,
    **more: Any,
) -> HttpResponse:
    """The whole page; errors stand beside their fields only once the person asked for a judgement."""
    preview = Preview.of(form)
    kept = worth_showing(form.cleaned_data.get("extra") or {})
    if judged:
        form.focus_first_error()
    else:
        form.hush()
    context = {
        "form": form,
        "preview": preview,
        "sandbox": sandbox,
        "kept": _pretty(kept) if kept else "",
        "zone": zone_name(),
        "suggested": _suggested(form),
        "dataset_form": DatasetForm(),
        **more,
    }
    return page(request, "jobs/job_new.html", context, parts=parts, status=status)


def _said(form: ExportForm, payload: dict[str, Any]) -> str:
    """What will happen; a row that is not right yet must not read as if every profile were meant."""
    rows, wrong = len(form.rows), len(form.rows) - len(form.rows.right())
    if wrong:
        return (
            f"Not complete: {wrong} of {rows} segments still to be chosen."
            if rows > 1
            else "No segment is chosen yet."
        )
    return consequence(payload)


def _pretty(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _suggested(form: ExportForm) -> list[tuple[str, list[str]]]:
    """(id, labels) of the lists that inputs suggest from: each stands in the page once, if anything uses it."""
    names, typed = form.names, bool(form.data.get("typed"))
    kinds = {"names-dataset": names.datasets, "names-segment": names.segments}
    kinds |= {"names-merge-policy": names.merge_policies}
    lists = [(name, _labels(options)) for name, options in kinds.items() if _is_typed(options, typed)]
    return [*lists, ("names-namespace", list(NAMESPACES))] if typed else lists


def _is_typed(options: Options, typed: bool) -> bool:
    return bool(options.usable) and (typed or len(options.usable) > LIST_LIMIT)


def _labels(options: Options) -> list[str]:
    return [option.label for option in options.usable]


def _problems(form: ExportForm) -> list[Problem]:
    found = [
        Problem(_label(form, name), str(sentence), "" if name == "__all__" else f"id_{name}")
        for name, sentences in form.errors.items()
        for sentence in sentences
    ]
    for number, row in enumerate(form.rows, start=1):
        found += [
            Problem(f"Segment {number}", str(sentence), f"id_{row.add_prefix(name)}")
            for name, sentences in row.errors.items()
            for sentence in sentences
        ]
    return found


def _label(form: ExportForm, name: str) -> str:
    return "Payload" if name in ("__all__", "extra") else str(form[name].label)
