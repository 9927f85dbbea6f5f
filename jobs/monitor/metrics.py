"""What an operator's alarms go by, read from the database: jobs, sandboxes, the queue of what is due."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Count, Min, Sum

from jobs.models import Connection, ExportJob, Launch, LaunchState, OutcomeTally, Sandbox
from jobs.monitor import outcomes
from jobs.monitor.overview import standing
from jobs.rules.lateness import LATE_AFTER, STUCK_AFTER

Labels = tuple[tuple[str, str], ...]


class Metric(NamedTuple):
    """One family: its name, what it says, and a value for each set of labels."""

    name: str
    help: str
    samples: Sequence[tuple[Labels, float]]


def metrics(*, now: datetime) -> list[Metric]:
    """Eight queries over tallies, due times and indexes; none that grows with history. All are gauges."""
    places = list(Sandbox.objects.select_related("connection").defer("connection__client_secret"))
    return [*_seeing(places, now=now), *_jobs(places, now=now), *_queues(now=now), *_credentials(now=now)]


def _of(place: Sandbox) -> Labels:
    return (("connection", place.connection.name), ("sandbox", place.name))


def _seeing(places: list[Sandbox], *, now: datetime) -> Iterator[Metric]:
    watched = [place for place in places if place.is_watched]
    read = [(_of(one), (now - one.last_ok_at).total_seconds()) for one in watched if one.last_ok_at]
    yield Metric("exportui_sandbox_staleness_seconds", "Time since the sandbox was last read.", read)
    failing = [(_of(one), float(one.failing_since is not None)) for one in watched]
    yield Metric("exportui_sandbox_failing", "1 while the sandbox cannot be read.", failing)
    failures = [(_of(one), float(one.failure_count)) for one in watched]
    yield Metric(
        "exportui_sandbox_failures_in_a_row", "Readings that failed since the last good one.", failures
    )
    changes = [(_of(one), float(one.version)) for one in places]
    yield Metric(
        "exportui_sandbox_changes", "Recorded changes since the sandbox is known; only grows.", changes
    )


def _jobs(places: list[Sandbox], *, now: datetime) -> Iterator[Metric]:
    sums = standing(places)
    stand = [
        ((*_of(one), ("status", status.value)), float(jobs))
        for one in places
        for status, jobs in sorted(sums[one.pk].items())
    ]
    yield Metric("exportui_jobs", "Jobs by state.", stand)
    names = {one.pk: _of(one) for one in places}
    ended = OutcomeTally.objects.filter(hour__gte=outcomes.floor_hour(now) - timedelta(hours=1)).order_by()
    hour = ended.values_list("sandbox_id", "status").annotate(Sum("jobs"))
    yield Metric(
        "exportui_jobs_ended_lately",
        "Jobs that ended in this hour and the one before, by outcome.",
        [((*names[pk], ("status", status)), float(jobs)) for pk, status, jobs in hour],
    )
    active = ExportJob.objects.active().order_by()
    late = Counter(dict(_by_place(active.filter(created_at__lt=now - LATE_AFTER))))
    stuck = Counter(dict(_by_place(active.filter(updated_at__lt=now - STUCK_AFTER))))
    yield Metric(
        "exportui_jobs_late", "Jobs that run for over 150 minutes.", [(names[pk], late[pk]) for pk in names]
    )
    yield Metric(
        "exportui_jobs_stuck",
        "Jobs under way that did not move for an hour.",
        [(names[pk], stuck[pk]) for pk in names],
    )


def _by_place(jobs: object) -> Iterator[tuple[int, int]]:
    yield from jobs.values_list("sandbox_id").annotate(Count("id"))  # type: ignore[attr-defined]


def _queues(*, now: datetime) -> Iterator[Metric]:
    due = ExportJob.objects.due(now).order_by().aggregate(jobs=Count("id"), oldest=Min("next_poll_at"))
    yield Metric(
        "exportui_jobs_due", "Jobs whose record should have been read by now.", [((), float(due["jobs"]))]
    )
    age = (now - due["oldest"]).total_seconds() if due["oldest"] else 0.0
    yield Metric("exportui_queue_age_seconds", "How long the longest waiting of them waits.", [((), age)])
    launches = Launch.objects.exclude(state__in=[LaunchState.ACCEPTED, LaunchState.REJECTED]).order_by()
    open_ones = Counter(dict(launches.values_list("state").annotate(Count("id"))))
    states = (LaunchState.QUEUED, LaunchState.SENDING, LaunchState.UNKNOWN)
    yield Metric(
        "exportui_launches_open",
        "Launches without an answer yet, by state.",
        [((("state", state.value),), float(open_ones[state])) for state in states],
    )


def _credentials(*, now: datetime) -> Iterator[Metric]:
    rows = Connection.objects.defer("client_secret")
    refused = [((("connection", one.name),), float(bool(one.credential_error))) for one in rows]
    yield Metric(
        "exportui_credential_refused", "1 while the platform refuses the connection's credential.", refused
    )


def text(families: list[Metric]) -> str:
    """The families in the text format that Prometheus reads (version 0.0.4)."""
    lines = []
    for name, help_, samples in families:
        lines += [f"# HELP {name} {help_}", f"# TYPE {name} gauge"]
        lines += [f"{name}{_written(labels)} {value:.15g}" for labels, value in samples]
    return "\n".join(lines) + "\n"


def _written(labels: Labels) -> str:
    said = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels)
    return f"{{{said}}}" if said else ""


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
