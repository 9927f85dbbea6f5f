"""Faults by name: what goes wrong on a real platform, each with one line, as rules of `faults`.

A preset is a place (`match`) and a deed (`do`); whoever orders one may narrow the place, and say how often and by
what chance it strikes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from emulator.failures import CODES

JOBS = "/data/core/ups/export/jobs"
LIST = {"method": "GET", "regex": r"/export/jobs/?$"}
ITEM = {"method": "GET", "regex": r"/export/jobs/[^/]+/?$"}
CREATE = {"method": "POST", "regex": r"/export/jobs/?$"}
EVERYWHERE = {"path": "/data/"}

HTML = "<!doctype html><html><head><title>{0}</title></head><body><h1>{0}</h1><hr>gateway</body></html>"
REASONS = {500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable"}

# Every field has a type it must not have.
HOSTILE_RECORD: dict[str, Any] = {
    "id": {"not": "an id"},
    "status": ["FAILED"],
    "creationTime": "yesterday",
    "updateTime": {},
    "destination": "nowhere",
    "metrics": [None, 1],
    "errors": {"code": 7},
    "filter": 12,
    "mergePolicy": "mp",
    "computeGatewayJobId": 5,
    "requestId": 1e300,
    "schema": False,
    "fields": {"0": "identityMap"},
    "additionalFields": "eventList",
}


@dataclass(frozen=True, slots=True)
class Preset:
    """`line` says what happens, for people."""

    group: str
    line: str
    do: Mapping[str, Any]
    match: Mapping[str, str] = field(default_factory=lambda: EVERYWHERE)


def _reply(status: int, body: Any = None, **more: Any) -> dict[str, Any]:
    return {"reply": {"status": status} | ({} if body is None else {"json": body}) | more}


def _ups(status: int, message: str, *, code: str = "") -> dict[str, Any]:
    """Shape B of platform.md §3."""
    return {
        "requestId": "emulated-fault",
        "errors": {str(status): [{"code": code or str(status), "message": message}]},
        "type": f"https://ns.adobe.com/aep/errors/UPAPI-113430-{status}",
        "title": message,
        "status": status,
    }


def _inside_out(status: int, message: str) -> dict[str, Any]:
    """Shape B′: type, title and status inside `errors`."""
    told = _ups(status, message)
    inner = told["errors"] | {name: told[name] for name in ("type", "title", "status")}
    return {"requestId": told["requestId"], "errors": inner}


def _broken() -> dict[str, Preset]:
    """500, 502 and 503, each with an empty body, a page of HTML, and JSON that ends too early."""
    made: dict[str, Preset] = {}
    for status, reason in REASONS.items():
        told = _ups(status, reason)
        made |= {
            f"error-{status}-empty": Preset(
                "Server errors", f"{status} without a body", _reply(status, text="")
            ),
            f"error-{status}-html": Preset(
                "Server errors", f"{status} with a page of HTML", _reply(status, text=HTML.format(reason))
            ),
            f"error-{status}-cut": Preset(
                "Server errors", f"{status} with JSON cut after 40 bytes", _reply(status, told, truncate=40)
            ),
        }
    return made


def _failing() -> dict[str, Preset]:
    return {
        f"job-fails-{code}": Preset(
            "Jobs", f"a new job fails with the documented error {code}", {"outcome": {"code": code}}, CREATE
        )
        for code in CODES
    }


THROTTLED = {"error_code": "429050", "message": "Too many requests"}

PRESETS: dict[str, Preset] = {
    "token-expired": Preset(
        "Access", "every access token ends now: 401 until a new one", {"expire_tokens": True}
    ),
    "token-refused": Preset(
        "Access",
        "the identity service refuses the credential",
        _reply(400, {"error": "invalid_client", "error_description": "invalid client_secret parameter"}),
        {"path": "/ims/"},
    ),
    "token-down": Preset(
        "Access", "the identity service answers 503", _reply(503, text=""), {"path": "/ims/"}
    ),
    "forbidden-gateway": Preset(
        "Access",
        "403 of the gateway: the credential is not entitled for the organisation",
        _reply(403, {"error_code": "403025", "message": "Profile is not valid"}),
    ),
    "forbidden-region": Preset(
        "Access",
        "403 of the gateway: no product profile on the credential",
        _reply(403, {"error_code": "403027", "message": "User region is missing"}),
    ),
    "forbidden-service": Preset(
        "Access",
        "403 of the service: the permission to export is missing",
        _reply(
            403, _ups(403, "Permission 'Export Audience for Segment' is missing", code="UPAPI-113752-403")
        ),
        {"path": JOBS},
    ),
    "forbidden-inside-out": Preset(
        "Access",
        "403 of the service with type, title and status inside errors",
        _reply(403, _inside_out(403, "Access denied by policy")),
        {"path": "/data/core/ups/"},
    ),
    "not-found": Preset(
        "Refusals",
        "a job that exists is answered with 404",
        _reply(404, _ups(404, "Export job not found")),
        ITEM,
    ),
    "conflict": Preset(
        "Refusals",
        "409 to a create, which is not carried out",
        _reply(409, _ups(409, "Another export into this dataset is in progress")),
        CREATE,
    ),
    "unprocessable": Preset(
        "Refusals",
        "422 to a create, which is not carried out",
        _reply(422, _ups(422, "fields: the export cannot be processed")),
        CREATE,
    ),
    "invalid": Preset(
        "Refusals",
        "400 in the simplest shape, code and message",
        _reply(400, {"code": "400", "message": "destination.datasetId: Bad request"}),
        CREATE,
    ),
    "throttled": Preset("Throttling", "429 of the gateway without Retry-After", _reply(429, THROTTLED)),
    "throttled-seconds": Preset(
        "Throttling", "429 with Retry-After: 2", _reply(429, THROTTLED, headers={"Retry-After": "2"})
    ),
    "throttled-date": Preset(
        "Throttling",
        "429 with Retry-After as an HTTP date, 3 seconds from now",
        _reply(429, THROTTLED, retry_s=3),
    ),
    "throttled-service": Preset(
        "Throttling",
        "429 of a service: RequestRateTooLarge",
        _reply(
            429,
            {
                "title": "RequestRateTooLarge",
                "status": 429,
                "detail": "Request rate is large. Please try again later.",
            },
        ),
    ),
    **_broken(),
    "unavailable-seconds": Preset(
        "Server errors", "503 with Retry-After: 2", _reply(503, text="", headers={"Retry-After": "2"})
    ),
    "reply-html": Preset(
        "Replies", "200 with a page of HTML where JSON is expected", _reply(200, text=HTML.format("Sign in"))
    ),
    "reply-cut": Preset(
        "Replies", "the true reply as JSON cut after 60 bytes", {"reply": {"after": True, "truncate": 60}}
    ),
    "reply-breaks-off": Preset(
        "Replies", "the connection is cut after 60 bytes of the body", {"break_off": 60}
    ),
    "reply-slow": Preset("Replies", "the reply comes after 5 seconds", {"delay_s": 5}),
    "reply-very-slow": Preset("Replies", "the reply comes after 65 seconds", {"delay_s": 65}),
    "reply-stalls": Preset(
        "Replies", "the reply stops after 20 bytes of the body and stays open", {"stall": 20}
    ),
    "reply-endless": Preset(
        "Replies", "the reply never ends: white space, a byte every 0.2 seconds", {"endless_s": 0.2}
    ),
    "reset": Preset(
        "Connections", "the connection is reset before the request is handled", {"reset": "before"}
    ),
    "create-reset-before": Preset(
        "Connections", "a create is reset before it is carried out", {"reset": "before"}, CREATE
    ),
    "create-reset-after": Preset(
        "Connections", "a create is carried out, then the connection is reset", {"reset": "after"}, CREATE
    ),
    "create-lost-503": Preset(
        "Connections",
        "a create is carried out and answered with an empty 503",
        {"reply": {"after": True, "status": 503, "text": ""}},
        CREATE,
    ),
    "create-lost-slow": Preset(
        "Connections",
        "a create is carried out and its reply comes after 65 seconds",
        {"delay_after_s": 65},
        CREATE,
    ),
    "hostile-record": Preset(
        "Records",
        "the job list begins with a record that has a wrong type in every field, and with null",
        {"records": [HOSTILE_RECORD, None]},
        LIST,
    ),
    "hostile-job": Preset(
        "Records", "a job has a wrong type in every field", _reply(200, HOSTILE_RECORD), ITEM
    ),
    "hostile-list": Preset(
        "Records",
        "the job list is no list",
        _reply(200, {"records": {"0": {}}, "page": [], "link": "x"}),
        LIST,
    ),
    "job-vanishes": Preset(
        "Jobs", "a job that is read is gone: 404 from now on, in no list", {"vanish": True}, ITEM
    ),
    "job-never-ends": Preset("Jobs", "a new job stays in PROCESSING", {"outcome": {"never": True}}, CREATE),
    **_failing(),
    "job-warns": Preset(
        "Jobs", "a new job succeeds with an error entry", {"outcome": {"warn": True}}, CREATE
    ),
    "job-empty": Preset("Jobs", "a new job finds nobody", {"outcome": {"profiles": 0}}, CREATE),
    "job-miscounts": Preset(
        "Jobs", "a new job tells 7 profiles more than its files hold", {"outcome": {"miscount": 7}}, CREATE
    ),
    "clock-ahead": Preset("Clock", "every time that is told is 10 minutes ahead", {"clock_off_s": 600}),
    "clock-behind": Preset("Clock", "every time that is told is 10 minutes behind", {"clock_off_s": -600}),
}
