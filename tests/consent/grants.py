"""How do people in the tests give a stronger permission? Whole; a test takes one element away."""

import tomllib
from datetime import timedelta
from typing import Any

import pytest

from accounts.audit import Actor
from consent import contacts, elements, forms_shown, permissions, purposes, rulebook
from consent.elements import Elements
from consent.models import ConsentEvent, Contact, Notice, RenderedForm
from tests.consent.people import NOON

SELLER = "Acme & Sons"
PAGE = "<p>{}</p><p>Acme &amp; Sons</p><label><input type=checkbox>I agree</label>"


def shown(purpose_code: str = "marketing") -> tuple[Notice, RenderedForm]:
    """Return a notice and the form that showed it."""
    purposes.ensure_defaults(at=NOON)
    words = f"I agree: {purpose_code}."
    purpose = purposes.current(purpose_code, NOON)
    notice = purposes.notice(purpose=purpose, language="en", text=words, at=NOON)
    return notice, forms_shown.keep(notice=notice, html=PAGE.format(words), at=NOON)


def common(contact: Contact) -> dict[str, Any]:
    return {
        "contact": contact,
        "channel": "sms",
        "source": "test",
        "act": "checkbox",
        "at": NOON,
        "actor": Actor("recipient", contact.public_id),
    }


def given(kind: type[Elements], whole: dict[str, Any]) -> ConsentEvent:
    """Give a permission of a kind: what is none of its elements is of the act."""
    parts = {name: whole.pop(name) for name in list(whole) if name in kind.__dataclass_fields__}
    return permissions.give(
        purpose_code=kind.purpose_code,
        permission=kind(**parts),
        **whole,
    )


def written(contact: Contact, **changed: Any) -> ConsentEvent:
    agreement, disclosure = shown()
    whole = {
        **common(contact),
        "seller": SELLER,
        "number": contacts.address(contact=contact, channel="sms", at=NOON),
        "agreement": agreement,
        "disclosure": disclosure,
        "signature": "Ana Müller",
        "signature_kind": "typed_name",
        "authorises_advertising": True,
        "authorises_automated": True,
        "not_a_condition": True,
        **changed,
    }
    return permissions.give_written(**whole)


def soft_opt_in(contact: Contact, **changed: Any) -> ConsentEvent:
    whole = {
        **common(contact),
        "order": "order 4711",
        "product_class": "bicycles",
        "sold_at": NOON - timedelta(days=30),
        "opt_out_shown": True,
        "similar_goods": True,
        **changed,
    }
    return given(elements.SoftOptInElements, whole)


def implied(contact: Contact, **changed: Any) -> ConsentEvent:
    whole = {
        **common(contact),
        "act": "crm",
        "relation": "purchase",
        "reference": "invoice 12",
        "happened_at": NOON - timedelta(days=30),
        **changed,
    }
    return given(elements.Implied, whole)


def explicit(contact: Contact, **changed: Any) -> ConsentEvent:
    notice, form = shown("special_data")
    whole = {
        **common(contact),
        "statement": "You may use what I told you of my health.",
        "notice": notice,
        "form": form,
        **changed,
    }
    return permissions.give_explicit(**whole)


def contract(contact: Contact, **changed: Any) -> ConsentEvent:
    made_at = NOON - timedelta(days=3)
    whole = {**common(contact), "act": "api", "reference": "contract 9", "made_at": made_at}
    return given(elements.Contract, {**whole, **changed})


def health(contact: Contact, **changed: Any) -> ConsentEvent:
    whole = {
        **common(contact),
        "information": "Dates of visits",
        "discloser": "Dr Example",
        "recipient": SELLER,
        "use": "Reminders of visits",
        "expires_at": NOON + timedelta(days=365),
        "signature": "Ana Müller",
        "signed_at": NOON - timedelta(days=1),
        "says_right_to_revoke": True,
        "says_not_a_condition": True,
        "says_may_be_disclosed_again": True,
        **changed,
    }
    return given(elements.Health, whole)


GIVEN = {
    "written": written,
    "soft_opt_in": soft_opt_in,
    "implied_purchase": implied,
    "explicit": explicit,
    "contract": contract,
    "hipaa_authorization": health,
}


def law(monkeypatch: pytest.MonkeyPatch, pack: str) -> rulebook.Rulebook:
    """Put a book in force for one test: the house rules and one pack more, nothing shipped."""
    house = (rulebook.SHIPPED / "house.toml").read_text(encoding="utf-8")
    book = rulebook.read([tomllib.loads(house), tomllib.loads(pack)])
    monkeypatch.setattr(rulebook, "book", lambda: book)
    return book
