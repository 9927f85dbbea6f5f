"""The pages' files keep the rules: no inline code, known icons, vendored files as published, readable colours."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import brotli
import pytest
from jinja2 import Environment, nodes

from jobs.rules.status import FLAG_LOOK, LOOK

ROOT = Path(__file__).parents[1]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SCRIPTS = sorted((ROOT / "static" / "js").glob("*.js"))
SHEETS = sorted((ROOT / "static" / "css").glob("*.css"))
VENDOR = ROOT / "static" / "vendor"
MANIFEST = json.loads((VENDOR / "vendor.json").read_text())
TOKENS = (ROOT / "static" / "css" / "tokens.css").read_text()

FORBIDDEN_IN_TEMPLATES = {
    "an inline script": r"<script(?![^>]*\bsrc=)",
    "an inline stylesheet": r"<style\b",
    "a style attribute": r"\sstyle\s*=",
    "an event handler attribute": r"\son[a-z]+\s*=\s*[\"']",
    "hx-on": r"\bhx-on\b",
    "hx-vars": r"\bhx-vars\b",
    "a computed htmx value": r"[\"'\s]js:|javascript:",
    "a filter in hx-trigger": r"hx-trigger=\"[^\"{]*\[|hx-trigger='[^'{]*\[",
    "a morph setting that is evaluated": r"morph:\{",
    "text marked as safe": r"\|\s*safe\b|\bMarkup\(|autoescape\s+false",
}
FORBIDDEN_IN_SCRIPTS = {
    "markup from text": r"\.innerHTML|\.outerHTML|insertAdjacentHTML|document\.write",
    "evaluated text": r"\beval\(|\bnew Function\b|setTimeout\(\s*[\"'`]",
}


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("template", TEMPLATES, ids=relative)
@pytest.mark.parametrize("what", FORBIDDEN_IN_TEMPLATES)
def test_no_template_holds(what: str, template: Path) -> None:
    assert not re.search(FORBIDDEN_IN_TEMPLATES[what], template.read_text(), re.IGNORECASE)


@pytest.mark.parametrize("script", SCRIPTS, ids=relative)
@pytest.mark.parametrize("what", FORBIDDEN_IN_SCRIPTS)
def test_no_script_makes(what: str, script: Path) -> None:
    assert not re.search(FORBIDDEN_IN_SCRIPTS[what], script.read_text())


def icons_called(template: Path) -> Iterator[str]:
    """Every literal that can reach the first argument of `icon(…)` or an `icon_name=`."""
    tree = Environment(autoescape=True, extensions=["jinja2.ext.i18n", "jinja2.ext.do"]).parse(
        template.read_text()
    )
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name == "icon" and call.args:
            yield from literals(call.args[0])
        yield from (name for each in call.kwargs if each.key == "icon_name" for name in literals(each.value))


def literals(node: nodes.Expr) -> Iterator[str]:
    if isinstance(node, nodes.Const):
        yield node.value
    elif isinstance(node, nodes.CondExpr):
        yield from literals(node.expr1)
        yield from literals(node.expr2 or nodes.Const(""))


@pytest.mark.parametrize("template", TEMPLATES, ids=relative)
def test_every_icon_a_template_names_is_in_the_sprite(template: Path) -> None:
    assert set(icons_called(template)) <= sprite()


def test_every_icon_of_the_status_vocabulary_is_in_the_sprite() -> None:
    assert {look.icon for look in LOOK.values()} | {name for name, _ in FLAG_LOOK.values()} <= sprite()


def test_every_colour_role_of_the_status_vocabulary_has_its_class() -> None:
    pieces = (ROOT / "static/css/pieces.css").read_text()
    assert {look.role for look in LOOK.values()} <= set(re.findall(r"^\.is-(\w+) \{", pieces, re.MULTILINE))


def sprite() -> set[str]:
    return set(re.findall(r'<symbol id="([^"]+)"', (VENDOR / "icons.svg").read_text()))


def vendored() -> dict[str, str]:
    """File name to the sha512 recorded for it."""
    packages = MANIFEST["packages"].values()
    return {
        name: entry["sha512"]
        for each in packages
        for name, entry in (each["files"] | each.get("made", {})).items()
    }


@pytest.mark.parametrize("name", vendored())
def test_a_vendored_file_is_what_vendor_json_says(name: str) -> None:
    found = hashlib.sha512((VENDOR / name).read_bytes()).digest()
    assert base64.b64encode(found).decode() == vendored()[name]


def test_nothing_else_lies_among_the_vendored_files_and_each_licence_lies_beside_them() -> None:
    ours = {"vendor.py", "vendor.json", "tabler.scss", "tabler.LICENSE"}
    assert {path.name for path in VENDOR.iterdir() if path.is_file()} == set(vendored()) | ours
    assert {name for name in vendored() if name.endswith(".LICENSE")} == {
        "htmx.LICENSE",
        "idiomorph.LICENSE",
        "icons.LICENSE",
    }


def test_what_a_first_view_loads_stays_small() -> None:
    loaded = [*SHEETS, *SCRIPTS, *(VENDOR / name for name in vendored() if not name.endswith("LICENSE"))]
    assert sum(len(brotli.compress(path.read_bytes())) for path in loaded) < 55_000


def test_every_variable_a_stylesheet_uses_is_defined() -> None:
    css = "".join(sheet.read_text() for sheet in SHEETS)
    known = set(re.findall(r"(--[\w-]+)\s*:", css))
    assert {name for name in re.findall(r"var\((--[\w-]+)", css) if not name.startswith("--tblr-")} <= known


# --- Contrast ---------------------------------------------------------------------------------------------------------

LIGHT, DARK = 0, 1
GROUNDS = ("canvas", "surface", "raised", "sunken", "hover")
TINTED = sorted(set(re.findall(r"--(\w+)-tint:", TOKENS)) & set(re.findall(r"--(\w+)-text:", TOKENS)))


def colour(name: str, theme: int) -> str:
    found = re.search(rf"--{name}: light-dark\((#\w{{6}}), (#\w{{6}})\)", TOKENS)
    assert found, f"--{name} has no colour for both themes"
    return found.groups()[theme]


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("role", TINTED)
def test_text_of_a_role_is_readable_on_its_tint(role: str, theme: int) -> None:
    assert contrast(colour(f"{role}-text", theme), colour(f"{role}-tint", theme)) >= 4.5


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("text", ["ink", "ink-2", "ink-3", "accent"])
def test_text_is_readable_on_every_ground(text: str, ground: str, theme: int) -> None:
    assert contrast(colour(text, theme), colour(ground, theme)) >= 4.5


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("role", sorted(set(re.findall(r"--(json-\w+)-text:", TOKENS))))
@pytest.mark.parametrize("ground", ["sunken", "json-changed"])
def test_json_is_readable_also_on_a_changed_line(ground: str, role: str, theme: int) -> None:
    assert contrast(colour(f"{role}-text", theme), colour(ground, theme)) >= 4.5


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_the_primary_button_is_readable_and_focus_and_field_borders_are_seen(theme: int) -> None:
    assert contrast(colour("accent-on", theme), colour("accent-solid", theme)) >= 4.5
    assert contrast(colour("accent-on", theme), colour("accent-solid-hover", theme)) >= 4.5
    assert contrast(colour("focus", theme), colour("canvas", theme)) >= 3
    assert contrast(colour("line-strong", theme), colour("surface", theme)) >= 3
