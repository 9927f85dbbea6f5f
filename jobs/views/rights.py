"""Moved to jobs.rights."""

from jobs.rights import require, visible  # noqa: F401
