"""The truth about a cancellation, in three moments: asked for, taken by the platform, and what really happened."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from jobs.models import Activity, ExportJob, Verb
from jobs.rules.duration import human
from jobs.rules.status import JobStatus

PATIENCE = timedelta(minutes=5)


class Step(NamedTuple):
    """A moment of the story: an icon, a colour role, a sentence, when it was if that is known, and a reason."""

    icon: str
    role: str
    text: str
    at: datetime | None
    detail: str = ""


def cancel_story(job: ExportJob, activity: Iterable[Activity], *, now: datetime) -> list[Step]:
    """What became of the wish to cancel; empty when nobody had it and the platform does not say so either."""
    wish = next((row for row in activity if row.verb == Verb.CANCEL_REQUESTED), None)
    if wish is None and job.cancel_requested_at is None:
        return list(_elsewhere(job))
    who = wish.actor_name if wish and wish.actor_name else "someone who is no longer known"
    at = job.cancel_requested_at or (wish.at if wish else None)
    asked = Step("user", "waiting", f"{who} requested cancellation", at, wish.reason if wish else "")
    return [asked, _taken(job), *_outcome(job, at, now)]


def _elsewhere(job: ExportJob) -> Iterator[Step]:
    if job.state in (JobStatus.CANCELLING, JobStatus.CANCELLED):
        text = f"The platform says {job.look.word.lower()}; nobody asked for it here"
        yield Step(job.look.icon, job.look.role, text, job.ended_at)


def _taken(job: ExportJob) -> Step:
    """What the platform said to the request."""
    if job.cancel_acknowledged_at:
        text = "The platform marked the job for cancelling"
        return Step("check", "cancelling", text, job.cancel_acknowledged_at)
    if job.cancel_error:
        text = "The platform did not take the request; it can be made again"
        return Step("alert-circle", "failed", text, None, job.cancel_error)
    if job.gone_at:
        return Step("ghost", "unknown", "The platform answered that it does not know the job", job.gone_at)
    if job.is_terminal:
        return Step("circle-minus", "unknown", "The job ended before the platform took the request", None)
    return Step("send", "waiting", "On its way to the platform; no answer yet", None)


def _outcome(job: ExportJob, asked_at: datetime | None, now: datetime) -> Iterator[Step]:
    """What happened, which only watching tells: the platform promises no more than the next opportunity."""
    if job.is_terminal:
        yield _end(job, asked_at)
    elif job.cancel_acknowledged_at:
        waited = now - job.cancel_acknowledged_at
        since = human(int(waited.total_seconds() * 1000))
        role = "late" if waited > PATIENCE else "running"
        verb = "Still stopping" if job.state is JobStatus.CANCELLING else f"Still {job.look.word.lower()}"
        yield Step("hourglass", role, f"{verb} {since} after that; it may still finish", None)


def _end(job: ExportJob, asked_at: datetime | None) -> Step:
    look = job.look
    if job.state is not JobStatus.CANCELLED:
        too_late = job.ended_at and asked_at and job.ended_at < asked_at
        how = "By the platform's own clock it had already ended" if too_late else "It finished anyway"
        return Step(look.icon, look.role, f"{how}: {look.word.lower()}", job.ended_at)
    if job.gone_at:
        text = "The platform no longer knows the job, so it counts as cancelled"
        return Step("ghost", look.role, text, job.ended_at)
    return Step(look.icon, look.role, "It stopped", job.ended_at)
