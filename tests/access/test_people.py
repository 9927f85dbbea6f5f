"""People, roles and tokens change by audited verbs."""

from __future__ import annotations

import pytest
from django.utils import timezone

from jobs.access.people import add_person, change_person, issue_token, set_password, set_role
from jobs.models import Activity, ApiToken, Role, Verb
from tests import make

pytestmark = pytest.mark.django_db


def test_a_role_is_given_changed_and_taken() -> None:
    ana, acme = make.user(), make.connection()
    now = timezone.now()
    assert set_role(acme, ana, Role.VIEWER, actor=None, now=now)
    assert set_role(acme, ana, Role.OPERATOR, actor=None, now=now)
    assert not set_role(acme, ana, Role.OPERATOR, actor=None, now=now)
    assert acme.role_of(ana) == Role.OPERATOR
    assert set_role(acme, ana, None, actor=None, now=now)
    assert acme.role_of(ana) is None
    roles = [(row.before["role"], row.after["role"]) for row in Activity.objects.order_by("id")]
    assert roles == [("none", "viewer"), ("viewer", "operator"), ("operator", "none")]


def test_no_audit_row_holds_a_password() -> None:
    person = add_person("ben", password="a first passphrase", actor=None, now=timezone.now())
    set_password(person, "a second passphrase", actor=None, now=timezone.now())
    assert person.check_password("a second passphrase")
    assert "passphrase" not in str(list(Activity.objects.values()))


def test_a_person_who_may_no_longer_sign_in_has_no_working_token() -> None:
    ana = make.user()
    token = issue_token(ana, actor=ana, now=timezone.now())
    assert ApiToken.find(token) is not None
    assert change_person(ana, {"is_active": False}, actor=None, now=timezone.now())
    assert ApiToken.find(token) is None
    assert ApiToken.find("exui_nonsense") is None


def test_a_change_to_what_it_was_is_no_change() -> None:
    ana = make.user()
    assert not change_person(ana, {"is_active": True}, actor=None, now=timezone.now())
    assert not Activity.objects.filter(verb=Verb.PERSON_CHANGED).exists()


@pytest.mark.parametrize(
    ("role", "needed", "may"),
    [
        (Role.VIEWER, Role.VIEWER, True),
        (Role.VIEWER, Role.OPERATOR, False),
        (Role.OPERATOR, Role.OPERATOR, True),
        (Role.OPERATOR, Role.ADMIN, False),
        (Role.ADMIN, Role.OPERATOR, True),
    ],
)
def test_a_role_covers_those_below_it(role: Role, needed: Role, may: bool) -> None:
    ana, acme = make.user(), make.connection()
    make.member(ana, acme, role)
    assert acme.may(ana, needed) is may
