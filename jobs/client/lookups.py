"""What the platform calls things: datasets, segments, merge policies, sandboxes and identity namespaces.

Each reader takes one entry of a list and gives None if it has no id; everything else is tolerated.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from jobs.client.fields import Fields
from jobs.client.values import NAME_LIMIT, WORD_LIMIT, plain

UNION_SCHEMA = "https://ns.adobe.com/xdm/context/profile__union"
_SNAPSHOT_EXPORT = "profile-snapshot-export"
_EVALUATIONS = {"continuous": "streaming", "synchronous": "edge", "batch": "batch"}


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset of the catalog (§4.1); only those on the union schema can take an export."""

    dataset_id: str
    name: str
    is_union: bool
    schema_id: str
    created_at: datetime | None
    last_batch_id: str
    last_batch_status: str
    is_system: bool


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment definition (§4.2); `evaluation` is batch, streaming, edge or empty."""

    segment_id: str
    name: str
    description: str
    merge_policy_id: str
    namespace: str
    updated_at: datetime | None
    evaluation: str


@dataclass(frozen=True, slots=True)
class MergePolicy:
    """A merge policy (§4.4)."""

    policy_id: str
    name: str
    version: str
    is_default: bool
    identity_graph: str
    attribute_merge: str


@dataclass(frozen=True, slots=True)
class SandboxInfo:
    """A sandbox the credential may use (§4.6)."""

    name: str
    title: str
    kind: str
    state: str
    region: str
    is_default: bool


@dataclass(frozen=True, slots=True)
class Namespace:
    """An identity namespace (§4.8)."""

    code: str
    name: str
    id_type: str


@dataclass(frozen=True, slots=True)
class Cancelled:
    """A cancel request the platform took; the job stops later, if it does. `message` may be empty."""

    message: str
    status: int


def read_dataset(dataset_id: str, raw: object) -> Dataset | None:
    entry = _fields(raw)
    name, schema_id = (
        entry.text("name", limit=NAME_LIMIT),
        entry.child("schemaRef").text("id", limit=NAME_LIMIT),
    )
    if not dataset_id.strip():
        return None
    return Dataset(
        dataset_id=dataset_id,
        name=name,
        is_union=schema_id == UNION_SCHEMA,
        schema_id=schema_id,
        created_at=entry.time("created"),
        last_batch_id=entry.text("lastBatchId"),
        last_batch_status=entry.text("lastBatchStatus", limit=WORD_LIMIT),
        is_system=_SNAPSHOT_EXPORT in name.lower(),
    )


def read_segment(raw: object) -> Segment | None:
    entry = _fields(raw)
    segment_id = entry.text("id")
    if not segment_id:
        return None
    return Segment(
        segment_id=segment_id,
        name=entry.text("name", limit=NAME_LIMIT),
        description=entry.text("description", limit=2000),
        merge_policy_id=entry.text("mergePolicyId"),
        namespace=entry.text("namespace", "segmentNs", limit=WORD_LIMIT),
        updated_at=entry.time("updateTime", "updateEpoch"),
        evaluation=_evaluation(entry.child("evaluationInfo")),
    )


def _evaluation(info: Fields) -> str:
    """The quickest way that is enabled."""
    return next((word for key, word in _EVALUATIONS.items() if info.child(key).flag("enabled")), "")


def read_merge_policy(raw: object) -> MergePolicy | None:
    entry = _fields(raw)
    policy_id = entry.text("id")
    if not policy_id:
        return None
    return MergePolicy(
        policy_id=policy_id,
        name=entry.text("name", limit=NAME_LIMIT),
        version=entry.text("version", limit=WORD_LIMIT),
        is_default=entry.flag("default") is True,
        identity_graph=entry.child("identityGraph").text("type", limit=WORD_LIMIT),
        attribute_merge=entry.child("attributeMerge").text("type", limit=WORD_LIMIT),
    )


def read_sandbox(raw: object) -> SandboxInfo | None:
    entry = _fields(raw)
    name = entry.text("name")
    if not name:
        return None
    return SandboxInfo(
        name=name,
        title=entry.text("title", limit=NAME_LIMIT),
        kind=entry.text("type", limit=WORD_LIMIT),
        state=entry.text("state", limit=WORD_LIMIT),
        region=entry.text("region", limit=WORD_LIMIT),
        is_default=entry.flag("isDefault") is True,
    )


def read_namespace(raw: object) -> Namespace | None:
    entry = _fields(raw)
    code = entry.text("code")
    if not code:
        return None
    return Namespace(code, entry.text("name", limit=NAME_LIMIT), entry.text("idType", limit=WORD_LIMIT))


def _fields(raw: object) -> Fields:
    return Fields(plain(raw, []))
