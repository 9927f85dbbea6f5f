"""Make the store of one sandbox from a seed: who people are, what each source knows of them, what they did.

Everything follows from the seed, the number of profiles and the anchor (midnight before the first start), as
SQL over `range`: rows never pass through Python, and threads change nothing. A store is made of shards, so
that memory does not grow with it. Files of a finished store:

graph-<shard>.parquet      one row a profile: its identities by namespace, whether it has records and events
fragments-<shard>.parquet  one row for what a source knows of a profile, with its times of change and ingestion
events-<shard>.parquet     what a profile did, as a list in the order of time: ten events on average
profiles-<policy>-<shard>.parquet  the merged view, see merge.py
members/<segment>-<run>.parquet    the members of a segment, see segments.py
store.json                 the manifest, written last
"""

from __future__ import annotations

import json
import os
import shutil
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emulator.store import merge, segments

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MANIFEST = "store.json"
DAY_MS = 86_400_000
SHARD = 50_000  # profiles
RUNS_DAYS_AGO = (60, 20, 0)  # when the segments were evaluated before the first start
EVENTS = (0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 17, 21, 28, 42)  # of 20 profiles: 200

Told = Callable[[float, str], None]

MACROS = """
CREATE OR REPLACE TEMP MACRO draw(i, salt) AS hash(i, salt, {seed});
CREATE OR REPLACE TEMP MACRO share(i, salt) AS (draw(i, salt) % 1000003) / 1000003.0;
CREATE OR REPLACE TEMP MACRO one_of(i, salt, choices) AS choices[1 + (draw(i, salt) % len(choices))::INT];
CREATE OR REPLACE TEMP MACRO digits(i, salt) AS left(lpad(draw(i, salt)::VARCHAR, 20, '0'), 19);
CREATE OR REPLACE TEMP MACRO event_count(i) AS {events}[1 + (i % 20)::INT];
CREATE OR REPLACE TEMP MACRO recorded(i) AS event_count(i) = 0 OR share(i, 'record') >= 0.06;
CREATE OR REPLACE TEMP MACRO in_crm(i) AS recorded(i) AND share(i, 'crm') < 0.7;
CREATE OR REPLACE TEMP MACRO in_consent(i) AS recorded(i) AND share(i, 'consent') < 0.65;
CREATE OR REPLACE TEMP MACRO in_orders(i) AS recorded(i) AND share(i, 'orders') < 0.4;
CREATE OR REPLACE TEMP MACRO in_web(i) AS
    recorded(i) AND (share(i, 'web') < 0.5 OR NOT (in_crm(i) OR in_consent(i) OR in_orders(i)));
CREATE OR REPLACE TEMP MACRO is_known(i) AS in_crm(i) OR in_consent(i) OR in_orders(i);
CREATE OR REPLACE TEMP MACRO first_name(i) AS one_of(i, 'first', ['Ada', 'Ben', 'Carla', 'David', 'Elif', 'Femke',
    'Georg', 'Hanna', 'Ivan', 'Jonas', 'Katja', 'Luis', 'Mona', 'Nils', 'Olga', 'Paul', 'Rosa', 'Sven', 'Tara', 'Uwe']);
CREATE OR REPLACE TEMP MACRO last_name(i) AS one_of(i, 'last', ['Acker', 'Bauer', 'Costa', 'Diaz', 'Ebner', 'Fischer',
    'Gruber', 'Huber', 'Ivers', 'Jung', 'Kaya', 'Lang', 'Meyer', 'Novak', 'Okoye', 'Petit', 'Rossi', 'Silva', 'Wolf']);
CREATE OR REPLACE TEMP MACRO mail(i, n) AS
    lower(first_name(i)) || '.' || lower(last_name(i)) || i || ['@example.com', '@mail.example.net'][n];
CREATE OR REPLACE TEMP MACRO city(i, salt) AS one_of(i, salt, ['Berlin', 'Hamburg', 'Wien', 'Graz', 'Basel', 'Bern',
    'Lyon', 'Milano', 'Utrecht', 'Porto', 'Leeds', 'Aarhus']);
CREATE OR REPLACE TEMP MACRO moment(us) AS make_timestamp(least(us, {anchor_us})::BIGINT);
CREATE OR REPLACE TEMP MACRO changed_us(i, source, rank) AS
    {anchor_us} - 1000000 - (share(i, source || ' changed') * 100 * 86400000000)::BIGINT // 10 * 10 - rank;
CREATE OR REPLACE TEMP MACRO kind(i, n) AS share(i * 100 + n, 'kind');
CREATE OR REPLACE TEMP MACRO late(i, n) AS share(i * 100 + n, 'late');
CREATE OR REPLACE TEMP MACRO bought(i, n) AS kind(i, n) >= 0.90 AND kind(i, n) < 0.96;
CREATE OR REPLACE TEMP MACRO age(i, n) AS 1 - (n + share(i * 100 + n, 'age')) / event_count(i);
CREATE OR REPLACE TEMP MACRO event_us(i, n) AS
    {anchor_us} - 1000000 - (age(i, n) * age(i, n) * 400 * 86400000000)::BIGINT;
CREATE OR REPLACE TEMP MACRO device(i) AS one_of(i, 'device', ['desktop', 'mobile', 'mobile', 'tablet']);
CREATE OR REPLACE TEMP MACRO sku(i, n) AS
    one_of(i * 100 + n, 'sku', ['A-100', 'A-200', 'B-110', 'B-310', 'C-005', 'D-777']);
CREATE OR REPLACE TEMP MACRO page(i, n) AS
    one_of(i * 100 + n, 'page', ['home', 'store-finder', 'help', 'offers', 'account', 'news']);
CREATE OR REPLACE TEMP MACRO consent(i, salt, yes) AS CASE WHEN share(i, salt) < yes THEN 'y' ELSE 'n' END;
CREATE OR REPLACE TEMP MACRO tier(i, salt) AS
    one_of(i, salt, ['basic', 'basic', 'basic', 'silver', 'silver', 'gold', 'gold', 'platinum']);
"""

GRAPH = """
SELECT i AS profile, substr(md5(i || '/{seed}'), 1, 24) AS key,
    CASE WHEN in_web(i) OR event_count(i) > 0 THEN
        [digits(i, 'e1') || digits(i, 'e2')]
        || CASE WHEN share(i, 'second device') < 0.3 THEN [digits(i, 'e3') || digits(i, 'e4')] ELSE [] END
    ELSE []::VARCHAR[] END AS ecids,
    CASE WHEN is_known(i) THEN
        [mail(i, 1)] || CASE WHEN share(i, 'second mail') < 0.25 THEN [mail(i, 2)] ELSE [] END
    ELSE []::VARCHAR[] END AS emails,
    CASE WHEN in_crm(i) THEN ['C' || lpad(i::VARCHAR, 9, '0')] ELSE []::VARCHAR[] END AS crmids,
    CASE WHEN in_crm(i) AND share(i, 'phone') < 0.4
        THEN ['+49' || left(digits(i, 'phone'), 10)] ELSE []::VARCHAR[] END AS phones,
    recorded(i) AS has_record, event_count(i) > 0 AS has_events
FROM range({first}, {end}) t(i)
"""

# what each source knows: dataset, condition, columns; the order is that of the policy that goes by it
SOURCES: tuple[tuple[str, str, dict[str, str]], ...] = (
    (
        "CRM customers",
        "in_crm(i)",
        {
            "first_name": "first_name(i)",
            "last_name": "last_name(i)",
            "birth_date": "DATE '1940-01-01' + (share(i, 'birth') * 24000)::INT",
            "gender": "one_of(i, 'gender', ['female', 'male', 'non_specific'])",
            "street": "(1 + draw(i, 'house') % 180)::VARCHAR || ' Long Road'",
            "city": "city(i, 'city')",
            "postal_code": "lpad((draw(i, 'postal') % 99999)::VARCHAR, 5, '0')",
            "country": "one_of(i, 'country', ['DE', 'DE', 'DE', 'AT', 'CH', 'FR', 'IT', 'NL'])",
            "email": "mail(i, 1)",
            "phone": "CASE WHEN share(i, 'phone') < 0.4 THEN '+49' || left(digits(i, 'phone'), 10) END",
            "tier": "tier(i, 'crm tier')",
            "consent_email": "consent(i, 'crm mail', 0.35)",
            "churn": "round(share(i, 'churn') ** 2, 4)",
            "internal": "share(i, 'internal') < 0.004",
        },
    ),
    (
        "Consent and preferences",
        "in_consent(i)",
        {
            "email": "mail(i, 1 + (share(i, 'second mail') < 0.25)::INT)",
            "consent_email": "consent(i, 'own mail', 0.5)",
            "consent_push": "consent(i, 'own push', 0.4)",
            "consent_any": "consent(i, 'own any', 0.8)",
        },
    ),
    (
        "Orders",
        "in_orders(i)",
        {
            "last_name": "last_name(i)",
            "street": "(1 + draw(i, 'new house') % 180)::VARCHAR || ' Market Square'",
            "city": "CASE WHEN share(i, 'moved') < 0.3 THEN city(i, 'new city') ELSE city(i, 'city') END",
            "email": "mail(i, 1)",
            "tier": "tier(i, 'new tier')",
            "points": "(draw(i, 'points') % 20000)::INT",
            "joined": "DATE '2019-01-01' + (share(i, 'joined') * 2000)::INT",
            "lifetime_value": "round(12 / (0.0035 + share(i, 'value')), 2)",
        },
    ),
    (
        "Web events",
        "in_web(i)",
        {
            "first_name": "CASE WHEN share(i, 'form') < 0.4 THEN left(first_name(i), 3) END",
            "city": "CASE WHEN share(i, 'geo') < 0.5 THEN city(i, 'geo city') END",
            "country": "one_of(i, 'geo country', ['DE', 'DE', 'AT', 'US'])",
            "consent_push": "CASE WHEN share(i, 'asked') < 0.6 THEN consent(i, 'web push', 0.3) END",
            "consent_email": "CASE WHEN share(i, 'form') < 0.4 THEN consent(i, 'web mail', 0.7) END",
        },
    ),
)

# One event `n` of profile `i`; they come in the order of their time. Kinds below 0.55 are page views.
EVENT = """
{{'_id': md5((i * 100 + n) || '/{seed}'),
    'timestamp': moment(event_us(i, n)),
    'receivedTimestamp': moment(event_us(i, n) + CASE
        WHEN late(i, n) < 0.9 THEN 1000000 + (late(i, n) * 60000000)::BIGINT
        ELSE ((late(i, n) - 0.9) * 30 * 86400000000)::BIGINT END),
    'eventType': CASE WHEN kind(i, n) < 0.55 THEN 'web.webpagedetails.pageViews'
        WHEN kind(i, n) < 0.80 THEN 'commerce.productViews' WHEN kind(i, n) < 0.90 THEN 'commerce.productListAdds'
        WHEN kind(i, n) < 0.96 THEN 'commerce.purchases' ELSE 'application.launch' END,
    'web': {{'webPageDetails': {{
        'name': CASE WHEN kind(i, n) < 0.55 THEN page(i, n) WHEN kind(i, n) < 0.96 THEN 'product' END,
        'URL': CASE WHEN kind(i, n) < 0.55 THEN 'https://shop.example.com/' || page(i, n)
            WHEN kind(i, n) < 0.96 THEN 'https://shop.example.com/product/' || sku(i, n) END}}}},
    'environment': {{'browserDetails': {{
        'name': one_of(i, 'browser', ['Chrome', 'Safari', 'Firefox', 'Edge']),
        'version': (100 + draw(i, 'version') % 40)::VARCHAR,
        'userAgent': 'Mozilla/5.0 (' || device(i) || ')',
        'acceptLanguage': one_of(i, 'language', ['de', 'de', 'en', 'fr'])}}}},
    'device': {{'type': device(i)}},
    'commerce': {{
        'productListAdds': {{'value': CASE WHEN kind(i, n) >= 0.80 AND kind(i, n) < 0.90 THEN 1.0::DOUBLE END}},
        'purchases': {{'value': CASE WHEN bought(i, n) THEN 1.0::DOUBLE END}},
        'order': {{'purchaseID': CASE WHEN bought(i, n) THEN 'P' || (i * 100 + n) END,
            'priceTotal': CASE WHEN bought(i, n)
                THEN round(5 + share(i * 100 + n, 'price') * 295, 2)::DOUBLE END,
            'currencyCode': CASE WHEN bought(i, n) THEN 'EUR' END}}}},
    'productListItems': CASE WHEN kind(i, n) >= 0.55 AND kind(i, n) < 0.96 THEN
        [{{'SKU': sku(i, n), 'name': 'Article ' || sku(i, n), 'quantity': (1 + draw(i * 100 + n, 'many') % 3)::INT}}]
        ELSE [] END,
    '_experience': {{'analytics': {{'session': {{'num': (1 + n // 3)::INT}}, 'customDimensions':
        {{'eVars': {{'eVar1': one_of(i * 100 + n, 'campaign', ['mail', 'search', 'social', 'direct'])}}}}}}}}}}
"""
TIMELINES = (
    "SELECT i AS profile, list_transform(range(event_count(i)), lambda n: " + EVENT + ') AS "eventList" '
    "FROM range({first}, {end}) t(i) WHERE event_count(i) > 0"
)


def generate(
    db: DuckDBPyConnection,
    folder: Path,
    *,
    seed: str,
    profiles: int,
    anchor_ms: int,
    policies: list[dict[str, Any]],
    segment_rules: list[dict[str, Any]],
    told: Told = lambda share, what: None,
) -> dict[str, Any]:
    """Write the store beside its place and move it there when it is whole; its manifest.

    policies: `merge.Policy` as JSON, the default one first; segment_rules: [{id, policy, rule}] of those that
    are evaluated in batch. OSError or a database error leaves nothing behind but the temporary folder.
    """
    making = folder.parent / f".tmp-{folder.name}"
    shutil.rmtree(making, ignore_errors=True)
    (making / "members").mkdir(parents=True)
    facts = {"seed": zlib.crc32(seed.encode()), "anchor_us": anchor_ms * 1000}
    db.execute(MACROS.format(**facts, events=list(EVENTS)))
    for shard, first in enumerate(range(0, max(1, profiles), SHARD)):
        told(0.8 * first / max(1, profiles), "profiles and events")
        _shard(
            db,
            making,
            f"{shard:03d}",
            facts | {"first": first, "end": min(profiles, first + SHARD)},
            policies,
        )
    runs = _history(db, making, policies, segment_rules, anchor_ms, told)
    names = [policy["id"] for policy in policies]
    manifest = {"seed": seed, "profiles": profiles, "anchor_ms": anchor_ms, "policies": names, "runs": runs}
    (making / MANIFEST).write_text(json.dumps(manifest))
    shutil.rmtree(folder, ignore_errors=True)
    os.replace(making, folder)
    told(1.0, "done")
    return manifest


def _shard(
    db: DuckDBPyConnection,
    folder: Path,
    shard: str,
    facts: Mapping[str, int],
    policies: list[dict[str, Any]],
) -> None:
    merge.write(db, GRAPH.format(**facts), folder / f"graph-{shard}.parquet")
    merge.write(db, _fragments(facts), folder / f"fragments-{shard}.parquet")
    merge.write(db, TIMELINES.format(**facts), folder / f"events-{shard}.parquet")
    for policy in policies:
        merge.write(
            db, merge.view(folder, policy, shard), folder / f"profiles-{policy['id']}-{shard}.parquet"
        )


def shards(folder: Path) -> list[str]:
    """Their names in order."""
    return sorted(path.stem.removeprefix("graph-") for path in folder.glob("graph-*.parquet"))


def _history(
    db: DuckDBPyConnection,
    folder: Path,
    policies: list[dict[str, Any]],
    segment_rules: list[dict[str, Any]],
    anchor_ms: int,
    told: Told,
) -> list[dict[str, Any]]:
    """Evaluate as it was done in the past, each time on what had been ingested by then."""
    runs: list[dict[str, Any]] = []
    by_id = {policy["id"]: policy for policy in policies}
    before: Mapping[str, str] = {}
    for number, days in enumerate(RUNS_DAYS_AGO):
        told(0.8 + 0.06 * number, f"segments as of {days} days ago")
        at_ms = anchor_ms - days * DAY_MS
        found = segments.evaluate(
            db,
            folder,
            shards=shards(folder),
            rules=segment_rules,
            policies=by_id,
            before=before,
            at_ms=at_ms,
            took_ms=600_000,
            run=str(number),
        )
        for name in before.values():
            (folder / "members" / name).unlink()
        before = {segment_id: result["file"] for segment_id, result in found.items()}
        runs.append({"at_ms": at_ms, "took_ms": 600_000, "segments": found})
    return runs


def _fragments(facts: Mapping[str, int]) -> str:
    """All sources below each other; what a source does not know is NULL."""
    selects = []
    for rank, (source, condition, known) in enumerate(SOURCES):
        values = ", ".join(
            f"({known.get(name, 'NULL')})::{kind} AS {name}" for name, kind in merge.COLUMNS.items()
        )
        selects.append(
            f"SELECT i AS profile, '{source}' AS source, "  # noqa: S608
            f"moment(changed_us(i, '{source}', {rank})) AS modified, "
            f"moment(changed_us(i, '{source}', {rank}) + (share(i, '{source} way') * 21600000000)::BIGINT) "
            f"AS ingested, {values} FROM range({facts['first']}, {facts['end']}) t(i) WHERE {condition}"
        )
    return " UNION ALL ".join(selects)
