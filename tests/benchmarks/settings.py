"""The product's own settings, with the anchors' addresses beside its pages."""

from __future__ import annotations

from exportui.settings import *  # noqa: F403

ROOT_URLCONF = "tests.benchmarks.anchors"
