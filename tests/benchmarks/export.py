"""How fast the emulator exports: everybody of a store of its own, beside a plain copy of the same columns."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.running import ROOT

EXPORTER = [sys.executable, "-m", "emulator.exporter"]


def exported(profiles: int) -> dict[str, float]:
    """Rows a second of the export and of the copy, which take turns, and the export's peak memory in MiB."""
    with tempfile.TemporaryDirectory(prefix="exportui-bench-") as home:
        store = str(Path(home) / "store")
        subprocess.run([*EXPORTER, store, "--make", str(profiles)], cwd=ROOT, check=True)
        ran = subprocess.run([*EXPORTER, store], cwd=ROOT, check=True, stdout=subprocess.PIPE)
    told: dict[str, float] = json.loads(ran.stdout.splitlines()[-1])
    return told
