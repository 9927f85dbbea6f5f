"""Why the job list is empty, and the one thing to do about it (ux.md §3.12)."""

from __future__ import annotations

from typing import NamedTuple

from django.urls import reverse

from jobs.context import Frame
from jobs.forms.job_filter import RANGES, TEXT_REACHES, JobFilter
from jobs.rules.status import JobStatus
from jobs.templatetags.jinja import thousands


class Empty(NamedTuple):
    title: str
    text: str
    action_label: str = ""
    action_url: str = ""
    icon_name: str = "inbox"


def empty_state(chosen: JobFilter, frame: Frame) -> Empty:
    """Nothing matches, nothing in sight, still reading, or nothing yet."""
    if chosen.after or chosen.before:
        query = chosen.url()
        first = reverse("jobs:jobs") + (f"?{query}" if query else "")
        return Empty("Nothing further this way", "The list ends here.", "To the first page", first)
    places = chosen.sandboxes or tuple(frame.sandboxes)
    if not chosen.without("sandboxes").is_default:
        return _nothing_matches(chosen)
    if not places:
        return _nothing_in_sight(frame)
    reading = [place for place in places if not place.first_contact_done_at]
    if reading:
        return _still_reading(sum(place.first_contact_jobs for place in reading))
    text = "Exports that anybody starts in these sandboxes, here or elsewhere, appear here within seconds."
    if not frame.can_launch:
        return Empty("No exports yet", text, icon_name="database-export")
    return Empty(
        "No exports yet", text, "Launch the first export", reverse("jobs:job_new"), "database-export"
    )


def _nothing_matches(chosen: JobFilter) -> Empty:
    if chosen.status == (JobStatus.FAILED,) and chosen.without("status", "sandboxes", "range").is_default:
        when = f"in the {RANGES[chosen.range][0]}" if chosen.range else "so far"
        return Empty("No failed exports", f"Nothing failed {when}. Nice.", icon_name="circle-check")
    text = "No job has all of what is asked for."
    if chosen.q:
        text += f" Text is searched in the errors of the newest {thousands(TEXT_REACHES)} jobs only."
    return Empty("Nothing matches", text, "Clear filters", reverse("jobs:jobs"), "filter-off")


def _nothing_in_sight(frame: Frame) -> Empty:
    if frame.request.user.is_superuser:
        text = "Add a connection with the credential of an organisation, and its export jobs appear here."
        return Empty("No sandbox is watched yet", text, "Connections", reverse("jobs:connections"), "plug")
    text = "You have no role on any connection with a watched sandbox. Ask an administrator for one."
    return Empty("Nothing to see yet", text, icon_name="lock")


def _still_reading(met: int) -> Empty:
    text = f"{thousands(met)} jobs read so far. They appear here as they are read."
    return Empty("The history is being read for the first time", text, icon_name="loader-2")
