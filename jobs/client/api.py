"""The platform's calls by name: export jobs, and the look-ups an export needs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from types import TracebackType
from typing import Any, Self, TypeVar

from jobs.client import lookups, replies
from jobs.client.addresses import below, short
from jobs.client.lake import Lake
from jobs.client.lookups import UNION_SCHEMA, Cancelled, Dataset, MergePolicy, Namespace, SandboxInfo, Segment
from jobs.client.pages import container, keyed, next_value, page_limit, read_page, with_ids
from jobs.client.records import JobPage, RemoteJob
from jobs.client.retry import Retry
from jobs.client.throttle import Throttle
from jobs.client.token import Credential, TokenSource, TokenStore
from jobs.client.transport import Transport, utc_now
from jobs.client.wire import Timeouts

__all__ = ["UNION_SCHEMA", "Client", "Credential"]

T = TypeVar("T")
log = logging.getLogger(__name__)

JOBS = "/data/core/ups/export/jobs"
DATASETS = "/data/foundation/catalog/dataSets"
SEGMENTS = "/data/core/ups/segment/definitions"
MERGE_POLICIES = "/data/core/ups/config/mergePolicies"
SANDBOXES = "/data/foundation/sandbox-management/"
NAMESPACES = "/data/core/idnamespace/identities"
PAGE_SIZE = 100
MAX_PAGES = 1000
_DATASET_PROPERTIES = "name,schemaRef,tags,created,lastBatchId,lastBatchStatus,state"


class Client:
    """One credential in one sandbox of one platform. The network is met with the first call, not before.

    Every call raises a PlatformError (errors.py) and nothing else. Reads are made again while that helps
    (`retry`); a create, a cancel and a new dataset are sent once. All wait for their turn at the `throttle`.
    """

    def __init__(
        self,
        platform_url: str,
        credential: Credential,
        sandbox: str = "",
        store: TokenStore | None = None,
        timeouts: Timeouts | tuple[float, float] | None = None,
        *,
        retry: Retry | None = None,
        throttle: Throttle | None = None,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        limits = Timeouts(*timeouts) if timeouts else Timeouts()
        source = TokenSource(credential, store, retry=retry, timeouts=limits)
        self._transport = Transport(
            platform_url,
            source,
            sandbox=sandbox,
            retry=retry,
            timeouts=limits,
            throttle=throttle,
            now=now,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Gives back the connections; the client still works and opens new ones."""
        self._transport.close()

    @property
    def requests(self) -> int:
        """How many requests went to the platform so far, repeats included, token requests not."""
        return self._transport.requests

    @property
    def lake(self) -> Lake:
        """The calls that read what exports wrote."""
        return Lake(self._transport)

    def token_expires_at(self) -> datetime:
        """When the present token ends; fetches one if need be, and so proves the credential."""
        return self._transport.token().expires_at

    def list_jobs(self, *, limit: int = 100, offset: str = "", status: str = "") -> JobPage:
        """A page of jobs, newest first; `offset` is the last page's `next_offset`.

        Nothing but these three is sent, and of `link.next` only the offset is used (§2.1). A next offset
        equal to the one asked for would never end and counts as the end.
        """
        what = "listing the export jobs"
        given = {"limit": str(limit), "offset": offset, "status": status}
        reply = self._transport.get(JOBS, what=what, params={k: v for k, v in given.items() if v})
        page = replies.shaped(reply, what, lambda body: read_page(body, reply.headers))
        if page.next_offset is None or page.next_offset != offset:
            return page
        log.warning(
            "The list of export jobs names offset %.100r as its own next page; stopped there.", offset
        )
        return JobPage(page.jobs, page.rejected, None, page.server_time)

    def get_job(self, remote_id: str) -> RemoteJob:
        """The job as it is now; NotFound if the platform no longer knows it."""
        what = f"reading export job {short(remote_id)}"
        return replies.job(self._transport.get(below(JOBS, remote_id, what), what=what), what)

    def create_job(self, payload: dict[str, Any], *, request_id: str) -> RemoteJob:
        """The job made of the payload (§2.2); sent once, for the platform knows no idempotency key.

        After an error with `maybe_received` the job may exist: look for it before asking again.
        `request_id` is our trace id (x-request-id), a new one for each call.
        """
        what = "creating an export job"
        reply = self._transport.post(JOBS, what=what, body=payload, headers={"x-request-id": request_id})
        return replies.job(reply, what, safe=False)

    def cancel_job(self, remote_id: str) -> Cancelled:
        """Asks for the job's end; 200, 202 and 204 with any body all mean "asked for" (§2.5)."""
        what = f"cancelling export job {short(remote_id)}"
        reply = self._transport.delete(below(JOBS, remote_id, what), what=what)
        return Cancelled(replies.message(reply), reply.status)

    def datasets(self) -> Iterator[Dataset]:
        """All datasets of the sandbox, a hundred a call; filter by `is_union`, the API cannot."""
        what = "reading the datasets"
        params = {"properties": _DATASET_PROPERTIES, "orderBy": "desc:created"}
        for dataset_id, raw in self._by_start(DATASETS, what, keyed, params):
            if dataset := lookups.read_dataset(dataset_id, raw):
                yield dataset

    def dataset(self, dataset_id: str) -> Dataset:
        what = f"reading dataset {short(dataset_id)}"
        reply = self._transport.get(below(DATASETS, dataset_id, what), what=what)
        found = dict(replies.shaped(reply, what, keyed))
        dataset = lookups.read_dataset(dataset_id, found.get(dataset_id, next(iter(found.values()), None)))
        if dataset is None or not found:
            raise replies.unreadable(reply, what=what, why="holds no dataset")
        return dataset

    def create_dataset(self, name: str) -> str:
        """The id of a new dataset on the union schema, which exports can be written to (§4.1); sent once."""
        what = "creating a dataset"
        schema = {"id": UNION_SCHEMA, "contentType": "application/vnd.adobe.xed+json;version=1"}
        reply = self._transport.post(DATASETS, what=what, body={"name": name, "schemaRef": schema})
        return replies.new_dataset_id(reply, what)

    def segments(self) -> Iterator[Segment]:
        """All segment definitions of the sandbox."""
        pages = self._by_start(SEGMENTS, "reading the segment definitions", with_ids("segments", "id"))
        yield from _known(lookups.read_segment(raw) for _, raw in pages)

    def merge_policies(self) -> list[MergePolicy]:
        """All merge policies; their next page is named by an opaque `start`."""
        what = "reading the merge policies"
        found: list[MergePolicy] = []
        params: dict[str, str] = {}
        seen: set[str] = set()
        while True:
            reply = self._transport.get(MERGE_POLICIES, what=what, params=params)
            policies, start = replies.shaped(reply, what, _policy_page)
            found += _known(lookups.read_merge_policy(raw) for raw in policies)
            if start is None:
                return found
            if start in seen or len(seen) >= MAX_PAGES:
                log.warning("Stopped %s after %d pages: they repeat or do not end.", what, len(seen) + 1)
                return found
            seen.add(start)
            params = {"start": start}

    def sandboxes(self) -> list[SandboxInfo]:
        """The sandboxes this credential may use (§4.6)."""
        what, read = "reading the sandboxes", with_ids("sandboxes", "name")
        pages = self._by_start(SANDBOXES, what, read, key="offset", sandboxed=False)
        return list(_known(lookups.read_sandbox(raw) for _, raw in pages))

    def namespaces(self) -> list[Namespace]:
        """The identity namespaces, in one plain list (§4.8)."""
        what = "reading the identity namespaces"
        reply = self._transport.get(NAMESPACES, what=what)
        entries = replies.shaped(reply, what, lambda body: container(body, "identities"))
        return list(_known(lookups.read_namespace(raw) for raw in entries))

    def _by_start(
        self,
        path: str,
        what: str,
        read: Callable[[object], list[tuple[str, object]]],
        params: Mapping[str, str] | None = None,
        *,
        key: str = "start",
        sandboxed: bool = True,
    ) -> Iterator[tuple[str, object]]:
        """(id, entry) over all pages that are counted by entries.

        The end is a page that is not full. One that brings nothing new, or the thousandth, ends it too, and
        the log says so.
        """
        seen: set[str] = set()
        start = 0
        for _ in range(MAX_PAGES):
            counted = {**(params or {}), "limit": str(PAGE_SIZE), key: str(start)}
            reply = self._transport.get(path, what=what, params=counted, sandboxed=sandboxed)
            entries, full = replies.shaped(reply, what, lambda b: (read(b), page_limit(b, PAGE_SIZE)))
            fresh = [(entry_id, raw) for entry_id, raw in entries if entry_id not in seen]
            seen.update(entry_id for entry_id, _ in fresh)
            yield from fresh
            start += len(entries)
            if len(entries) < full:
                return
            if not fresh:
                break
        log.warning("Stopped %s after %d entries: the pages repeat or do not end.", what, len(seen))


def _policy_page(body: object) -> tuple[list[object], str | None]:
    return container(body, "children"), next_value(body, "_links", "start")


def _known(entries: Iterable[T | None]) -> Iterator[T]:
    return (entry for entry in entries if entry is not None)
