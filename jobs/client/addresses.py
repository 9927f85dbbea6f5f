"""Makes addresses of one thing each, from ids the platform gave or a person typed."""

from __future__ import annotations

from urllib.parse import quote

from jobs.client.errors import NotFound
from jobs.client.values import cut, storable


def below(path: str, remote_id: str, what: str) -> str:
    """The address of one thing; an id that would leave the path cannot be known to the platform."""
    if not remote_id.strip() or set(remote_id) <= {"."} or not remote_id.isprintable():
        raise NotFound(
            f"{what[:1].upper()}{what[1:]} failed: this is no id the platform could know.", status=404
        )
    return f"{path}/{quote(remote_id, safe='')}"


def short(remote_id: str) -> str:
    """An id as a sentence names it."""
    return cut(storable(remote_id), 60)
