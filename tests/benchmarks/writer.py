"""Moves jobs on order: each line on standard input changes one in a hundred of a thousand jobs."""

from __future__ import annotations

import random
import sys

import django

if __name__ == "__main__":
    django.setup()

from tests.benchmarks.ingest import Ingest

if __name__ == "__main__":
    ingest = Ingest(random.Random(5))
    print("ready", flush=True)
    for _ in sys.stdin:
        ingest.write(ingest.moved(0.01))
