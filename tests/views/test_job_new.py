"""The page on which an export is put together: who may, what it keeps, what it launches."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from jobs.client.payload import PROFILE_CLASS
from jobs.launch.submit import launch
from jobs.models import CatalogEntry, EntryKind, Launch, LaunchState, Role, Sandbox
from tests import make

pytestmark = pytest.mark.django_db
NEW, PREVIEW, NAMES = "/jobs/new/", "/jobs/new/payload/", "/jobs/new/names/"
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def place() -> Sandbox:
    made = make.sandbox(title="Production", catalog_seen_at=timezone.now())
    entry(made, EntryKind.DATASET, "DS1", "Profile export")
    entry(made, EntryKind.DATASET, "DS2", "Web events", usable=False)
    entry(made, EntryKind.SEGMENT, "SEG1", "Spring buyers")
    entry(made, EntryKind.SEGMENT, "SEG2", "Lapsed")
    entry(made, EntryKind.MERGE_POLICY, "MP1", "Default", details={"is_default": True})
    return made


@pytest.fixture
def operator(client: Client, place: Sandbox) -> Client:
    person = make.user("olga")
    make.member(person, place.connection, Role.OPERATOR)
    return make.signed_in(client, person)


def entry(place: Sandbox, kind: EntryKind, pk: str, name: str, **fields: Any) -> CatalogEntry:
    return CatalogEntry.objects.create(
        sandbox=place, kind=kind, remote_id=pk, name=name, seen_at=timezone.now(), **fields
    )


def two_segments(**fields: Any) -> dict[str, Any]:
    """What a browser posts for two segments into one dataset."""
    return {
        "sandbox": "acme/prod",
        "dataset": "DS1",
        "schema": PROFILE_CLASS,
        "merge_policy": "MP1",
        "key": "0123456789abcdef",
        "segments-0-segment": "SEG1",
        "segments-0-namespace": "ups",
        "segments-0-statuses": ["realized"],
        "segments-1-segment": "SEG2",
        "segments-1-namespace": "ups",
        "segments-1-statuses": ["realized", "exited"],
        **fields,
    }


def html(response: Any) -> str:
    return str(response.content.decode())


# --- who ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", [NEW, PREVIEW, NAMES, "/datasets/new/"])
def test_nobody_gets_here_without_signing_in(client: Client, address: str) -> None:
    for response in (client.get(address), client.post(address)):
        assert response.status_code == 302
        assert response["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("address", [NEW, PREVIEW, NAMES, "/datasets/new/"])
def test_a_viewer_is_refused_with_a_sentence(client: Client, place: Sandbox, address: str) -> None:
    person = make.user("vic")
    make.member(person, place.connection, Role.VIEWER)
    response = make.signed_in(client, person).post(address, two_segments())
    assert response.status_code == 403
    assert "needs the role operator" in html(response)
    assert not Launch.objects.exists()


def test_a_viewer_does_not_see_the_form(client: Client, place: Sandbox) -> None:
    person = make.user("vic")
    make.member(person, place.connection, Role.VIEWER)
    response = make.signed_in(client, person).get(NEW)
    assert response.status_code == 403
    assert "You may look at exports but not launch them" in html(response)


def test_an_operator_of_one_connection_launches_nothing_in_another(operator: Client) -> None:
    seen, unseen = make.connection("seen"), make.connection("unseen")
    make.sandbox(seen, "prod")
    make.sandbox(unseen, "prod")
    person = make.User.objects.get(username="olga")
    make.member(person, seen, Role.VIEWER)
    assert operator.post(NEW, two_segments(sandbox="seen/prod")).status_code == 403
    assert operator.post(NEW, two_segments(sandbox="unseen/prod")).status_code == 404
    assert operator.post(PREVIEW, two_segments(sandbox="seen/prod")).status_code == 403
    assert operator.get(f"{NEW}?sandbox=seen/prod").status_code == 403
    assert not Launch.objects.exists()


def test_only_sandboxes_the_person_operates_are_offered(operator: Client) -> None:
    make.sandbox(make.connection("other"), "elsewhere")
    assert "elsewhere" not in html(operator.get(NEW))


# --- the empty form -----------------------------------------------------------------------------------------------


def test_the_form_opens_with_names_one_row_and_what_is_missing(operator: Client) -> None:
    page = html(operator.get(NEW))
    assert '<option value="DS1">Profile export</option>' in page
    assert re.search(r'<option value="DS2" disabled>Web events – not on the union schema</option>', page)
    assert '<option value="SEG1">Spring buyers</option>' in page
    assert "Default (default)" in page
    assert "Choose a segment, or remove this row" in page
    assert "field-error" not in page, "nothing is wrong before anything was typed"
    assert "times in UTC" in page


def test_the_form_and_its_payload_work_without_scripts(operator: Client) -> None:
    page = html(operator.post(NEW, two_segments(do="check")))
    assert "Exports 2 segments into one batch." in page
    assert "&#34;segmentId&#34;: &#34;SEG2&#34;" in page
    assert not Launch.objects.exists()


def test_the_page_reads_little_however_many_jobs_and_names_there_are(
    operator: Client, place: Sandbox, django_assert_max_num_queries: Any
) -> None:
    for count in (1, 199):
        for _ in range(count):
            make.job(place)
        with django_assert_max_num_queries(12):
            assert operator.get(NEW).status_code == 200
        with django_assert_max_num_queries(8):
            assert operator.post(PREVIEW, two_segments()).status_code == 200


def test_thousands_of_segments_stand_in_the_page_once(operator: Client, place: Sandbox) -> None:
    now = timezone.now()
    CatalogEntry.objects.bulk_create(
        CatalogEntry(
            sandbox=place, kind=EntryKind.SEGMENT, remote_id=f"S{n}", name=f"Audience {n}", seen_at=now
        )
        for n in range(4000)
    )
    page = html(operator.post(NEW, two_segments(do="check")))
    assert page.count('"Audience 77"') == 1
    assert 'value="Spring buyers"' in page
    assert len(page) < 400_000
    typed = two_segments(**{"segments-0-segment": "Audience 77"})
    assert "&#34;S77&#34;" in html(operator.post(PREVIEW, typed))


def test_without_names_ids_can_be_typed_and_the_page_says_why(operator: Client, place: Sandbox) -> None:
    CatalogEntry.objects.all().delete()
    Sandbox.objects.update(catalog_seen_at=None, catalog_error="The platform cannot be reached.")
    page = html(operator.get(NEW))
    assert "never looked up" in page
    assert "The platform cannot be reached." in page
    assert operator.post(NEW, two_segments()).status_code == 302


# --- rearranging --------------------------------------------------------------------------------------------------


def test_rows_are_added_and_removed_without_scripts_and_everything_typed_stays(operator: Client) -> None:
    more = html(operator.post(NEW, two_segments(add_row="segments", profile_fields="a.b")))
    assert 'name="segments-2-segment"' in more
    assert '<option value="SEG2" selected>' in more
    assert "a.b</textarea>" in more
    fewer = html(operator.post(NEW, two_segments(remove_row="segments-0")))
    assert 'name="segments-1-segment"' not in fewer
    assert fewer.count('<option value="SEG2" selected>') == 1
    assert "field-error" not in more + fewer


def test_another_sandbox_brings_its_names_and_keeps_what_was_typed(operator: Client, place: Sandbox) -> None:
    other = make.sandbox(place.connection, "dev", title="Playground")
    entry(other, EntryKind.DATASET, "DS9", "Dev export")
    page = html(operator.post(NEW, two_segments(sandbox="acme/dev", do="sandbox", profile_fields="a.b")))
    assert "Dev export" in page
    assert "Profile export" not in page
    assert "a.b</textarea>" in page
    assert "acme/dev" in page[: page.index("</title>")], "the frame names the sandbox of the form"
    assert "DS1 (not in the list)" in page


def test_lists_turn_into_inputs_and_back(operator: Client) -> None:
    typed = html(operator.post(NEW, two_segments(do="type")))
    assert 'list="names-segment"' in typed
    assert 'value="Spring buyers"' in typed
    listed = html(
        operator.post(NEW, two_segments(do="list", typed="on", **{"segments-0-segment": "Spring buyers"}))
    )
    assert '<option value="SEG1" selected>' in listed


# --- launching ----------------------------------------------------------------------------------------------------


def test_a_right_form_becomes_one_launch(operator: Client, place: Sandbox) -> None:
    response = operator.post(NEW, two_segments(events="on", events_from="2026-01-01T00:00"))
    wish = Launch.objects.get()
    assert response.status_code == 302
    assert response["Location"] == f"/launches/{wish.pk}/"
    assert (wish.sandbox, wish.state, str(wish.actor)) == (place, LaunchState.QUEUED, "olga")
    assert wish.payload == {
        "destination": {"datasetId": "DS1"},
        "schema": {"name": PROFILE_CLASS},
        "mergePolicy": {"id": "MP1"},
        "filter": {
            "segments": [
                {"segmentId": "SEG1", "segmentNs": "ups", "status": ["realized"]},
                {"segmentId": "SEG2", "segmentNs": "ups", "status": ["realized", "exited"]},
            ]
        },
        "additionalFields": {"eventList": {"filter": {"fromIngestTimestamp": "2026-01-01T00:00:00Z"}}},
    }


def test_a_second_press_of_the_button_leads_to_the_same_launch(operator: Client) -> None:
    first, second = operator.post(NEW, two_segments()), operator.post(NEW, two_segments())
    assert first["Location"] == second["Location"]
    assert Launch.objects.count() == 1


def test_a_form_used_again_with_other_values_says_so_and_needs_a_second_press(operator: Client) -> None:
    operator.post(NEW, two_segments())
    response = operator.post(NEW, two_segments(profile_fields="a.b"))
    page = html(response)
    assert response.status_code == 409
    assert "launched before with other values" in page
    assert Launch.objects.count() == 1
    key = re.search(r'name="key" value="(\w+)"', page)
    assert key
    assert operator.post(NEW, two_segments(profile_fields="a.b", key=key[1])).status_code == 302
    assert Launch.objects.count() == 2


def test_every_new_form_has_a_key_of_its_own(operator: Client) -> None:
    keys = {re.findall(r'name="key" value="(\w+)"', html(operator.get(NEW)))[0] for _ in range(2)}
    assert len(keys) == 2


def test_a_wrong_form_comes_back_with_everything_typed_and_the_first_error_in_focus(operator: Client) -> None:
    response = operator.post(
        NEW, two_segments(merge_policy="", profile_fields="a b", events="on", event_fields="c.d")
    )
    page = html(response)
    assert response.status_code == 422
    assert "Several segments need one merge policy" in page
    assert "“a b” is no field path" in page
    assert "c.d</textarea>" in page
    assert '<option value="SEG2" selected>' in page
    assert 'name="key" value="0123456789abcdef"' in page
    assert page.count("autofocus") == 1
    assert 'aria-invalid="true"' in page
    assert not Launch.objects.exists()


def test_a_name_of_five_hundred_characters_is_answered_beside_its_field(operator: Client) -> None:
    response = operator.post(NEW, two_segments(**{"segments-0-segment": "x" * 500}))
    assert response.status_code == 422
    assert "This has 500 characters; an id has at most 300." in html(response)


def test_hostile_text_is_text_wherever_it_stands(operator: Client, place: Sandbox) -> None:
    entry(place, EntryKind.SEGMENT, "SEG6", HOSTILE)
    fields = [
        "dataset",
        "merge_policy",
        "profile_fields",
        "schema",
        "updated_after",
        "segments-0-segment",
        "extra",
        "key",
    ]
    for do in ("launch", "check", "type"):
        page = html(operator.post(NEW, two_segments(do=do, **dict.fromkeys(fields, HOSTILE))))
        assert "<img" not in page
        assert "&lt;img" in page
    assert "<img" not in html(operator.post(PREVIEW, two_segments(**dict.fromkeys(fields, HOSTILE))))


def test_no_secret_stands_in_the_page(operator: Client) -> None:
    page = html(operator.get(NEW))
    assert "s3cret" not in page
    assert "ORG@AdobeOrg" not in page


# --- the payload beside it ----------------------------------------------------------------------------------------


def test_a_half_typed_form_has_a_payload_and_a_list_of_what_is_missing(operator: Client) -> None:
    response = operator.post(
        PREVIEW, {"sandbox": "acme/prod", "segments-0-segment": "", "events_from": "2026-"}
    )
    page = html(response)
    assert response.status_code == 200
    assert page.lstrip().startswith('<div class="payload-now" id="payload">')
    assert "Choose the dataset to export to." in page
    assert '<a href="#id_segments-0-segment">Segment 1</a>' in page


def test_the_preview_says_what_a_batch_for_each_segment_means(operator: Client) -> None:
    page = html(operator.post(PREVIEW, two_segments(segment_per_batch="on")))
    assert "Exports one batch for each of the 2 segments." in page
    assert "Nothing is missing." in page


def test_what_is_allowed_but_doubtful_is_said_beside_the_payload(operator: Client) -> None:
    page = html(operator.post(PREVIEW, two_segments(events="on")))
    assert "The guides ask for a start of the events." in page
    every = {
        "sandbox": "acme/prod",
        "dataset": "DS1",
        "schema": PROFILE_CLASS,
        "qualified_from": "2026-01-01T00:00",
    }
    assert "qualification window for segments only" in html(operator.post(PREVIEW, every))
    assert operator.post(NEW, every).status_code == 302, "a doubt is no error"


def test_a_row_that_is_not_filled_is_not_taken_for_every_profile(operator: Client) -> None:
    page = html(operator.post(PREVIEW, two_segments(**{"segments-1-segment": ""})))
    assert "Not complete: 1 of 2 segments still to be chosen." in page
    assert "every profile of the sandbox" not in page


def test_only_a_post_assembles_a_payload(operator: Client) -> None:
    assert operator.get(PREVIEW).status_code == 405


# --- filled from what was -----------------------------------------------------------------------------------------


def test_a_job_is_asked_for_again_as_it_was_launched_here(operator: Client, place: Sandbox) -> None:
    payload = {
        "destination": {"datasetId": "DS1", "segmentPerBatch": False},
        "schema": {"name": PROFILE_CLASS},
        "filter": {"segments": [{"segmentId": "SEG2", "status": ["exited"]}]},
        "properties": {"checkBatchStatusForSuccess": True},
    }
    job = make.job(place)
    wish = launch(place, payload, actor=None, now=timezone.now())
    Launch.objects.filter(pk=wish.pk).update(job=job, state=LaunchState.ACCEPTED)
    page = html(operator.get(f"{NEW}?from={job.pk}"))
    assert '<option value="SEG2" selected>' in page
    assert "checkBatchStatusForSuccess" in page
    assert "Leave it out" in page
    extra = re.search(r'name="extra" value="([^"]*)"', page)
    assert extra
    assert json.loads(extra[1].replace("&quot;", '"'))["properties"] == {"checkBatchStatusForSuccess": True}
    dropped = operator.post(NEW, two_segments(do="drop", extra=json.dumps({"properties": {"a": 1}})))
    assert "Leave it out" not in html(dropped)


def test_a_job_made_elsewhere_is_asked_for_as_far_as_its_record_tells(
    operator: Client, place: Sandbox
) -> None:
    told = html(operator.get(f"{NEW}?from={make.job(place).pk}"))
    assert '<option value="SEG1" selected>' in told
    assert "identityMap,person.name</textarea>" in told
    silent = make.job(place, filter=None, fields=None)
    page = html(operator.get(f"{NEW}?from={silent.pk}"))
    assert "does not say which segments" in page
    assert "Choose a segment, or remove this row" in page


def test_after_a_refusal_the_platforms_words_stand_on_top_of_what_was_typed(
    operator: Client, place: Sandbox
) -> None:
    payload = {"destination": {"datasetId": "DS1"}, "schema": {"name": PROFILE_CLASS}, "fields": "a.b"}
    wish = launch(place, payload, actor=None, now=timezone.now())
    error = {
        "sentence": "The platform refused.",
        "detail": f"dataset is closed {HOSTILE}",
        "status": 400,
        "code": "E1",
    }
    Launch.objects.filter(pk=wish.pk).update(state=LaunchState.REJECTED, error=error)
    page = html(operator.get(f"{NEW}?launch={wish.pk}"))
    assert "dataset is closed &lt;img" in page
    assert "a.b</textarea>" in page
    assert '<option value="DS1" selected>' in page
    assert f'name="key" value="{wish.key}"' not in page, "asking again is another launch"


@pytest.mark.parametrize(
    "query", ["from=0", "from=x", "launch=999999999999999999999", "from=1&launch=1", "sandbox=no/where"]
)
def test_what_does_not_exist_is_not_found(operator: Client, query: str) -> None:
    assert operator.get(f"{NEW}?{query}").status_code == 404


def test_the_job_of_another_connection_fills_no_form(operator: Client) -> None:
    job = make.job(make.sandbox(make.connection("other"), "prod"))
    assert operator.get(f"{NEW}?from={job.pk}").status_code == 404
