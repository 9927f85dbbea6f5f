"""A log line is one line, in UTC, and holds no secret."""

from __future__ import annotations

import logging
import sys

import pytest

from exportui.logs import OneLine, Redact, redact


def record(message: str, *args: object, level: int = logging.INFO) -> logging.LogRecord:
    return logging.LogRecord("jobs.x", level, __file__, 1, message, args, None)


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer SEKRET.abc-def_123",
        "headers {'Authorization': 'Bearer SEKRETsekret'}",
        "POST client_id=a&client_secret=SEKRET&grant_type=client_credentials",
        '{"access_token": "SEKRET", "expires_in": 1}',
        "{'client_secret': 'SEKRET with spaces', 'x': 1}",
        "connecting to postgres://exportui:SEKRET@db:5432/x",
        "redis://:SEKRET@cache:6379/0 is away",
        "password=SEKRET",
    ],
)
def test_secrets_are_struck_out(text: str) -> None:
    assert "SEKRET" not in redact(text)
    assert "[redacted]" in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "job 722 FAILED with code 10001",
        "GET https://platform.adobe.io/data/core/ups/export/jobs 200",
        "no token yet",
    ],
)
def test_other_text_stays_as_it_is(text: str) -> None:
    assert redact(text) == text


def test_a_secret_among_the_arguments_is_struck_out() -> None:
    made = record("sent %s to %s", "client_secret=SEKRET", "ims")
    assert Redact().filter(made)
    assert OneLine().format(made).endswith("INFO jobs.x sent client_secret=[redacted] to ims")


def test_a_line_break_in_a_message_makes_no_second_line() -> None:
    line = OneLine().format(record("job %s", "x\r\n2026-11-22T00:00:00Z INFO jobs.x forged"))
    assert "\n" not in line
    assert "\r" not in line
    assert "\\r\\n2026" in line


def failing(level: int) -> str:
    """The line of a record that carries an exception."""
    try:
        raise ValueError("access_token=SEKRET\nsecond line")
    except ValueError:
        made = record("it failed", level=level)
        made.exc_info = sys.exc_info()
    return OneLine().format(made)


def test_an_error_carries_its_traceback_on_the_same_line_without_its_secrets() -> None:
    line = failing(logging.ERROR)
    assert "Traceback" in line
    assert "ValueError" in line
    assert "SEKRET" not in line
    assert "\n" not in line


def test_a_warning_names_the_exception_only() -> None:
    line = failing(logging.WARNING)
    assert "it failed (ValueError(" in line
    assert "Traceback" not in line
    assert "SEKRET" not in line


def test_the_time_is_utc_with_milliseconds() -> None:
    made = record("x")
    made.created = 1_790_000_000.5
    assert OneLine().format(made).startswith("2026-09-21T14:13:20.500Z INFO")
