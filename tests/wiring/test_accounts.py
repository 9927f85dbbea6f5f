"""One-time-code secrets lie encrypted in the database; nobody makes an account for themselves."""

from __future__ import annotations

import pytest
from cryptography.fernet import Fernet, InvalidToken
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import NoReverseMatch, reverse
from pytest_django import Settings

from exportui.accounts import EncryptingMFAAdapter


def test_a_code_secret_comes_back_and_is_not_what_is_stored() -> None:
    adapter = EncryptingMFAAdapter()
    stored = adapter.encrypt("JBSWY3DPEHPK3PXP")
    assert "JBSWY3DPEHPK3PXP" not in stored
    assert adapter.decrypt(stored) == "JBSWY3DPEHPK3PXP"


def test_a_new_first_key_still_opens_what_the_old_one_closed(settings: Settings) -> None:
    stored = EncryptingMFAAdapter().encrypt("secret")
    settings.EXPORTUI_FIELD_KEYS = [Fernet.generate_key().decode(), *settings.EXPORTUI_FIELD_KEYS]
    assert EncryptingMFAAdapter().decrypt(stored) == "secret"


def test_without_its_key_a_secret_is_an_error_never_ciphertext(settings: Settings) -> None:
    stored = EncryptingMFAAdapter().encrypt("secret")
    settings.EXPORTUI_FIELD_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(InvalidToken):
        EncryptingMFAAdapter().decrypt(stored)


def test_nobody_can_make_an_account_for_themselves() -> None:
    for name in ("account_signup", "account_email", "account_reset_password"):
        with pytest.raises(NoReverseMatch):
            reverse(name)


@pytest.mark.django_db
def test_the_admin_has_no_sign_in_form_of_its_own(client: Client) -> None:
    answer = client.get("/admin/login/?next=/admin/")
    assert answer.status_code == 302
    assert answer["Location"] == "/accounts/login/?next=%2Fadmin%2F"


@pytest.mark.django_db
def test_five_wrong_passwords_close_the_account_for_a_while_and_the_right_one_too(client: Client) -> None:
    get_user_model().objects.create_user("ann", password="correct horse")
    for _ in range(5):
        client.post("/accounts/login/", {"login": "ann", "password": "wrong"})
    answer = client.post("/accounts/login/", {"login": "ann", "password": "correct horse"})
    assert "_auth_user_id" not in client.session
    assert answer.status_code in (200, 429)


@pytest.mark.django_db
def test_the_right_password_signs_in_with_redis_away(client: Client) -> None:
    get_user_model().objects.create_user("ann", password="correct horse")
    answer = client.post("/accounts/login/", {"login": "ann", "password": "correct horse"})
    assert answer.status_code == 302
    assert "_auth_user_id" in client.session
