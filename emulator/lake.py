"""Where the files of batches lie, and how they get there: whole or not at all.

`<data dir>/lake/<sandbox>/<batch id>/part-00000.parquet`; while it is written a batch is
`<data dir>/lake/.tmp-<batch id>`. The same file system, so that a rename is one step.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings

from emulator.models import Batch, BatchFile

TEMPORARY = ".tmp-"


def root() -> Path:
    return settings.DATA_DIR.resolve() / "lake"


def folder(batch: Batch) -> Path:
    return root() / batch.sandbox.name / batch.batch_id


def path(file: BatchFile) -> Path:
    return folder(file.batch) / file.name


def temporary(batch_id: str) -> Path:
    return root() / f"{TEMPORARY}{batch_id}"


def publish(batch: Batch) -> None:
    """Move a batch to where it is read; OSError if that cannot be. Doing it twice does no harm."""
    place = folder(batch)
    place.parent.mkdir(parents=True, exist_ok=True)
    if temporary(batch.batch_id).exists():
        shutil.rmtree(place, ignore_errors=True)
        os.replace(temporary(batch.batch_id), place)


def discard(batches: Iterable[Batch]) -> None:
    """Nothing of them is left."""
    for batch in batches:
        shutil.rmtree(temporary(batch.batch_id), ignore_errors=True)
        shutil.rmtree(folder(batch), ignore_errors=True)


def tidy(kept: set[str]) -> None:
    """Remove what no finished batch accounts for; `kept` are batches whose export waits to be published."""
    if not root().is_dir():
        return
    known = set(Batch.objects.filter(status=Batch.Status.SUCCESS).values_list("batch_id", flat=True)) | kept
    for place in [*root().glob(f"{TEMPORARY}*"), *root().glob("[!.]*/*")]:
        if place.name.removeprefix(TEMPORARY) not in known:
            shutil.rmtree(place, ignore_errors=True)
