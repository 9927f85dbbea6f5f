"""Every error shape of platform.md §3 becomes one typed error that says what happened, means and asks for."""

from __future__ import annotations

import json
import pickle
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.client.errors import (
    Conflict,
    CredentialRefused,
    NotAllowed,
    NotFound,
    PlatformDown,
    PlatformError,
    Refused,
    Throttled,
    Unreadable,
    from_response,
)

WHAT = "listing the export jobs"


def error(
    status: int, body: object, headers: Mapping[str, str] | None = None, *, safe: bool = True, hide: str = ""
) -> PlatformError:
    raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return from_response(status, headers or {}, raw, what=WHAT, safe=safe, hide=(hide,) if hide else ())


UPS = "https://ns.adobe.com/aep/errors/UPAPI-113430-404"
INNER = json.dumps({"errors": {"403": [{"code": "UPAPI-113752-403", "message": "No policy"}]}})
SHAPES = {
    "A gateway": (
        403,
        {"error_code": "403027", "message": "User region is missing"},
        (CredentialRefused, "403027", "User region is missing", "", ""),
    ),
    "A with a number": (
        401,
        {"error_code": 401013, "message": "Oauth token is not valid"},
        (CredentialRefused, "401013", "Oauth token is not valid", "", ""),
    ),
    "B map of lists": (
        404,
        {
            "requestId": "R1",
            "errors": {"404": [{"code": 404, "message": "Gone"}, {"code": "x", "message": "Really"}]},
            "type": UPS,
            "title": "T",
            "status": 404,
        },
        (NotFound, "404", "Gone; Really", "R1", UPS),
    ),
    "B' title and type inside errors": (
        403,
        {"requestId": "R1", "errors": {"403": [{"message": "No"}], "type": UPS, "title": "T", "status": 403}},
        (NotAllowed, "UPAPI-113430-404", "No", "R1", UPS),
    ),
    "B' with nothing but a title": (
        403,
        {"errors": {"type": UPS, "title": "Not for you", "status": 403}},
        (NotAllowed, "UPAPI-113430-404", "Not for you", "", UPS),
    ),
    "C older": (
        400,
        {"requestId": "R2", "errors": {"400": [{"code": "400", "message": "Batch not found"}]}},
        (Refused, "400", "Batch not found", "R2", ""),
    ),
    "D simple": (400, {"code": "400", "message": "Bad"}, (Refused, "400", "Bad", "", "")),
    "E title only": (
        415,
        {
            "status": 415,
            "title": "HTTP 415 Unsupported Media Type",
            "type": "http://ns/unsupported-media-type",
        },
        (Refused, "", "HTTP 415 Unsupported Media Type", "", "http://ns/unsupported-media-type"),
    ),
    "F catalog": (
        404,
        {
            "type": "/placeholder/type/uri",
            "status": 404,
            "title": "NotFoundError",
            "detail": "DataSet not found.",
        },
        (NotFound, "", "NotFoundError: DataSet not found.", "", "/placeholder/type/uri"),
    ),
    "G schema registry": (
        404,
        {
            "type": "http://ns.adobe.com/aep/errors/XDM-1012-404",
            "title": "Resource Not Found",
            "status": 404,
            "report": {"registryRequestId": "R3", "detailed-message": "…", "sub-errors": []},
            "detail": "No such union",
        },
        (
            NotFound,
            "XDM-1012-404",
            "Resource Not Found: No such union",
            "R3",
            "http://ns.adobe.com/aep/errors/XDM-1012-404",
        ),
    ),
    "H identity": (
        500,
        {"type": "x/UIS-4064-500", "status": 500, "title": "T", "detail": "T", "report": {"errorChain": []}},
        (PlatformDown, "UIS-4064-500", "T", "", "x/UIS-4064-500"),
    ),
    "I namespaces": (
        409,
        {"timestamp": 1, "error": "Conflict", "description": "Code exists", "report": {"code": "NS-1"}},
        (Conflict, "Conflict", "Code exists", "", ""),
    ),
    "J policy decision": (
        403,
        {
            "errors": {"403": [{"message": "denied", "report": {"additionalContext": {"request-id": "R4"}}}]},
        },
        (NotAllowed, "", "denied", "R4", ""),
    ),
    "K flow service": (400, {"errorMessage": "Wrong flow"}, (Refused, "", "Wrong flow", "", "")),
    "L identity throttle": (
        429,
        {"title": "RequestRateTooLarge", "status": 429, "description": "Try again later."},
        (Throttled, "", "RequestRateTooLarge: Try again later.", "", ""),
    ),
    "M throttled item": (
        429,
        [{"message": "Too many requests", "cause": "c", "retryAfterMs": "500", "statusCode": "429"}],
        (Throttled, "429", "Too many requests", "", ""),
    ),
    "OAuth": (
        400,
        {"error": "invalid_client", "error_description": "invalid client_secret parameter"},
        (Refused, "invalid_client", "invalid client_secret parameter", "", ""),
    ),
    "an error in an error": (
        400,
        {"error": {"code": 7, "message": "inside"}},
        (Refused, "7", "inside", "", ""),
    ),
    "a message that is JSON": (
        403,
        {"errors": {"403": [{"code": "403", "message": INNER}]}},
        (NotAllowed, "403", "No policy", "", ""),
    ),
    "text": (500, "upstream failed", (PlatformDown, "", "upstream failed", "", "")),
    "HTML": (
        502,
        "<html><head><style>b{}</style><title>502 Bad&nbsp;Gateway</title></head><body>nginx</body></html>",
        (PlatformDown, "", "502 Bad Gateway nginx", "", ""),
    ),
    "nothing": (503, "", (PlatformDown, "", "", "", "")),
    "an empty object": (400, {}, (Refused, "", "", "", "")),
    "an object of another kind": (400, {"what": "ever"}, (Refused, "", '{"what": "ever"}', "", "")),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_each_shape_is_one_typed_error(shape: str) -> None:
    status, body, (kind, code, detail, request_id, type_uri) = SHAPES[shape]
    found = error(status, body)
    assert type(found) is kind
    assert (found.code, found.detail, found.request_id, found.kind) == (code, detail, request_id, type_uri)
    assert found.status == status
    assert str(found) == found.sentence
    assert found.sentence.startswith("Listing the export jobs failed (HTTP ")


@pytest.mark.parametrize(
    ("status", "kind", "helps"),
    [
        (301, Unreadable, True),
        (400, Refused, False),
        (401, CredentialRefused, False),
        (403, NotAllowed, False),
        (404, NotFound, False),
        (409, Conflict, False),
        (412, Conflict, False),
        (413, Refused, False),
        (422, Refused, False),
        (429, Throttled, True),
        (500, PlatformDown, True),
        (503, PlatformDown, True),
        (599, PlatformDown, True),
    ],
)
def test_the_status_decides_and_says_whether_a_retry_helps(
    status: int, kind: type[PlatformError], helps: bool
) -> None:
    found = error(status, "")
    assert type(found) is kind
    assert found.retry_helps is helps


@pytest.mark.parametrize(
    "code", ["401013", "403000", "403003", "403010", "403023", "403025", "403027", "400003"]
)
def test_each_credential_code_of_the_gateway_has_advice_of_its_own(code: str) -> None:
    found = error(int(code[:3]), {"error_code": code, "message": "m"})
    assert type(found) is CredentialRefused
    assert found.sentence != error(401, {"message": "m"}).sentence


def test_a_throttling_code_counts_whatever_the_status() -> None:
    assert type(error(403, {"error_code": "429050", "message": "Too many requests"})) is Throttled


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "Sun, 22 Nov 2026 10:00:30 GMT", "Date": "Sun, 22 Nov 2026 10:00:00 GMT"}, 30.0),
        ({"Retry-After": "Sun, 22 Nov 2026 09:00:00 GMT", "Date": "Sun, 22 Nov 2026 10:00:00 GMT"}, 0.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-3"}, None),
        ({"Retry-After": "9" * 500}, 100_000_000.0),
        ({}, None),
    ],
)
def test_retry_after_is_read_as_seconds_or_date(headers: dict[str, str], seconds: float | None) -> None:
    assert error(429, "", headers).retry_after_s == seconds


def test_milliseconds_in_the_body_say_when_to_come_back_too() -> None:
    assert error(429, {"message": "m", "retryAfterMs": "500"}).retry_after_s == 0.5
    assert "Wait 7 seconds" in error(429, "", {"Retry-After": "7"}).sentence


def test_the_request_id_of_the_header_is_taken_where_the_body_has_none() -> None:
    assert error(500, "", {"x-request-id": "H"}).request_id == "H"
    assert error(500, {"requestId": "B", "message": "m"}, {"x-request-id": "H"}).request_id == "B"


def test_a_sandbox_that_is_not_open_is_named_as_such_and_is_never_a_missing_job() -> None:
    body = {"code": "404", "message": "Sandbox 'nope' not found"}
    assert type(error(404, body)) is NotAllowed
    assert "sandbox name" in error(404, body).sentence
    assert (
        "sandbox name"
        not in error(400, {"code": "400", "message": "no dataset D in sandbox 'prod'"}).sentence
    )


def test_a_page_of_html_says_nothing_about_a_job() -> None:
    for status in (403, 404):
        assert type(error(status, "<!doctype html><title>Sign in</title>")) is Unreadable
    assert type(error(404, "")) is NotFound


def test_a_fault_after_a_change_never_invites_to_send_it_again() -> None:
    for status in (302, 500, 503):
        found = error(status, "", safe=False)
        assert found.maybe_received
        assert "try again" not in found.sentence
        assert "is not known" in found.sentence
    refused = error(400, {"code": "400", "message": "m"}, safe=False)
    assert not refused.maybe_received
    assert "is not known" not in refused.sentence


def test_long_words_are_cut_in_the_detail_and_shorter_in_the_sentence() -> None:
    found = error(400, {"code": "400", "message": "x" * 1_000_000})
    assert len(found.detail) == 2000
    assert len(found.sentence) < 600


def test_json_in_json_is_read_three_deep_and_no_deeper() -> None:
    message = "bottom"
    for _ in range(6):
        message = json.dumps({"message": message})
    assert error(400, {"message": message}).detail.startswith("{")


@pytest.mark.parametrize(
    "echo",
    [
        "you sent Authorization: Bearer abc.def-ghi",
        "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl is stale",
        "grant_type=x&client_secret=s3cret-value&scope=y",
        "the opaque token tok-123456 is stale",
    ],
)
def test_a_reply_that_echoes_a_secret_does_not_spread_it(echo: str) -> None:
    found = error(400, {"code": "400", "message": echo}, hide="tok-123456")
    shown = f"{found} {found!r} {found.detail} {found.args} {vars(found)}"
    for secret in ("abc.def-ghi", "eyJhbGci", "s3cret-value", "tok-123456"):
        assert secret not in shown
    assert "•••" in found.detail


def test_an_error_survives_being_sent_to_another_process() -> None:
    found = error(429, {"code": "c", "message": "m", "requestId": "R"}, {"Retry-After": "3"})
    again = pickle.loads(pickle.dumps(found))  # noqa: S301 - our own bytes
    assert type(again) is Throttled
    assert vars(again) == vars(found)


@given(
    st.integers(300, 599),
    st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=9),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "error_code",
                        "message",
                        "errors",
                        "title",
                        "detail",
                        "code",
                        "type",
                        "report",
                        "error",
                        "requestId",
                        "retryAfterMs",
                    ]
                )
                | st.text(max_size=5),
                inner,
                max_size=5,
            )
        ),
        max_leaves=12,
    ).map(lambda value: json.dumps(value).encode()),
)
def test_any_reply_is_a_typed_error(status: int, body: bytes) -> None:
    found = from_response(status, {}, body, what=WHAT)
    assert isinstance(found, PlatformError)
    assert found.sentence
    assert len(found.detail) <= 2000
