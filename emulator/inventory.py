"""What a sandbox holds at first start: datasets, segments, merge policies and namespaces, from a seed."""

from __future__ import annotations

from random import Random
from typing import Any

from emulator.models import UNION_SCHEMA, Dataset, MergePolicy, Namespace, Sandbox, Segment
from emulator.planning import random_uuid

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

# name, description, profiles that qualify, kind of evaluation, rule
SEGMENTS = (
    (
        "Newsletter subscribers",
        "Opted in to the weekly newsletter",
        412_000,
        "batch",
        "consents.email.val = 'y'",
    ),
    (
        "Loyalty Gold and Platinum",
        "Two highest tiers",
        58_300,
        "batch",
        "loyalty.tier in ['gold', 'platinum']",
    ),
    (
        "Cart abandoners, 7 days",
        "Filled a cart and did not order",
        23_900,
        "streaming",
        "cart.open and not ordered",
    ),
    ("High lifetime value", "Top decile by revenue", 119_000, "batch", "metrics.lifetimeValue > 2500"),
    ("Likely to churn", "Churn score above 0.8", 34_700, "batch", "scores.churn > 0.8"),
    (
        "Win-back, 180 days",
        "No order for half a year",
        267_000,
        "batch",
        "lastOrder occurs > 180 days before now",
    ),
    (
        "New customers, 30 days",
        "First order this month",
        18_400,
        "streaming",
        "firstOrder occurs <= 30 days before now",
    ),
    ("Visited store finder", "Looked for a shop near them", 76_500, "streaming", "web.page = 'store-finder'"),
    (
        "App users without push",
        "App installed, push refused",
        91_200,
        "batch",
        "app.installed and not push.allowed",
    ),
    ("Birthday next week", "For the birthday voucher", 11_600, "batch", "person.birthDate in next 7 days"),
    (
        "Product page, last session",
        "For on-site personalisation",
        6_200,
        "edge",
        "web.lastSession.productViews > 0",
    ),
    ("Employees and test accounts", "Suppress from every campaign", 840, "batch", "person.isInternal"),
)
# name, default, identity graph, attribute merge
POLICIES = (
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
            "attributeMerge": merge,
            "isActiveOnEdge": is_default,
            "default": is_default,
            "updateEpoch": (now_ms - rng.randrange(60, 500) * DAY_MS) // 1000,
        }
        made.append(MergePolicy(policy_id=policy_id, sandbox=sandbox, is_default=is_default, body=body))
    return made


def segments(
    sandbox: Sandbox, *, policy_ids: list[str], org_id: str, now_ms: int, rng: Random
) -> list[Segment]:
    """The first and most of the others evaluate by the default policy."""
    made = []
    for name, description, profiles, evaluation, rule in SEGMENTS:
        segment_id = random_uuid(rng)
        changed_ms = now_ms - rng.randrange(2, 400) * DAY_MS - rng.randrange(DAY_MS)
        body = {
            "id": segment_id,
            "name": name,
            "description": description,
            "imsOrgId": org_id,
            "schema": {"name": "_xdm.context.profile"},
            "profileInstanceId": "ups",
            "mergePolicyId": policy_ids[1] if name.startswith("Loyalty") else policy_ids[0],
            "ttlInDays": 30,
            "expression": {"type": "PQL", "format": "pql/text", "value": rule},
            "evaluationInfo": {
                "batch": {"enabled": evaluation == "batch"},
                "continuous": {"enabled": evaluation == "streaming"},
                "synchronous": {"enabled": evaluation == "edge"},
            },
            "creationTime": changed_ms - 5 * DAY_MS,
            "updateEpoch": changed_ms // 1000,
            "updateTime": changed_ms,
        }
        profiles_here = round(profiles * (1 if sandbox.is_default else 0.04))
        made.append(Segment(segment_id=segment_id, sandbox=sandbox, profiles=profiles_here, body=body))
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
