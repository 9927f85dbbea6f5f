"""A sandbox: the partition of an organisation in which jobs live, and how well we can read it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from django.db import models

from jobs.models.connection import Connection
from jobs.models.membership import Membership, Role


class SandboxQuerySet(models.QuerySet["Sandbox"]):
    def visible_to(self, user: Any) -> Self:
        """Sandboxes of the connections the person has a role on: the one rule every page's data is scoped by."""
        if user.is_superuser and user.is_active:
            return self
        return self.filter(connection__in=Connection.objects.visible_to(user))

    def operated_by(self, user: Any) -> Self:
        """Sandboxes in which the person may launch and cancel."""
        if user.is_superuser and user.is_active:
            return self
        mine = Membership.objects.filter(user_id=user.pk or 0, role__in=[Role.OPERATOR, Role.ADMIN])
        return self.filter(connection__in=mine.values("connection_id"))

    def watched(self) -> Self:
        return self.filter(is_watched=True)

    def due(self, now: datetime) -> Self:
        """Watched sandboxes whose list should be read again."""
        return self.watched().filter(next_discovery_at__lte=now)

    def moved(self) -> None:
        """Something that pages show has changed in these sandboxes: whoever asks for news gets some."""
        self.update(version=models.F("version") + 1)

    def by_ref(self, ref: str) -> Self:
        """The sandbox written `connection/sandbox`, as in URLs, commands and the API."""
        connection, _, name = ref.partition("/")
        return self.filter(connection__name=connection, name=name)


class Sandbox(models.Model):
    """One sandbox of a connection; `x-sandbox-name` of every call about it."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="sandboxes")
    name = models.CharField(max_length=256)
    title = models.CharField(max_length=256, blank=True, default="")
    kind = models.CharField(max_length=32, blank=True, default="")
    is_watched = models.BooleanField(default=True)

    # Watching: when the next pass is due, when it was last handed to a worker, until when one is at it.
    next_discovery_at = models.DateTimeField(null=True, blank=True, db_index=True)
    next_catalog_at = models.DateTimeField(null=True, blank=True, db_index=True)
    handed_out_at = models.DateTimeField(null=True, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True)
    # The full reconciliation reads the whole list again in slices: where it stands, since when, when it is due.
    reconcile_offset = models.CharField(max_length=300, blank=True, default="")
    reconcile_began_at = models.DateTimeField(null=True, blank=True)
    next_reconcile_at = models.DateTimeField(null=True, blank=True)
    reconciled_at = models.DateTimeField(null=True, blank=True)
    # Where an unfinished reading of the list goes on; empty when the last one met what was known.
    reading_offset = models.CharField(max_length=300, blank=True, default="")
    # First contact reads the whole list; how many jobs it has met so far, and when it was through.
    first_contact_jobs = models.PositiveIntegerField(default=0)
    first_contact_done_at = models.DateTimeField(null=True, blank=True)

    # Health: what we last heard, and since when we have not.
    last_ok_at = models.DateTimeField(null=True, blank=True)
    failing_since = models.DateTimeField(null=True, blank=True)
    failure_count = models.PositiveIntegerField(default=0)
    last_error = models.TextField(blank=True, default="")
    # Records of the last pass that could not be read: a sentence, or empty.
    last_rejects = models.TextField(blank=True, default="")
    catalog_seen_at = models.DateTimeField(null=True, blank=True)
    catalog_error = models.TextField(blank=True, default="")
    # Jobs created before have expired, as far as they were over; the tallies of that time are history.
    expired_until = models.DateTimeField(null=True, blank=True)
    # Grows with every recorded change here, so that a page can ask "anything new?" in one read.
    version = models.PositiveBigIntegerField(default=0)

    objects = SandboxQuerySet.as_manager()

    class Meta:
        ordering = ["connection__name", "name"]
        constraints = [models.UniqueConstraint(fields=["connection", "name"], name="one_sandbox_per_name")]

    def __str__(self) -> str:
        return self.ref

    @property
    def ref(self) -> str:
        """`connection/sandbox`: how people, URLs and the API name it."""
        return f"{self.connection.name}/{self.name}"

    @property
    def label(self) -> str:
        return self.connection.label

    def may(self, user: Any, needed: Role) -> bool:
        return self.connection.may(user, needed)
