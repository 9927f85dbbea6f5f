"""The macros of templates/components: hostile text stays text, gaps are named, what is missing is said."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from jinja2 import Environment, FileSystemLoader

from jobs.rules.duration import Phase, human
from jobs.rules.status import LOOK, JobStatus

TEMPLATES = Path(__file__).parents[1] / "templates"
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'"


@pytest.fixture(scope="module")
def jinja() -> Environment:
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(url=lambda name, *args: f"/{name}", static=lambda path: f"/static/{path}")
    made.filters.update(
        ago=lambda moment: "3 h ago",
        exact=lambda moment: f"{moment:%Y-%m-%d %H:%M:%S} UTC",
        human_ms=human,
        thousands=str,
        short_id=lambda text: text if len(text) <= 13 else f"{text[:8]}…{text[-4:]}",
    )
    return made


def call(jinja: Environment, file: str, macro: str, *args: object, **kwargs: object) -> str:
    return str(getattr(jinja.get_template(f"components/{file}.html").module, macro)(*args, **kwargs))


HOSTILE_CALLS = {
    "badge": ("status", [SimpleNamespace(word=HOSTILE, icon="check", role="failed"), [("clock", HOSTILE)]]),
    "identifier": ("identifier", [HOSTILE, HOSTILE, "/x", HOSTILE]),
    "error": ("error", [HOSTILE, HOSTILE, "\n".join([HOSTILE] * 9)]),
    "json_block": ("payload", [HOSTILE, "payload"]),
    "empty": ("empty", [HOSTILE, HOSTILE, HOSTILE, "/x"]),
    "notice": ("notice", ["bad", HOSTILE]),
    "facts": ("facts", [[(HOSTILE, HOSTILE)]]),
    "strip": ("strip", [[(LOOK[JobStatus.FAILED], "/x", HOSTILE)]]),
    "waterfall": ("waterfall", [[Phase(HOSTILE, HOSTILE, 0, 10, 10, reported=True, running=False)]]),
    "bars": (
        "bars",
        [
            [{"label": HOSTILE, "title": HOSTILE, "href": "/x", "values": [("failed", HOSTILE, 3)]}],
            "id",
            HOSTILE,
            "jobs",
        ],
    ),
    "confirm": ("confirm", ["id", HOSTILE, HOSTILE, "/x", HOSTILE, "", [("next", HOSTILE)]]),
    "pager": ("pager", ["/a", "/b", HOSTILE]),
}


@pytest.mark.parametrize("macro", HOSTILE_CALLS)
def test_hostile_text_stays_text(macro: str, jinja: Environment) -> None:
    file, args = HOSTILE_CALLS[macro]
    shown = call(jinja, file, macro, *args)
    assert "<script>" not in shown and "<img" not in shown and 'onerror=alert(1)>"' not in shown
    assert "&lt;script&gt;" in shown


def test_an_identifier_is_shortened_but_copied_whole(jinja: Environment) -> None:
    shown = call(jinja, "identifier", "identifier", "5b7c86968f7b6501e21ba9df", label="dataset id")
    assert "5b7c8696…a9df" in shown
    assert 'data-copy="5b7c86968f7b6501e21ba9df" aria-label="Copy dataset id"' in shown


def test_a_missing_identifier_is_a_dash_without_a_button(jinja: Environment) -> None:
    shown = call(jinja, "identifier", "identifier", "")
    assert "–" in shown and "button" not in shown


def test_a_badge_says_its_state_in_a_word_and_its_conditions_by_name(jinja: Environment) -> None:
    shown = call(jinja, "status", "badge", LOOK[JobStatus.PROCESSING], [("hourglass", "late")])
    assert "is-running" in shown and "Running" in shown
    assert 'role="img" aria-label="late"' in shown


def test_a_time_carries_both_readings(jinja: Environment) -> None:
    shown = call(jinja, "time", "time", datetime(2026, 11, 22, 9, 41, 3, tzinfo=UTC))
    assert 'datetime="2026-11-22T09:41:03+00:00"' in shown
    assert "3 h ago" in shown and 'title="2026-11-22 09:41:03 UTC"' in shown


def test_a_short_call_stack_is_not_folded_and_a_long_one_after_four_lines(jinja: Environment) -> None:
    assert "<details" not in call(jinja, "error", "trace", "\n".join("abcd"))
    folded = call(jinja, "error", "trace", "\n".join("abcdefghi"))
    assert "Show all 9 lines" in folded and "a\nb\nc\nd</pre>" in folded and "e\nf\ng\nh\ni</pre>" in folded


PHASES = [
    Phase("", "Waiting before the export", 0, 128_000, 128_000, reported=False, running=False),
    Phase("profileExportTime", "Profile export", 128_000, None, None, reported=True, running=True),
]


def test_a_waterfall_names_its_gaps_and_draws_a_running_phase_to_now(jinja: Environment) -> None:
    shown = call(jinja, "waterfall", "waterfall", PHASES, now_ms=256_000)
    assert shown.count('class="wf-gap"') == 1 and shown.count('class="wf-open"') == 1
    assert "Waiting before the export" in shown and "2 m 8 s" in shown
    assert 'x="50.0%"' in shown and 'width="50.0%"' in shown


def test_a_waterfall_without_a_clock_still_shows_a_running_phase(jinja: Environment) -> None:
    assert 'class="wf-open"' in call(jinja, "waterfall", "waterfall", PHASES)


def test_a_waterfall_of_nothing_is_nothing(jinja: Environment) -> None:
    assert call(jinja, "waterfall", "waterfall", []).strip() == ""


def test_phases_of_no_length_at_one_moment_do_not_divide_by_zero(jinja: Environment) -> None:
    at_once = [Phase("x", "X", 5, 5, 0, reported=True, running=False)]
    assert 'class="wf-phase"' in call(jinja, "waterfall", "waterfall", at_once)


def test_bars_say_in_words_and_in_a_table_what_they_draw(jinja: Environment) -> None:
    values = [("succeeded", "Succeeded", 3), ("failed", "Failed", 1)]
    series = [{"label": "09", "title": "22 Nov 09:00", "href": "/jobs/?h=9", "values": values}]
    shown = call(jinja, "bars", "bars", series, "hours", "Outcomes per hour", "jobs")
    assert 'href="/jobs/?h=9" aria-label="22 Nov 09:00: 3 succeeded, 1 failed"' in shown
    assert '<caption class="visually-hidden">Outcomes per hour</caption>' in shown


def test_bars_of_nothing_draw_an_empty_frame(jinja: Environment) -> None:
    assert "<rect" not in call(jinja, "bars", "bars", [], "hours", "Outcomes per hour", "jobs")


def test_the_page_for_our_own_mistakes_needs_no_context_at_all(jinja: Environment) -> None:
    assert "Something went wrong" in jinja.get_template("500.html").render()


@pytest.mark.parametrize("name", ["400", "403", "403_csrf", "404", "429"])
def test_an_error_page_comes_up_without_a_frame_or_a_person(name: str, jinja: Environment) -> None:
    shown = jinja.get_template(f"{name}.html").render()
    assert 'class="entrance"' in shown and 'id="rail"' not in shown


def test_inside_the_sandbox_and_its_label_stand_in_every_page(jinja: Environment) -> None:
    sandbox = SimpleNamespace(ref="acme/prod", label="prod")
    frame = SimpleNamespace(
        sandboxes=[sandbox],
        sandbox=sandbox,
        label="prod",
        nav=[],
        theme="dark",
        times="absolute",
        can_launch=True,
    )
    person = SimpleNamespace(is_authenticated=True, get_username=lambda: "ana")
    request = SimpleNamespace(get_full_path=lambda: "/")
    shown = jinja.get_template("404.html").render(frame=frame, user=person, request=request)
    assert "<title>There is no such page · acme/prod · Export UI</title>" in shown
    assert (
        'class="edge edge-prod"' in shown
        and 'data-bs-theme="dark"' in shown
        and 'data-times="absolute"' in shown
    )
    assert 'href="/jobs:job_new"' in shown


def test_who_may_not_launch_is_not_offered_to(jinja: Environment) -> None:
    frame = SimpleNamespace(
        sandboxes=[], sandbox=None, label="", nav=[], theme="auto", times="relative", can_launch=False
    )
    person = SimpleNamespace(is_authenticated=True, get_username=lambda: "vic")
    request = SimpleNamespace(get_full_path=lambda: "/")
    shown = jinja.get_template("404.html").render(frame=frame, user=person, request=request)
    assert "New export" not in shown and "All sandboxes" in shown
