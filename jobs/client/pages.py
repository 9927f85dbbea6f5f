"""Reads the pages of the platform's lists, each with its own container and its own way to the next page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

from jobs.client.error_body import http_date
from jobs.client.records import JobPage, Rejected, RemoteJob, Unusable, read_job
from jobs.client.values import as_int, as_text, plain, storable

_OFFSET_LIMIT = 500


class WrongShape(Exception):
    """A body without the list that its address is documented to give."""


def read_page(body: object, headers: Mapping[str, str]) -> JobPage:
    """A page of export jobs (§2.1); a bad record goes to `rejected`, the others stay. Raises WrongShape."""
    records = container(body, "records")
    jobs: dict[str, RemoteJob] = {}
    rejected: list[Rejected] = []
    for raw in records:
        try:
            job = read_job(raw)
        except Unusable as unusable:
            rejected.append(Rejected(unusable.reason, plain(raw, [])))
            continue
        if job.remote_id in jobs:
            rejected.append(
                Rejected(f"The page holds job {job.remote_id} twice; the first was taken.", job.raw)
            )
        else:
            jobs[job.remote_id] = job
    offset = next_value(body, "link", "offset")
    return JobPage(tuple(jobs.values()), tuple(rejected), offset, server_time(headers))


def container(body: object, key: str) -> list[object]:
    """The list under a key of the body, or the body where it is a list itself. Raises WrongShape."""
    value = body.get(key) if isinstance(body, dict) else body
    if not isinstance(value, list):
        raise WrongShape
    return value


def keyed(body: object) -> list[tuple[str, object]]:
    """(id, entry) of an object keyed by id, as the catalog lists. Raises WrongShape."""
    if not isinstance(body, dict):
        raise WrongShape
    return [(storable(str(key)), raw) for key, raw in body.items()]


def with_ids(key: str, id_key: str) -> Callable[[object], list[tuple[str, object]]]:
    """A reader of (id, entry) from the list under a key, whose entries hold their ids."""

    def read(body: object) -> list[tuple[str, object]]:
        return [(_id_of(raw, id_key), raw) for raw in container(body, key)]

    return read


def _id_of(raw: object, key: str) -> str:
    return (as_text(raw.get(key)) or "") if isinstance(raw, dict) else ""


def next_value(body: object, links: str, parameter: str) -> str | None:
    """One parameter of the next link's query, the only part of it that is used.

    Empty, missing, null and garbage links all mean the end (§2.6 item 14); `next` may be a text or
    `{"href"}`.
    """
    holder = body.get(links) if isinstance(body, dict) else None
    link = holder.get("next") if isinstance(holder, dict) else None
    link = link.get("href") if isinstance(link, dict) else link
    if not isinstance(link, str):
        return None
    try:
        value = parse_qs(urlsplit(link).query, max_num_fields=50).get(parameter, [""])[0].strip()
    except ValueError:
        return None
    return value if value.isprintable() and 0 < len(value) <= _OFFSET_LIMIT else None


def page_limit(body: object, asked: int) -> int:
    """How many entries the server gives at most a page, if it says so (`page.limit`, `_page.limit`)."""
    for key in ("_page", "page"):
        page = body.get(key) if isinstance(body, dict) else None
        said = as_int(page.get("limit")) if isinstance(page, dict) else None
        if said is not None and 0 < said < asked:
            return said
    return asked


def server_time(headers: Mapping[str, str]) -> datetime | None:
    """The Date header in UTC."""
    seconds = http_date(headers.get("Date", ""))
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
