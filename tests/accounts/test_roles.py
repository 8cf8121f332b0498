"""May each role do its own acts, and no others?"""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from accounts import roles
from accounts.models import User
from accounts.roles import Role

ALL = sorted(roles.ACTS[Role.ADMINISTRATOR])
# Reviewed by hand: what each role is there for, and what it must never do.
MAY = [
    ("marketer", "campaign.send"),
    ("marketer", "contact.import"),
    ("marketer", "connection.view"),
    ("officer", "consent.withdraw"),
    ("officer", "erasure.start"),
    ("officer", "trail.verify"),
    ("officer", "hold.place"),
    ("auditor", "console.view"),
    ("auditor", "trail.view"),
    ("administrator", "partner.manage"),
]
MAY_NOT = [
    ("marketer", "console.view"),
    ("marketer", "contact.reveal"),
    ("marketer", "erasure.start"),
    ("marketer", "partner.manage"),
    ("officer", "campaign.send"),
    ("officer", "campaign.edit"),
    ("officer", "partner.manage"),
    ("auditor", "contact.reveal"),
    ("auditor", "run.start"),
    ("auditor", "policy.change"),
    ("auditor", "hold.place"),
    ("auditor", "campaign.send"),
    ("auditor", "contact.import"),
    ("auditor", "phone.view"),
]
# An auditor reads: every act of theirs is one of these.
READING = {"view", "verify"}


def user(role: str, *, active: bool = True) -> User:
    return User(email="x@staff.example", role=role, is_active=active)


@roles.requires("campaign.send")
def page(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("sent")


def asked(who: User | AnonymousUser) -> HttpRequest:
    request = RequestFactory().get("/send/")
    request.user = who
    return request


@pytest.mark.parametrize(("role", "act"), MAY)
def test_a_role_may_do_its_acts(role: str, act: str) -> None:
    assert roles.may(user=user(role), act=act)


@pytest.mark.parametrize(("role", "act"), MAY_NOT)
def test_a_role_may_not_do_others(role: str, act: str) -> None:
    assert not roles.may(user=user(role), act=act)


def test_an_administrator_may_do_every_act_of_the_others() -> None:
    for acts in roles.ACTS.values():
        assert acts <= roles.ACTS[Role.ADMINISTRATOR]


def test_an_auditor_changes_nothing() -> None:
    assert {act.partition(".")[2] for act in roles.ACTS[Role.AUDITOR]} <= READING


@pytest.mark.parametrize("act", ALL)
def test_nobody_may_who_is_signed_out_or_switched_off(act: str) -> None:
    assert not roles.may(user=AnonymousUser(), act=act)
    assert not roles.may(user=user("administrator", active=False), act=act)


def test_an_act_that_is_not_in_the_table_is_a_fault_even_for_an_administrator() -> None:
    with pytest.raises(roles.UnknownAct):
        roles.may(user=user("administrator"), act="campaign.sendd")
    with pytest.raises(roles.UnknownAct):
        roles.requires("campaign.sendd")


def test_a_guarded_view_lets_its_roles_in() -> None:
    assert page(asked(user("marketer"))).content == b"sent"


def test_a_guarded_view_refuses_other_roles() -> None:
    with pytest.raises(roles.NotPermitted):
        page(asked(user("officer")))


def test_a_guarded_view_leads_the_signed_out_to_the_sign_in() -> None:
    answer = page(asked(AnonymousUser()))
    assert answer.status_code == 302
    assert answer["Location"] == "/accounts/login/?next=/send/"
