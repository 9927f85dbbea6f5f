"""What is known about the platform's error codes: cause in plain words, next step, where that is from."""

from __future__ import annotations

from typing import NamedTuple


class Remedy(NamedTuple):
    """A reading of an error for a person: why, what next, and the source of the advice."""

    cause: str
    next_step: str
    source: str


_GUIDES = "export job guides of the platform; the advice is ours"
_NOTHING_KNOWN = Remedy(
    "The platform gives no public meaning for this code.",
    "Read the message and the first lines of the call stack. If a relaunch fails the same way, give the platform's "
    "support the request id and the compute gateway ids of this page.",
    "no published code table",
)

REMEDIES: dict[str, Remedy] = {
    "0100000003": Remedy(
        "A general export error: the platform says that the export failed, not why.",
        "Look at the other errors of this job first. If there are none, relaunch once; if it fails again, give support "
        "the request id and the compute gateway ids.",
        _GUIDES,
    ),
    "0090000009": Remedy(
        "The exported profiles could not be written to the platform's storage.",
        "This is usually on the platform's side: relaunch in a few minutes. If it keeps failing, give support the "
        "request id and the compute gateway ids.",
        _GUIDES,
    ),
    "unknown": Remedy(
        "The processing engine stopped the job; this entry is only the wrapper of another error.",
        "Read the other errors of this job: the specific one names the cause.",
        _GUIDES,
    ),
    "0080000018": Remedy(
        "The profile store was throttling: too many requests at once.",
        "Wait and relaunch when fewer exports and segment jobs are running.",
        "segmentation API reference, segment jobs",
    ),
}


def remedy(code: str) -> Remedy:
    """The known reading of an error code, or an honest one that says nothing is published."""
    return REMEDIES.get(code.strip().lower(), _NOTHING_KNOWN)
