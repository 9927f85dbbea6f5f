"""What an export must hold, reckoned in plain Python from the raw files of the store, without the exporter."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

EPOCH = datetime(1970, 1, 1)
NAMESPACES = {"CRMID": "crmids", "ECID": "ecids", "Email": "emails", "Phone": "phones"}
PRECEDENCE = ["CRM customers", "Consent and preferences", "Orders", "Web events"]
ONE_IDENTITY = {
    "CRM customers": "CRMID",
    "Consent and preferences": "Email",
    "Orders": "Email",
    "Web events": "ECID",
}
# column of the fragments -> path
ATTRIBUTES = {
    "first_name": "person.name.firstName",
    "last_name": "person.name.lastName",
    "birth_date": "person.birthDate",
    "gender": "person.gender",
    "street": "homeAddress.street1",
    "city": "homeAddress.city",
    "postal_code": "homeAddress.postalCode",
    "country": "homeAddress.countryCode",
    "email": "personalEmail.address",
    "phone": "mobilePhone.number",
    "tier": "loyalty.tier",
    "points": "loyalty.points",
    "joined": "loyalty.joinDate",
    "consent_email": "consents.marketing.email.val",
    "consent_push": "consents.marketing.push.val",
    "consent_any": "consents.marketing.any.val",
    "lifetime_value": "_emulated.lifetimeValue",
    "churn": "_emulated.churnScore",
    "internal": "_emulated.isInternal",
}

Row = dict[str, Any]


def table(source: str | Path) -> list[Row]:
    with duckdb.connect() as db:
        found = db.execute("SELECT * FROM read_parquet(?)", [str(source)])
        names = [column[0] for column in found.description or []]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


class Reckoning:
    """A sandbox's store in memory; `rows(payload, policy)` is what one batch of that export must hold."""

    def __init__(self, folder: Path) -> None:
        self.graph = {row["profile"]: row for row in table(folder / "graph-*.parquet")}
        self.fragments: dict[int, list[Row]] = defaultdict(list)
        for row in table(folder / "fragments-*.parquet"):
            self.fragments[row["profile"]].append(row)
        self.events = {row["profile"]: row["eventList"] for row in table(folder / "events-*.parquet")}
        run = json.loads((folder / "store.json").read_text())["runs"][-1]["segments"]
        self.members = {
            segment: {row["profile"]: row for row in table(folder / "members" / found["file"])}
            for segment, found in run.items()
        }

    def rows(self, payload: Row, *, policy: Row, segment: str = "") -> list[Row]:
        """One batch; of one segment if that is named."""
        wanted = payload.get("filter", {})
        made = []
        for profile in self._chosen(wanted, segment):
            for person in self._people(profile, policy):
                if self._is_wanted(person, wanted):
                    made.append(self._shown(person, payload))
        return made

    def by_namespace(self, payload: Row, *, policy: Row, segment: str = "") -> dict[str, int]:
        everything = {"filter": payload.get("filter", {}), "fields": "identityMap"}
        counted: dict[str, int] = defaultdict(int)
        for row in self.rows(everything, policy=policy, segment=segment):
            for code in row["identityMap"]:
                counted[code] += 1
        return dict(counted)

    def _chosen(self, wanted: Row, only: str) -> list[int]:
        asked = wanted.get("segments", [])
        window = wanted.get("segmentQualificationTime", {})
        if not asked and not window:
            return list(self.graph)
        asked = asked or [{"segmentId": segment} for segment in self.members]
        found = set()
        for segment in asked:
            if only in ("", segment["segmentId"]):
                statuses = segment.get("status", ["realized", "existing"])
                for profile, member in self.members.get(segment["segmentId"], {}).items():
                    at = member["qualified"]
                    late = "startTime" not in window or at >= moment(window["startTime"])
                    early = "endTime" not in window or at <= moment(window["endTime"])
                    if member["status"] in statuses and late and early:
                        found.add(profile)
        return sorted(found)

    def _people(self, profile: int, policy: Row) -> list[Row]:
        """What the policy makes of one person: one profile, or one for each source."""
        known, fragments = self.graph[profile], self.fragments[profile]
        if policy["identityGraph"]["type"] == "pdg":
            ids = {code: known[column] for code, column in NAMESPACES.items() if known[column]}
            merged = self._merged(fragments, policy)
            return [merged | {"_id": known["key"], "ids": ids, "events": self.events.get(profile, [])}]
        people = []
        for source, code in ONE_IDENTITY.items():
            own = [fragment for fragment in fragments if fragment["source"] == source]
            ids = known[NAMESPACES[code]]
            if own or (source == "Web events" and ids):
                is_web = source == "Web events"
                people.append(
                    self._merged(own, policy)
                    | {
                        "_id": f"{known['key']}-{source[:3].lower()}",
                        "ids": {code: ids if is_web else ids[:1]} if ids else {},
                        "events": self.events.get(profile, []) if is_web else [],
                    }
                )
        return [person | {"profile": profile} for person in people]

    def _merged(self, fragments: list[Row], policy: Row) -> Row:
        merge = policy["attributeMerge"]["type"]
        ranked = sorted(fragments, key=lambda fragment: fragment["modified"], reverse=True)
        if merge == "dataSetPrecedence":
            ranked.sort(key=lambda fragment: PRECEDENCE.index(fragment["source"]))
        values = {
            column: next((fragment[column] for fragment in ranked if fragment[column] is not None), None)
            for column in ATTRIBUTES
        }
        return values | {"updated": max((fragment["ingested"] for fragment in fragments), default=None)}

    def _is_wanted(self, person: Row, wanted: Row) -> bool:
        if person["updated"] is None:
            return wanted.get("emptyProfiles", False) and "fromIngestTimestamp" not in wanted
        since = wanted.get("fromIngestTimestamp")
        return since is None or person["updated"] > moment(since)

    def _shown(self, person: Row, payload: Row) -> Row:
        row: Row = {"_id": person["_id"]}
        primary = next((code for code in NAMESPACES if code in person["ids"]), "")
        row["identityMap"] = {
            code: [
                {"id": value, "primary": code == primary and not place} for place, value in enumerate(values)
            ]
            for code, values in person["ids"].items()
        }
        row["identities"] = [
            {"id": told["id"], "namespace": {"code": code}, "primary": told["primary"]}
            for code in NAMESPACES
            for told in row["identityMap"].get(code, [])
        ]
        for column, path in ATTRIBUTES.items():
            put(row, path, person[column])
        names = row["person"]["name"]
        both = names["firstName"] is not None and names["lastName"] is not None
        names["fullName"] = f"{names['firstName']} {names['lastName']}" if both else None
        put(row, "extSourceSystemAudit.lastUpdatedDate", person["updated"])
        row["segmentMembership"] = self._memberships(person)
        chosen = pruned(row, split(payload.get("fields")))
        additional = payload.get("additionalFields", {})
        if "eventList" in additional:
            chosen["eventList"] = self._events(person["events"], payload, additional["eventList"])
        return chosen

    def _memberships(self, person: Row) -> Any:
        profile = next(number for number, row in self.graph.items() if person["_id"].startswith(row["key"]))
        found = {
            segment: {
                "status": members[profile]["status"],
                "lastQualificationTime": members[profile]["qualified"],
            }
            for segment, members in sorted(self.members.items())
            if profile in members
        }
        return {"ups": found} if found else None

    def _events(self, events: list[Row], payload: Row, asked: Row) -> list[Row]:
        window = asked.get("filter", {})
        after = [window.get("fromIngestTimestamp"), payload.get("filter", {}).get("fromIngestTimestamp")]
        until = window.get("toIngestTimestamp")
        kept = [
            event
            for event in events
            if all(text is None or event["receivedTimestamp"] > moment(text) for text in after)
            and (until is None or event["receivedTimestamp"] < moment(until))
        ]
        return [pruned(event, split(asked.get("fields"))) for event in kept]


def moment(text: str) -> datetime:
    """An RFC 3339 text as UTC without a zone."""
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=None) - (at.utcoffset() or timedelta())


def split(fields: str | None) -> list[str]:
    return [part.strip() for part in (fields or "").split(",") if part.strip()]


def put(row: Row, path: str, value: Any) -> None:
    *parents, name = path.split(".")
    for parent in parents:
        row = row.setdefault(parent, {})
    row[name] = value


def pruned(value: Any, paths: list[str]) -> Any:
    """Only what the paths name; all of it without any."""
    if not paths or value is None:
        return value
    if isinstance(value, list):
        return [pruned(item, paths) for item in value]
    below: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        head, _, rest = path.partition(".")
        below[head].append(rest)
    return {
        name: child if "" in below[name] else pruned(child, below[name])
        for name, child in value.items()
        if name in below
    }


def sorted_rows(rows: list[Row]) -> list[str]:
    """For comparing rows whose order means nothing."""
    return sorted(json.dumps(row, sort_keys=True, default=str) for row in rows)
