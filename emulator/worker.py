"""A child process of the emulator that does the heavy work, so that the server stays small.

It reads tasks as JSON lines from standard input and answers with JSON lines: `{"progress": …}` any number of
times, then `{"result": …}` or `{"error": {"kind", "message"}}`. It ends by itself when its parent is gone,
also in the middle of a task, and when it had nothing to do for a while.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb

from emulator import exporter
from emulator.store import generate

IDLE_S = 20.0

Say = Callable[[dict[str, Any]], None]


def main() -> None:
    tasks: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=[tasks], daemon=True).start()
    while True:
        try:
            task = tasks.get(timeout=IDLE_S)
        except queue.Empty:
            return
        _say(_done(task))


def _listen(tasks: queue.SimpleQueue[dict[str, Any]]) -> None:
    """The end of input means that the parent is gone: leave at once, whatever is being done."""
    for line in sys.stdin:
        tasks.put(json.loads(line))
    os._exit(0)


def _done(task: dict[str, Any]) -> dict[str, Any]:
    try:
        with exporter.connect(Path(task["spill"])) as db:
            return {"result": _do(db, task)}
    except (OSError, duckdb.IOException) as error:
        return {"error": {"kind": "storage", "message": str(error)}}
    except duckdb.Error as error:
        return {"error": {"kind": "engine", "message": f"{type(error).__name__}: {error}"}}


def _do(db: duckdb.DuckDBPyConnection, task: dict[str, Any]) -> Any:
    asked = task["asked"]
    if task["do"] == "generate":
        return generate.generate(
            db,
            Path(asked.pop("folder")),
            told=lambda share, what: _say({"progress": {"share": share, "what": what}}),
            **asked,
        )
    if task["do"] == "evaluate":
        return exporter.evaluate(db, asked)
    if task["do"] == "preview":
        return exporter.preview(db, asked["path"], asked["limit"])
    return exporter.run(db, asked)


def _say(told: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
