"""Links into the job list, spelled with the parameters that the list, the file and the API share."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from urllib.parse import urlencode

from django.urls import reverse

from jobs.templatetags.jinja import iso


def list_url(refs: Iterable[str] = (), **parameters: str | Iterable[str] | datetime) -> str:
    """The job list under these filters; `refs` are the sandboxes the page is narrowed to."""
    given = {"sandbox": list(refs), **parameters}
    pairs = {name: iso(value) if isinstance(value, datetime) else value for name, value in given.items()}
    query = urlencode(pairs, doseq=True)
    return reverse("jobs:jobs") + (f"?{query}" if query else "")
