"""The SQL of an export: which profiles, which of their fields, which of their events.

A plan is JSON, so that it can be handed to a child process and tried again after a restart; times in it are
epoch microseconds. The bounds of a qualification window belong to it, those of ingestion do not.
"""

from __future__ import annotations

from typing import TypedDict

from emulator.store import merge, schema


class Choice(TypedDict):
    """Members of one segment: the file they are in (None: nobody is), and the statuses that count."""

    id: str
    file: str | None
    statuses: list[str]


class Plan(TypedDict):
    """What to export from a store.

    view: id of the merge policy whose view it is; apart: its rows are the records of single sources; fields,
    event_fields: dot paths, [] for all, event_fields None for no events; members: segment id → file, of all
    that were evaluated; limit: at most so many rows.
    """

    store: str
    view: str
    apart: bool
    fields: list[str]
    event_fields: list[str] | None
    updated_after_us: int | None
    empty: bool
    qualified_from_us: int | None
    qualified_until_us: int | None
    events_after_us: int | None
    events_before_us: int | None
    members: dict[str, str]
    limit: int | None


def select(plan: Plan, choices: list[Choice] | None, shard: str = "*") -> str:
    """The rows of one batch; a shard of them, because a join with events is held in memory."""
    chosen = _rows(plan, choices, shard)
    parts = [
        'ms."segmentMembership"'
        if column == "segmentMembership"
        else f'{schema.expression(column, plan["fields"], row="p")} AS "{column}"'
        for column in schema.columns(plan["fields"])
    ]
    joins = ""
    if "segmentMembership" in schema.columns(plan["fields"]):
        joins += f" LEFT JOIN ({_memberships(plan)}) ms ON ms.profile = p.profile"
    if plan["event_fields"] is not None:
        apart = " AND suffix(p.\"_id\", '-web')" if plan["apart"] else ""
        joins += f" LEFT JOIN ({_events(plan, chosen, shard)}) ev ON ev.profile = p.profile{apart}"
        parts.append('coalesce(ev."eventList", []) AS "eventList"')
    return f"SELECT {', '.join(parts)} FROM ({chosen}) p{joins}"  # noqa: S608


def count(plan: Plan, choices: list[Choice] | None) -> str:
    """How many of the same rows have an identity in each namespace, in the order of `merge.NAMESPACES`."""
    counted = ", ".join(
        f"count(*) FILTER (WHERE (mask & {merge.BITS[code]}) > 0)" for code, _ in merge.NAMESPACES
    )
    return f"SELECT {counted} FROM ({_rows(plan, choices, '*')}) p"  # noqa: S608


def by_namespace(counted: tuple[int, ...]) -> dict[str, int]:
    """What `count` gave, as the metrics of a job name it; namespaces that nobody has are left out."""
    codes = [code for code, _ in merge.NAMESPACES]
    return {code: number for code, number in zip(codes, counted, strict=True) if number}


def _rows(plan: Plan, choices: list[Choice] | None, shard: str) -> str:
    conditions = ["true"]
    if not plan["empty"]:
        conditions.append("p.has_record")
    if plan["updated_after_us"] is not None:
        conditions.append(f"p.updated > make_timestamp({plan['updated_after_us']})")
    if choices is not None:
        conditions.append(f"p.profile IN ({_chosen(plan, choices)})")
    limit = "" if plan["limit"] is None else f' ORDER BY p.profile, p."_id" LIMIT {plan["limit"]}'
    view = f"read_parquet('{plan['store']}/profiles-{plan['view']}-{shard}.parquet')"
    return f"SELECT p.* FROM {view} p WHERE {' AND '.join(conditions)}{limit}"  # noqa: S608


def _chosen(plan: Plan, choices: list[Choice]) -> str:
    window = _between("qualified", plan["qualified_from_us"], plan["qualified_until_us"], closed=True)
    selects = []
    for choice in choices:
        if choice["file"] and choice["statuses"]:
            statuses = ", ".join(f"'{status}'" for status in choice["statuses"])
            members = _members(plan, choice["file"])
            selects.append(f"SELECT profile FROM {members} WHERE status IN ({statuses}){window}")  # noqa: S608
    return " UNION ALL ".join(selects) or "SELECT 0::BIGINT WHERE false"


def _memberships(plan: Plan) -> str:
    """profile → {"ups": {segment id: {status, lastQualificationTime}}}, as XDM has it."""
    selects = [
        f"SELECT profile, '{segment_id}' AS segment, status, qualified FROM {_members(plan, file)}"  # noqa: S608
        for segment_id, file in sorted(plan["members"].items())
    ] or [
        "SELECT 0::BIGINT AS profile, '' AS segment, '' AS status, make_timestamp(0) AS qualified WHERE false"
    ]
    return (
        "SELECT profile, map {'ups': map(list(segment ORDER BY segment), "  # noqa: S608
        "list({'status': status, 'lastQualificationTime': qualified} ORDER BY segment))} "
        f'AS "segmentMembership" FROM ({" UNION ALL ".join(selects)}) GROUP BY profile'
    )


def _events(plan: Plan, chosen: str, shard: str) -> str:
    fields = plan["event_fields"] or []
    kept = '"eventList"'
    window = _between(
        'x."receivedTimestamp"', plan["events_after_us"], plan["events_before_us"], closed=False
    )
    if window:
        kept = f"list_filter({kept}, lambda x: true{window})"
    if fields:
        packed = ", ".join(
            f'"{column}" := {schema.expression(column, fields, row="e", events=True)}'
            for column in schema.columns(fields, events=True)
        )
        kept = f"list_transform({kept}, lambda e: struct_pack({packed}))"
    timelines = f"read_parquet('{plan['store']}/events-{shard}.parquet')"
    return f'SELECT profile, {kept} AS "eventList" FROM {timelines} WHERE profile IN (SELECT profile FROM ({chosen}))'  # noqa: S608


def _members(plan: Plan, file: str) -> str:
    return f"read_parquet('{plan['store']}/members/{file}')"


def _between(column: str, after_us: int | None, before_us: int | None, *, closed: bool) -> str:
    same = "=" if closed else ""
    conditions = ""
    if after_us is not None:
        conditions += f" AND {column} >{same} make_timestamp({after_us})"
    if before_us is not None:
        conditions += f" AND {column} <{same} make_timestamp({before_us})"
    return conditions
