"""Every address of the emulator: the platform's, under the documented paths, and its own."""

from __future__ import annotations

from django.urls import path, re_path

from emulator.views import (
    admin,
    audiences,
    batches,
    catalog,
    data_access,
    export_jobs,
    home,
    merge_policies,
    namespaces,
    sandboxes,
    schedules,
    segment_jobs,
    segmentation,
    switches,
    unions,
)
from emulator.views.token import token

urlpatterns = [
    re_path(r"^ims/token/v[23]/?$", token),
    re_path(r"^data/core/ups/export/jobs/?$", export_jobs.collection),
    re_path(r"^data/core/ups/export/jobs/(?P<remote_id>[^/]+)/?$", export_jobs.item),
    re_path(r"^data/core/ups/segment/definitions/?$", segmentation.definitions),
    re_path(r"^data/core/ups/segment/definitions/bulk-get/?$", segmentation.bulk_get),
    re_path(r"^data/core/ups/segment/definitions/(?P<segment_id>[^/]+)/?$", segmentation.definition),
    re_path(r"^data/core/ups/config/mergePolicies/?$", merge_policies.merge_policies),
    re_path(r"^data/core/ups/config/mergePolicies/(?P<policy_id>[^/]+)/?$", merge_policies.merge_policy),
    re_path(r"^data/core/ups/segment/jobs/?$", segment_jobs.segment_jobs),
    re_path(r"^data/core/ups/segment/jobs/(?P<shown_id>[^/]+)/?$", segment_jobs.segment_job),
    re_path(r"^data/core/ups/config/schedules/?$", schedules.schedules),
    re_path(r"^data/core/ups/config/schedules/(?P<schedule_id>[^/]+)/?$", schedules.schedule),
    re_path(r"^data/core/ups/audiences/?$", audiences.audiences),
    re_path(r"^data/core/ups/audiences/bulk-get/?$", audiences.bulk_get),
    re_path(r"^data/core/ups/audiences/(?P<audience_id>[^/]+)/?$", audiences.audience),
    re_path(r"^data/foundation/schemaregistry/tenant/unions/?$", unions.unions),
    re_path(r"^data/foundation/schemaregistry/tenant/unions/(?P<union_id>.+?)/?$", unions.union),
    re_path(r"^data/foundation/catalog/batches/?$", batches.batches),
    re_path(r"^data/foundation/catalog/batches/(?P<batch_id>[^/]+)/?$", batches.batch),
    re_path(r"^data/foundation/catalog/lastBatches/?$", batches.last_batches),
    re_path(r"^data/foundation/export/batches/(?P<batch_id>[^/]+)/files/?$", data_access.batch_files),
    re_path(r"^data/foundation/export/batches/(?P<batch_id>[^/]+)/failed/?$", data_access.failed),
    re_path(r"^data/foundation/export/batches/(?P<batch_id>[^/]+)/meta/?$", data_access.meta),
    re_path(r"^data/foundation/export/files/(?P<file_id>[^/]+)/?$", data_access.file),
    re_path(
        r"^data/foundation/export/datasets/(?P<dataset_id>[^/]+)/preview/?$", data_access.dataset_preview
    ),
    re_path(r"^data/foundation/catalog/data[Ss]ets/?$", catalog.datasets),
    re_path(r"^data/foundation/catalog/data[Ss]ets/(?P<dataset_id>[^/]+)/?$", catalog.dataset),
    re_path(r"^data/foundation/sandbox-management/?(?:sandboxes/?)?$", sandboxes.sandboxes),
    re_path(r"^data/foundation/sandbox-management/sandboxes/(?P<name>[^/]+)/?$", sandboxes.sandbox),
    re_path(r"^data/core/idnamespace/identities/?$", namespaces.identities),
    path("", home.home),
    path("credentials.json", home.credentials),
    path("schema", home.schema_page),
    path("switches/faults", switches.fault),
    path("switches/quirks", switches.quirk),
    path("switches/permissions", switches.permission),
    path("switches/clock", switches.platform_clock),
    path("_emulator/faults", admin.fault_rules),
    path("_emulator/faults/<int:rule_id>", admin.fault_rule),
    path("_emulator/quirks", admin.quirk_names),
    path("_emulator/permissions", admin.permissions),
    path("_emulator/jobs", admin.raw_jobs),
    path("_emulator/jobs/<str:remote_id>", admin.raw_job),
    path("_emulator/requests", admin.requests),
    path("_emulator/clock", admin.platform_clock),
    path("_emulator/reset", admin.reset),
]
handler404 = home.nowhere
