"""Segments: what defines them, and their evaluation into members with a status and a time.

A rule is SQL over one row `p` of the merged view and over the events `e` ingested so far; `{now}` stands for
the moment of the evaluation. Its twin in the words of the platform is what `expression` shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emulator.store import merge

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True, slots=True)
class Definition:
    """evaluation: batch, streaming or edge; an edge segment is not evaluated in batch by itself."""

    name: str
    description: str
    evaluation: str
    pql: str
    rule: str


def _did(condition: str) -> str:
    return f"EXISTS (SELECT 1 FROM e WHERE e.profile = p.profile AND {condition})"  # noqa: S608


def _since(days: int) -> str:
    return f'e."timestamp" > {{now}} - INTERVAL {days} DAY'


BOUGHT = "e.\"eventType\" = 'commerce.purchases'"
ADDED = "e.\"eventType\" = 'commerce.productListAdds'"

DEFINITIONS = (
    Definition(
        "Newsletter subscribers",
        "Opted in to the weekly newsletter",
        "batch",
        'consents.marketing.email.val = "y"',
        "p.consents.marketing.email.val = 'y'",
    ),
    Definition(
        "Loyalty Gold and Platinum",
        "Two highest tiers",
        "batch",
        'loyalty.tier in ["gold", "platinum"]',
        "p.loyalty.tier IN ('gold', 'platinum')",
    ),
    Definition(
        "Cart abandoners, 7 days",
        "Filled a cart and did not order",
        "streaming",
        'chain(xEvent, timestamp, [A: WHAT(eventType = "commerce.productListAdds") WHEN(<= 7 days before now)]) '
        'and not chain(xEvent, timestamp, [B: WHAT(eventType = "commerce.purchases") WHEN(<= 7 days before now)])',
        f"{_did(f'{ADDED} AND {_since(7)}')} AND NOT {_did(f'{BOUGHT} AND {_since(7)}')}",
    ),
    Definition(
        "High lifetime value",
        "Worth more than 150",
        "batch",
        "_emulated.lifetimeValue > 150.0",
        'p."_emulated"."lifetimeValue" > 150',
    ),
    Definition(
        "Likely to churn",
        "Churn score above 0.8",
        "batch",
        "_emulated.churnScore > 0.8",
        'p."_emulated"."churnScore" > 0.8',
    ),
    Definition(
        "Win-back, 180 days",
        "Ordered once, but not for half a year",
        "batch",
        'chain(xEvent, timestamp, [A: WHAT(eventType = "commerce.purchases") WHEN(> 180 days before now)]) '
        'and not chain(xEvent, timestamp, [B: WHAT(eventType = "commerce.purchases") WHEN(<= 180 days before now)])',
        f"{_did(BOUGHT)} AND NOT {_did(f'{BOUGHT} AND {_since(180)}')}",
    ),
    Definition(
        "New customers, 30 days",
        "First order this month",
        "streaming",
        'chain(xEvent, timestamp, [A: WHAT(eventType = "commerce.purchases") WHEN(<= 30 days before now)]) '
        'and not chain(xEvent, timestamp, [B: WHAT(eventType = "commerce.purchases") WHEN(> 30 days before now)])',
        f"{_did(f'{BOUGHT} AND {_since(30)}')} AND NOT {_did(f'{BOUGHT} AND NOT {_since(30)}')}",
    ),
    Definition(
        "Visited store finder",
        "Looked for a shop near them, 30 days",
        "streaming",
        'chain(xEvent, timestamp, [A: WHAT(web.webPageDetails.name = "store-finder") WHEN(<= 30 days before now)])',
        _did(f"e.web.\"webPageDetails\".name = 'store-finder' AND {_since(30)}"),
    ),
    Definition(
        "App users without push",
        "App used, push refused",
        "batch",
        'consents.marketing.push.val = "n" and '
        'chain(xEvent, timestamp, [A: WHAT(eventType = "application.launch")])',
        "p.consents.marketing.push.val = 'n' AND " + _did("e.\"eventType\" = 'application.launch'"),
    ),
    Definition(
        "Birthday next week",
        "For the birthday voucher",
        "batch",
        "person.birthDate.nextAnniversary() occurs <= 7 days after today",
        "list_contains(list_transform(range(1, 8), "
        "lambda d: strftime({now} + to_days(d::INT), '%m-%d')), strftime(p.person.\"birthDate\", '%m-%d'))",
    ),
    Definition(
        "Product page, last session",
        "For on-site personalisation",
        "edge",
        'chain(xEvent, timestamp, [A: WHAT(eventType = "commerce.productViews") WHEN(<= 1 days before now)])',
        _did("e.\"eventType\" = 'commerce.productViews' AND " + _since(1)),
    ),
    Definition(
        "Employees and test accounts",
        "Suppress from every campaign",
        "batch",
        "_emulated.isInternal = true",
        'p."_emulated"."isInternal"',
    ),
)

# Who is in now (q) against who was in before (m): newcomers are realized, those who stay existing, those who
# leave exited. The time is that of the last step in or out.
STEP = """
SELECT coalesce(q.profile, m.profile) AS profile,
    CASE WHEN q.profile IS NULL THEN 'exited' WHEN m.status IN ('realized', 'existing') THEN 'existing'
        ELSE 'realized' END AS status,
    CASE WHEN q.profile IS NULL AND m.status = 'exited' THEN m.qualified
        WHEN q.profile IS NOT NULL AND m.status IN ('realized', 'existing') THEN m.qualified
        ELSE make_timestamp({us} - (hash(coalesce(q.profile, m.profile)) % {took_us})::BIGINT) END AS qualified
FROM ({inside}) q FULL JOIN ({members}) m USING (profile) ORDER BY 1
"""
NOBODY = "SELECT 0::BIGINT AS profile, '' AS status, make_timestamp(0) AS qualified WHERE false"


def evaluate(
    db: DuckDBPyConnection,
    folder: Path,
    *,
    shards: list[str],
    rules: list[dict[str, Any]],
    policies: Mapping[str, dict[str, Any]],
    before: Mapping[str, str],
    at_ms: int,
    took_ms: int,
    run: str,
) -> dict[str, dict[str, Any]]:
    """Judge all profiles by each rule as of `at_ms`; segment id → {file, members, by_status}.

    rules: [{id, policy, rule}]; before: segment id → file of its members so far. New files are named
    `<segment id>-<run>.parquet`. Each profile is judged some time in the `took_ms` before `at_ms`.
    """
    db.execute("CREATE OR REPLACE TEMP TABLE q (segment VARCHAR, profile BIGINT)")
    for shard in shards:
        _judge(db, folder, shard, rules, policies, at_ms)
    return {
        rule["id"]: _step(db, folder / "members", rule["id"], before, 1000 * at_ms, 1000 * took_ms, run)
        for rule in rules
    }


def _judge(
    db: DuckDBPyConnection,
    folder: Path,
    shard: str,
    rules: list[dict[str, Any]],
    policies: Mapping[str, dict[str, Any]],
    at_ms: int,
) -> None:
    """Note who is in which segment: the merged view is built once for all rules of a policy."""
    now = f"make_timestamp({at_ms * 1000})"
    needed = "'timestamp': x.\"timestamp\", 'eventType': x.\"eventType\", 'web': x.web"
    db.execute(
        f'CREATE OR REPLACE TEMP TABLE e AS SELECT profile, unnest(list_transform(list_filter("eventList", '  # noqa: S608
        f'lambda x: x."receivedTimestamp" <= {now}), lambda x: {{{needed}}}), max_depth := 2) '
        f"FROM read_parquet('{folder}/events-{shard}.parquet')"
    )
    for policy_id in dict.fromkeys(rule["policy"] for rule in rules):
        merged = merge.view(folder, policies[policy_id], shard, until_ms=at_ms)
        db.execute(f"CREATE OR REPLACE TEMP TABLE p AS {merged}")
        for rule in rules:
            if rule["policy"] == policy_id:
                condition = rule["rule"].replace("{now}", now)
                inside = f"SELECT DISTINCT '{rule['id']}', p.profile FROM p WHERE {condition}"  # noqa: S608
                db.execute(f"INSERT INTO q {inside}")
    db.execute("DROP TABLE IF EXISTS p; DROP TABLE e")


def _step(
    db: DuckDBPyConnection,
    folder: Path,
    segment_id: str,
    before: Mapping[str, str],
    us: int,
    took_us: int,
    run: str,
) -> dict[str, Any]:
    file = before.get(segment_id)
    step = STEP.format(
        us=us,
        took_us=max(1, took_us),
        inside=f"SELECT profile FROM q WHERE segment = '{segment_id}'",  # noqa: S608
        members=f"SELECT * FROM read_parquet('{folder / file}')" if file else NOBODY,  # noqa: S608
    )
    name = f"{segment_id}-{run}.parquet"
    merge.write(db, step, folder / f".{name}")
    (folder / f".{name}").rename(folder / name)
    counted = db.execute("SELECT status, count(*) FROM read_parquet(?) GROUP BY 1", [str(folder / name)])
    by_status = {"realized": 0, "existing": 0, "exited": 0} | dict(counted.fetchall())
    return {"file": name, "members": by_status["realized"] + by_status["existing"], "by_status": by_status}
