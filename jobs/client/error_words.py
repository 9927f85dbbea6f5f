"""Says in one human sentence what happened, what it means and what to do about it."""

from __future__ import annotations

from jobs.client.error_body import Said
from jobs.client.values import cut

_QUOTE_LIMIT = 300
UNKNOWN_OUTCOME = (
    "Whether the platform carried it out is not known: look for the result before sending it again."
)

# What each code of the gateway means (platform.md §1.4).
_WRONG_ORG = (
    "the credential does not belong to this organisation. Check the IMS organisation (…@AdobeOrg) of the "
    "connection."
)
_CODES = {
    "401013": "the platform does not take the access token. It has expired, was revoked, or comes from "
    "another environment: check the client secret, and that token URL and platform URL belong together.",
    "403000": "the platform got no client id. Enter the client id of the connection.",
    "403003": "the platform does not know the client id. Check the client id of the connection.",
    "403010": "the platform got no access token. Check the connection, or a proxy that drops headers.",
    "400003": "the platform got no organisation. Enter the IMS organisation (…@AdobeOrg) of the connection.",
    "403023": _WRONG_ORG,
    "403025": _WRONG_ORG,
    "403027": "the platform cannot place the organisation. Check the spelling of the IMS organisation "
    "(…@AdobeOrg), and that the credential has an Experience Platform product profile.",
}
_CLASSES = {
    "CredentialRefused": "the platform does not accept the credential. Check client id, secret, scopes and "
    "organisation of the connection.",
    "NotAllowed": "the credential is good but may not do this. Ask an administrator of the platform for a "
    "role with the permission (exports need “Export Audience for Segment”).",
    "NotFound": "the platform does not know it. It was deleted, it belongs to another sandbox or "
    "organisation, or the platform URL is wrong.",
    "Conflict": "it collides with what the platform already holds. Look at the present state, then try "
    "again.",
    "Refused": "the platform does not accept the request as it stands, and repeating it will not help. "
    "Correct what it names.",
    "PlatformDown": "the platform has a fault on its own side. Wait a minute and try again.",
    "Unreadable": "the reply is not what the platform documents. Check that the platform URL leads to the "
    "platform itself and not to a sign-in page or a proxy.",
}
_SANDBOX = (
    "the platform does not open this sandbox. Check the sandbox name (all lower case), and that the "
    "credential may use it."
)
_NOT_TRUSTED = "the token endpoint does not accept the credential. Check client id, secret and scopes."
_NO_ENDPOINT = "there is no token endpoint at this address. Check the token URL of the connection."
_OAUTH = {
    "invalid_client": "the client id or the client secret is wrong. Enter both again as the developer "
    "console shows them.",
    "invalid_scope": "a scope is not open to this credential. Check the scopes of the connection.",
    "unauthorized_client": "the credential may not fetch tokens this way. It has to be an OAuth "
    "server-to-server credential.",
}


def sentence(error: str, status: int, said: Said, *, what: str, ambiguous: bool) -> str:
    """The sentence for an error class by name; an `ambiguous` call may have been carried out all the same."""
    meaning = _meaning(error, status, said)
    if ambiguous:
        meaning = f"{meaning.split('. ')[0].rstrip('.')}. {UNKNOWN_OUTCOME}"
    return f"{failed(what)} (HTTP {status}): {meaning}{_quote(said)}"


def token_sentence(said: Said, status: int) -> str:
    """The sentence for a refusal by the token endpoint; `said.code` is OAuth's `error`."""
    meaning = _OAUTH.get(said.code, _NO_ENDPOINT if status in (404, 405) else _NOT_TRUSTED)
    return f"{failed('fetching an access token')} (HTTP {status}): {meaning}{_quote(said)}"


def failed(what: str) -> str:
    """`Listing the export jobs failed` of `listing the export jobs`."""
    return f"{what[:1].upper()}{what[1:]} failed"


def _meaning(error: str, status: int, said: Said) -> str:
    if error == "Throttled":
        wait = f"{said.retry_after_s:.0f} seconds" if said.retry_after_s else "a moment"
        return f"the platform gets too many calls. Wait {wait} and try again."
    if said.code not in _CODES and status in (400, 403, 404) and said.about_sandbox:
        return _SANDBOX
    if 300 <= status < 400:
        return (
            f"the address answers with a redirect, which is not followed.{_CLASSES[error].partition('.')[2]}"
        )
    return _CODES[said.code] if error == "CredentialRefused" and said.code in _CODES else _CLASSES[error]


def _quote(said: Said) -> str:
    return f" It said: “{cut(said.detail, _QUOTE_LIMIT)}”" if said.detail else ""
