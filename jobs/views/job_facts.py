"""What a job's page says about the job itself: names beside ids, errors in order, profiles, who may do what."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from jobs.client.records import RemoteError, RemoteJob
from jobs.models import CatalogEntry, ExportJob, Sandbox
from jobs.rules import duration
from jobs.rules.duration import Phase
from jobs.rules.fingerprint import most_specific
from jobs.rules.remedy import Remedy, remedy
from jobs.templatetags.jinja import ago, short_id
from jobs.views.listing import list_url

MOST_NAMES = 500


class Named(NamedTuple):
    """An id of the platform, the name we know for it or nothing, and the jobs that carry it too."""

    value: str
    name: str
    href: str

    @property
    def said(self) -> str:
        return self.name or short_id(self.value)


@dataclass(frozen=True)
class Names:
    """The names of a sandbox's things, read in one query, and the lists of jobs they lead to."""

    sandbox: Sandbox
    known: dict[str, str]

    @classmethod
    def of(cls, sandbox: Sandbox, ids: Iterable[str]) -> Names:
        """Looks up at most 500 ids; the others go by themselves."""
        wanted = list(dict.fromkeys(filter(None, ids)))[:MOST_NAMES]
        found = CatalogEntry.objects.names((sandbox.pk, each) for each in wanted)
        return cls(sandbox, {remote_id: name for (_, remote_id), name in found.items()})

    def dataset(self, value: str) -> Named:
        return self._named(value, dataset=value)

    def segment(self, value: str) -> Named:
        return self._named(value, segment=value)

    def any(self, value: str) -> Named:
        """An id that the list finds by its search."""
        return self._named(value, q=value)

    def _named(self, value: str, **query: str) -> Named:
        return Named(value, self.known.get(value, ""), list_url([self.sandbox.ref], **query))


def identifiers(job: ExportJob, remote: RemoteJob, asked: RemoteJob) -> list[str]:
    """Every id of a job that may have a name, the ones its heading needs first."""
    segments = [segment.segment_id for segment in (*asked.segments, *remote.segments)]
    batches = [batch.segment_id for batch in remote.batches]
    policies = [asked.merge_policy_id, remote.merge_policy_id]
    return [job.dataset_id, *policies, *list(remote.profiles_by_namespace)[:50], *segments, *batches]


def title(asked: RemoteJob, names: Names, *, told: bool) -> str:
    """What is exported and whither: `High value customers, Lapsed +3 → Audience export`.

    Without segments an export means all profiles, but only where the request is `told`: records often leave it out.
    """
    segments = [names.segment(segment.segment_id).said for segment in asked.segments]
    what = ", ".join(segments[:2]) + (f" +{len(segments) - 2}" if len(segments) > 2 else "")
    what = what or ("All profiles" if told else "Profiles")
    what += " with events" if "eventList" in asked.additional_fields else ""
    return f"{what} → {names.dataset(asked.dataset_id).said}" if asked.dataset_id else what


class ErrorEntry(NamedTuple):
    """An error of the record with what is known about its code; `times` if it stands there several times running."""

    code: str
    message: str
    call_stack: str
    remedy: Remedy
    times: int


def errors(found: Iterable[RemoteError]) -> list[ErrorEntry]:
    """The errors of a record, the one that says most first; identical ones in a row are one entry."""
    folded = [(error, len(list(same))) for error, same in groupby(found)]
    best = most_specific([error for error, _ in folded])
    folded.sort(key=lambda entry: entry[0] != best)
    return [ErrorEntry(e.code, e.message, e.call_stack, remedy(e.code), times) for e, times in folded]


class NamespaceCount(NamedTuple):
    """Profiles exported in an identity namespace."""

    code: str
    name: str
    exported: int


class Profiles(NamedTuple):
    """How many profiles were exported; `most` is the length of a full bar."""

    total: int | None
    namespaces: list[NamespaceCount]
    most: int


def profiles(remote: RemoteJob, names: Names) -> Profiles:
    """The counters of a record, the largest namespace first. A profile may count in several namespaces."""
    counts = sorted(remote.profiles_by_namespace.items(), key=lambda pair: (-pair[1], pair[0]))
    rows = [NamespaceCount(code, names.known.get(code, ""), count) for code, count in counts]
    most = max([1, remote.profiles_exported or 0, *(row.exported for row in rows)])
    return Profiles(remote.profiles_exported, rows, most)


class Times(NamedTuple):
    """Where the time went. When the platform's own times disagree only durations are shown."""

    phases: list[Phase]
    unplaced: list[tuple[str, int]]
    disagree: bool


def times(job: ExportJob, remote: RemoteJob) -> Times:
    """Phases with a start on a timeline, the others by name and milliseconds.

    What began by a clock that disagrees cannot be said to have run until now.
    """
    unplaced = [
        (duration.LABELS.get(phase.name, phase.name), phase.duration_ms)
        for phase in remote.phases
        if phase.start_ms is None and phase.duration_ms is not None
    ]
    disagree = duration.outside(
        remote.phases,
        created_ms=int(remote.created_at.timestamp() * 1000) if remote.created_at else None,
        updated_ms=int(remote.updated_at.timestamp() * 1000) if remote.updated_at else None,
    )
    phases = duration.timeline(remote.phases, ended=job.is_terminal or disagree)
    return Times(phases, unplaced, disagree)


def organisation(remote: RemoteJob) -> str:
    """The IMS organisation the record names, if it is a text."""
    named = remote.raw.get("imsOrgId")
    return named[:200] if isinstance(named, str) else ""


def why_not_cancel(job: ExportJob, *, may_operate: bool) -> str:
    """Why a person cannot ask for cancellation now, or nothing if they can."""
    if not may_operate:
        return "This needs the operator role on the connection."
    if job.is_terminal:
        return "The job has ended."
    if not job.is_active:
        return "The state of the job is not known."
    if job.cancel_requested_at:
        return f"Already requested {ago(job.cancel_requested_at)}."
    return ""
