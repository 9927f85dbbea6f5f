"""Whose view it is: the sandboxes a person may see, all of them or those asked for."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Self

from jobs.models import ExportJob, Sandbox
from jobs.models.job import JobQuerySet


class NoSuchSandbox(Exception):
    """A sandbox was asked for that does not exist, or not for this person; the text says so."""

    def __init__(self, ref: str) -> None:
        super().__init__(
            f"There is no sandbox “{ref[:100]}”, or it belongs to a connection you have no role on."
        )


@dataclass(frozen=True, slots=True)
class Scope:
    """What a page counts: never more than `visible_to(user)`, fewer when sandboxes were named."""

    user: Any
    places: list[Sandbox]
    refs: tuple[str, ...] = ()

    @classmethod
    def of(cls, user: Any, refs: Collection[str] = ()) -> Self:
        """One query; `refs` are `connection/sandbox`, and an unknown one raises NoSuchSandbox."""
        rows = Sandbox.objects.visible_to(user).select_related("connection")
        seen = {place.ref: place for place in rows.defer("connection__client_secret")}
        unknown = next((ref for ref in refs if ref not in seen), None)
        if unknown is not None:
            raise NoSuchSandbox(unknown)
        wanted = tuple(dict.fromkeys(refs))
        return cls(user, [seen[ref] for ref in wanted] if wanted else list(seen.values()), wanted)

    @property
    def jobs(self) -> JobQuerySet:
        """The jobs of these sandboxes, which came through the one rule all reading goes through."""
        jobs: JobQuerySet = ExportJob.objects.all()
        if len(self.refs) == 1:
            return jobs.filter(sandbox=self.ids[0])
        everything = self.user.is_superuser and self.user.is_active and not self.refs
        return jobs if everything else jobs.within(self.ids)

    @property
    def ids(self) -> list[int]:
        return [place.pk for place in self.places]

    def place(self, sandbox_id: int) -> Sandbox | None:
        """The sandbox of a row, without a query."""
        return next((place for place in self.places if place.pk == sandbox_id), None)
