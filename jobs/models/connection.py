"""A connection: one credential of one organisation on the platform, and who may use it."""

from __future__ import annotations

from typing import Any, Self

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models

from jobs.models.membership import Membership, Role
from jobs.models.sealed import SealedField

DEFAULT_PLATFORM_URL = "https://platform.adobe.io"
DEFAULT_TOKEN_URL = "https://ims-na1.adobelogin.com/ims/token/v3"
DEFAULT_SCOPES = "openid,session,AdobeID,read_organizations,additional_info.projectedProductContext"

# Everything of a connection that may be read by people: all but the secret.
KEEPING = ("keep_jobs_days", "keep_jobs_count", "keep_records_days", "keep_snapshots_days")
OPEN_FIELDS = (
    *("name", "label", "org_id", "client_id", "scopes", "platform_url", "token_url", "requests_per_second"),
    *KEEPING,
)


class Label(models.TextChoices):
    """What a connection is for; colours the frame so that production is unmistakable."""

    PROD = "prod", "Production"
    STAGE = "stage", "Stage"
    DEV = "dev", "Development"


class ConnectionQuerySet(models.QuerySet["Connection"]):
    def visible_to(self, user: Any) -> Self:
        """Connections the person has any role on; all for a superuser, none for a stranger."""
        if user.is_superuser and user.is_active:
            return self
        return self.filter(pk__in=Membership.objects.filter(user_id=user.pk or 0).values("connection_id"))

    def administered_by(self, user: Any) -> Self:
        """Connections the person may change."""
        if user.is_superuser and user.is_active:
            return self
        mine = Membership.objects.filter(user_id=user.pk or 0, role=Role.ADMIN)
        return self.filter(pk__in=mine.values("connection_id"))


class Connection(models.Model):
    """Where and as whom we speak to the platform (platform.md §1)."""

    name = models.CharField(
        max_length=64,
        unique=True,
        validators=[
            RegexValidator(r"^[a-z0-9][a-z0-9_.-]*\Z", "Use lower case letters, digits, '-', '_' or '.'.")
        ],
    )
    label = models.CharField(max_length=8, choices=Label.choices, default=Label.DEV)
    org_id = models.CharField("IMS organisation", max_length=200)
    client_id = models.CharField("client id", max_length=200)
    client_secret = SealedField("client secret")
    scopes = models.CharField(max_length=1000, default=DEFAULT_SCOPES)
    platform_url = models.URLField("platform URL", max_length=500, default=DEFAULT_PLATFORM_URL)
    token_url = models.URLField("token URL", max_length=500, default=DEFAULT_TOKEN_URL)
    # The most we ask of the platform, all processes together.
    requests_per_second = models.PositiveSmallIntegerField(
        "requests per second", default=10, validators=[MinValueValidator(1), MaxValueValidator(1000)]
    )
    created_at = models.DateTimeField()
    # How long jobs and their parts are kept: empty keeps all. The counts by day and hour stay as history.
    keep_jobs_days = models.PositiveIntegerField("keep jobs, days", null=True, blank=True)
    keep_jobs_count = models.PositiveIntegerField("keep jobs in each sandbox", null=True, blank=True)
    keep_records_days = models.PositiveIntegerField("keep raw records, days", null=True, blank=True)
    keep_snapshots_days = models.PositiveIntegerField("keep histories, days", null=True, blank=True)
    next_expiry_at = models.DateTimeField(null=True, blank=True, db_index=True)
    # The state of the credential as last seen, for the people who must renew it.
    credential_checked_at = models.DateTimeField(null=True, blank=True)
    credential_error = models.TextField(blank=True, default="")
    token_expires_at = models.DateTimeField(null=True, blank=True)
    # The circuit: after trouble that all sandboxes share nobody calls until then, and then one tries first.
    paused_until = models.DateTimeField(null=True, blank=True)
    pause_count = models.PositiveIntegerField(default=0)
    # The platform's clock less ours, in milliseconds; None until a reply told its time.
    clock_offset_ms = models.BigIntegerField(null=True, blank=True)
    # What its list was found to do: how many records a page holds at most, and whether a page may begin at a
    # cursor `<creationTime>_<id>` that we computed. None until it was tried.
    page_limit = models.PositiveIntegerField(null=True, blank=True)
    takes_cursors = models.BooleanField(null=True, blank=True)

    objects = ConnectionQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def keeps_less(self) -> bool:
        """Whether anything of it is let go in time."""
        return any(getattr(self, name) is not None for name in KEEPING)

    def role_of(self, user: Any) -> Role | None:
        """The person's role here; a superuser is admin everywhere, a stranger has none."""
        if user.is_superuser and user.is_active:
            return Role.ADMIN
        role = self.memberships.filter(user_id=user.pk or 0).values_list("role", flat=True).first()
        return Role(role) if role else None

    def may(self, user: Any, needed: Role) -> bool:
        """Whether the person's role covers the needed one."""
        role = self.role_of(user)
        return role is not None and role.covers(needed)
