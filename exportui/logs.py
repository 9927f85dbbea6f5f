"""Log records as one line each, in UTC, with secrets struck out."""

from __future__ import annotations

import logging
import re
from datetime import UTC, datetime

STRUCK = "[redacted]"
BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{6,}")
# client_secret=…, "access_token": "…", 'password': '…', Authorization: …, x-api-key: …
NAMED = re.compile(
    r"(?i)([\"']?\b(?:client_secret|access_token|refresh_token|password|secret_key|field_keys|authorization)\b[\"']?"
    r"\s*[=:]\s*)(\"[^\"]*\"|'[^']*'|[^\s&,;}\"']+)"
)
IN_URL = re.compile(r"(://[^/\s:@]*:)[^/\s@]+@")


def redact(text: str) -> str:
    """`text` without bearer tokens, named secrets and passwords inside URLs."""
    text = BEARER.sub(rf"\1 {STRUCK}", text)
    text = NAMED.sub(rf"\1{STRUCK}", text)
    return IN_URL.sub(rf"\1{STRUCK}@", text)


class Redact(logging.Filter):
    """Strikes secrets out of the message; what a traceback shows is struck by the formatter."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redact(record.getMessage()), None
        return True


class OneLine(logging.Formatter):
    """`2026-11-22T10:00:00.123Z INFO jobs.monitor message`; line breaks are shown, not made.

    An error carries its traceback; a warning only the exception itself, because nothing is broken.
    """

    def format(self, record: logging.LogRecord) -> str:
        time = (
            datetime.fromtimestamp(record.created, UTC)
            .isoformat(timespec="milliseconds")
            .replace("+00:00", "Z")
        )
        text = record.getMessage().strip()
        if record.exc_info and record.levelno >= logging.ERROR:
            text += "\n" + redact(self.formatException(record.exc_info))
        elif record.exc_info:
            text += f" ({redact(repr(record.exc_info[1]))})"
        return f"{time} {record.levelname} {record.name} {text}".replace("\r", "\\r").replace("\n", "\\n")
