"""What a sandbox holds at first start: datasets, segments, merge policies and namespaces, from a seed."""

from __future__ import annotations

from random import Random
from typing import Any

from emulator.models import UNION_SCHEMA, Dataset, MergePolicy, Namespace, Sandbox, Segment
from emulator.planning import random_uuid
from emulator.store.generate import SOURCES
from emulator.store.segments import DEFINITIONS

DAY_MS = 86_400_000
CONTENT_TYPE = "application/vnd.adobe.xed+json;version=1"
OWN_SCHEMA = "https://ns.adobe.com/emulated/schemas/"

UNION_DATASETS = (
    "Audience export: e-mail",
    "Audience export: paid media",
    "Audience export: call centre",
    "Loyalty activation",
    "Churn model input",
)
OTHER_DATASETS = ("CRM customers", "Web events", "Orders", "Consent and preferences")

# name, default, identity graph, attribute merge
POLICIES: tuple[tuple[str, bool, str, dict[str, Any]], ...] = (
    ("Default time-based", True, "pdg", {"type": "timestampOrdered"}),
    ("CRM first", False, "pdg", {"type": "dataSetPrecedence"}),
    ("Without stitching", False, "none", {"type": "timestampOrdered"}),
)
NAMESPACES = (
    ("ECID", "Experience Cloud ID", "COOKIE", False),
    ("Email", "E-mail address", "Email", False),
    ("CRMID", "CRM customer number", "CROSS_DEVICE", True),
    ("Phone", "Phone number", "Phone", False),
)


def policies(sandbox: Sandbox, *, org_id: str, now_ms: int, rng: Random) -> list[MergePolicy]:
    made = []
    for name, is_default, graph, merge in POLICIES:
        policy_id = random_uuid(rng)
        body = {
            "id": policy_id,
            "name": name,
            "imsOrgId": org_id,
            "sandbox": {"sandboxName": sandbox.name, "default": sandbox.is_default, "type": sandbox.kind},
            "schema": {"name": "_xdm.context.profile"},
            "version": 1,
            "identityGraph": {"type": graph},
            "attributeMerge": dict(merge),
            "isActiveOnEdge": is_default,
            "default": is_default,
            "updateEpoch": (now_ms - rng.randrange(60, 500) * DAY_MS) // 1000,
        }
        made.append(MergePolicy(policy_id=policy_id, sandbox=sandbox, is_default=is_default, body=body))
    return made


def segments(
    sandbox: Sandbox, *, policy_ids: list[str], org_id: str, now_ms: int, rng: Random
) -> list[Segment]:
    """The first and most of the others evaluate by the default policy; none has been evaluated yet."""
    made = []
    for defined in DEFINITIONS:
        segment_id = random_uuid(rng)
        changed_ms = now_ms - rng.randrange(2, 400) * DAY_MS - rng.randrange(DAY_MS)
        body = {
            "id": segment_id,
            "name": defined.name,
            "description": defined.description,
            "imsOrgId": org_id,
            "schema": {"name": "_xdm.context.profile"},
            "profileInstanceId": "ups",
            "mergePolicyId": policy_ids[1] if defined.name.startswith("Loyalty") else policy_ids[0],
            "ttlInDays": 30,
            "expression": {"type": "PQL", "format": "pql/text", "value": defined.pql},
            "evaluationInfo": {
                "batch": {"enabled": defined.evaluation == "batch"},
                "continuous": {"enabled": defined.evaluation == "streaming"},
                "synchronous": {"enabled": defined.evaluation == "edge"},
            },
            "creationTime": changed_ms - 5 * DAY_MS,
            "updateEpoch": changed_ms // 1000,
            "updateTime": changed_ms,
        }
        made.append(Segment(segment_id=segment_id, sandbox=sandbox, profiles=0, body=body, rule=defined.rule))
    return made


def datasets(
    sandbox: Sandbox, *, policy_ids: list[str], org_id: str, now_ms: int, rng: Random
) -> list[Dataset]:
    """Five usable targets, four on other schemas, and the platform's own snapshot, which is not a target."""
    snapshot = f"Profile-Snapshot-Export-{policy_ids[0]}"
    targets = [(name, UNION_SCHEMA, ["enabled:false"]) for name in UNION_DATASETS]
    sources = [
        (name, f"{OWN_SCHEMA}{rng.getrandbits(128):032x}", ["enabled:true"]) for name in OTHER_DATASETS
    ]
    system = [(snapshot, UNION_SCHEMA, ["enabled:false", f"mergePolicyId:{policy_ids[0]}"])]
    made = []
    for name, schema_id, tags in targets + sources + system:
        created_ms = now_ms - rng.randrange(31, 500) * DAY_MS - rng.randrange(DAY_MS)
        body = dataset_body(name, schema_id=schema_id, org_id=org_id, now_ms=created_ms)
        body["tags"]["unifiedProfile"] = tags
        if rng.random() < 0.8:
            body |= {
                "updated": now_ms - rng.randrange(DAY_MS),
                "lastBatchId": f"{rng.getrandbits(128):032x}",
                "lastBatchStatus": rng.choice(["success"] * 9 + ["failure"]),
            }
        made.append(
            Dataset(dataset_id=dataset_id(rng), sandbox=sandbox, name=name, schema_id=schema_id, body=body)
        )
    return made


def namespaces(sandbox: Sandbox, *, now_ms: int) -> list[Namespace]:
    created_ms = now_ms - 700 * DAY_MS
    return [
        Namespace(
            sandbox=sandbox,
            body={
                "id": number,
                "code": code,
                "name": name,
                "idType": id_type,
                "status": "ACTIVE",
                "custom": custom,
                "createTime": created_ms,
                "updateTime": created_ms,
            },
        )
        for number, (code, name, id_type, custom) in enumerate(NAMESPACES, start=4)
    ]


def order_sources(policies: list[MergePolicy], datasets: list[Dataset]) -> None:
    """Name the datasets, by their ids, in the order in which a policy of precedence trusts them."""
    ids = {dataset.name: dataset.dataset_id for dataset in datasets}
    for policy in policies:
        if policy.body["attributeMerge"]["type"] == "dataSetPrecedence":
            policy.body["attributeMerge"]["order"] = [ids[source] for source, _, _ in SOURCES]


def dataset_id(rng: Random) -> str:
    return f"{rng.getrandbits(96):024x}"


def dataset_body(name: str, *, schema_id: str, org_id: str, now_ms: int) -> dict[str, Any]:
    """A dataset as the catalog shows it (platform.md §4.1)."""
    return {
        "name": name,
        "imsOrg": org_id,
        "created": now_ms,
        "updated": now_ms,
        "version": "1.0.0",
        "state": "DRAFT",
        "tags": {"adobe/pqs/table": [name.lower().replace(" ", "_")]},
        "schemaRef": {"id": schema_id, "contentType": CONTENT_TYPE},
        "fileDescription": {"persisted": True, "containerFormat": "parquet", "format": "parquet"},
    }
