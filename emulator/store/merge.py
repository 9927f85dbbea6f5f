"""Merge what the sources know of each profile into one view, by the rules of a merge policy.

An attribute is taken from the fragment that ranks highest among those that know it: the one changed last
(timestampOrdered), or the first in the policy's order of datasets (dataSetPrecedence; those not named come
last, newest first). With the identity graph `pdg` all fragments of a person are one profile; with `none`
each source's record stays a profile of its own, under the one identity that source uses.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

NAMESPACES = (("CRMID", "crmids"), ("ECID", "ecids"), ("Email", "emails"), ("Phone", "phones"))
BITS = {code: 1 << place for place, (code, _) in enumerate(NAMESPACES)}
USED_BY = {"CRM customers": "crmids", "Consent and preferences": "emails", "Orders": "emails"}

ATTRIBUTES = """
    {{'name': {{'firstName': a.first_name, 'lastName': a.last_name,
        'fullName': CASE WHEN a.first_name IS NOT NULL AND a.last_name IS NOT NULL
            THEN a.first_name || ' ' || a.last_name END}},
        'birthDate': a.birth_date, 'gender': a.gender}} AS person,
    {{'street1': a.street, 'city': a.city, 'postalCode': a.postal_code, 'countryCode': a.country}} AS "homeAddress",
    {{'address': a.email}} AS "personalEmail",
    {{'number': a.phone}} AS "mobilePhone",
    {{'tier': a.tier, 'points': a.points, 'joinDate': a.joined}} AS loyalty,
    {{'marketing': {{'email': {{'val': a.consent_email}}, 'push': {{'val': a.consent_push}},
        'any': {{'val': a.consent_any}}}}}} AS consents,
    {{'lifetimeValue': a.lifetime_value, 'churnScore': a.churn, 'isInternal': a.internal}} AS "_emulated",
    {{'lastUpdatedDate': a.updated}} AS "extSourceSystemAudit"
"""
# what a source may know of a profile
COLUMNS: dict[str, str] = {
    "first_name": "VARCHAR",
    "last_name": "VARCHAR",
    "birth_date": "DATE",
    "gender": "VARCHAR",
    "street": "VARCHAR",
    "city": "VARCHAR",
    "postal_code": "VARCHAR",
    "country": "VARCHAR",
    "email": "VARCHAR",
    "phone": "VARCHAR",
    "tier": "VARCHAR",
    "points": "INTEGER",
    "joined": "DATE",
    "consent_email": "VARCHAR",
    "consent_push": "VARCHAR",
    "consent_any": "VARCHAR",
    "lifetime_value": "DOUBLE",
    "churn": "DOUBLE",
    "internal": "BOOLEAN",
}


def view(folder: Path, policy: dict[str, Any], shard: str, *, until_ms: int | None = None) -> str:
    """SQL of the merged view of a shard, of what had been ingested by `until_ms` if that is given.

    policy: {id, graph: "pdg"|"none", merge: "timestampOrdered"|"dataSetPrecedence", order: [dataset names]}.
    Columns: profile (number of the person), mask (bits of the namespaces), has_record, updated (when the
    newest fragment was ingested), then those of the union schema but segmentMembership.
    """
    graph = f"read_parquet('{folder}/graph-{shard}.parquet')"
    fragments = f"read_parquet('{folder}/fragments-{shard}.parquet')"
    seen = "" if until_ms is None else f"WHERE ingested <= make_timestamp({until_ms * 1000})"
    best = ", ".join(f"arg_max({name}, {_score(policy)}) AS {name}" for name in COLUMNS)
    keys = "profile, source" if policy["graph"] == "none" else "profile"
    merged = f"SELECT {keys}, {best}, max(ingested) AS updated FROM {fragments} {seen} GROUP BY {keys}"  # noqa: S608
    together = f"SELECT *, '' AS source FROM {graph}"  # noqa: S608
    people = _apart(graph, fragments, seen) if policy["graph"] == "none" else together
    on = "g.profile = a.profile" + (" AND g.source = a.source" if policy["graph"] == "none" else "")
    return (
        f'SELECT g.profile, {_mask()} AS mask, a.updated IS NOT NULL AS has_record, a.updated, g.key AS "_id", '  # noqa: S608
        f'{_identity_map()} AS "identityMap", {_identities()} AS identities, {ATTRIBUTES.format()} '
        f"FROM ({people}) g LEFT JOIN ({merged}) a ON {on}"
    )


def write(db: DuckDBPyConnection, query: str, path: Path) -> None:
    db.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet, COMPRESSION snappy)")


def _score(policy: dict[str, Any]) -> str:
    """A number that ranks fragments: their time in microseconds, below the place of their dataset."""
    if policy["merge"] != "dataSetPrecedence":
        return "epoch_us(modified)"
    cases = " ".join(f"WHEN '{name}' THEN {100 - place}" for place, name in enumerate(policy["order"]))
    return f"(CASE source {cases} ELSE 0 END)::BIGINT * 10000000000000000 + epoch_us(modified)"


def _apart(graph: str, fragments: str, seen: str) -> str:
    """Each person as the sources see them: one row a record, and one for the browser that events come from."""
    cases = {
        column: " ".join(
            f"WHEN '{source}' THEN {column}[1:1]" for source, used in USED_BY.items() if used == column
        )
        for column in ("crmids", "emails")
    }
    lists = ", ".join(f"CASE f.source {case} ELSE [] END AS {name}" for name, case in cases.items())
    return (
        f"SELECT profile, key || '-web' AS key, ecids, []::VARCHAR[] AS emails, []::VARCHAR[] AS crmids, "  # noqa: S608
        f"[]::VARCHAR[] AS phones, 'Web events' AS source FROM {graph} WHERE len(ecids) > 0 UNION ALL BY NAME "
        f"SELECT profile, key || '-' || lower(left(f.source, 3)) AS key, []::VARCHAR[] AS ecids, {lists}, "
        f"[]::VARCHAR[] AS phones, f.source FROM {graph} "
        f"JOIN (SELECT profile, source FROM {fragments} {seen}) f USING (profile) WHERE f.source <> 'Web events'"
    )


def _mask() -> str:
    bits = [f"CASE WHEN len(g.{column}) > 0 THEN {BITS[code]} ELSE 0 END" for code, column in NAMESPACES]
    return f"({' + '.join(bits)})::UTINYINT"


def _primary(place: int) -> str:
    """The first identity of the first namespace that has one is the primary one."""
    earlier = [f"len(g.{column}) = 0" for _, column in NAMESPACES[:place]]
    return " AND ".join(["n = 1", *earlier])


def _identity_map() -> str:
    entries = ", ".join(
        f"{{'key': '{code}', 'value': list_transform(g.{column}, "
        f"lambda x, n: {{'id': x, 'primary': {_primary(place)}}})}}"
        for place, (code, column) in enumerate(NAMESPACES)
    )
    return f"map_from_entries(list_filter([{entries}], lambda entry: len(entry.value) > 0))"


def _identities() -> str:
    lists = [
        f"list_transform(g.{column}, lambda x, n: "
        f"{{'id': x, 'namespace': {{'code': '{code}'}}, 'primary': {_primary(place)}}})"
        for place, (code, column) in enumerate(NAMESPACES)
    ]
    return " || ".join(lists)
