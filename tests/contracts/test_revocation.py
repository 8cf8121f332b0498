"""A stop is a stop: nobody undoes it but its person, and nothing passes it but its one answer."""

import ast
from collections.abc import Callable

import pytest

from accounts.audit import SYSTEM, Actor
from config.lib import clock
from consent import contacts, gate, imports, ledger, personal_data, purposes, suppression
from consent.models import Contact, Suppression
from tests.accounts.staff import browser, caller, member, partner
from tests.consent.hearing import hear, told
from tests.consent.people import NOON, act, agreed, person
from tests.contracts import source

pytestmark = pytest.mark.django_db
PHONE, MAIL = "+33612341234", "ana@example.org"
LIST = f"name,email,phone,consent\nAna,{MAIL},{PHONE},yes\n"


@pytest.fixture
def ana() -> Contact:
    """Somebody who agreed by e-mail and said stop there."""
    contact = agreed(person(email=MAIL, phone=PHONE), "email")
    hear("STOP", MAIL, "email")
    return contact


def verdict(contact: Contact) -> gate.Verdict:
    contact.refresh_from_db()
    return gate.judge(contact=contact, purpose_code="marketing", channel="email", at=NOON)


def recorded(contact: Contact, kind: str, how: str, actor: Actor, source_: str) -> None:
    ledger.record(
        contact=contact,
        purpose_code="marketing",
        channel="email",
        kind=kind,
        act=how,
        source=source_,
        at=NOON,
        actor=actor,
    )


def by_list(_contact: Contact) -> None:
    batch = imports.check(file=LIST.encode(), source="crm", created_by=None, at=NOON)
    imports.commit(batch=batch, at=NOON, actor=SYSTEM)


def by_partner_given(contact: Contact) -> None:
    recorded(contact, "given", "checkbox", Actor("partner", "p1"), "api")


def by_partner_confirmed(contact: Contact) -> None:
    recorded(contact, "confirmed", "button", Actor("partner", "p1"), "api")


def by_staff(contact: Contact) -> None:
    officer = Actor("staff", str(member("officer").pk))
    recorded(contact, "given", "staff", officer, "console")
    recorded(contact, "confirmed", "paper", officer, "console")


def by_crm(contact: Contact) -> None:
    act(contact, "email", "claimed")
    told("crm_opt_in", {"email": MAIL})


def by_register(_contact: Contact) -> None:
    contacts.register(
        partner=None,
        name="Ana",
        email=MAIL,
        phone=PHONE,
        language="fr",
        time_zone="Europe/Paris",
        country="FR",
        attributes={},
        source="crm",
        at=NOON,
        actor=SYSTEM,
    )


def by_admin(_contact: Contact) -> None:
    client = browser("administrator")
    lists = "/admin/consent/suppression/"
    for row in Suppression.objects.all():
        fields = {"lifted_at_0": "2026-10-07", "lifted_at_1": "12:00", "lifted_by": "confirmed"}
        chosen = {"action": "delete_selected", "_selected_action": row.pk, "post": "yes"}
        for path, body in (
            (f"{row.pk}/change/", fields),
            (f"{row.pk}/delete/", {"post": "yes"}),
            ("", chosen),
        ):
            client.post(f"{lists}{path}", body)


WAYS: list[Callable[[Contact], None]] = [
    by_list,
    by_partner_given,
    by_partner_confirmed,
    by_staff,
    by_crm,
    by_register,
    by_admin,
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_nobody_undoes_a_stop(ana: Contact, way: Callable[[Contact], None]) -> None:
    way(ana)
    codes = {reason.code for reason in verdict(ana).reasons}
    assert {"suppressed", "withdrawn"} <= codes


def test_the_api_undoes_none_either() -> None:
    charlie = partner("Charlie")
    theirs = agreed(person(email=MAIL, partner=charlie), "email")
    hear("STOP", MAIL, "email")
    body = {
        "contact": theirs.public_id,
        "purpose": "marketing",
        "channel": "email",
        "kind": "given",
        "act": "checkbox",
        "notice": {"language": "en", "text": "May we write?"},
        "evidence": {"text": "Ticked on our page"},
    }
    client = caller("consents.write", of=charlie)
    answer = client.post("/api/v1/consents", body, content_type="application/json")
    assert answer.status_code == 201
    assert verdict(theirs).verdict == gate.REFUSE
    assert answer.json()["consents"][0]["state"] == "withdrawn"


def test_the_person_can(ana: Contact) -> None:
    for way in WAYS:
        way(ana)
    agreed(ana, "email")
    assert verdict(ana).verdict == gate.ALLOW
    assert Suppression.objects.get(channel="email").lifted_by == "confirmed"


def test_a_stop_outlives_the_erasure_of_its_person(ana: Contact) -> None:
    personal_data.erase(contact_id=ana.pk, at=NOON)
    by_list(ana)
    again = contacts.find(partner=None, email=MAIL)
    assert again is not None
    assert again.pk != ana.pk
    assert "suppressed" in {reason.code for reason in verdict(again).reasons}


def test_no_address_stands_in_a_suppression(ana: Contact) -> None:
    index = suppression.index(channel="email", address=MAIL)
    assert Suppression.objects.filter(address_index=index).exists()
    assert MAIL not in str(list(Suppression.objects.values_list()))


# Who may call each: the doors of this promise, read from the code itself.
DOORS = {
    "suppression.lift": {"consent/ledger.py"},
    "suppression.release": {"consent/reviews.py"},
    "suppression.stand": {"consent/reviews.py"},
    "queueing.confirm_stop": {"consent/stop_texts.py"},
    "stop_texts.confirm": {"consent/answers.py"},
    # The walk of the demo tries a second one, and sees that the database refuses.
    "StopConfirmation.objects.create": {"consent/queueing.py", "retention/walk_consent.py"},
    "outbox.tell_stop": {"consent/propagation.py"},
    "Revocation": {"consent/revocations.py"},
}


def test_each_door_has_its_own_callers_only() -> None:
    found: dict[str, set[str]] = {door: set() for door in DOORS}
    for path in source.modules():
        for node in ast.walk(source.tree(path)):
            if isinstance(node, ast.Call) and (name := source.called(node)) in DOORS:
                found[name].add(source.place(path))
    assert found == DOORS


def test_a_suppression_ends_in_one_module() -> None:
    stray = [
        source.place(path, node.lineno)
        for path in source.modules()
        if path.name != "suppression.py"
        for node in ast.walk(source.tree(path))
        if (isinstance(node, ast.keyword) and node.arg == "lifted_by")
        or (
            isinstance(node, ast.Attribute)
            and node.attr == "lifted_by"
            and isinstance(node.ctx, ast.Store)
        )
    ]
    assert not stray, stray


def test_withdrawing_takes_no_more_than_a_word(ana: Contact) -> None:
    purposes.ensure_defaults(at=clock.now())
    other = agreed(person(phone="+33612341299"), "sms")
    hear("stop", "+33612341299")
    other.refresh_from_db()
    assert other.stopped_at == NOON
