"""The one vocabulary of job states: what the platform sends, what we call it, how it looks."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class JobStatus(StrEnum):
    """Every state a job can stand in (platform.md §2.4); UNKNOWN is any word we do not know."""

    NEW = "NEW"
    QUEUED = "QUEUED"
    PROCESSING = "PROCESSING"
    CANCELLING = "CANCELLING"
    CANCELLED = "CANCELLED"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    UNKNOWN = "UNKNOWN"


ACTIVE = frozenset({JobStatus.NEW, JobStatus.QUEUED, JobStatus.PROCESSING, JobStatus.CANCELLING})
TERMINAL = frozenset({JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED})


class Look(NamedTuple):
    """How a state is shown: a word, an icon of the sprite, a colour role of the tokens."""

    word: str
    icon: str
    role: str


LOOK: dict[JobStatus, Look] = {
    JobStatus.NEW: Look("Waiting", "clock", "waiting"),
    JobStatus.QUEUED: Look("Queued", "clock", "waiting"),
    JobStatus.PROCESSING: Look("Running", "player-play", "running"),
    JobStatus.CANCELLING: Look("Cancelling", "player-stop", "cancelling"),
    JobStatus.CANCELLED: Look("Cancelled", "ban", "cancelled"),
    JobStatus.SUCCEEDED: Look("Succeeded", "circle-check", "succeeded"),
    JobStatus.FAILED: Look("Failed", "alert-circle", "failed"),
    JobStatus.UNKNOWN: Look("Unknown", "help-circle", "unknown"),
}


class Tab(NamedTuple):
    """A tab of the job list: a word and the states behind it."""

    word: str
    statuses: tuple[JobStatus, ...]


TABS: tuple[Tab, ...] = (
    Tab("All", ()),
    Tab("Waiting", (JobStatus.NEW, JobStatus.QUEUED)),
    Tab("Running", (JobStatus.PROCESSING,)),
    Tab("Succeeded", (JobStatus.SUCCEEDED,)),
    Tab("Failed", (JobStatus.FAILED,)),
    Tab("Cancelled", (JobStatus.CANCELLING, JobStatus.CANCELLED)),
    Tab("Unknown", (JobStatus.UNKNOWN,)),
)


def read(remote: object) -> JobStatus:
    """The state a remote status means; anything unheard of is UNKNOWN and keeps being watched."""
    word = remote.strip().upper() if isinstance(remote, str) else ""
    return JobStatus(word) if word in JobStatus.__members__ else JobStatus.UNKNOWN


class Flag(StrEnum):
    """Conditions beside a state (ux.md §3.1): icons after the badge, never states of their own."""

    LATE = "late"
    STUCK = "stuck"
    ERRORS = "errors"
    ODD_VOLUME = "odd_volume"
    GONE = "gone"
    STEPPED_BACK = "stepped_back"


FLAG_LOOK: dict[Flag, tuple[str, str]] = {
    Flag.LATE: ("hourglass", "late: running longer than 150 minutes"),
    Flag.STUCK: ("alert-triangle", "stuck? nothing changed for a long time"),
    Flag.ERRORS: ("alert-triangle", "succeeded, but the platform reported errors"),
    Flag.ODD_VOLUME: ("alert-triangle", "succeeded, but exported no profiles"),
    Flag.GONE: ("ghost", "the platform no longer lists this job"),
    Flag.STEPPED_BACK: ("history", "the platform took back something it had said of this job"),
}
