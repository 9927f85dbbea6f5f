"""Every address of the emulator: the platform's, under the documented paths, and its own."""

from __future__ import annotations

from django.urls import path, re_path

from emulator.views import (
    admin,
    catalog,
    export_jobs,
    home,
    merge_policies,
    namespaces,
    sandboxes,
    segmentation,
)
from emulator.views.token import token

urlpatterns = [
    re_path(r"^ims/token/v[23]/?$", token),
    re_path(r"^data/core/ups/export/jobs/?$", export_jobs.collection),
    re_path(r"^data/core/ups/export/jobs/(?P<remote_id>[^/]+)/?$", export_jobs.item),
    re_path(r"^data/core/ups/segment/definitions/?$", segmentation.definitions),
    re_path(r"^data/core/ups/segment/definitions/(?P<segment_id>[^/]+)/?$", segmentation.definition),
    re_path(r"^data/core/ups/config/mergePolicies/?$", merge_policies.merge_policies),
    re_path(r"^data/foundation/catalog/data[Ss]ets/?$", catalog.datasets),
    re_path(r"^data/foundation/catalog/data[Ss]ets/(?P<dataset_id>[^/]+)/?$", catalog.dataset),
    re_path(r"^data/foundation/sandbox-management/?(?:sandboxes/?)?$", sandboxes.sandboxes),
    re_path(r"^data/core/idnamespace/identities/?$", namespaces.identities),
    path("", home.home),
    path("credentials.json", home.credentials),
    path("_emulator/faults", admin.fault_rules),
    path("_emulator/jobs", admin.raw_jobs),
    path("_emulator/jobs/<str:remote_id>", admin.raw_job),
    path("_emulator/requests", admin.requests),
    path("_emulator/clock", admin.platform_clock),
    path("_emulator/reset", admin.reset),
]
handler404 = home.nowhere
