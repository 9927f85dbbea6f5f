"""`python -m emulator`: read the options, hand them to the settings by environment, and serve."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import django
from django.core.management import CommandError, call_command

from emulator.presets import PRESETS
from emulator.quirks import QUIRKS


class _Whole(argparse.HelpFormatter):
    """Keeps the lines of `--list` apart, which argparse would fill to one paragraph."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return text if "\n" in text else super()._fill_text(text, width, indent)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m emulator",
        description=__doc__,
        formatter_class=_Whole,
    )
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument(
        "--data-dir", type=Path, default=Path("var/emulator"), help="where its database lives"
    )
    parser.add_argument("--speed", type=float, default=20, help="how many platform minutes pass in one")
    parser.add_argument("--jobs", type=int, default=400, help="export jobs of the last 30 days to start with")
    parser.add_argument("--seed", type=int, default=1, help="start data and outcomes follow from it")
    parser.add_argument(
        "--arrivals", type=float, default=1.5, help="jobs others launch per platform hour; 0: none"
    )
    parser.add_argument(
        "--profiles",
        type=int,
        default=100_000,
        help="profiles in the store of each sandbox; events: ten times",
    )
    parser.add_argument("--at-once", type=int, default=2, help="export jobs that run at once; others wait")
    parser.add_argument(
        "--token-lifetime", type=int, default=86_399, help="seconds an access token is good for"
    )
    parser.add_argument(
        "--quirks", default="", metavar="A,B", help="contradictions of the documents to show from the start"
    )
    parser.add_argument(
        "--fault",
        dest="faults",
        action="append",
        default=[],
        metavar="NAME[:P]",
        help="a fault from the start, always or by the chance P (0 to 1); may be given several times",
    )
    parser.add_argument(
        "--list", action="version", version=_names(), help="name every quirk and fault, and end"
    )
    options = parser.parse_args()
    options.faults = ",".join(options.faults)
    if options.speed <= 0 or options.jobs < 0 or options.arrivals < 0 or options.token_lifetime < 1:
        parser.error("--speed and --token-lifetime must be above 0, --jobs and --arrivals at least 0")
    if options.profiles < 0 or options.at_once < 1:
        parser.error("--profiles must be at least 0, --at-once at least 1")
    return options


def _names() -> str:
    """One line each."""
    lines = ["Quirks (--quirks A,B):", *(f"  {name:26} {line}" for name, line in QUIRKS.items())]
    lines += ["Faults (--fault NAME[:P]):", *(f"  {name:26} {one.line}" for name, one in PRESETS.items())]
    return "\n".join(lines)


def main() -> None:
    options = arguments()
    for name, value in vars(options).items():
        os.environ[f"EMULATOR_{name.upper()}"] = str(value)
    os.environ["DJANGO_SETTINGS_MODULE"] = "emulator.settings"
    django.setup()
    try:
        call_command("serve", port=options.port)
    except CommandError as error:
        sys.exit(f"emulator: {error}")


if __name__ == "__main__":
    main()
