"""Whether what a job counts, what the catalog counts and what files hold agree; if not, in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from jobs.rules.batch_state import LOOK, BatchState
from jobs.rules.status import JobStatus

_NARROW = "\N{NARROW NO-BREAK SPACE}"


def of_job(*, exported: int | None, written: Sequence[int | None], is_all: bool, with_events: bool) -> str:
    """What to say when the batches hold another number of records than the job counts profiles.

    `written` are the records of each batch; nothing can be said where one is not known, or not `is_all` of them.
    """
    known = [count for count in written if count is not None]
    if exported is None or not is_all or not known or len(known) < len(written) or sum(known) == exported:
        return ""
    held = sum(known)
    where = "its batch holds" if len(known) == 1 else f"its {len(known)} batches hold"
    said = f"The job counts {_n(exported)} exported profiles, but {where} {_n(held)} records: {_gap(held - exported)}."
    return f"{said} It exported events too, which may be records of their own." if with_events else said


def of_batch(*, written: int | None, failed: int | None, in_files: Iterable[int | None]) -> list[str]:
    """What to say when a batch's files hold another number of records than its metrics, or some were lost."""
    counts = list(in_files)
    known = [count for count in counts if count is not None]
    said = []
    if written is not None and counts and len(known) == len(counts) and sum(known) != written:
        gap = _gap(sum(known) - written)
        said.append(f"The catalog counts {_n(written)} records, but its files hold {_n(sum(known))}: {gap}.")
    if failed:
        said.append(f"{_n(failed)} records could not be written.")
    return said


def of_states(job: JobStatus, batch: BatchState) -> str:
    """What to say when a batch has not ended as its job has: neither proves the other (platform.md §5)."""
    if job is JobStatus.SUCCEEDED and batch is BatchState.GONE:
        return ""
    if job is JobStatus.SUCCEEDED and batch is not BatchState.SUCCESS:
        return f"The job succeeded, but the catalog calls its batch “{LOOK[batch].word.lower()}”."
    if job in (JobStatus.FAILED, JobStatus.CANCELLED) and batch is BatchState.SUCCESS:
        return "The job did not succeed, but the catalog counts this batch as whole."
    return ""


def _gap(difference: int) -> str:
    return f"{_n(abs(difference))} {'more' if difference > 0 else 'fewer'}"


def _n(count: int) -> str:
    return f"{count:,}".replace(",", _NARROW)
