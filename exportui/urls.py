"""The root of the URL tree: our pages, sign-in, the JSON API and the admin."""

from __future__ import annotations

from allauth.account import views as account
from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path
from django.utils.module_loading import import_string

# The admin's own sign-in form knows neither rate limits nor one-time codes.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

# Accounts are made by administrators and have no e-mail address to prove: only these parts of allauth exist here.
account_patterns = [
    path("login/", account.login, name="account_login"),
    path("logout/", account.logout, name="account_logout"),
    path("inactive/", account.account_inactive, name="account_inactive"),
    path("reauthenticate/", account.reauthenticate, name="account_reauthenticate"),
    path("password/change/", account.password_change, name="account_change_password"),
    path("2fa/", include("allauth.mfa.urls")),
]

urlpatterns = [
    path("accounts/", include(account_patterns)),
    path("api/v1/", import_string("jobs.api.urls")),
    path("admin/", admin.site.urls),
    path("", include("jobs.urls")),
]
