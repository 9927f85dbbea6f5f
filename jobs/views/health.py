"""For whoever runs the product: is the process alive, and can it serve?"""

from __future__ import annotations

from datetime import datetime

import redis
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError
from django.db.models import Max
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from jobs.models import Sandbox


@login_not_required
@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers; nothing else is asked and nothing is told."""
    return HttpResponse("ok", content_type="text/plain")


@login_not_required
@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when database and Redis answer, else 503; the age of the last poll in seconds is for whoever alerts on it.

    An old poll does not make a process unready: pages keep working and say how old their data is.
    """
    database, polled_at = _last_poll()
    answers = {"database": database, "redis": _redis_answers()}
    age = round((timezone.now() - polled_at).total_seconds(), 1) if polled_at else None
    ready = all(answers.values())
    told = {"ready": ready, **answers, "last_poll_age_seconds": age}
    return JsonResponse(told, status=200 if ready else 503)


def _last_poll() -> tuple[bool, datetime | None]:
    """Whether the database answers, and when a watched sandbox was last read."""
    try:
        return True, Sandbox.objects.watched().aggregate(at=Max("last_ok_at"))["at"]
    except DatabaseError:
        return False, None


def _redis_answers() -> bool:
    """Asked directly: the cache would go on without Redis, but the worker does not."""
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=1) as line:
            return bool(line.ping())
    except redis.RedisError:
        return False
