"""All one can do, by address (names are relied on by the templates)."""

from __future__ import annotations

from django.urls import URLPattern, path

from jobs.views import (
    activity,
    connection,
    connections,
    dataset_new,
    failure,
    failures,
    health,
    job_actions,
    job_detail,
    job_list,
    job_new,
    job_record,
    job_results,
    jobs_csv,
    jobs_live,
    launch,
    metrics,
    names_refresh,
    overview,
    payload_preview,
    people,
    preferences,
    result_file,
    result_rows,
)

app_name = "jobs"

urlpatterns: list[URLPattern] = [
    # overview and failures
    path("", overview.overview, name="overview"),
    path("failures/", failures.failures, name="failures"),
    path("failures/<int:pk>/", failure.failure, name="failure"),
    # jobs
    path("jobs/", job_list.job_list, name="jobs"),
    path("jobs/live/", jobs_live.jobs_live, name="jobs_live"),
    path("jobs.csv", jobs_csv.jobs_csv, name="jobs_csv"),
    # one job
    path("jobs/<int:pk>/", job_detail.job_detail, name="job"),
    path("jobs/<int:pk>/cancel/", job_actions.job_cancel, name="job_cancel"),
    path("jobs/<int:pk>/record.json", job_record.job_record, name="job_record"),
    # what it wrote
    path("jobs/<int:pk>/results/", job_results.job_results, name="job_results"),
    path("jobs/<int:pk>/results/<str:batch>/<str:file>/", result_file.result_file, name="result_file"),
    path("jobs/<int:pk>/results/<str:batch>/<str:file>/rows/", result_rows.result_rows, name="result_rows"),
    # launching
    path("jobs/new/", job_new.job_new, name="job_new"),
    path("jobs/new/payload/", payload_preview.payload_preview, name="payload_preview"),
    path("jobs/new/names/", names_refresh.names_refresh, name="names_refresh"),
    path("datasets/new/", dataset_new.dataset_new, name="dataset_new"),
    path("launches/<int:pk>/", launch.launch, name="launch"),
    # connections, people, activity
    path("connections/", connections.connections, name="connections"),
    path("connections/new/", connections.connection_new, name="connection_new"),
    path("connections/<int:pk>/", connection.connection, name="connection"),
    path("connections/<int:pk>/test/", connection.connection_test, name="connection_test"),
    path("connections/<int:pk>/secret/", connection.connection_secret, name="connection_secret"),
    path("connections/<int:pk>/sandboxes/", connection.connection_sandboxes, name="connection_sandboxes"),
    path("connections/<int:pk>/members/", connection.members, name="members"),
    path("people/", people.people, name="people"),
    path("people/<int:pk>/", people.person, name="person"),
    path("people/<int:pk>/password/", people.person_password, name="person_password"),
    path("people/<int:pk>/role/", people.person_role, name="person_role"),
    path("activity/", activity.activity, name="activity"),
    path("account/preferences/", preferences.preferences, name="preferences"),
    path("account/tokens/new/", preferences.token_new, name="token_new"),
    path("account/tokens/<int:pk>/revoke/", preferences.token_revoke, name="token_revoke"),
    # health
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
]
