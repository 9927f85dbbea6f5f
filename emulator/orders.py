"""What the command line ordered of quirks and faults: in force from the start, and again after a reset."""

from __future__ import annotations

from django.conf import settings

from emulator import faults, quirks


def begin() -> None:
    """Exactly these. ValueError for a name that is none, a chance that cannot be, or two that contradict."""
    quirks.switch(settings.QUIRKS)
    faults.clear()
    faults.order_words(settings.FAULTS)
