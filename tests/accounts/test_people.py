"""Are staff made whole, given a second factor that is sealed, and let go at once?"""

import base64
import re

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    hotp_value,
    yield_hotp_counters_from_time,
)
from allauth.mfa.utils import is_mfa_enabled
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client

from accounts import keys, people
from accounts.audit import SYSTEM
from accounts.models import TrailLeaf, User
from tests.accounts.staff import NOON, PASSWORD, browser, member

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_limits_from_before() -> None:
    cache.clear()


def code_now(secret: str) -> str:
    counter = next(iter(yield_hotp_counters_from_time()))
    return str(format_hotp_value(hotp_value(secret, counter)))


def test_a_member_is_made_with_role_address_and_trail() -> None:
    user = people.create_staff(
        email=" Ana@Staff.Example ", name="Ana", role="officer", password=PASSWORD, at=NOON
    )
    assert (user.email, user.role, user.is_staff) == ("ana@staff.example", "officer", True)
    assert user.check_password(PASSWORD)
    assert EmailAddress.objects.get(user=user).verified
    leaf = TrailLeaf.objects.get(action="accounts.person.created")
    assert (leaf.object_id, leaf.details) == (str(user.pk), {"role": "officer"})


def test_an_address_is_taken_once() -> None:
    first = member("officer")
    with pytest.raises(people.AlreadyKnown):
        people.create_staff(
            email=first.email.upper(), name="", role="auditor", password=PASSWORD, at=NOON
        )
    assert User.objects.count() == 1


def test_a_role_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="root"):
        people.create_staff(email="a@b.example", name="", role="root", password="x", at=NOON)
    assert not User.objects.exists()


def test_a_marketer_is_not_console_staff() -> None:
    assert not member("marketer").is_staff


def test_a_second_factor_counts_and_its_codes_work() -> None:
    user = member("officer", second_factor=False)
    assert not is_mfa_enabled(user, ["totp"])
    factor = people.add_second_factor(user=user, at=NOON)
    assert is_mfa_enabled(user, ["totp"])
    assert len(set(factor.recovery_codes)) == 10
    totp = Authenticator.objects.get(user=user, type="totp")
    assert TOTP(totp).validate_code(code_now(factor.totp_secret))
    assert not TOTP(totp).validate_code("000000")


def test_the_second_factor_is_sealed_in_its_row() -> None:
    factor = people.add_second_factor(user=member("officer", second_factor=False), at=NOON)
    for row in Authenticator.objects.all():
        stored = str(row.data)
        assert factor.totp_secret not in stored
        assert not any(code in stored for code in factor.recovery_codes)


def test_a_second_factor_does_not_show_itself() -> None:
    factor = people.add_second_factor(user=member("officer", second_factor=False), at=NOON)
    assert factor.totp_secret not in repr(factor)


def test_a_sealed_factor_that_was_changed_does_not_open() -> None:
    user = member("officer")
    row = Authenticator.objects.get(user=user, type="totp")
    changed = bytearray(base64.b64decode(row.data["secret"]))
    changed[-1] ^= 1
    row.data["secret"] = base64.b64encode(changed).decode()
    row.save()
    with pytest.raises(keys.SealBroken):
        TOTP(row).validate_code("123456")


def test_signing_in_takes_password_and_code() -> None:
    user = member("officer", second_factor=False)
    factor = people.add_second_factor(user=user, at=NOON)
    client = Client()
    answer = client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    assert answer["Location"].startswith("/accounts/2fa/authenticate/")
    assert "_auth_user_id" not in client.session
    answer = client.post("/accounts/2fa/authenticate/", {"code": code_now(factor.totp_secret)})
    assert answer.status_code == 302
    assert client.session["_auth_user_id"] == str(user.pk)


def test_a_wrong_password_or_code_does_not_sign_in() -> None:
    user, client = member("officer"), Client()
    client.post("/accounts/login/", {"login": user.email, "password": "wrong"})
    assert "_auth_user_id" not in client.session
    client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    client.post("/accounts/2fa/authenticate/", {"code": "000000"})
    assert "_auth_user_id" not in client.session


def test_guessing_a_password_is_slowed() -> None:
    user, client = member("officer"), Client()
    wrong = {"login": user.email, "password": "wrong"}
    pages = [client.post("/accounts/login/", wrong).content for _ in range(7)]
    assert re.search(rb"[Tt]oo many", pages[-1])
    client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    assert "_auth_user_id" not in client.session


def test_nobody_signs_up() -> None:
    page = Client().get("/accounts/signup/")
    assert b"password1" not in page.content
    Client().post(
        "/accounts/signup/",
        {"email": "new@staff.example", "password1": PASSWORD, "password2": PASSWORD},
    )
    assert not User.objects.exists()


def test_staff_without_a_second_factor_reach_only_its_set_up() -> None:
    client = Client()
    client.force_login(member("officer", second_factor=False))
    for path in ("/connections/", "/admin/", "/phones/"):
        answer = client.get(path)
        assert (answer.status_code, answer["Location"]) == (302, "/accounts/2fa/")


def test_a_person_switched_off_is_out_at_once_and_stays_out() -> None:
    user = member("officer")
    client = Client()
    client.force_login(user)
    assert client.get("/connections/").status_code == 200
    people.disable(user=user, at=NOON, by=SYSTEM)
    assert client.get("/connections/").status_code == 302
    assert not Session.objects.exists()
    answer = client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    assert "_auth_user_id" not in client.session
    assert answer.status_code != 500
    people.enable(user=user, at=NOON, by=SYSTEM)
    # The old session does not come back with the person.
    assert client.get("/connections/").status_code == 302


def test_the_sessions_of_others_stay() -> None:
    gone, stays = member("officer"), browser("officer")
    Client().force_login(gone)
    people.disable(user=gone, at=NOON, by=SYSTEM)
    assert stays.get("/connections/").status_code == 200


def test_a_new_role_ends_old_sessions() -> None:
    user, client = member("administrator"), Client()
    client.force_login(user)
    people.change_role(user=user, role="auditor", at=NOON, by=SYSTEM)
    assert client.get("/connections/").status_code == 302
    assert User.objects.get(pk=user.pk).role == "auditor"
    leaf = TrailLeaf.objects.get(action="accounts.role.changed")
    assert leaf.details == {"role": "auditor"}
