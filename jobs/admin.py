"""The admin site: a look behind the scenes for superusers, read-only where the platform is the source."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from jobs.models import Activity, ExportJob, FailureSignature, Launch, Membership, Sandbox


class ReadOnly(admin.ModelAdmin):
    """Rows that only the product itself writes."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(ExportJob)
class ExportJobAdmin(ReadOnly):
    list_display = ["remote_id", "sandbox", "status", "created_at", "duration_ms"]
    list_filter = ["status"]
    list_select_related = ["sandbox__connection"]
    search_fields = ["remote_id"]
    show_full_result_count = False


@admin.register(Activity)
class ActivityAdmin(ReadOnly):
    list_display = ["at", "actor_name", "verb", "target"]
    list_filter = ["verb"]


@admin.register(Launch)
class LaunchAdmin(ReadOnly):
    list_display = ["requested_at", "sandbox", "actor", "state", "job"]
    list_filter = ["state"]
    list_select_related = ["sandbox__connection", "actor", "job"]


@admin.register(FailureSignature)
class FailureSignatureAdmin(ReadOnly):
    list_display = ["code", "pattern"]


@admin.register(Sandbox)
class SandboxAdmin(ReadOnly):
    list_display = ["__str__", "is_watched", "last_ok_at", "failing_since", "last_error"]
    list_select_related = ["connection"]


@admin.register(Membership)
class MembershipAdmin(ReadOnly):
    list_display = ["user", "connection", "role"]
    list_select_related = ["user", "connection"]
