"""Can the first member of staff be taken in without a page, and only once?"""

import io

import pytest
from allauth.mfa.utils import is_mfa_enabled
from django.core.management import CommandError, call_command

from accounts.models import User

pytestmark = pytest.mark.django_db


def run(email: str, role: str = "administrator") -> str:
    shown = io.StringIO()
    call_command("staff", email, "--role", role, "--name", "Ana", stdout=shown)
    return shown.getvalue()


def test_somebody_is_taken_in_with_a_second_factor() -> None:
    shown = run("Ana@Staff.example")
    user = User.objects.get()
    password = shown.partition("password")[2].split()[0]
    assert (user.email, user.role) == ("ana@staff.example", "administrator")
    assert user.check_password(password)
    assert is_mfa_enabled(user, ["totp"])


def test_an_address_that_is_taken_changes_nothing() -> None:
    run("ana@staff.example")
    before = User.objects.get().password
    with pytest.raises(CommandError, match="Nothing was changed"):
        run("ana@staff.example", "auditor")
    assert (User.objects.get().password, User.objects.get().role) == (before, "administrator")


def test_a_role_that_is_none_is_refused() -> None:
    with pytest.raises(CommandError):
        run("ana@staff.example", "root")
    assert not User.objects.exists()
