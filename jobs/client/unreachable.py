"""Tells what a failed connection means, from the exceptions of requests and of what lies below it."""

from __future__ import annotations

import http.client
import socket
import ssl
from typing import NamedTuple

import requests
import urllib3.exceptions as u3

from jobs.client.error_words import UNKNOWN_OUTCOME, failed
from jobs.client.errors import PlatformError, Refused, TimedOut, Unreachable, Unreadable

CAUGHT = (requests.RequestException, u3.HTTPError, http.client.HTTPException, OSError, ValueError)


class _Verdict(NamedTuple):
    """An error class, what it means in words about `{host}`, and whether the request may have arrived."""

    error: type[PlatformError]
    words: str
    maybe_received: bool


# The first row one of whose kinds is anywhere in the chain decides.
_RULES: tuple[tuple[tuple[type[BaseException], ...], _Verdict], ...] = (
    (
        (
            requests.exceptions.InvalidURL,
            requests.exceptions.InvalidSchema,
            requests.exceptions.MissingSchema,
            u3.LocationParseError,
            UnicodeError,
        ),
        _Verdict(Refused, "{host} is no address that can be called. Check the URL of the connection.", False),
    ),
    (
        (u3.NameResolutionError, socket.gaierror),
        _Verdict(
            Unreachable, "no host is known by the name of {host}. Check the spelling of the URL.", False
        ),
    ),
    (
        (requests.ConnectTimeout,),
        _Verdict(
            TimedOut,
            "{host} did not take the connection in time. It is down, or a firewall keeps us out: check host "
            "and port.",
            False,
        ),
    ),
    (
        (ConnectionRefusedError,),
        _Verdict(
            Unreachable,
            "nothing listens at {host}. Check host and port, or wait until it is up again.",
            False,
        ),
    ),
    (
        (u3.NewConnectionError, u3.ProxyError, requests.exceptions.ProxyError),
        _Verdict(Unreachable, "there is no way to {host} from here. Check the network and the proxy.", False),
    ),
    (
        (requests.ReadTimeout, u3.ReadTimeoutError, TimeoutError),
        _Verdict(TimedOut, "{host} took the request but did not answer in time. Try again in a while.", True),
    ),
    (
        (ConnectionError, http.client.IncompleteRead, u3.IncompleteRead),
        _Verdict(Unreachable, "{host} closed the connection before its reply was whole. Try again.", True),
    ),
    (
        (http.client.HTTPException, u3.DecodeError, requests.exceptions.ContentDecodingError),
        _Verdict(
            Unreadable,
            "{host} answered with something that is not HTTP as the platform speaks it. Check the URL of the "
            "connection, its port and whether it begins with https.",
            True,
        ),
    ),
)
_OTHERWISE = _Verdict(Unreachable, "the connection to {host} broke. Try again in a while.", True)
_NOT_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "UNKNOWN_PROTOCOL")


def explain(exc: BaseException, *, host: str, what: str, safe: bool) -> PlatformError:
    """The typed error of an exception of `requests`; keeps nothing of it, for it may hold headers and body.

    `host` is name and port, `what` the call as a gerund, `safe` False for a call that changes something.
    """
    chain = _chain(exc)
    tls = next((link for link in chain if isinstance(link, ssl.SSLError)), None)
    verdict = _tls(tls) if tls else next((v for kinds, v in _RULES if _met(chain, kinds)), _OTHERWISE)
    words = verdict.words.format(host=host)
    if verdict.maybe_received and not safe:
        words = f"{words.split('. ')[0].rstrip('.')}. {UNKNOWN_OUTCOME}"
    return verdict.error(f"{failed(what)}: {words}", maybe_received=verdict.maybe_received)


def _met(chain: list[BaseException], kinds: tuple[type[BaseException], ...]) -> bool:
    return any(isinstance(link, kinds) for link in chain)


def _tls(error: ssl.SSLError) -> _Verdict:
    """TLS failures: an untrusted certificate, a port that speaks no TLS, a broken secure connection."""
    if isinstance(error, ssl.SSLCertVerificationError):
        why = error.verify_message.rstrip(".") or "it was not issued by a known authority"
        why = why.replace("{", "(").replace("}", ")")
        words = f"the certificate of {{host}} is not trusted ({why}). Check the host, or have it renewed."
        return _Verdict(Unreachable, words, False)
    if any(mark in str(error).upper().replace(" ", "_") for mark in _NOT_TLS):
        words = "{host} does not speak TLS on this port. Check the port of the URL."
        return _Verdict(Unreachable, words, False)
    words = "{host} broke off the secure connection. Check that its port speaks TLS, or try again in a while."
    return _Verdict(Unreachable, words, True)


def _chain(exc: BaseException) -> list[BaseException]:
    """The exception and all that it wraps: causes, contexts, reasons and exceptions among its arguments."""
    chain = [exc]
    for link in chain:
        inner = (link.__cause__, link.__context__, getattr(link, "reason", None), *link.args)
        chain += [each for each in inner if isinstance(each, BaseException) and each not in chain]
    return chain
