"""The settings in real processes: defaults run, wrong values stop the start with a sentence."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
PRODUCTION = {
    "EXPORTUI_ENV": "production",
    "EXPORTUI_PUBLIC_URL": "https://exports.example.com",
    "SECRET_KEY": "$0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "EXPORTUI_FIELD_KEYS": KEY,
    "DATABASE_URL": "postgres://exportui@localhost/exportui",
    "REDIS_URL": "redis://localhost:6379/0",
}


def settings_say(expression: str, home: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """What an expression of the settings is in a new process with this environment and no other."""
    clean = {"PATH": os.environ["PATH"], "EXPORTUI_DATA_DIR": str(home)}
    code = f"from exportui import settings; print({expression})"
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=clean | env, capture_output=True, text=True
    )


def test_nothing_set_runs_on_this_machine_with_secrets_made_once(tmp_path: Path) -> None:
    first = settings_say("settings.SECRET_KEY, settings.EXPORTUI_FIELD_KEYS", tmp_path)
    again = settings_say("settings.SECRET_KEY, settings.EXPORTUI_FIELD_KEYS", tmp_path)
    assert first.returncode == 0, first.stderr
    assert first.stdout == again.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["field_keys", "secret_key"]


def test_two_data_directories_use_two_cookie_names(tmp_path: Path) -> None:
    names = {settings_say("settings.SESSION_COOKIE_NAME", tmp_path / name).stdout for name in "ab"}
    assert len(names) == 2


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EXPORTUI_ENV", "prod"),
        ("EXPORTUI_PUBLIC_URL", "exports.example.com"),
        ("EXPORTUI_TIME_ZONE", "Berlin"),
        ("DATABASE_URL", "mysql://u:p@db/x"),
        ("REDIS_URL", "amqp://mq"),
    ],
)
def test_a_wrong_value_stops_the_start_and_is_named(tmp_path: Path, name: str, value: str) -> None:
    done = settings_say("1", tmp_path, **{name: value})
    assert done.returncode == 1
    assert name in done.stderr.splitlines()[-1]


@pytest.mark.parametrize("name", ["SECRET_KEY", "EXPORTUI_FIELD_KEYS"])
def test_production_insists_on_its_secrets_and_makes_none(tmp_path: Path, name: str) -> None:
    done = settings_say("1", tmp_path, **{key: value for key, value in PRODUCTION.items() if key != name})
    assert done.returncode == 1
    assert f"{name} must be set when EXPORTUI_ENV=production" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_production_takes_a_key_that_starts_with_a_dollar_as_it_is(tmp_path: Path) -> None:
    assert (
        settings_say("settings.SECRET_KEY", tmp_path, **PRODUCTION).stdout.strip() == PRODUCTION["SECRET_KEY"]
    )


def test_production_sends_cookies_over_https_alone_and_turns_http_away(tmp_path: Path) -> None:
    expression = (
        "settings.SESSION_COOKIE_SECURE and settings.CSRF_COOKIE_SECURE and settings.SECURE_SSL_REDIRECT"
        " and settings.SECURE_HSTS_SECONDS > 0 and not settings.DEBUG and settings.ALLOWED_HOSTS"
    )
    assert settings_say(expression, tmp_path, **PRODUCTION).stdout.strip() == "['exports.example.com']"


def test_the_policy_for_content_allows_nothing_inline_and_nobody_else(tmp_path: Path) -> None:
    done = settings_say("settings.CONTENT_SECURITY_POLICY", tmp_path)
    assert "unsafe" not in done.stdout
    assert "http" not in done.stdout


def test_django_finds_nothing_to_complain_about_in_production(tmp_path: Path) -> None:
    done = manage("check", "--deploy", "--fail-level", "WARNING", home=tmp_path, **PRODUCTION)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"SECRET_KEY": "short"}, "exportui.E001"),
        ({"EXPORTUI_FIELD_KEYS": f"{KEY},nonsense"}, "exportui.E002"),
        ({"EXPORTUI_DEBUG": "true"}, "exportui.E003"),
        ({"EXPORTUI_PUBLIC_URL": "http://exports.example.com"}, "exportui.E004"),
        ({"REDIS_URL": f"unix:///{'x' * 120}/v.sock"}, "exportui.E005"),
        ({"DATABASE_URL": "sqlite:////tmp/x.sqlite3"}, "exportui.W001"),
        ({"REDIS_URL": ""}, "exportui.W002"),
    ],
)
def test_a_risky_production_is_told_so_with_a_hint(
    tmp_path: Path, change: dict[str, str], complaint: str
) -> None:
    done = manage("check", "--deploy", "--fail-level", "WARNING", home=tmp_path, **PRODUCTION | change)
    assert done.returncode == 1
    assert complaint in done.stderr
    assert "HINT" in done.stderr


def manage(*words: str, home: Path, **env: str) -> subprocess.CompletedProcess[str]:
    clean = {"PATH": os.environ["PATH"], "EXPORTUI_DATA_DIR": str(home)}
    return subprocess.run(
        [sys.executable, "manage.py", *words], cwd=ROOT, env=clean | env, capture_output=True, text=True
    )
