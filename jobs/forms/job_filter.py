"""The one filter object of the job list: it feeds the table, the tab counts, every link, the CSV file and the API."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple, Self
from urllib.parse import urlencode

from django.db.models import CharField, Exists, F, OuterRef, Q
from django.http import QueryDict

from jobs.forms.keyset import DURATION, NEWEST_FIRST, ORDERS, Cursor, Page, in_order, paginate
from jobs.forms.reader import Reader, shown
from jobs.models import ExportJob, IdentifierKind, JobError, JobIdentifier, Sandbox
from jobs.models.job import PLACE, UNDER_WAY, WITH_ERRORS, WITHOUT_PROFILES, JobQuerySet, Unindexed
from jobs.rules.kept import Kept
from jobs.rules.lateness import LATE_AFTER, STUCK_AFTER
from jobs.rules.status import ACTIVE, LOOK, Flag, JobStatus

RANGES = {
    "1h": ("last hour", timedelta(hours=1)),
    "24h": ("last 24 hours", timedelta(hours=24)),
    "7d": ("last 7 days", timedelta(days=7)),
    "30d": ("last 30 days", timedelta(days=30)),
}
FLAGS = {
    Flag.LATE.value: "late",
    Flag.STUCK.value: "stuck",
    Flag.ERRORS.value: "succeeded with errors",
    Flag.ODD_VOLUME.value: "no profiles exported",
}
PER_PAGE = (25, 50, 100, 200)
USUAL_PER_PAGE = 50
TEXT_REACHES = 10_000
COMMON_FROM = 2_000
_kept_common: Kept[bool] = Kept(2_000)
STATE = Unindexed(F("status"), output_field=CharField())
# The order in which parameters stand in an address, so that the same list always has the same one.
_IN_URLS = (
    *("status", "sandbox", "segment", "dataset", "launched_by", "range", "since", "until"),
    *("min_duration", "max_duration", "flag", "q", "sort", "per_page", "after", "before"),
)
ME = "me"


class Chip(NamedTuple):
    """One active filter in words, and the query string of the list without it."""

    label: str
    value: str
    query: str


@dataclass(frozen=True)
class JobFilter:
    """What of the jobs is asked for, in which order, and which page of it (interfaces.md, list parameters).

    Made by `read`. `errors` maps a parameter's name to a sentence on why it was left out; a page shows it beside the
    field and lists what the rest selects, the API answers 400 with it. Who may see what is not decided here: every
    queryset given to `apply` and `page` has gone through `visible_to` before.
    """

    user: Any
    status: tuple[JobStatus, ...] = ()
    sandboxes: tuple[Sandbox, ...] = ()
    segment: str = ""
    dataset: str = ""
    launched_by: str = ""
    range: str = ""
    since: datetime | None = None
    until: datetime | None = None
    min_duration: int | None = None
    max_duration: int | None = None
    flag: str = ""
    q: str = ""
    sort: str = NEWEST_FIRST
    per_page: int = USUAL_PER_PAGE
    after: Cursor | None = None
    before: Cursor | None = None
    usual_per_page: int = USUAL_PER_PAGE
    errors: dict[str, str] = field(default_factory=dict)
    # Which texts turned out to be identifiers; shared with the filters that are made from this one.
    asked: dict[str, bool] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def read(
        cls,
        query: QueryDict,
        *,
        user: Any,
        sandboxes: Iterable[Sandbox] = (),
        usual_per_page: int = USUAL_PER_PAGE,
    ) -> Self:
        """The filter a query string asks for; never raises.

        `sandboxes` are visible ones the caller has at hand, which saves the query for them; `usual_per_page` is the
        page size the person chose last, which need not stand in the URL.
        """
        reader = Reader(query)
        period = reader.one("range", RANGES)
        since, until = reader.moment("since"), reader.moment("until")
        if since and until and since >= until:
            reader.errors["until"] = "The end has to be later than the start."
        sort = reader.one("sort", ORDERS, NEWEST_FIRST)
        made = cls(
            user=user,
            status=tuple(JobStatus(word) for word in reader.many("status", JobStatus)),
            sandboxes=_places(reader, user, sandboxes),
            segment=reader.text("segment"),
            dataset=reader.text("dataset"),
            launched_by=reader.text("launched_by"),
            range=period,
            since=None if period else since,
            until=None if period or "until" in reader.errors else until,
            min_duration=reader.seconds("min_duration"),
            max_duration=reader.seconds("max_duration"),
            flag=reader.one("flag", FLAGS),
            q=reader.text("q"),
            sort=sort,
            per_page=int(reader.one("per_page", map(str, PER_PAGE), str(usual_per_page))),
            after=_cursor(reader, "after", sort),
            before=_cursor(reader, "before", sort),
            usual_per_page=usual_per_page,
            errors=reader.errors,
        )
        return replace(made, before=None) if made.after else made

    # --- rows ---------------------------------------------------------------------------------------------------------

    def apply(self, queryset: JobQuerySet, *, now: datetime, most: int | None = None) -> JobQuerySet:
        """The jobs of the queryset that match, whatever the page and order.

        `segment` and `dataset` are ids. `launched_by` is a username or `me`. Times are those of creation; durations
        are the platform's own, so running jobs have none. `q` is any identifier a job carries (exact, by index); if
        no job of the queryset carries it, it is text within the first error line or an error code of the newest
        10,000 jobs that the rest selects: narrowing the rest makes it reach further back. Who only counts says how many
        are counted at `most`; the newest that many of a common segment stand for all of them then.
        """
        rows = queryset.alias(took=DURATION, standing=STATE, place=PLACE).filter(*self._conditions(now, most))
        if len(self.sandboxes) > 1:
            rows = rows.within([sandbox.pk for sandbox in self.sandboxes])
        if not self.q:
            return rows
        return rows.named(self.q) if self._names_a_job(queryset) else _saying(rows, self.q)

    def _names_a_job(self, queryset: JobQuerySet) -> bool:
        """Whether `q` is an identifier of a job of the queryset; asked of the index once, for list, tabs and all."""
        if self.q not in self.asked:
            self.asked[self.q] = queryset.named(self.q).exists()
        return self.asked[self.q]

    def page(
        self,
        queryset: JobQuerySet,
        *,
        now: datetime,
        read: Callable[[JobQuerySet], list[ExportJob]] = list,
    ) -> Page:
        """The asked-for page of the matching jobs with the cursors of its neighbours: one query."""
        rows = self.apply(queryset, now=now)
        return paginate(
            rows, sort=self.sort, size=self.per_page, after=self.after, before=self.before, read=read
        )

    def ordered(self, queryset: JobQuerySet, *, now: datetime) -> JobQuerySet:
        """All matching jobs in the asked-for order."""
        return in_order(self.apply(queryset, now=now), sort=self.sort)

    def without(self, *names: str) -> Self:
        """The same filter with some parts at their defaults: `without("status")` is what the tabs count."""
        defaults: dict[str, Any] = {name: getattr(type(self), name) for name in names}
        return replace(self, **defaults)

    def _conditions(self, now: datetime, most: int | None) -> Iterator[Q]:
        # Indexes hold states and sandboxes in the order of creation. In another order, and for several of them, jobs
        # are met on a walk; those under way are few enough to be sorted.
        walk = most is None and self.sort.removeprefix("-") != "created"
        if self.status:
            few = ACTIVE.issuperset(self.status)
            column = "status" if few or (not walk and len(self.status) == 1) else "standing"
            yield Q(**{f"{column}__in": self.status} if len(self.status) > 1 else {column: self.status[0]})
        if len(self.sandboxes) == 1:
            yield Q(**{"place" if walk else "sandbox": self.sandboxes[0].pk})
        if self.dataset:
            yield Q(dataset_id=self.dataset)
        if self.segment:
            alone = not self.parameters.keys() - {"segment", "sandbox", "status", "sort", "per_page"}
            yield _exporting(self.segment, most=most if alone else None, is_narrowed=bool(self.q), now=now)
        if self.launched_by == ME:
            yield Q(launched_by=self.user.pk)
        elif self.launched_by:
            yield Q(launched_by__username=self.launched_by)
        if self.flag:
            yield _flagged(Flag(self.flag), now)
        yield from self._times(now)

    def _times(self, now: datetime) -> Iterator[Q]:
        since = now - RANGES[self.range][1] if self.range else self.since
        if since:
            yield Q(created_at__gte=since)
        if self.until:
            yield Q(created_at__lt=self.until)
        if self.min_duration is not None:
            yield Q(took__gte=self.min_duration * 1000)
        if self.max_duration is not None:
            yield Q(took__gte=0, took__lte=self.max_duration * 1000)

    # --- words and links ----------------------------------------------------------------------------------------------

    @property
    def is_default(self) -> bool:
        """Whether nothing narrows the list (order and page size do not)."""
        return not self.parameters.keys() - {"sort", "per_page"}

    @property
    def only_place_and_state(self) -> bool:
        """Whether the tallies kept per sandbox and state can answer for it."""
        return not self.parameters.keys() - {"sort", "per_page", "sandbox", "status"}

    @cached_property
    def parameters(self) -> dict[str, str | list[str]]:
        """Names and values as they stand in a URL: no defaults, no cursor."""
        given: dict[str, Any] = {
            "status": [status.value for status in self.status],
            "sandbox": [sandbox.ref for sandbox in self.sandboxes],
            "segment": self.segment,
            "dataset": self.dataset,
            "launched_by": self.launched_by,
            "range": self.range,
            "since": _rfc3339(self.since),
            "until": _rfc3339(self.until),
            "min_duration": _number(self.min_duration),
            "max_duration": _number(self.max_duration),
            "flag": self.flag,
            "q": self.q,
            "sort": "" if self.sort == NEWEST_FIRST else self.sort,
            "per_page": "" if self.per_page == self.usual_per_page else str(self.per_page),
        }
        return {name: value for name, value in given.items() if value}

    def url(self, **changes: str | list[str] | None) -> str:
        """The query string of this list, without `?`, with some parameters replaced or, by None, dropped.

        Defaults are left out, so it may be empty; a cursor is in it only as a change (`after=` or `before=`).
        """
        defaults = {"sort": NEWEST_FIRST, "per_page": str(self.usual_per_page)}
        wanted: dict[str, Any] = dict.fromkeys(_IN_URLS) | self.parameters | changes
        stated = {name: value for name, value in wanted.items() if value and value != defaults.get(name)}
        return urlencode(stated, doseq=True, safe="/:")

    def chips(self, names: Mapping[str, str] | None = None) -> list[Chip]:
        """The active filters in words, each with the list without it; `names` knows datasets and segments by id."""
        known = names or {}
        words = {
            "Status": ("status", ", ".join(LOOK[status].word for status in self.status)),
            "Sandbox": ("sandbox", ", ".join(sandbox.ref for sandbox in self.sandboxes)),
            "Segment": ("segment", known.get(self.segment, self.segment)),
            "Dataset": ("dataset", known.get(self.dataset, self.dataset)),
            "Launched by": ("launched_by", self.launched_by),
            "Created": ("range", RANGES[self.range][0] if self.range else ""),
            "Since": ("since", _minute(self.since)),
            "Until": ("until", _minute(self.until)),
            "At least": ("min_duration", f"{_number(self.min_duration)} s"),
            "At most": ("max_duration", f"{_number(self.max_duration)} s"),
            "Condition": ("flag", FLAGS.get(self.flag, "")),
            "Search": ("q", self.q),
        }
        active = self.parameters.keys()
        return [
            Chip(label, value, self.url(**{name: None}))
            for label, (name, value) in words.items()
            if name in active
        ]


def _places(reader: Reader, user: Any, at_hand: Iterable[Sandbox]) -> tuple[Sandbox, ...]:
    """The visible sandboxes of the given refs; one that does not exist and one that may not be seen sound the same."""
    refs = reader.values("sandbox")
    known = {sandbox.ref: sandbox for sandbox in at_hand} if refs else {}
    missing = [ref.partition("/") for ref in refs if ref not in known]
    if missing:
        connections, _, names = zip(*missing, strict=True)
        visible = Sandbox.objects.visible_to(user).select_related("connection")
        found = visible.filter(name__in=names, connection__name__in=connections)
        known |= {sandbox.ref: sandbox for sandbox in found}
    strange = [ref for ref in refs if ref not in known]
    if strange:
        reader.errors["sandbox"] = f"There is no sandbox “{shown(strange[0])}” that you may see."
    return tuple(known[ref] for ref in refs if ref in known)


def _cursor(reader: Reader, name: str, sort: str) -> Cursor | None:
    text = reader.text(name)
    try:
        return Cursor.read(text, sort=sort) if text else None
    except ValueError:
        reader.errors[name] = "This place in the list cannot be read; the list starts at its first page."
        return None


def _exporting(segment: str, *, most: int | None, is_narrowed: bool, now: datetime) -> Q:
    """Jobs of a segment: a rare one's are looked up, a common one's are met on a walk through the order or the range.

    Which of the two is a matter of time only, so what was found an hour ago is good enough; where a search narrows
    the jobs to few, each of them is looked at.
    """
    found = JobIdentifier.objects.filter(value=segment, kind=IdentifierKind.SEGMENT)
    if is_narrowed:
        return Q(Exists(found.filter(job=OuterRef("pk"))))
    jobs = found.order_by("-job_id").values("job_id")
    is_common = _kept_common.get((segment, f"{now:%j%H}"), jobs[COMMON_FROM : COMMON_FROM + 1].exists)
    if not is_common:
        return Q(pk__in=jobs.order_by())
    return Q(pk__in=jobs[:most]) if most else Q(Exists(found.filter(job=OuterRef("pk"))))


def _flagged(flag: Flag, now: datetime) -> Q:
    """The same rules as rules/lateness.py, asked of the database."""
    succeeded, under_way = Q(status=JobStatus.SUCCEEDED), Q(UNDER_WAY)
    return {
        Flag.LATE: under_way & Q(created_at__lt=now - LATE_AFTER),
        Flag.STUCK: under_way & Q(updated_at__lt=now - STUCK_AFTER),
        Flag.ERRORS: succeeded & Q(WITH_ERRORS),
        Flag.ODD_VOLUME: succeeded & Q(WITHOUT_PROFILES),
    }[flag]


def _saying(rows: JobQuerySet, text: str) -> JobQuerySet:
    """Recent jobs whose first error line or whose error code holds the text."""
    recent = rows.order_by("-created_at", "-id").values("pk")[:TEXT_REACHES]
    coded = JobError.objects.filter(job=OuterRef("pk"), code__icontains=text)
    return rows.filter(Q(error_line__icontains=text) | Q(Exists(coded)), pk__in=recent, error_count__gt=0)


def _rfc3339(moment: datetime | None) -> str:
    return moment.isoformat().replace("+00:00", "Z") if moment else ""


def _minute(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else ""


def _number(value: int | None) -> str:
    return "" if value is None else str(value)
