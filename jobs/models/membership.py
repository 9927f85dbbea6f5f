"""Who may do what on a connection."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Role(models.TextChoices):
    """Roles in rising order: a viewer reads, an operator launches and cancels, an admin manages the connection."""

    VIEWER = "viewer", "Viewer"
    OPERATOR = "operator", "Operator"
    ADMIN = "admin", "Admin"

    def covers(self, needed: Role) -> bool:
        """Whether someone with this role may do what `needed` is asked for."""
        order = list(Role)
        return order.index(self) >= order.index(needed)


class Membership(models.Model):
    """One person's role on one connection."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    connection = models.ForeignKey("jobs.Connection", on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.VIEWER)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "connection"], name="one_role_per_connection")]
        ordering = ["user__username"]

    def __str__(self) -> str:
        return f"{self.user} is {self.role} of {self.connection}"
