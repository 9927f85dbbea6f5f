"""Which addresses are asked, of whom, and what else is found out about the pages: weight, tabs, memory, start."""

from __future__ import annotations

import gzip
import html
import re
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from tests.benchmarks.measure import repeated
from tests.benchmarks.web import Answer, Line, Web

TABS, EVERY_S = 200, 2.0


class Page(NamedTuple):
    path: str
    who: str = "viewer"


def pages(told: dict[str, Any], line: Line) -> dict[str, Page]:
    """Anchors first; `told` is what filling the database said."""
    return {
        "noop": Page("/bench/noop", ""),
        "noop, signed in": Page("/bench/noop-signed-in"),
        "rows from memory": Page("/bench/memory", ""),
        "naive list": Page("/bench/naive", ""),
        "admin": Page("/admin/jobs/exportjob/", "root"),
        "list": Page("/jobs/"),
        "list deep": Page(f"/jobs/?after={deep(told)}"),
        "list FAILED": Page("/jobs/?status=FAILED"),
        "list 3 filters": Page(f"/jobs/?sandbox={told['sandbox']}&status=FAILED&dataset={told['dataset']}"),
        "list of a segment": Page(f"/jobs/?segment={told['segment_usual']}"),
        "list of a common segment": Page(f"/jobs/?segment={told['segment_common']}"),
        "list with errors": Page("/jobs/?flag=errors"),
        "list by duration": Page("/jobs/?sort=-duration"),
        "search by batch": Page(f"/jobs/?q={told['batch']}"),
        "job with 50 changes": Page(f"/jobs/{told['detail']}/"),
        "overview": Page("/"),
        "failures": Page("/failures/"),
        "poll, nothing new": Page(watched(line, told)),
    }


def deep(told: dict[str, Any]) -> str:
    return str(told["deep"])


def watched(line: Line, told: dict[str, Any]) -> str:
    """Where the open list asks what is new."""
    page = line.get("/jobs/", told["cookies"]["viewer"]).body.decode()
    found = re.search(r'id="jobs-live" hx-get="([^"]+)"', page)
    assert found
    return html.unescape(found[1])


def asking(line: Line, page: Page, cookies: dict[str, str], *, times: int) -> Callable[[], float]:
    """The median seconds of a page; anything but its answer is an error of the benchmark."""

    def ask() -> float:
        answer = line.get(page.path, cookies.get(page.who, ""))
        assert answer.status in (200, 204), f"{page.path} answers {answer.status}"
        return answer.seconds

    ask()
    return repeated(ask, times=times)


def tabs(
    web: Web, line: Line, path: str, cookie: str, *, seconds: float, move: Callable[[], None] | None = None
) -> float:
    """CPU of the web worker, as a part of one core, while 200 tabs ask each two seconds."""
    began, before, asked = time.monotonic(), web.cpu_s(), 0
    last_tick = -1
    while (passed := time.monotonic() - began) < seconds:
        tick = int(passed / EVERY_S)
        if move and tick != last_tick:
            move()
        last_tick = tick
        line.get(path, cookie)
        asked += 1
        time.sleep(max(0.0, began + asked * EVERY_S / TABS - time.monotonic()))
    return (web.cpu_s() - before) / (time.monotonic() - began)


def weight(line: Line, cookie: str) -> tuple[float, int]:
    """KB of the first list view with everything it loads, compressed, and the number of requests."""
    page = line.get("/jobs/", cookie)
    found = re.findall(r'(?:href|src)="(/static/[^"#]+)', page.body.decode())
    size, paths, seen = len(gzip.compress(page.body, 6)), list(dict.fromkeys(found)), set()
    while paths:
        path = paths.pop()
        if path in seen:
            continue
        seen.add(path)
        answer = line.get(path, Accept_Encoding="br, gzip")
        size += len(answer.body)
        if path.endswith(".js"):
            paths += imported(line.get(path), path)
    return size / 1024, 1 + len(seen)


def imported(answer: Answer, path: str) -> list[str]:
    folder = path.rpartition("/")[0]
    names = re.findall(rb'from\s*"\./([^"]+)"', answer.body)
    return [f"{folder}/{name.decode()}" for name in names]
