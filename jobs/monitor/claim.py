"""Who does what is due: claims are conditional updates, and only the worker whose update counts does the work.

The tick hands a due sandbox out, a worker begins it by taking its lease, and gives that back at the end. A message
that was lost is sent again after a while, one that comes twice finds the lease taken or nothing due; the lease of a
worker that died runs out.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from jobs.models import Connection, ExportJob, Sandbox
from jobs.models.connection import KEEPING
from jobs.rules.cadence import EXPIRY_EVERY, LEASE

MAX_SANDBOXES = 50
# A message that no worker took up in this time is sent again.
HANDED_OUT_FOR = timedelta(seconds=15)
# After a pause of the connection one sandbox tries; the others wait for it, but not for ever.
TRIAL = timedelta(seconds=30)


def hand_out(now: datetime) -> list[int]:
    """Ids of sandboxes whose pass is due and which this caller is to send to a worker."""
    due = _due(now).filter(_since("handed_out_at", now - HANDED_OUT_FOR)).order_by("next_discovery_at")
    return [
        sandbox.pk
        for sandbox in due.select_related("connection").defer("connection__client_secret")[:MAX_SANDBOXES]
        if _may_call(sandbox.connection, now) and _stamp(sandbox, now)
    ]


def begin(sandbox_id: int, now: datetime) -> Sandbox | None:
    """The sandbox with its lease taken; None when another worker is at it, or nothing is due any more."""
    mine = now + LEASE
    if not _due(now).filter(pk=sandbox_id).update(leased_until=mine):
        return None
    sandbox = Sandbox.objects.select_related("connection").get(pk=sandbox_id)
    return sandbox if sandbox.leased_until == mine else None


def hold(sandbox: Sandbox) -> None:
    """A pass under way goes on: its lease, if it has one, is counted from now."""
    if sandbox.leased_until is None:
        return
    mine = timezone.now() + LEASE
    if Sandbox.objects.filter(pk=sandbox.pk, leased_until=sandbox.leased_until).update(leased_until=mine):
        sandbox.leased_until = mine


def give_back(sandbox: Sandbox) -> None:
    """The pass is over, well or not."""
    mine = Sandbox.objects.filter(pk=sandbox.pk, leased_until=sandbox.leased_until)
    mine.update(leased_until=None, handed_out_at=None)


def claim_catalogs(now: datetime) -> list[int]:
    """Ids of readable sandboxes whose names of datasets, segments and policies this caller is to look up now."""
    due = Sandbox.objects.watched().filter(next_catalog_at__lte=now, failing_since=None)
    rows = due.order_by("next_catalog_at").values_list("pk", "next_catalog_at")[:MAX_SANDBOXES]
    return [
        pk
        for pk, at in rows
        if Sandbox.objects.filter(pk=pk, next_catalog_at=at).update(next_catalog_at=now + LEASE)
    ]


def claim_expiries(now: datetime) -> list[int]:
    """Ids of connections that do not keep everything and from which this caller is to let go what is too old."""
    keeps_all = Q(**dict.fromkeys(KEEPING))
    due = Connection.objects.exclude(keeps_all).filter(_since("next_expiry_at", now))
    return [
        pk
        for pk, at in due.order_by("pk").values_list("pk", "next_expiry_at")
        if Connection.objects.filter(pk=pk, next_expiry_at=at).update(next_expiry_at=now + EXPIRY_EVERY)
    ]


def _due(now: datetime) -> QuerySet[Sandbox]:
    """Watched sandboxes nobody is at, whose list or one of whose jobs is due.

    Jobs of a sandbox that cannot be read wait: reading its list is the probe that ends the outage.
    """
    with_due_jobs = Q(failing_since=None, pk__in=ExportJob.objects.due(now).values("sandbox_id"))
    free = Sandbox.objects.watched().filter(_since("leased_until", now))
    return free.filter(Q(next_discovery_at__lte=now) | with_due_jobs)


def _since(column: str, moment: datetime) -> Q:
    return Q(**{column: None}) | Q(**{f"{column}__lte": moment})


def _stamp(sandbox: Sandbox, now: datetime) -> bool:
    rows = Sandbox.objects.filter(pk=sandbox.pk, handed_out_at=sandbox.handed_out_at)
    return bool(rows.update(handed_out_at=now))


def _may_call(connection: Connection, now: datetime) -> bool:
    """Nobody while the connection is paused; when the pause is over, whoever moves its end first."""
    if connection.paused_until is None:
        return True
    if connection.paused_until > now:
        return False
    rows = Connection.objects.filter(pk=connection.pk, paused_until=connection.paused_until)
    return bool(rows.update(paused_until=now + TRIAL))
