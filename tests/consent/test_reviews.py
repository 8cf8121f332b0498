from datetime import timedelta

import pytest

from accounts import audit, roles
from accounts.models import TrailLeaf
from consent import ledger, outbox, reviews, suppression
from consent.models import Contact, Decision, Review, Revocation, Suppression
from integrations.models import InboxItem
from tests.accounts.staff import member
from tests.consent.hearing import hear, reads
from tests.consent.people import NOON, agreed, person
from tests.consent.test_outbox import queued

pytestmark = pytest.mark.django_db
PHONE = "+33612341234"
UNSURE = "please do not send me these"
LATER = NOON + timedelta(hours=3)


@pytest.fixture(autouse=True)
def _unsure(monkeypatch: pytest.MonkeyPatch) -> None:
    reads(monkeypatch, "unsure", UNSURE)


@pytest.fixture
def ana() -> Contact:
    contact = agreed(agreed(person(phone=PHONE, email="ana@example.org"), "sms"), "email")
    hear(UNSURE, PHONE)
    return contact


def state(contact: Contact, channel: str = "sms") -> str | None:
    return ledger.state_of(contact=contact, purpose_code="marketing", channel=channel, at=LATER)


def held(contact: Contact) -> set[str]:
    return {
        channel
        for channel in ("sms", "whatsapp", "email")
        if suppression.is_suppressed(
            channel=channel, address_index=getattr(contact, f"{channel}_stop_index")
        )
    }


def decide(*, is_stop: bool, role: str = "officer") -> Review:
    review = reviews.waiting()[0]
    return reviews.decide(review=review, is_stop=is_stop, at=LATER, staff=member(role))


def test_who_may_have_said_stop_is_held_back_everywhere(ana: Contact) -> None:
    assert held(ana) == {"sms", "whatsapp", "email"}
    assert state(ana) == "confirmed"
    assert not Revocation.objects.exists()


@pytest.mark.parametrize(("is_stop", "ended"), [(False, "sent"), (True, "cancelled")])
def test_what_was_queued_before_waits_for_the_officer(is_stop: bool, ended: str) -> None:
    contact = agreed(person(phone=PHONE, email="ana@example.org"), "email")
    message = queued(contact)
    hear(UNSURE, PHONE)
    assert outbox.dispatch(at=NOON).deferred == 1
    message.refresh_from_db()
    decision = Decision.objects.get(message_id=message.pk, phase="hand_off")
    assert (message.state, message.not_before) == ("queued", NOON + timedelta(hours=1))
    assert (decision.verdict, decision.reasons[0]["code"]) == ("defer", "held_back")
    decide(is_stop=is_stop)
    outbox.dispatch(at=LATER)
    message.refresh_from_db()
    assert message.state == ended


def test_an_officer_reads_the_words_and_the_trail_says_so(ana: Contact) -> None:
    officer = audit.staff(member("officer"))
    assert reviews.words(review=reviews.waiting()[0], at=LATER, staff=officer) == UNSURE
    leaf = TrailLeaf.objects.get(action="accounts.plaintext.revealed")
    assert (leaf.subject_id, leaf.actor_id) == (ana.pk, officer.id)


def test_a_stop_counts_from_when_it_was_said(ana: Contact) -> None:
    assert decide(is_stop=True).state == "stop"
    row = Revocation.objects.get()
    assert (row.means, row.received_at, row.effective_at) == ("free_text", NOON, LATER)
    assert state(ana) == state(ana, "email") == "withdrawn"
    assert not Suppression.objects.filter(reason=suppression.PROVISIONAL).exists()
    assert list(reviews.waiting()) == []


def test_what_was_none_lets_go_of_what_it_held(ana: Contact) -> None:
    decide(is_stop=False)
    assert held(ana) == set()
    assert set(Suppression.objects.values_list("lifted_by", flat=True)) == {"not_a_stop"}
    assert state(ana) == "confirmed"


def test_nothing_is_let_go_while_another_answer_is_unread(ana: Contact) -> None:
    hear(UNSURE, "ana@example.org", "email")
    assert reviews.waiting().count() == 2
    decide(is_stop=False)
    assert held(ana) == {"sms", "whatsapp", "email"}
    decide(is_stop=False)
    assert held(ana) == set()


def test_a_stop_said_meanwhile_is_not_let_go(ana: Contact) -> None:
    hear("STOP", PHONE, received_at=NOON + timedelta(hours=1))
    decide(is_stop=False)
    assert held(ana) == {"sms", "whatsapp", "email"}


def test_a_stop_of_somebody_unknown_stays_on_the_list() -> None:
    hear(UNSURE, "+33612340999")
    decide(is_stop=True)
    assert Suppression.objects.get().reason == "inbound_reviewed"


def test_words_past_their_time_still_name_the_person(ana: Contact) -> None:
    InboxItem.objects.update(body_sealed=None)
    officer = audit.staff(member("officer"))
    assert reviews.words(review=reviews.waiting()[0], at=LATER, staff=officer) == ""
    decide(is_stop=True)
    assert state(ana) == "withdrawn"


def test_it_is_decided_once(ana: Contact) -> None:
    review = decide(is_stop=False)
    with pytest.raises(reviews.Decided):
        reviews.decide(review=review, is_stop=True, at=LATER, staff=member("officer"))


@pytest.mark.parametrize("role", ["marketer", "auditor"])
def test_only_an_officer_decides(ana: Contact, role: str) -> None:
    with pytest.raises(roles.NotPermitted):
        decide(is_stop=False, role=role)
    assert held(ana)
