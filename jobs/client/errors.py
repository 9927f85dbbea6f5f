"""Everything that can go wrong between us and the platform, as one tree of errors with a sentence each.

PlatformError
├── Unreachable          no reply: name, port, TLS, connection            a retry helps
│   └── TimedOut         no reply in time                                 a retry helps
├── CredentialRefused    the token or gateway does not take the credential
├── NotAllowed           403 of a service: a permission is missing
├── NotFound             404, 410
├── Conflict             409, 412
├── Refused              400, 415, 422 and the rest of 4xx: the request itself is wrong
├── Throttled            429                                              a retry helps, later
├── PlatformDown         5xx                                              a retry helps, later
└── Unreadable           a reply the API does not document                a retry may help

No error holds a token, a secret, a header or a query string, neither in its text nor in what it is
chained to.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from jobs.client import error_body, error_words
from jobs.client.error_body import Said

DETAIL_LIMIT = 2000
_CREDENTIAL_CODES = frozenset(
    {"401013", "403000", "403003", "403010", "403023", "403025", "403027", "400003"}
)


class PlatformError(Exception):
    """A call that failed: `sentence` says what happened, what it means and what to do.

    `detail` holds the platform's own words (at most 2000 characters), `kind` its type URI, `code` and
    `request_id` what its support asks for. `retry_helps` says whether the same call may succeed later,
    `retry_after_s` when the platform said so. `maybe_received` is True where the call may have been carried
    out all the same: for a create or a cancel that means "unknown", False means "certainly not done".
    """

    retry_helps: ClassVar[bool] = False

    def __init__(
        self,
        sentence: str,
        *,
        status: int | None = None,
        code: str = "",
        request_id: str = "",
        detail: str = "",
        kind: str = "",
        retry_after_s: float | None = None,
        maybe_received: bool = False,
    ) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.status = status
        self.code = code
        self.request_id = request_id
        self.detail = detail[:DETAIL_LIMIT]
        self.kind = kind
        self.retry_after_s = retry_after_s
        self.maybe_received = maybe_received


class Unreachable(PlatformError):
    """No whole reply came."""

    retry_helps = True


class TimedOut(Unreachable):
    """No reply in time."""


class CredentialRefused(PlatformError):
    """The credential is wrong, expired or not entitled; only a person can mend it."""


class NotAllowed(PlatformError):
    """The credential is good, but lacks the permission for this."""


class NotFound(PlatformError):
    """The platform does not know the thing asked for."""


class Conflict(PlatformError):
    """The request collides with what the platform holds."""


class Refused(PlatformError):
    """The request itself is wrong; sending it again changes nothing."""


class Throttled(PlatformError):
    """The platform asks for fewer calls."""

    retry_helps = True


class PlatformDown(PlatformError):
    """The platform failed on its own side."""

    retry_helps = True


class Unreadable(PlatformError):
    """A reply that is not what the API documents: HTML, cut JSON, another shape."""

    retry_helps = True


_BY_STATUS: dict[int, type[PlatformError]] = {
    401: CredentialRefused,
    403: NotAllowed,
    404: NotFound,
    409: Conflict,
    410: NotFound,
    412: Conflict,
    429: Throttled,
}


def from_response(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    what: str,
    safe: bool = True,
    hide: tuple[str, ...] = (),
) -> PlatformError:
    """The typed error of a reply outside 2xx (platform.md §3).

    `what` names the call as a gerund ("listing the export jobs"); `safe` is False for a call that changes
    something, whose sentence must not invite to send it again; `hide` are secrets the reply may echo.
    """
    said = error_body.read(body, headers, hide=hide)
    error = _class_of(status, said)
    maybe_received = issubclass(error, PlatformDown | Unreadable)
    ambiguous = maybe_received and not safe
    return error(
        error_words.sentence(error.__name__, status, said, what=what, ambiguous=ambiguous),
        status=status,
        code=said.code,
        request_id=said.request_id,
        detail=said.detail,
        kind=said.kind,
        retry_after_s=said.retry_after_s,
        maybe_received=maybe_received,
    )


def _class_of(status: int, said: Said) -> type[PlatformError]:
    if not 400 <= status < 500:
        return PlatformDown if status >= 500 else Unreadable
    if said.code in _CREDENTIAL_CODES:
        return CredentialRefused
    return Throttled if said.code == "429050" else _of_service(status, said)


def _of_service(status: int, said: Said) -> type[PlatformError]:
    """A page of HTML is somebody else's answer; a 404 about the sandbox says nothing of what is in it."""
    if status in (403, 404) and said.is_html:
        return Unreadable
    return NotAllowed if status == 404 and said.about_sandbox else _BY_STATUS.get(status, Refused)
