"""What the README names exists: commands, settings, addresses, files, make targets."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands
from django.urls import Resolver404, resolve

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
SETTINGS = (ROOT / "exportui" / "settings.py").read_text()


def code_words() -> list[str]:
    return re.findall(r"`([^`\n]+)`", README)


@pytest.mark.parametrize("command", sorted(set(re.findall(r"manage\.py (\w+)", README))))
def test_a_command_it_names_exists(command: str) -> None:
    assert command in get_commands()


@pytest.mark.parametrize("name", re.findall(r"^\| `([A-Z_]+)` \|", README, re.MULTILINE))
def test_a_setting_it_names_is_read(name: str) -> None:
    assert f'"{name}"' in SETTINGS


@pytest.mark.parametrize(
    "name", sorted(set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', SETTINGS)) - {"EXPORTUI_DEBUG"})
)
def test_a_setting_that_is_read_is_named(name: str) -> None:
    assert f"`{name}`" in README


@pytest.mark.parametrize("target", sorted(set(re.findall(r"(?:^|`|=8123 )make (\w+)", README, re.MULTILINE))))
def test_a_target_it_names_exists(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize(
    "address",
    sorted({word.split()[-1] for word in code_words() if re.match(r"^((GET|POST) )?/[\w/{}.-]+$", word)}),
)
def test_an_address_it_names_answers(address: str) -> None:
    try:
        resolve(address.replace("{pk}", "1"))
    except Resolver404:
        pytest.fail(f"{address} is no address of ours")


@pytest.mark.parametrize(
    "path",
    sorted(
        {
            word
            for word in code_words()
            if re.match(r"^(jobs|tests|static|templates|emulator|exportui)/[\w./]*$", word)
        }
        | set(re.findall(r"\]\(([\w./-]+)\)", README))
    ),
)
def test_a_file_it_names_exists(path: str) -> None:
    assert (ROOT / path).exists()


def test_the_default_zone_is_the_one_it_says() -> None:
    assert settings.EXPORTUI_TIME_ZONE == "UTC"
