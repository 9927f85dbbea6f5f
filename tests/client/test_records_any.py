"""Any JSON at all: a job whose fields have their types, or Unusable, and never anything else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.client import lookups
from jobs.client.pages import WrongShape, read_page
from jobs.client.records import RemoteJob, Unusable, read_job
from tests.client.conftest import sample


def keys(value: Any) -> Iterator[str]:
    """Every key in a JSON value, at any depth."""
    if isinstance(value, dict):
        yield from value
        yield from keys(tuple(value.values()))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from keys(inner)


text = st.text(st.characters(codec=None, exclude_categories=()), max_size=12)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | text
    | st.sampled_from(["1e3", "-5", "true", "\x00"])
)
LISTS = (sample("list_segmentation_guide"), sample("list_profile_guide"), sample("job_100_batches"))
KEYS = sorted(set(keys(LISTS)))
anything = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS) | text, inner, max_size=6)
    ),
    max_leaves=25,
)
objects = st.dictionaries(st.sampled_from(KEYS) | text, anything, max_size=12)


def check_types(job: RemoteJob) -> None:
    texts = (
        *(job.remote_id, job.remote_status, job.job_type, job.dataset_id, job.merge_policy_id),
        *(job.merge_policy_version, job.schema_name, job.request_id, *job.fields, *job.problems),
        *(part for error in job.errors for part in (error.code, error.message, error.call_stack)),
        *(part for batch in job.batches for part in (batch.batch_id, batch.segment_id, *batch.statuses)),
        *(part for segment in job.segments for part in (segment.segment_id, segment.namespace)),
        *(name for pair in job.compute_jobs.items() for name in pair),
    )
    assert all(isinstance(part, str) and "\x00" not in part and part.encode() is not None for part in texts)
    assert 0 < len(job.remote_id) <= 200
    assert all(time is None or time.tzinfo is UTC for time in (job.created_at, job.updated_at))
    assert job.segment_per_batch in (None, True, False)
    numbers = [job.profiles_exported, *job.profiles_by_namespace.values()]
    numbers += [value for phase in job.phases for value in (phase.start_ms, phase.end_ms, phase.duration_ms)]
    assert all(number is None or (type(number) is int and 0 <= number < 2**63) for number in numbers)
    assert isinstance(job.filter, dict)
    assert isinstance(job.additional_fields, dict)
    assert "\x00" not in orjson.dumps(job.raw).decode().replace("\\u0000", "\x00")


@settings(max_examples=600, deadline=None)
@given(anything | objects)
def test_any_json_is_a_job_or_unusable(raw: Any) -> None:
    try:
        job = read_job(raw)
    except Unusable:
        return
    check_types(job)


@settings(max_examples=400, deadline=None)
@given(st.dictionaries(st.sampled_from(KEYS), anything, min_size=1, max_size=6), st.data())
def test_a_real_record_with_anything_anywhere_stays_readable(
    damage: dict[str, Any], data: st.DataObject
) -> None:
    raw = sample("job_100_batches")
    part = data.draw(st.sampled_from([raw, raw["destination"], raw["metrics"], raw["filter"]]))
    part.update(damage)
    raw["id"] = 100
    check_types(read_job(raw))


@settings(max_examples=200, deadline=None)
@given(anything)
def test_any_json_is_a_page_or_of_the_wrong_shape(body: Any) -> None:
    try:
        page = read_page(body, {})
    except WrongShape:
        return
    for job in page.jobs:
        check_types(job)
    assert page.next_offset is None or page.next_offset


@settings(max_examples=200, deadline=None)
@given(anything)
def test_any_json_is_an_entry_or_none_for_every_look_up(raw: Any) -> None:
    for read in (
        lookups.read_segment,
        lookups.read_merge_policy,
        lookups.read_sandbox,
        lookups.read_namespace,
        lambda entry: lookups.read_dataset("id", entry),
    ):
        found = read(raw)
        assert found is None or orjson.dumps(found)


def test_the_page_of_the_guides_follows_the_link_and_never_page_offset() -> None:
    page = read_page(sample("list_segmentation_guide"), {"Date": "Sun, 22 Nov 2026 10:00:00 GMT"})
    assert [job.remote_id for job in page.jobs] == ["100", "722"]
    assert page.next_offset == "1538573416687_722"
    assert page.server_time == datetime(2026, 11, 22, 10, tzinfo=UTC)
