"""Move export jobs on: from waiting to a place among those that run, through the export, to their end.

Two things happen by different clocks. Steps follow the platform's clock: each lasts at least its `pace`
(minutes divided by `--speed`), so that a person can watch. The export itself is real work in a child process;
it begins when its step begins, and the step does not end before the work is done, so phases are what a
watcher could have measured. Results depend on neither.

Whoever reads first brings the records up to the clock (`settle`). One thread sleeps until the next step is
due, so that jobs go on when nobody reads; without jobs it sleeps for good. `drain` is for a clock that leapt:
it returns when everything that is due by then has been done.

`AT_ONCE` jobs run at once, from started to exported; the others queue. A job ordered never to end gives its
place up, and those of the start data take none, so that a newcomer need not wait for them.

A job's `asked["stage"]`: waiting (for its time) → queued (for a place) → started → working → exported
(its files are whole, but not published) → over. After a restart waiting, queued and started jobs go on,
exported ones are published, and the work of others begins again; a third time it fails.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from random import Random
from typing import Any

from django.conf import settings
from django.db import DatabaseError, transaction

from emulator import clock, evaluating, exporting, failures, lake, planning, pool
from emulator.models import Batch, BatchFile, Job
from emulator.progress import ONGOING, Script, next_change_ms, record, status

ATTEMPTS = 2
PATIENCE_S = 120.0  # how long a leap of the clock waits for the work it made due

lock = threading.RLock()  # taken before a transaction, never inside one
_changed = threading.Condition(lock)
_free: list[int] = []  # since when each free place is free, platform time
_working: dict[int, pool.Task] = {}  # job pk → what its child does
_done: dict[int, Any] = {}  # job pk → result or WorkFailed, not yet noted
_thread: threading.Thread | None = None
_leaps = 0  # of the clock that are being waited for


def begin() -> None:
    """Take up what an earlier run, or the start data, left behind; then go on by the clock."""
    global _thread
    with lock:
        _take_up()
        if _thread is None:
            _thread = threading.Thread(target=_go_on, daemon=True)
            _thread.start()
        _changed.notify_all()


@contextmanager
def replaced() -> Iterator[None]:
    """While all data is replaced: nothing runs, no file of it stays; afterwards what is there now goes on."""
    with lock:
        for task in _working.values():
            task.stop()
        _working.clear()
        _done.clear()
        lake.discard(Batch.objects.select_related("sandbox").exclude(status=Batch.Status.DELETED))
        yield
        begin()


def wake() -> None:
    """There is something new, a job or another time; not to be called inside a transaction."""
    with lock:
        _changed.notify_all()


def settle(now_ms: int) -> None:
    """Bring every record up to the clock, as far as the work has come. Cheap when nothing is due."""
    with lock:
        if _done or Job.objects.filter(next_change_ms__lte=now_ms).exists():
            _settle(now_ms)


def drain() -> None:
    """As `settle`, but wait for the work of every step that should be over by now."""
    global _leaps
    with lock:
        _leaps += 1
        try:
            _settle(clock.now_ms())
            while _overdue(clock.now_ms()) and _changed.wait_for(_has_news, PATIENCE_S):
                _settle(clock.now_ms())
        finally:
            _leaps -= 1
            _changed.notify_all()


def cancel(job: Job, now_ms: int) -> None:
    """Stop it now: its work ends, its files go. It is CANCELLED a moment later."""
    with lock:
        if task := _working.pop(job.pk, None):
            task.stop()
        _done.pop(job.pk, None)
        batches = Batch.objects.filter(job=job).select_related("sandbox")
        lake.discard(batches)
        for batch in batches:
            _end_batch(batch, Batch.Status.ABORTED, now_ms)
        gone_ms = now_ms + max(1, round(1000 * planning.CANCEL_PLATFORM_S / settings.SPEED))
        job.asked = job.asked | {"stage": "over"}
        _show(job, replace(Script(**job.script), cancel_ms=now_ms, cancelled_ms=gone_ms), now_ms)
        _changed.notify_all()


def release(job: Job) -> None:
    """A job that is taken out of the game by hand (changed or vanished): its work stops, its place is free."""
    with lock:
        if task := _working.pop(job.pk, None):
            task.stop()
        _done.pop(job.pk, None)
        if job.asked.get("holds"):
            heapq.heappush(_free, clock.now_ms())
        job.asked = job.asked | {"stage": "over", "holds": False}
        batches = list(Batch.objects.filter(job=job, status=Batch.Status.LOADING).select_related("sandbox"))
        lake.discard(batches)
        for batch in batches:
            _end_batch(batch, Batch.Status.ABORTED, clock.now_ms())
        _changed.notify_all()


# What follows is called with the lock held.


def _take_up() -> None:
    """Places are held by those that run; work that was cut short begins again or, a third time, fails."""
    now_ms = clock.now_ms()
    live = [job for job in Job.objects.filter(status__in=ONGOING).exclude(script={}) if job.asked]
    exported = [job for job in live if job.asked["stage"] == "exported"]
    kept = set(Batch.objects.filter(job__in=exported).values_list("batch_id", flat=True))
    with transaction.atomic():
        lake.tidy(kept)
        for job in live:
            if job.asked["stage"] == "working":
                job.asked = job.asked | {"stage": "started"}
                job.next_change_ms = now_ms
                if job.asked.get("attempts", 1) > ATTEMPTS:
                    _fail(job, failures.aborted("the emulator ended during the export, repeatedly"), now_ms)
                job.save()
    held = sum(bool(job.asked.get("holds")) for job in live)
    _free[:] = [0] * max(0, settings.AT_ONCE - held)


def _go_on() -> None:
    """Sleep until the next step is due or something changes, and settle; try again if the database is busy."""
    while True:
        with lock:
            try:
                _settle(clock.now_ms())
                wait_s = _until_next()
            except DatabaseError:
                wait_s = 1.0
            if not _done:
                _changed.wait(wait_s)


def _until_next() -> float | None:
    """Seconds until the next step is due; None without one."""
    due = Job.objects.exclude(next_change_ms=None).order_by("next_change_ms")
    next_ms = due.values_list("next_change_ms", flat=True).first()
    return None if next_ms is None else max(0.001, (next_ms - clock.now_ms()) / 1000)


def _settle(now_ms: int) -> None:
    with transaction.atomic():
        for pk in list(_done):
            outcome = _done.pop(pk)
            if job := Job.objects.filter(pk=pk).first():
                _note(job, outcome, now_ms)
            _changed.notify_all()
        is_moving = True
        while is_moving:
            due = list(Job.objects.filter(next_change_ms__lte=now_ms).order_by("next_change_ms", "pk"))
            for job in due:
                _step(job, now_ms)
            is_moving = bool(due) or (not (_leaps and _overdue(now_ms)) and _fill(now_ms))


def _has_news() -> bool:
    return bool(_done) or not _overdue(clock.now_ms())


def _overdue(now_ms: int) -> bool:
    """Whether work is under way that by its pace alone would have been done by now."""
    scripts = [Script(**job.script) for job in Job.objects.filter(pk__in=list(_working)) if job.script]
    return any(_export_start(script) + script.pace["export"] <= now_ms for script in scripts)


def _fill(now_ms: int) -> bool:
    """Give free places to those that queue, the oldest first."""
    if not _free:
        return False
    queued = Job.objects.filter(status="NEW", next_change_ms=None, gone=False).exclude(script={})
    waiting = [job for job in queued.order_by("created_ms", "pk")[: len(_free)] if job.asked]
    for job in waiting:
        _start(job, heapq.heappop(_free), now_ms)
    return bool(waiting)


def _start(job: Job, free_ms: int | None, now_ms: int) -> None:
    """It starts when its queueing was over and the place was free, whichever came later; None: it takes none."""
    script = Script(**job.script)
    started_ms = max(script.created_ms + script.pace["queue"], free_ms or 0)
    export_ms = started_ms + script.pace["prepare"]
    phases: dict[str, list[int | None]] = {"profileExportTime": [export_ms, None]}
    is_endless = job.asked["outcome"].get("never", False)
    if is_endless and free_ms is not None:
        heapq.heappush(_free, started_ms)
    holds = free_ms is not None and not is_endless
    job.asked = job.asked | {"stage": "endless" if is_endless else "started", "holds": holds}
    _show(job, replace(script, started_ms=started_ms, phases=phases), now_ms)


def _step(job: Job, now_ms: int) -> None:
    """Do what is due for one job."""
    stage, script = job.asked.get("stage"), Script(**job.script)
    if stage == "waiting" and job.asked.get("apart"):
        _start(job, None, now_ms)
    elif stage == "waiting":
        job.asked = job.asked | {"stage": "queued"}
        job.next_change_ms = None
        job.save(update_fields=["asked", "next_change_ms"])
    elif stage == "started" and now_ms >= _export_start(script):
        _begin_export(job, script, now_ms)
    elif stage == "exported" and now_ms >= _written(script):
        _publish(job, script, now_ms)
    else:
        _show(job, script, now_ms)


def _begin_export(job: Job, script: Script, now_ms: int) -> None:
    errors = _ordered_failure(job) or exporting.obstacle(job)
    if errors:
        _fail(job, errors, _export_start(script) + script.pace["fail"])
        _show(job, Script(**job.script), now_ms)
        return
    task = pool.Task("export", exporting.task(job, now_ms=now_ms))
    job.asked = job.asked | {
        "stage": "working",
        "attempts": job.asked.get("attempts", 0) + 1,
        "began_ms": now_ms,
    }
    _show(job, script, now_ms)
    _working[job.pk] = task
    transaction.on_commit(lambda: pool.start(task, _taker(job.pk, task)))


def _ordered_failure(job: Job) -> list[dict[str, str]]:
    code, rng = job.asked["outcome"].get("code"), Random(f"{settings.SEED}/{job.remote_id}/failure")
    return failures.entries(code, job_id=int(job.remote_id), rng=rng) if code else []


def _taker(job_pk: int, task: pool.Task) -> Any:
    """Puts the outcome of this very task where `_settle` finds it."""

    def take(outcome: Any) -> None:
        with lock:
            if _working.get(job_pk) is task:
                del _working[job_pk]
                _done[job_pk] = outcome
                _changed.notify_all()

    return take


def _note(job: Job, outcome: Any, now_ms: int) -> None:
    """The work is over: the rest of the job's moments are known now."""
    if job.asked.get("stage") != "working":
        return
    script = Script(**job.script)
    if isinstance(outcome, pool.WorkFailed):
        _fail(
            job,
            _explained(job, outcome),
            max(_export_start(script) + 1, min(now_ms, _planned_export(script))),
        )
        _show(job, Script(**job.script), now_ms)
        return
    if outcome["evaluated"]:
        began_ms = job.asked["began_ms"]
        ended_ms = began_ms + outcome["evaluation_ms"]
        evaluating.note(job.sandbox, outcome["evaluated"], started_ms=began_ms, ended_ms=ended_ms)
    exported_ms = max(_planned_export(script), _export_start(script) + outcome["export_ms"])
    write_ms = exported_ms + script.pace["gap"]
    written_ms = write_ms + max(script.pace["write"], outcome["write_ms"])
    phases: dict[str, list[int | None]] = {
        "profileExportTime": [_export_start(script), exported_ms],
        "aCPDatasetWriteTime": [write_ms, written_ms],
    }
    job.asked = job.asked | {"stage": "exported", "batches": outcome["batches"]}
    _show(job, replace(script, phases=phases), now_ms)


def _publish(job: Job, script: Script, now_ms: int) -> None:
    """Move the files to their place, then say so in one transaction; a refusal of the storage fails the job."""
    batches = {
        batch.batch_id: batch for batch in Batch.objects.filter(job=job).select_related("sandbox", "dataset")
    }
    try:
        for batch in batches.values():
            lake.publish(batch)
    except OSError as error:
        lake.discard(batches.values())
        _fail(job, failures.not_written(int(job.remote_id), str(error)), _written(script))
        _show(job, Script(**job.script), now_ms)
        return
    for told in job.asked["batches"]:
        _end_batch(batches[told["batch_id"]], Batch.Status.SUCCESS, _written(script), told, script)
    errors = failures.warning() if job.asked["outcome"].get("warn") else []
    job.asked = job.asked | {"stage": "over"}
    end_ms = _written(script) + script.pace["finish"]
    _show(job, replace(script, end_ms=end_ms, counters=_counters(job), errors=errors), now_ms)


def _counters(job: Job) -> dict[str, Any]:
    """What the files hold, all batches together; `miscount` was ordered to be told on top."""
    by_namespace: dict[str, int] = {}
    for told in job.asked["batches"]:
        for code, number in told["by_namespace"].items():
            by_namespace[code] = by_namespace.get(code, 0) + number
    total = sum(told["rows"] for told in job.asked["batches"])
    return {
        "totalExportedProfileCounter": max(0, total + job.asked["outcome"].get("miscount", 0)),
        "exportedProfileByNamespaceCounter": by_namespace,
    }


def _fail(job: Job, errors: list[dict[str, str]], broken_ms: int) -> None:
    """The export breaks at this moment; nothing of its files stays."""
    script = Script(**job.script)
    begun_ms = _export_start(script)
    broken_ms = max(begun_ms, broken_ms)
    batches = list(Batch.objects.filter(job=job).select_related("sandbox", "dataset"))
    lake.discard(batches)
    for batch in batches:
        batch.errors = [{"code": entry["code"], "description": entry["msg"], "rows": []} for entry in errors]
        _end_batch(batch, Batch.Status.FAILED, broken_ms)
    failed = replace(
        script,
        outcome="FAILED",
        errors=errors,
        phases={"profileExportTime": [begun_ms, broken_ms]},
        end_ms=broken_ms + script.pace["finish"],
    )
    job.asked = job.asked | {"stage": "over"}
    job.script = failed.stored()


def _end_batch(
    batch: Batch,
    state: Batch.Status,
    at_ms: int,
    told: dict[str, Any] | None = None,
    script: Script | None = None,
) -> None:
    """Note how a batch ended and, if well, its files; the dataset shows its last one."""
    batch.status, batch.updated_ms = state, at_ms
    if told is not None and script is not None:
        batch.rows, batch.size = told["rows"], told["size"]
        start_ms, end_ms = script.phases["aCPDatasetWriteTime"]
        batch.metrics = {
            "recordsRead": told["rows"],
            "recordsWritten": told["rows"],
            "recordsFailed": 0,
            "outputRecordSize": told["rows"],
            "outputByteSize": told["size"],
            "startTime": start_ms,
            "endTime": end_ms,
        }
        for number, file in enumerate(told["files"], start=1):
            BatchFile.objects.create(batch=batch, file_id=f"{batch.batch_id}-{number}", **file)
    batch.save()
    dataset = batch.dataset
    dataset.body |= {"updated": at_ms, "lastBatchId": batch.batch_id, "lastBatchStatus": str(state)}
    dataset.save(update_fields=["body"])


def _explained(job: Job, error: pool.WorkFailed) -> list[dict[str, str]]:
    if error.kind == "storage":
        return failures.not_written(int(job.remote_id), error.message)
    return failures.aborted(error.message)


def _show(job: Job, script: Script, now_ms: int) -> None:
    """Store the script and the record it gives now; one that is over frees its place."""
    job.record = record(script, now_ms)
    job.status = status(script, now_ms)
    is_over = job.status not in ONGOING
    if is_over and job.asked.get("holds"):
        heapq.heappush(_free, script.cancelled_ms or script.end_ms or now_ms)
        job.asked = job.asked | {"holds": False}
    job.script = {} if is_over else script.stored()
    job.next_change_ms = next_change_ms(script, now_ms) or _due_ms(job, script)
    job.save()


def _due_ms(job: Job, script: Script) -> int | None:
    """When a step is due whose time is known although the record does not change by it, or is past."""
    stage = job.asked.get("stage")
    if stage == "waiting":
        return script.created_ms + script.pace["queue"]
    if stage == "started":
        return _export_start(script)
    return _written(script) if stage == "exported" else None


def _export_start(script: Script) -> int:
    start_ms = script.phases["profileExportTime"][0]
    return script.created_ms if start_ms is None else start_ms


def _planned_export(script: Script) -> int:
    return _export_start(script) + script.pace["export"]


def _written(script: Script) -> int:
    end_ms = script.phases["aCPDatasetWriteTime"][1]
    return script.created_ms if end_ms is None else end_ms
