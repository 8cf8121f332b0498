from datetime import timedelta

import pytest

from accounts import keys
from accounts.audit import SYSTEM, Actor
from accounts.models import Partner
from consent import ledger, optin, outbox, purposes, suppression
from consent.models import Contact, Message, Review, Revocation
from integrations import connections
from integrations.models import SandboxMessage
from tests.consent.hearing import hear, reads
from tests.consent.people import NOON, act, agreed, person
from tests.consent.test_outbox import put

pytestmark = pytest.mark.django_db
PHONE = "+33612341234"
LATER = NOON + timedelta(hours=1)


def state(contact: Contact, channel: str = "sms") -> str | None:
    return ledger.state_of(contact=contact, purpose_code="marketing", channel=channel, at=LATER)


def shown(contact: Contact, channel: str = "sms") -> Contact:
    """Let somebody agree by their own act, with the notice they were shown."""
    purposes.ensure_defaults(at=NOON)
    purpose = purposes.current("marketing", NOON)
    notice = purposes.default_notice(purpose=purpose, language="fr", at=NOON)
    for kind, how in (("given", "checkbox"), ("confirmed", "button")):
        ledger.record(
            contact=contact,
            purpose_code="marketing",
            channel=channel,
            kind=kind,
            act=how,
            source="web_form",
            at=NOON,
            actor=Actor("recipient", contact.public_id),
            notice=notice,
        )
    return contact


def test_a_stop_ends_every_channel() -> None:
    contact = agreed(person(phone=PHONE), "email")
    assert hear("STOP", "+33 6 12 34 12 34").outcome == "withdrawn"
    assert [state(contact, channel) for channel in ("email", "sms")] == ["withdrawn"] * 2
    row = Revocation.objects.get()
    assert (row.means, row.received_at) == ("keyword", NOON)


def test_a_stop_in_own_words_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    reads(monkeypatch, "stop")
    agreed(person(phone=PHONE), "sms")
    hear("I really want you to end this", PHONE)
    assert Revocation.objects.get().means == "free_text"


def test_a_stop_by_mail_is_heard_in_the_subject_too() -> None:
    contact = agreed(person(email="ana@example.org"), "email")
    hear("Best regards, Ana", "ana@example.org", "email", subject="unsubscribe")
    assert state(contact, "email") == "withdrawn"


def test_a_stop_from_nobody_we_know_holds_still() -> None:
    assert hear("stop", "+33612340999").outcome == "suppressed"
    index = suppression.index(channel="sms", address="+33612340999")
    assert suppression.is_suppressed(channel="sms", address_index=index)


def test_a_stop_reaches_the_person_at_every_partner() -> None:
    partner = Partner.objects.create(name="Other", created_at=NOON)
    ours = agreed(person(phone=PHONE), "sms")
    theirs = agreed(person(phone=PHONE, partner=partner), "sms")
    hear("STOP", PHONE)
    assert [state(ours), state(theirs)] == ["withdrawn", "withdrawn"]


def test_what_is_unsure_changes_no_state_and_lets_nothing_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reads(monkeypatch, "unsure")
    contact = agreed(person(phone=PHONE), "sms")
    assert hear("please stop sending me these", PHONE).outcome == "review"
    contact.refresh_from_db()
    assert (state(contact), contact.stopped_at) == ("confirmed", None)
    decision, message = put(contact, "sms")
    assert message is None
    assert [reason["code"] for reason in decision.reasons] == ["suppressed"]
    assert Review.objects.get().state == "open"


def test_a_yes_that_nobody_asked_for_confirms_nothing() -> None:
    contact = person(phone=PHONE)
    assert hear("YES", PHONE).outcome == "nothing_asked"
    assert state(contact) is None


@pytest.mark.parametrize(("text", "sender"), [("thanks", PHONE), ("thanks a lot", "not a number")])
def test_anything_else_is_kept_and_changes_nothing(text: str, sender: str) -> None:
    contact = agreed(person(phone=PHONE), "sms")
    assert hear(text, sender).outcome == "kept"
    assert state(contact) == "confirmed"


def test_help_says_who_we_are_once_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    reads(monkeypatch, "help")
    agreed(person(phone=PHONE, language="en"), "sms")
    outcomes = [hear("HELP", PHONE).outcome for _ in range(2)]
    assert outcomes == ["helped", "kept"]
    assert outbox.dispatch(at=NOON).sent == 1
    text = SandboxMessage.objects.get().content_sealed["text"]
    assert "STOP" in text
    assert text.startswith("Sealcast")


def test_help_passes_no_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    agreed(person(phone=PHONE), "sms")
    hear("STOP", PHONE)
    reads(monkeypatch, "help")
    assert hear("HELP", PHONE, received_at=LATER).outcome == "kept"
    assert not Message.objects.filter(purpose_code="help_answer").exists()


def test_start_is_a_yes_to_the_question_that_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    connections.ensure_local(at=NOON)
    contact = person(phone=PHONE)
    act(contact, "sms", "claimed")
    assert optin.ask(
        contact=contact, purpose_code="marketing", channel="sms", at=NOON, actor=SYSTEM
    )
    reads(monkeypatch, "start")
    assert hear("START", PHONE).outcome == "confirmed"


def test_start_confirms_again_what_was_agreed_to_there(monkeypatch: pytest.MonkeyPatch) -> None:
    contact = shown(shown(person(phone=PHONE)), "email")
    hear("STOP", PHONE)
    reads(monkeypatch, "start")
    assert hear("START", PHONE, received_at=LATER).outcome == "resumed"
    assert (state(contact), state(contact, "email")) == ("confirmed", "withdrawn")
    assert not suppression.is_suppressed(channel="sms", address_index=contact.sms_stop_index)
    assert suppression.is_suppressed(channel="email", address_index=contact.email_stop_index)


def test_start_alone_is_a_wish_and_lifts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    contact = agreed(person(phone=PHONE), "sms")
    hear("STOP", PHONE)
    reads(monkeypatch, "start")
    assert hear("START", PHONE, received_at=LATER).outcome == "wished"
    assert state(contact) == "given"
    assert suppression.is_suppressed(channel="sms", address_index=contact.sms_stop_index)


@pytest.mark.parametrize("word", ["yes", "help", "start"])
def test_who_is_past_their_time_agrees_to_nothing_and_holds_nobody_up(
    word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    contact = shown(person(phone=PHONE))
    hear("STOP", PHONE)
    keys.destroy(key=contact.key, at=NOON)
    reads(monkeypatch, word)
    assert hear(word, PHONE, received_at=LATER).outcome in {"kept", "nothing_asked"}


def test_start_by_mail_lifts_nothing_either(monkeypatch: pytest.MonkeyPatch) -> None:
    contact = shown(person(email="ana@example.org"), "email")
    hear("STOP", "ana@example.org", "email")
    reads(monkeypatch, "start")
    assert hear("START", "ana@example.org", "email", received_at=LATER).outcome == "wished"
    assert suppression.is_suppressed(channel="email", address_index=contact.email_stop_index)
