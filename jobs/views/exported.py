"""What a job exports and whither, in the names people know."""

from __future__ import annotations

from collections.abc import Mapping

from jobs.models import ExportJob
from jobs.templatetags.jinja import short_id

Names = Mapping[tuple[int, str], str]
_NAMED = 2


def what(job: ExportJob, names: Names) -> str:
    """The first two segments by name and how many more; a record without segments need not mean all profiles."""
    shown = [names.get((job.sandbox_id, one)) or short_id(one) for one in job.segment_ids[:_NAMED]]
    more = job.segment_count - len(shown)
    said = ", ".join(shown) + (f" +{more}" if shown and more else "")
    return (said or "Profiles") + (" with events" if job.with_events else "")


def whither(job: ExportJob, names: Names) -> str:
    """The dataset by name, else its shortened id; empty when the record names none."""
    return names.get((job.sandbox_id, job.dataset_id)) or short_id(job.dataset_id)
