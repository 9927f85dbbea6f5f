"""One pass over a sandbox: its newest jobs, the jobs that move, and a slice of all the others."""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta
from typing import NamedTuple

from django.utils import timezone

from jobs.client.api import Client
from jobs.models import Sandbox
from jobs.monitor.claim import hold
from jobs.monitor.cover import cover, planned
from jobs.monitor.discover import discover
from jobs.monitor.health import note_success, reading
from jobs.monitor.leaving import leaving
from jobs.monitor.reconcile import reconcile
from jobs.rules.cadence import DISCOVERY_EVERY
from jobs.sync import Recorded

log = logging.getLogger(__name__)

# A pass ends after so long even if there is more to do: others wait for the worker.
PASS_S = 10.0
# A worker stays for what will be due sooner than this: the tick would come too late for it.
_STAYS_FOR_S = 2.0
_SOON = timedelta(seconds=1)


class Swept(NamedTuple):
    """What a pass did, and whether the next one is due at once."""

    recorded: Recorded
    is_pressing: bool


def sweep(sandbox: Sandbox, *, full: bool = False, stays: bool = False) -> Swept:
    """One pass; raises PlatformError after noting it on the sandbox.

    The head of the list is read when it is due, then whatever is worth asking of the jobs that move, plan after
    plan, then one slice of the full reconciliation. Everything is stored as it comes: a pass that is cut off
    anywhere has lost nothing. One that `stays` waits in between for what will be due in a moment.
    """
    done = Recorded()
    with reading(sandbox) as client:
        if full or _head_is_due(sandbox, timezone.now()):
            done += discover(sandbox, client, full=full)
            note_success(sandbox, token_expires_at=client.token_expires_at(), now=timezone.now())
        moved, again_s = _watch(sandbox, client, stays=stays)
        done += moved
        if not leaving.is_set():
            done += reconcile(sandbox, client)
    wait = min(timedelta(seconds=again_s), DISCOVERY_EVERY)
    Sandbox.objects.filter(pk=sandbox.pk).update(next_discovery_at=timezone.now() + wait)
    return Swept(done + Recorded(requests=client.requests), is_pressing=wait < _SOON)


def _watch(sandbox: Sandbox, client: Client, *, stays: bool) -> tuple[Recorded, float]:
    """Plan after plan while there is something to ask; and in how many seconds there will be again."""
    done, latest = Recorded(), time.monotonic() + PASS_S
    while not leaving.is_set() and time.monotonic() < latest:
        plan = planned(sandbox)
        if not plan.steps:
            if plan.again_s is None or plan.again_s > _STAYS_FOR_S or not stays:
                return done, DISCOVERY_EVERY.total_seconds() if plan.again_s is None else plan.again_s
            leaving.wait(plan.again_s)
            continue
        log.debug("%s: %s", sandbox.ref, plan)
        done += cover(sandbox, client, plan.steps)
        hold(sandbox)
    return done, 0.0


def _head_is_due(sandbox: Sandbox, now: datetime) -> bool:
    """Whether new jobs are to be looked for; always where a reading was cut off or the last one failed."""
    if sandbox.failing_since or sandbox.reading_offset or not sandbox.first_contact_done_at:
        return True
    return sandbox.last_ok_at is None or now - sandbox.last_ok_at >= DISCOVERY_EVERY - _SOON
