"""Fetches the third-party files of the pages from the npm registry, and says in vendor.json exactly what they are.

Run `python static/vendor/vendor.py` after changing a version, a file or an icon in vendor.json. Needs npm.
Published files are copied byte for byte. Two files are made: icons.svg (one sprite of the icons named in
vendor.json) and tabler.css (Tabler's own Sass sources, the parts listed in tabler.scss, compiled by `sass`).
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
MANIFEST = HERE / "vendor.json"
LAYER = "tabler"  # our own stylesheets stand outside any layer, so they always win over this one


def main() -> None:
    manifest = json.loads(MANIFEST.read_text())
    with tempfile.TemporaryDirectory() as scratch:
        for name, package in manifest["packages"].items():
            root = fetch(name, package, scratch=Path(scratch))
            copy_files(root, package)
            for made in package.get("made", {}):
                MAKERS[made](root, manifest, scratch=Path(scratch))
            for made in package.get("made", {}):
                package["made"][made] = {"sha512": digest((HERE / made).read_bytes())}
    MANIFEST.write_text(json.dumps(manifest, indent=2) + "\n")


def fetch(name: str, package: dict[str, Any], *, scratch: Path) -> Path:
    """Packs NAME@VERSION and unpacks it; a known version whose archive changed is refused."""
    spec = f"{name}@{package['version']}"
    packed = run("npm", "pack", "--json", "--pack-destination", str(scratch), spec)
    archive = scratch / json.loads(packed)[0]["filename"].replace("@", "").replace("/", "-")
    found = digest(archive.read_bytes())
    known = package.get("archive", {})
    if known.get("of") == spec and known["sha512"] != found:
        sys.exit(f"{spec}: the archive is not the one recorded in vendor.json; nothing was changed.")
    package["archive"] = {"of": spec, "sha512": found}
    root = scratch / re.sub(r"\W", "-", name)
    with tarfile.open(archive) as tar:
        tar.extractall(root, filter="data")
    return root / "package"


def copy_files(root: Path, package: dict[str, Any]) -> None:
    for target, entry in package["files"].items():
        content = (root / entry["from"]).read_bytes()
        (HERE / target).write_bytes(content)
        entry["sha512"] = digest(content)


def make_sprite(root: Path, manifest: dict[str, Any], *, scratch: Path) -> None:
    """One <symbol> an icon; colour and stroke come from the page's stylesheet through `currentColor`."""
    symbols = [symbol(root / "icons" / "outline", name) for name in sorted(set(manifest["icons"]))]
    head = '<svg xmlns="http://www.w3.org/2000/svg">'
    (HERE / "icons.svg").write_text(head + "\n" + "\n".join(symbols) + "\n</svg>\n")


def symbol(folder: Path, name: str) -> str:
    source = (folder / f"{name}.svg").read_text()
    body = source.split(">", 1)[1].rsplit("</svg>", 1)[0]
    body = re.sub(r'<path stroke="none" d="M0 0h24v24H0z" fill="none" ?/>', "", body)
    body = re.sub(r"\s*\n\s*", "", body).replace(" />", "/>")
    stroke = (
        'fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"'
    )
    return f'<symbol id="{name}" viewBox="0 0 24 24" {stroke}>{body}</symbol>'


def make_tabler(root: Path, manifest: dict[str, Any], *, scratch: Path) -> None:
    """Compiles tabler.scss against Tabler's sources, with its published variable prefix, in a cascade layer."""
    sass = f"sass@{manifest['tools']['sass']}"
    run("npm", "install", "--no-save", "--ignore-scripts", "--omit=optional", "--prefix", str(scratch), sass)
    entry = root / "scss" / "ours.scss"
    entry.write_text((HERE / "tabler.scss").read_text())
    compiler = scratch / "node_modules" / ".bin" / "sass"
    css = run(
        str(compiler), "--no-source-map", "--style=compressed", "--quiet-deps", "--no-charset", str(entry)
    )
    css = re.sub(r"(?<![\w-])--(?=[a-z])", "--tblr-", css.strip())
    version = manifest["packages"]["@tabler/core"]["version"]
    banner = (
        f"/*! Parts of Tabler v{version} (https://tabler.io), MIT, see tabler.LICENSE; built by vendor.py */"
    )
    (HERE / "tabler.css").write_text(f"{banner}\n@layer {LAYER}{{{css}}}\n")


MAKERS = {"icons.svg": make_sprite, "tabler.css": make_tabler}


def digest(content: bytes) -> str:
    return base64.b64encode(hashlib.sha512(content).digest()).decode()


def run(*command: str) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    main()
