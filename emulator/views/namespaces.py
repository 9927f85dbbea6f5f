"""Identity namespaces, as a plain array (platform.md §4.8)."""

from __future__ import annotations

from django.http import JsonResponse
from django.views.decorators.http import require_http_methods

from emulator.gateway import PlatformRequest
from emulator.models import Namespace


@require_http_methods(["GET", "HEAD"])
def identities(request: PlatformRequest) -> JsonResponse:
    found = Namespace.objects.filter(sandbox=request.sandbox).order_by("pk")
    return JsonResponse([namespace.body for namespace in found], safe=False)
