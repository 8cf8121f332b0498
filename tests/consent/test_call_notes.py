from datetime import timedelta

import pytest

from accounts import roles
from accounts.audit import SYSTEM
from consent import call_notes, ledger, reviews
from consent.models import Contact, Revocation
from integrations import connections
from tests.accounts.staff import member
from tests.consent.hearing import reads
from tests.consent.people import NOON, agreed, person

pytestmark = pytest.mark.django_db
SAID = NOON - timedelta(hours=2)


@pytest.fixture
def ana() -> Contact:
    return agreed(person(), "email")


def note(contact: Contact, text: str, role: str = "officer") -> str:
    return call_notes.note(contact=contact, text=text, said_at=SAID, at=NOON, staff=member(role))


def state(contact: Contact) -> str | None:
    return ledger.state_of(contact=contact, purpose_code="marketing", channel="email", at=NOON)


def test_a_stop_on_a_call_counts_from_when_it_was_said(ana: Contact) -> None:
    assert note(ana, "Unsubscribe") == "withdrawn"
    row = Revocation.objects.get()
    assert (row.means, row.received_at, row.effective_at) == ("call_note", SAID, NOON)
    assert state(ana) == "withdrawn"


def test_what_is_unsure_waits_in_the_same_queue(
    ana: Contact, monkeypatch: pytest.MonkeyPatch
) -> None:
    connections.ensure_local(at=NOON)
    text = "She said she is not interested in the new plan"
    reads(monkeypatch, "unsure", text)
    assert note(ana, text) == "review"
    assert state(ana) == "confirmed"
    review = reviews.waiting()[0]
    assert reviews.words(review=review, at=NOON, staff=SYSTEM) == text
    reviews.decide(review=review, is_stop=True, at=NOON, staff=member("officer"))
    assert Revocation.objects.get().means == "call_note"
    assert state(ana) == "withdrawn"


def test_where_nothing_can_hold_it_back_it_counts_as_the_stop_it_may_be(
    ana: Contact, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads(monkeypatch, "unsure")
    assert note(ana, "Not interested, he says") == "withdrawn"


def test_anything_else_changes_nothing(ana: Contact) -> None:
    assert note(ana, "Asked for the price list") == "kept"
    assert state(ana) == "confirmed"


def test_a_marketer_enters_none(ana: Contact) -> None:
    with pytest.raises(roles.NotPermitted):
        note(ana, "Unsubscribe", role="marketer")
