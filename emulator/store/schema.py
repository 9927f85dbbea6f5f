"""The union schemas: which fields a profile and an event have, and how a choice of them reads in SQL.

A field is a dot path. `FIELDS` and `EVENT_FIELDS` name the leaves; every part of a leaf's path is a field too
and stands for all below it. `[]` after a name marks an array of objects. Into a map no path leads.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

PROFILE_UNION = "https://ns.adobe.com/xdm/context/profile__union"
EVENT_UNION = "https://ns.adobe.com/xdm/context/experienceevent__union"

# path of a leaf -> meta:xdmType, title
FIELDS: dict[str, tuple[str, str]] = {
    "_id": ("string", "Identifier"),
    "identityMap": ("map", "Identity map"),
    "identities[].id": ("string", "Identity"),
    "identities[].namespace.code": ("string", "Namespace code"),
    "identities[].primary": ("boolean", "Primary"),
    "person.name.firstName": ("string", "First name"),
    "person.name.lastName": ("string", "Last name"),
    "person.name.fullName": ("string", "Full name"),
    "person.birthDate": ("date", "Birth date"),
    "person.gender": ("string", "Gender"),
    "homeAddress.street1": ("string", "Street 1"),
    "homeAddress.city": ("string", "City"),
    "homeAddress.postalCode": ("string", "Postal code"),
    "homeAddress.countryCode": ("string", "Country code"),
    "personalEmail.address": ("string", "Address"),
    "mobilePhone.number": ("string", "Number"),
    "loyalty.tier": ("string", "Tier"),
    "loyalty.points": ("int", "Points"),
    "loyalty.joinDate": ("date", "Join date"),
    "consents.marketing.email.val": ("string", "E-mail consent"),
    "consents.marketing.push.val": ("string", "Push consent"),
    "consents.marketing.any.val": ("string", "General consent"),
    "_emulated.lifetimeValue": ("number", "Lifetime value"),
    "_emulated.churnScore": ("number", "Churn score"),
    "_emulated.isInternal": ("boolean", "Employee or test account"),
    "extSourceSystemAudit.lastUpdatedDate": ("date-time", "Last updated"),
    "segmentMembership": ("map", "Segment membership"),
}
EVENT_FIELDS: dict[str, tuple[str, str]] = {
    "_id": ("string", "Identifier"),
    "timestamp": ("date-time", "Event time"),
    "receivedTimestamp": ("date-time", "Time of ingestion"),
    "eventType": ("string", "Event type"),
    "web.webPageDetails.name": ("string", "Page name"),
    "web.webPageDetails.URL": ("string", "Page URL"),
    "environment.browserDetails.name": ("string", "Browser"),
    "environment.browserDetails.version": ("string", "Browser version"),
    "environment.browserDetails.userAgent": ("string", "User agent"),
    "environment.browserDetails.acceptLanguage": ("string", "Accepted language"),
    "device.type": ("string", "Device type"),
    "commerce.productListAdds.value": ("number", "Additions to the cart"),
    "commerce.purchases.value": ("number", "Purchases"),
    "commerce.order.purchaseID": ("string", "Purchase ID"),
    "commerce.order.priceTotal": ("number", "Price total"),
    "commerce.order.currencyCode": ("string", "Currency code"),
    "productListItems[].SKU": ("string", "SKU"),
    "productListItems[].name": ("string", "Product name"),
    "productListItems[].quantity": ("int", "Quantity"),
    "_experience.analytics.session.num": ("int", "Session number"),
    "_experience.analytics.customDimensions.eVars.eVar1": ("string", "Custom dimension 1"),
}
JSON_TYPES = {"int": "integer", "number": "number", "boolean": "boolean", "map": "object"}
FORMATS = {"date": "date", "date-time": "date-time"}
MAP_VALUES: dict[str, dict[str, Any]] = {
    "identityMap": {
        "type": "array",
        "meta:xdmType": "array",
        "items": {
            "type": "object",
            "meta:xdmType": "object",
            "properties": {
                "id": {"type": "string", "title": "Identifier", "meta:xdmType": "string"},
                "primary": {"type": "boolean", "title": "Primary", "meta:xdmType": "boolean"},
            },
        },
    },
    "segmentMembership": {
        "type": "object",
        "meta:xdmType": "map",
        "additionalProperties": {
            "type": "object",
            "meta:xdmType": "object",
            "properties": {
                "status": {"type": "string", "title": "Status", "meta:xdmType": "string"},
                "lastQualificationTime": {
                    "type": "string",
                    "format": "date-time",
                    "title": "Last qualification time",
                    "meta:xdmType": "date-time",
                },
            },
        },
    },
}


class Node(dict[str, "Node"]):
    """A part of a path with what lies below it; `array` says that it is a list of objects."""

    array = False


def tree(leaves: Iterable[str]) -> Node:
    """The leaves as nested nodes, in their order."""
    root = Node()
    for leaf in leaves:
        place = root
        for part in leaf.split("."):
            name = part.removesuffix("[]")
            place = place.setdefault(name, Node())
            place.array = part.endswith("[]")
    return root


PROFILE_TREE, EVENT_TREE = tree(FIELDS), tree(EVENT_FIELDS)


def paths() -> set[str]:
    """Every dot path that `fields` of an export may name."""
    return _paths(FIELDS)


def event_paths() -> set[str]:
    """Every dot path that `additionalFields.eventList.fields` may name."""
    return _paths(EVENT_FIELDS)


def split(fields: str | None) -> list[str]:
    """The paths of a comma-separated list, blanks trimmed; [] when nothing is named."""
    return [path for part in (fields or "").split(",") if (path := part.strip())]


def union_schema(name: str = "profile") -> dict[str, Any]:
    """The union schema of class `profile` or `experienceevent`, with all it inherits written out."""
    is_profile = name == "profile"
    fields, nodes = (FIELDS, PROFILE_TREE) if is_profile else (EVENT_FIELDS, EVENT_TREE)
    return {
        "$id": PROFILE_UNION if is_profile else EVENT_UNION,
        "meta:altId": f"_xdm.context.{name}__union",
        "meta:class": f"https://ns.adobe.com/xdm/context/{name}",
        "meta:xdmType": "object",
        "meta:resourceType": "unions",
        "title": "XDM Individual Profile" if is_profile else "XDM ExperienceEvent",
        "description": f"Union view of the class {name}.",
        "type": "object",
        "version": "1.0",
        "properties": {part: _described(fields, part, node) for part, node in nodes.items()},
    }


def columns(wanted: list[str], *, events: bool = False) -> list[str]:
    """The top-level columns that a choice of paths gives, in the order of the schema; [] chooses all."""
    nodes = EVENT_TREE if events else PROFILE_TREE
    tops = {path.split(".")[0] for path in wanted}
    return [name for name in nodes if not wanted or name in tops]


def expression(column: str, wanted: list[str], *, row: str, events: bool = False) -> str:
    """SQL for one top-level column, cut down to the chosen paths; `row` is the alias of its table."""
    node = (EVENT_TREE if events else PROFILE_TREE)[column]
    return _cut(f'{row}."{column}"', node, column, set(wanted), depth=0)


def _cut(value: str, node: Node, path: str, wanted: set[str], *, depth: int) -> str:
    """A whole part stays as it is; else a struct, or a list of structs, of what was chosen below it."""
    if not node or not wanted or path in wanted:
        return value
    inner = f"x{depth}" if node.array else value
    parts = [
        f'"{name}" := ' + _cut(f'{inner}."{name}"', child, f"{path}.{name}", wanted, depth=depth + 1)
        for name, child in node.items()
        if any(chosen == f"{path}.{name}" or chosen.startswith(f"{path}.{name}.") for chosen in wanted)
    ]
    packed = f"struct_pack({', '.join(parts)})"
    return f"list_transform({value}, lambda x{depth}: {packed})" if node.array else packed


def _paths(fields: Iterable[str]) -> set[str]:
    known = set()
    for leaf in fields:
        parts = leaf.replace("[]", "").split(".")
        known |= {".".join(parts[:length]) for length in range(1, len(parts) + 1)}
    return known


def _described(fields: dict[str, tuple[str, str]], path: str, node: Node) -> dict[str, Any]:
    """One property as the schema registry shows it; `path` is written as in `fields`, without the `[]`."""
    if not node:
        return _leaf(path, *next(told for leaf, told in fields.items() if leaf.replace("[]", "") == path))
    inside = {
        "type": "object",
        "meta:xdmType": "object",
        "properties": {name: _described(fields, f"{path}.{name}", child) for name, child in node.items()},
    }
    title = {"title": path.rpartition(".")[2]}
    return title | ({"type": "array", "meta:xdmType": "array", "items": inside} if node.array else inside)


def _leaf(path: str, kind: str, title: str) -> dict[str, Any]:
    told: dict[str, Any] = {"title": title, "type": JSON_TYPES.get(kind, "string"), "meta:xdmType": kind}
    if kind in FORMATS:
        told["format"] = FORMATS[kind]
    if kind == "map":
        told["additionalProperties"] = MAP_VALUES[path]
    return told
