from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accounts import keys
from consent import ledger, permissions, proofs, purposes, standing
from consent.elements import MissingElement
from consent.ledger import NotAnAct, Particulars
from consent.models import (
    ConsentEvent,
    ConsentState,
    Contact,
    HealthAuthorisation,
    ImpliedConsent,
    Proof,
    SoftOptIn,
    WrittenConsent,
)
from tests.accounts.staff import member
from tests.consent import grants
from tests.consent.people import NOON, act, person, rests_on

pytestmark = pytest.mark.django_db
AGES = """
title = "ages"
countries = ["FR"]
[[rule]]
id = "fr.age"
kind = "age"
where = ["FR"]
years = 15
valid_from = 2018-05-25
source = "test"
text = "Fifteen."
"""
LIVES = """
title = "lives"
countries = ["FR"]
[[rule]]
id = "fr.implied"
kind = "expiry"
where = ["FR"]
months = 3
permissions = ["implied_purchase"]
valid_from = 2018-05-25
source = "test"
text = "Three months."
"""


def state(contact: Contact, purpose_code: str = "marketing") -> ConsentState:
    return ConsentState.objects.get(contact=contact, purpose_code=purpose_code, channel="sms")


@pytest.mark.parametrize("kind", grants.GIVEN)
def test_each_kind_is_written_with_all_it_is_made_of(kind: str) -> None:
    contact = person()
    event = grants.GIVEN[kind](contact)
    assert (event.kind, event.permission) == ("given", kind)
    assert state(contact, event.purpose_code).permission == kind
    assert standing.disagreements() == []
    assert permissions.without_elements() == []


def test_what_names_somebody_is_sealed_to_its_column_and_row() -> None:
    contact = person(phone="+33612345678")
    row = WrittenConsent.objects.get(event=grants.written(contact))
    assert opened(contact, row, "number") == b"+33612345678"
    assert b"Ana" not in bytes(row.signature_sealed)
    assert (row.seller, row.signed_at) == (grants.SELLER, NOON)


def opened(contact: Contact, row: Any, column: str) -> bytes:
    context = f"{row._meta.db_table}.{column}:{row.pk}"
    sealed = bytes(getattr(row, f"{column}_sealed"))
    return keys.unseal(key=contact.key, sealed=sealed, context=context, at=NOON)


@pytest.mark.parametrize(
    ("give", "model", "column"),
    [
        (grants.soft_opt_in, SoftOptIn, "order"),
        (grants.implied, ImpliedConsent, "reference"),
        (grants.health, HealthAuthorisation, "signature"),
        (grants.health, HealthAuthorisation, "information"),
    ],
)
def test_the_others_seal_what_they_hold_alike(give: Any, model: Any, column: str) -> None:
    contact = person()
    assert opened(contact, model.objects.get(event=give(contact)), column)


def test_a_stronger_permission_without_its_elements_is_named() -> None:
    event = act(person(), "sms", "given", particulars=Particulars(permission="written"))
    assert permissions.without_elements() == [str(event.pk)]


@pytest.mark.parametrize(
    ("kind", "element", "value"),
    [
        ("written", "seller", " "),
        ("written", "seller", "Somebody Else"),
        ("written", "number", "+33612340000"),
        ("written", "number", "no number"),
        ("written", "agreement", None),
        ("written", "disclosure", None),
        ("written", "signature", ""),
        ("written", "signature_kind", "wish"),
        ("written", "signature_kind", "ink"),
        ("written", "authorises_advertising", False),
        ("written", "authorises_automated", "yes"),
        ("written", "not_a_condition", False),
        ("soft_opt_in", "order", ""),
        ("soft_opt_in", "product_class", ""),
        ("soft_opt_in", "sold_at", NOON + timedelta(days=1)),
        ("soft_opt_in", "opt_out_shown", False),
        ("soft_opt_in", "similar_goods", None),
        ("implied_purchase", "relation", "friendship"),
        ("implied_purchase", "reference", ""),
        ("implied_purchase", "happened_at", None),
        ("implied_purchase", "happened_at", NOON - timedelta(days=731)),
        ("explicit", "statement", ""),
        ("explicit", "notice", None),
        ("explicit", "form", None),
        ("contract", "reference", ""),
        ("contract", "made_at", None),
        ("hipaa_authorization", "information", ""),
        ("hipaa_authorization", "discloser", ""),
        ("hipaa_authorization", "recipient", ""),
        ("hipaa_authorization", "use", ""),
        ("hipaa_authorization", "expires_at", None),
        ("hipaa_authorization", "expires_at", NOON),
        ("hipaa_authorization", "signature", ""),
        ("hipaa_authorization", "signed_at", NOON + timedelta(seconds=1)),
        ("hipaa_authorization", "says_right_to_revoke", False),
        ("hipaa_authorization", "says_not_a_condition", False),
        ("hipaa_authorization", "says_may_be_disclosed_again", False),
    ],
)
def test_a_missing_element_refuses_with_its_name(kind: str, element: str, value: Any) -> None:
    with pytest.raises(MissingElement) as refused:
        grants.GIVEN[kind](person(), **{element: value})
    assert refused.value.name == element
    assert ConsentEvent.objects.count() == 0


@pytest.mark.parametrize(
    ("model", "columns"),
    [
        (WrittenConsent, {"not_a_condition": False}),
        (SoftOptIn, {"opt_out_shown": False}),
        (HealthAuthorisation, {"says_right_to_revoke": False}),
        (ImpliedConsent, {"happened_at": None}),
    ],
)
def test_the_database_refuses_it_as_well(model: Any, columns: dict[str, Any]) -> None:
    contact = person()
    for give in (grants.written, grants.soft_opt_in, grants.health, grants.implied):
        give(contact)
    whole = model.objects.get()
    whole.pk = act(contact, "sms", "given").pk
    for name, value in columns.items():
        setattr(whole, name, value)
    with pytest.raises(IntegrityError), transaction.atomic():
        whole.save(force_insert=True)


def test_an_address_of_mail_is_no_telephone_number() -> None:
    with pytest.raises(MissingElement, match="number"):
        grants.written(person(), channel="email")


def test_words_for_one_purpose_are_no_agreement_to_another() -> None:
    notice, form = grants.shown("sharing")
    with pytest.raises(purposes.OneBoxTwoPurposes):
        grants.written(person(), agreement=notice, disclosure=form)


@pytest.mark.parametrize(("kind", "by"), [("written", "api"), ("soft_opt_in", "one_click")])
def test_a_permission_is_given_by_an_act_of_its_own(kind: str, by: str) -> None:
    with pytest.raises(NotAnAct):
        grants.GIVEN[kind](person(), act=by)


def test_implied_consent_ends_by_the_strictest_place_or_by_casl(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bought = NOON - timedelta(days=30)
    assert grants.implied(person()).valid_until == bought.replace(year=bought.year + 2)
    inquiry = grants.implied(person(), relation="inquiry")
    assert (inquiry.permission, inquiry.valid_until) == (
        "implied_inquiry",
        bought.replace(year=bought.year + 1, month=bought.month - 6),
    )
    grants.law(monkeypatch, LIVES)
    assert grants.implied(person()).valid_until == bought.replace(month=bought.month + 3)


def test_an_authorisation_lives_as_long_as_was_signed() -> None:
    contact = person()
    event = grants.health(contact)
    at = NOON + timedelta(days=365)
    ask = {"contact": contact, "purpose_code": "phi_content", "channel": "sms"}
    assert event.valid_until == at
    assert ledger.state_of(at=at - timedelta(seconds=1), **ask) == "given"  # type: ignore[arg-type]
    assert ledger.state_of(at=at, **ask) == "expired"  # type: ignore[arg-type]


def test_a_child_agrees_with_a_guardian_only(monkeypatch: pytest.MonkeyPatch) -> None:
    grants.law(monkeypatch, AGES)
    contact = person()
    with pytest.raises(MissingElement, match="guardian"):
        grants.written(contact, particulars=Particulars(age_years=14))
    grants.written(contact, particulars=Particulars(age_years=14, guardian="Eva Müller"))
    assert state(contact).guarded
    grants.written(person(), particulars=Particulars(age_years=15))


def proof(contact: Contact) -> Proof:
    file = b"%PDF-1.7"
    return proofs.keep(
        contact=contact, file=file, media_type="application/pdf", at=NOON, staff=member("officer")
    )


def entered(contact: Contact, **changed: Any) -> ConsentEvent:
    whole = {
        "contact": contact,
        "purpose_code": "marketing",
        "channel": "sms",
        "permission": "express",
        "act": "paper",
        "said_at": NOON - timedelta(days=3),
        "note": "Card from the fair",
        "at": NOON,
        "staff": member("officer"),
        **changed,
    }
    return permissions.enter_by_staff(**{"proof": proof(contact), **whole})


def test_staff_enter_what_was_said_elsewhere_as_weaker_evidence() -> None:
    contact = person()
    event = entered(contact)
    assert (event.kind, event.at, event.said_at) == ("given", NOON, NOON - timedelta(days=3))
    assert permissions.is_weaker(event)
    assert not permissions.is_weaker(grants.soft_opt_in(contact))
    assert event.proof is not None
    assert b"Card" in rests_on(event)
    assert state(contact).at == NOON - timedelta(days=3)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"proof": None}, MissingElement, "proof"),
        ({"said_at": NOON + timedelta(seconds=1)}, MissingElement, "said_at"),
        ({"act": "checkbox"}, NotAnAct, "checkbox"),
        ({"permission": "written"}, MissingElement, "seller"),
        ({"permission": "wish"}, MissingElement, "permission"),
        ({"permission": "hipaa_authorization"}, NotAnAct, "phi_content"),
    ],
)
def test_what_staff_cannot_enter(change: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        entered(person(), **change)


def test_a_proof_of_somebody_else_is_none() -> None:
    with pytest.raises(MissingElement, match="proof"):
        entered(person(), proof=proof(person()))


@pytest.mark.parametrize("days", [3, 1])
def test_what_staff_enter_does_not_undo_a_no(days: int) -> None:
    contact = person()
    act(contact, "sms", "withdrawn", NOON - timedelta(days=2))
    entered(contact, said_at=NOON - timedelta(days=days))
    assert state(contact).state == "withdrawn"
    assert standing.disagreements() == []


@pytest.mark.parametrize(("days", "after"), [(3, "withdrawn"), (1, "given")])
def test_an_own_yes_from_before_a_no_does_not_undo_it(days: int, after: str) -> None:
    contact = person()
    act(contact, "sms", "withdrawn", NOON - timedelta(days=2))
    said_at = Particulars(said_at=NOON - timedelta(days=days))
    act(contact, "sms", "given", particulars=said_at)
    assert state(contact).state == after
    assert standing.disagreements() == []
