"""What a payload will do, in words; read from what is sent and not from what the form shows."""

from __future__ import annotations

from typing import Any

from jobs.forms.places import EVENTS, PLACES, SEGMENTS, find


def consequence(payload: dict[str, Any]) -> str:
    """One sentence: `Exports 2 segments into one batch, with their events.`"""
    segments = find(payload, SEGMENTS)
    count = len(segments) if isinstance(segments, list) else 0
    parts = [_who(payload, count), *_limits(payload)]
    if find(payload, EVENTS) is not None:
        parts.append("with their events")
    return ", ".join(parts) + "."


def doubts(payload: dict[str, Any]) -> list[str]:
    """What may be meant and is worth a second look (platform.md §2.2, "Combinations"); none of it is refused."""
    said = []
    if not find(payload, SEGMENTS) and find(payload, PLACES["qualified_from"][:-1]):
        said.append("The guides define the qualification window for segments only, and no segment is chosen.")
    if find(payload, EVENTS) is not None and not find(payload, PLACES["events_from"]):
        said.append(
            "The guides ask for a start of the events. Without one the platform may take all or refuse."
        )
    return said


def _who(payload: dict[str, Any], count: int) -> str:
    if not count:
        return "Exports every profile of the sandbox"
    if find(payload, PLACES["segment_per_batch"]) is True and count > 1:
        return f"Exports one batch for each of the {count} segments"
    return f"Exports {count} segments into one batch" if count > 1 else "Exports 1 segment into one batch"


def _limits(payload: dict[str, Any]) -> list[str]:
    said = []
    if find(payload, PLACES["qualified_from"]) or find(payload, PLACES["qualified_until"]):
        said.append("only who qualified in the window")
    if find(payload, PLACES["updated_after"]):
        said.append("only profiles updated since")
    paths = find(payload, PLACES["profile_fields"])
    if isinstance(paths, str) and paths:
        count = len(paths.split(","))
        said.append(f"{count} fields of each" if count > 1 else "1 field of each")
    if find(payload, PLACES["evaluate_first"]) is True:
        said.append("after evaluating the segments")
    return said
