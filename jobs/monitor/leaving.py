"""Whether this process is about to end: whoever works in it finishes the call under way and begins no other."""

from __future__ import annotations

from threading import Event

leaving = Event()
