"""Quirks: the contradictions of the documents, each a switch, so that a client can be tried with every one.

They change what a reply says, never what is stored, and hold for every reply while they are on, also for records
put in by hand, as far as those have the expected types. The sources are in platform.md §2.6 and §4.
"""

from __future__ import annotations

import hashlib
import json
import threading
import uuid
from collections.abc import Callable, Iterable
from typing import Any

from emulator import failures

QUIRKS = {
    "id-uuid": "the id of an export job is a UUID; the number works as well",
    "id-text": "the id of an export job is its number as a string",
    "dataset-id-spelling": "destination has dataSetId instead of datasetId",
    "batches-object": "destination.batches is an object with the first batch, beside a batchId",
    "batch-status-mixed": "destination.batches[].status is an array in the first and a string in the others",
    "batch-id-empty": "destination.batchId of a failed job is an empty string",
    "segment-per-batch-absent": "destination has no segmentPerBatch",
    "delete-204": "cancelling answers 204 with nothing at all",
    "delete-204-typed": "cancelling answers 204 with the headers of the message and without its body",
    "delete-204-message": "cancelling answers 204 with a message, which HTTP forbids; the connection is closed",
    "delete-202": "cancelling answers 202 with the message",
    "delete-removes": "a job that is cancelled or being cancelled is a 404 and in no list",
    "next-absent": "link of the last page has no next",
    "next-null": "link.next of the last page is null",
    "link-absent": "the last page has no link",
    "next-keeps-filter": "link.next repeats status and sort",
    "page-offset-differs": "page.pageOffset is not the offset of link.next",
    "errors-on-success": "a job that succeeded has an error entry",
    "errors-null": "a job without errors has errors: null",
    "metrics-partial": "phases without an end, one of them empty, and no aCPDatasetWriteTime",
    "metrics-absent": "a job has no metrics",
    "counters-absent": "metrics hold neither of the two counters",
    "compute-blank": "computeGatewayJobId of a waiting job is an object with an empty exportJob",
    "compute-string": "computeGatewayJobId is a string, as in segment jobs",
    "echo-absent": "a job does not repeat fields, filter, additionalFields and evaluationInfo",
    "policy-differs": "a job shows another merge policy than was asked for",
    "seconds": "creationTime and updateTime of a job are in seconds",
    "queued": "a waiting job is QUEUED instead of NEW",
    "status-unknown": "a running job has a status that no document names",
    "created-succeeded": "the reply to a create says SUCCEEDED, with an error entry",
    "status-any": "the job list can be filtered by every status",
    "reference-lower-case": "a new dataset is named @/datasets/<id> instead of @/dataSets/<id>",
    "policy-booleans-text": "booleans of a merge policy are the strings true and false",
    "policy-next-empty": "next.href of the last page of merge policies is an empty string",
    "audiences-off": "audiences are answered with 403: not enabled for this organisation",
    "audience-next-number": "_page.next of audiences is a number",
    "audience-pages-key": "audiences have _pages instead of _page",
    "audience-lifecycle-key": "audiences have lifecycle instead of lifecycleState",
    "etag-lower-case": "a sandbox has etag instead of eTag",
    "batch-metrics-names": "metrics of a batch are called outputRecordCount and outputByteSize",
    "file-directory": "the entry of a batch is a directory: its file is one step further",
    "links-elsewhere": "links of Data Access name another host, as if it were the real one",
}
EXCLUSIVE = (
    {"id-uuid", "id-text"},
    {"delete-204", "delete-204-typed", "delete-204-message", "delete-202"},
    {"next-absent", "next-null", "link-absent"},
    {"compute-blank", "compute-string"},
    {"metrics-partial", "metrics-absent"},
    {"queued", "status-unknown"},
)
ECHOED = ("fields", "filter", "additionalFields", "evaluationInfo")
ENDED = ("SUCCEEDED", "FAILED", "CANCELLED")

_on: frozenset[str] = frozenset()
_lock = threading.Lock()


def switch(names: Iterable[str]) -> None:
    """Exactly these from now on. ValueError for an unknown name, and for two that contradict each other."""
    global _on
    wanted = frozenset(names)
    if unknown := wanted - QUIRKS.keys():
        raise ValueError(f"no such quirk: {', '.join(sorted(unknown))}; known are {', '.join(QUIRKS)}")
    for group in EXCLUSIVE:
        if len(both := wanted & group) > 1:
            raise ValueError(f"only one of these at a time: {', '.join(sorted(both))}")
    with _lock:
        _on = wanted


def names() -> list[str]:
    """Those that are on, in the order of the list above."""
    return [name for name in QUIRKS if name in _on]


def on(name: str) -> bool:
    """KeyError for a name that is none, so that a misspelt one does not stay off for ever."""
    return bool(QUIRKS[name]) and name in _on


def job(record: Any, *, is_new: bool = False) -> Any:
    """The record of an export job as a client gets to see it; `is_new`: in the reply to its create."""
    if not _on or not isinstance(record, dict):
        return record
    shown: dict[str, Any] = json.loads(json.dumps(record))
    for name, change in _JOB.items():
        if name in _on:
            change(shown)
    if is_new and "created-succeeded" in _on:
        shown |= {"status": "SUCCEEDED", "errors": failures.warning()}
    return shown


def job_id(remote_id: str) -> str:
    """The id that clients see, as text; it stands in offsets, too."""
    return _as_uuid(remote_id) if "id-uuid" in _on else remote_id


def number_of(shown_id: str) -> str:
    """The stored id behind one that `job_id` gave, whatever is on now; any other text as it is."""
    tail = shown_id.rpartition("-")[2]
    if len(shown_id) == 36 and tail.isascii() and tail.isdigit() and _as_uuid(str(int(tail))) == shown_id:
        return str(int(tail))
    return shown_id


def last_link() -> dict[str, Any]:
    """What stands beside `records` and `page` on the last page: a `link`, or nothing."""
    if "link-absent" in _on:
        return {}
    if "next-absent" in _on:
        return {"link": {}}
    return {"link": {"next": None if "next-null" in _on else ""}}


def _as_uuid(remote_id: str) -> str:
    """Looks like version 4, yet can be read back: the last group holds the number, in decimal digits."""
    if not (remote_id.isascii() and remote_id.isdigit() and len(remote_id) <= 12):
        return remote_id
    head = hashlib.sha256(remote_id.encode()).hexdigest()
    return str(uuid.UUID(f"{head[:12]}4{head[12:15]}8{head[15:18]}{int(remote_id):012d}"))


def _id_uuid(shown: dict[str, Any]) -> None:
    if isinstance(shown.get("id"), int):
        shown["id"] = _as_uuid(str(shown["id"]))


def _id_text(shown: dict[str, Any]) -> None:
    if isinstance(shown.get("id"), int):
        shown["id"] = str(shown["id"])


def _destination(change: Callable[[dict[str, Any], str], None]) -> Callable[[dict[str, Any]], None]:
    """A change of the destination, left alone if it is no object; it is told the job's status."""

    def changed(shown: dict[str, Any]) -> None:
        if isinstance(shown.get("destination"), dict):
            change(shown["destination"], str(shown.get("status")))

    return changed


def _dataset_id(destination: dict[str, Any], status: str) -> None:
    if "datasetId" in destination:
        destination["dataSetId"] = destination.pop("datasetId")


def _batches_object(destination: dict[str, Any], status: str) -> None:
    batches = destination.get("batches")
    if isinstance(batches, list) and batches and isinstance(batches[0], dict):
        destination["batches"] = batches[0]
        destination.setdefault("batchId", batches[0].get("batchId"))
    elif "batchId" in destination:
        destination["batches"] = {"batchId": destination["batchId"]}


def _batch_status(destination: dict[str, Any], status: str) -> None:
    batches = destination.get("batches")
    for batch in batches[1:] if isinstance(batches, list) else []:
        if isinstance(batch, dict) and isinstance(batch.get("status"), list) and batch["status"]:
            batch["status"] = batch["status"][0]


def _batch_id_empty(destination: dict[str, Any], status: str) -> None:
    if status == "FAILED" and "batchId" in destination:
        destination["batchId"] = ""


def _per_batch_absent(destination: dict[str, Any], status: str) -> None:
    destination.pop("segmentPerBatch", None)


def _errors_on_success(shown: dict[str, Any]) -> None:
    if shown.get("status") == "SUCCEEDED":
        shown.setdefault("errors", failures.warning())


def _errors_null(shown: dict[str, Any]) -> None:
    shown.setdefault("errors", None)


def _metrics_partial(shown: dict[str, Any]) -> None:
    metrics = shown.get("metrics")
    if not isinstance(metrics, dict):
        return
    metrics.pop("aCPDatasetWriteTime", None)
    for name in ("totalTime", "profileExportTime"):
        if isinstance(metrics.get(name), dict):
            start = {key: value for key, value in metrics[name].items() if key == "startTimeInMs"}
            metrics[name] = start if name == "totalTime" else {}


def _metrics_absent(shown: dict[str, Any]) -> None:
    shown.pop("metrics", None)


def _counters_absent(shown: dict[str, Any]) -> None:
    if isinstance(shown.get("metrics"), dict):
        for name in ("totalExportedProfileCounter", "exportedProfileByNamespaceCounter"):
            shown["metrics"].pop(name, None)


def _compute_blank(shown: dict[str, Any]) -> None:
    if shown.get("computeGatewayJobId") == {}:
        shown["computeGatewayJobId"] = {"exportJob": ""}


def _compute_string(shown: dict[str, Any]) -> None:
    if isinstance(shown.get("computeGatewayJobId"), dict):
        shown["computeGatewayJobId"] = shown["computeGatewayJobId"].get("exportJob", "")


def _echo_absent(shown: dict[str, Any]) -> None:
    for name in ECHOED:
        shown.pop(name, None)


def _policy_differs(shown: dict[str, Any]) -> None:
    if isinstance(shown.get("mergePolicy"), dict):
        shown["mergePolicy"] = {
            "id": str(uuid.uuid5(uuid.NAMESPACE_OID, str(shown["mergePolicy"]))),
            "version": 1,
        }


def _seconds(shown: dict[str, Any]) -> None:
    for name in ("creationTime", "updateTime"):
        if isinstance(shown.get(name), int):
            shown[name] //= 1000


def _queued(shown: dict[str, Any]) -> None:
    if shown.get("status") == "NEW":
        shown["status"] = "QUEUED"


def _status_unknown(shown: dict[str, Any]) -> None:
    if shown.get("status") == "PROCESSING":
        shown["status"] = "FINALIZING"


_JOB: dict[str, Callable[[dict[str, Any]], None]] = {
    "id-uuid": _id_uuid,
    "id-text": _id_text,
    "dataset-id-spelling": _destination(_dataset_id),
    "batch-status-mixed": _destination(_batch_status),
    "batches-object": _destination(_batches_object),
    "batch-id-empty": _destination(_batch_id_empty),
    "segment-per-batch-absent": _destination(_per_batch_absent),
    "errors-on-success": _errors_on_success,
    "errors-null": _errors_null,
    "metrics-partial": _metrics_partial,
    "metrics-absent": _metrics_absent,
    "counters-absent": _counters_absent,
    "compute-blank": _compute_blank,
    "compute-string": _compute_string,
    "echo-absent": _echo_absent,
    "policy-differs": _policy_differs,
    "seconds": _seconds,
    "queued": _queued,
    "status-unknown": _status_unknown,
}
