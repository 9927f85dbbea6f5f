"""The states of a batch in the data lake: what the catalog calls them, what they mean for its files, how they look."""

from __future__ import annotations

from enum import StrEnum

from jobs.rules.status import Look


class BatchState(StrEnum):
    """What matters about a batch (platform.md §5); UNKNOWN is any word we do not know."""

    WRITING = "writing"
    STALLED = "stalled"
    SUCCESS = "success"
    FAILED = "failed"
    ABORTED = "aborted"
    GONE = "gone"
    UNKNOWN = "unknown"


LOOK: dict[BatchState, Look] = {
    BatchState.WRITING: Look("Being written", "player-play", "running"),
    BatchState.STALLED: Look("Stalled", "hourglass", "late"),
    BatchState.SUCCESS: Look("Success", "circle-check", "succeeded"),
    BatchState.FAILED: Look("Failed", "alert-circle", "failed"),
    BatchState.ABORTED: Look("Aborted", "ban", "cancelled"),
    BatchState.GONE: Look("Removed", "ghost", "cancelled"),
    BatchState.UNKNOWN: Look("Unknown", "help-circle", "unknown"),
}

# The catalog has two words each for a good and a bad end (platform.md §5).
_WORDS: dict[BatchState, tuple[str, ...]] = {
    BatchState.WRITING: ("queued", "processing", "retrying", "loading", "loaded", "staging", "staged"),
    BatchState.STALLED: ("stalled",),
    BatchState.SUCCESS: ("success", "active"),
    BatchState.FAILED: ("failed", "failure"),
    BatchState.ABORTED: ("aborted", "abandoned"),
    BatchState.GONE: ("inactive", "deleted", "archived"),
}
_BY_WORD = {word: state for state, words in _WORDS.items() for word in words}
_WHY_NO_FILES: dict[BatchState, str] = {
    BatchState.WRITING: "The batch is still being written; its files can be read when it is whole.",
    BatchState.STALLED: "The platform says that writing this batch has stalled.",
    BatchState.FAILED: "The batch failed, so it holds no files one could rely on.",
    BatchState.ABORTED: "The batch was aborted; what it had written is not kept.",
    BatchState.GONE: "The platform does not keep the files of this batch any more.",
}


def read(word: str) -> BatchState:
    """The state that the catalog's word means, in any case."""
    return _BY_WORD.get(word.strip().lower(), BatchState.UNKNOWN)


def why_no_files(state: BatchState) -> str:
    """Why a batch in this state has no files to open; nothing where it may have some."""
    return _WHY_NO_FILES.get(state, "")
