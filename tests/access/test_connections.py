"""Connections change by audited verbs, and a secret is never shown again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from jobs.access.connections import (
    add_connection,
    change_connection,
    check_connection,
    choose_sandboxes,
    rotate_secret,
)
from jobs.models import Activity, Connection, Role, Sandbox, Sealed, Verb
from tests import make
from tests.remote import Remote

pytestmark = pytest.mark.django_db

FIELDS = {
    "name": "acme",
    "label": "prod",
    "org_id": "ORG@AdobeOrg",
    "client_id": "client",
    "scopes": "openid",
    "platform_url": "https://platform.example.org",
    "token_url": "https://ims.example.org/token",
    "requests_per_second": 10,
}


def test_whoever_adds_a_connection_becomes_its_admin() -> None:
    ana = make.user()
    made = add_connection(FIELDS, secret="s3cret", actor=ana, now=timezone.now())
    assert made.role_of(ana) == Role.ADMIN
    assert Connection.objects.get().client_secret.open() == "s3cret"


def test_no_audit_row_holds_the_secret() -> None:
    made = add_connection(FIELDS, secret="s3cret-one", actor=None, now=timezone.now())
    rotate_secret(made, "s3cret-two", actor=None, now=timezone.now())
    assert "s3cret" not in str(list(Activity.objects.values()))


def test_a_change_records_only_what_changed() -> None:
    made = add_connection(FIELDS, secret="s", actor=None, now=timezone.now())
    assert change_connection(made, {**FIELDS, "label": "dev"}, actor=None, now=timezone.now())
    row = Activity.objects.get(verb=Verb.CONNECTION_CHANGED)
    assert (row.before, row.after) == ({"label": "prod"}, {"label": "dev"})


def test_a_change_to_what_it_was_is_no_change() -> None:
    made = add_connection(FIELDS, secret="s", actor=None, now=timezone.now())
    assert not change_connection(made, FIELDS, actor=None, now=timezone.now())
    assert not Activity.objects.filter(verb=Verb.CONNECTION_CHANGED).exists()


@pytest.mark.parametrize(
    "wrong", [{"name": "Has Spaces"}, {"platform_url": "nonsense"}, {"label": "x"}, {"org_id": "o" * 500}]
)
def test_a_connection_that_makes_no_sense_is_refused_with_its_field(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as refusal:
        add_connection(FIELDS | wrong, secret="s", actor=None, now=timezone.now())
    assert set(refusal.value.message_dict) == set(wrong)
    assert not Connection.objects.exists()


def test_a_new_secret_makes_failing_sandboxes_due_at_once() -> None:
    place = make.sandbox(next_discovery_at=timezone.now() + timedelta(minutes=5))
    now = timezone.now()
    rotate_secret(place.connection, "new", actor=None, now=now)
    assert Sandbox.objects.get().next_discovery_at == now


def test_sandboxes_left_out_keep_what_is_known_and_are_not_watched() -> None:
    place = make.sandbox(name="prod")
    make.job(place)
    choose_sandboxes(place.connection, ["dev"], actor=None, now=timezone.now())
    assert {row.name: row.is_watched for row in Sandbox.objects.all()} == {"prod": False, "dev": True}
    assert place.jobs.count() == 1


def test_a_check_says_what_is_wrong_and_who_asked(remote: Remote) -> None:
    place = make.connected(remote)
    ana = make.user()
    assert check_connection(place.connection, sandbox=place.name, actor=ana, now=timezone.now()) is None
    assert place.connection.token_expires_at is not None
    place.connection.client_secret = Sealed.seal("other")
    error = check_connection(place.connection, actor=ana, now=timezone.now())
    assert error is not None and "secret" in error.sentence
    assert [row.after["result"] for row in Activity.objects.order_by("id")] == ["works", "refused"]
