from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from accounts import keys
from accounts.audit import SYSTEM
from accounts.models import Partner
from consent import outbox, purposes, stop_texts
from consent.models import Contact, Decision, Message, Revocation, StopConfirmation
from integrations import connections
from integrations.models import SandboxMessage
from tests.consent.hearing import hear
from tests.consent.people import NOON, agreed, person
from tests.consent.test_outbox import put, queued

pytestmark = pytest.mark.django_db
PHONE = "+33612341234"
MINUTE = timedelta(minutes=1)
LANGUAGES = ("en", "de", "es", "fr", "pt", "it", "nl", "pl", "ru", "hi", "ar", "zh")
# Words that sell, ask back or invite: none of them confirms a stop.
PROMOTION = ("offer", "discount", "%", "sorry", "miss you", "http", "start", "again?", "rejoin")


@pytest.fixture
def ana() -> Contact:
    return agreed(person(phone=PHONE, language="de"), "sms")


def stopped(contact: Contact, channel: str = "sms") -> Message:
    """Let somebody say stop, and return the confirmation that waits for them."""
    hear("STOP", PHONE, channel)
    return Message.objects.get(contact=contact, purpose_code="stop_confirmation")


def refused(message: Message) -> list[str]:
    decision = Decision.objects.get(message_id=message.pk, phase="hand_off")
    assert decision.verdict == "refuse"
    return [reason["code"] for reason in decision.reasons]


def confirmations() -> int:
    return SandboxMessage.objects.filter(direction="to_phone").count()


@pytest.mark.parametrize("channel", ["sms", "whatsapp"])
def test_a_stop_is_confirmed_once_where_it_was_said(ana: Contact, channel: str) -> None:
    message = stopped(ana, channel)
    assert outbox.dispatch(at=NOON + MINUTE).sent == 1
    shown = SandboxMessage.objects.get()
    assert shown.channel == channel
    assert "Sie erhalten keine weiteren" in shown.content_sealed["text"]
    kept = StopConfirmation.objects.get()
    assert (kept.message, kept.send_by) == (message, NOON + 4 * MINUTE)
    assert message.decision.reasons[0]["rule"] == "house.stop_confirmation"


def test_a_second_stop_is_not_answered(ana: Contact) -> None:
    for minute in range(3):
        hear("STOP", PHONE, received_at=NOON + minute * MINUTE)
        outbox.dispatch(at=NOON + minute * MINUTE)
    assert (confirmations(), StopConfirmation.objects.count()) == (1, 1)


def test_a_second_stop_does_not_take_back_the_answer_to_the_first(ana: Contact) -> None:
    stopped(ana)
    hear("STOP", PHONE, "whatsapp")
    assert outbox.dispatch(at=NOON).sent == 1


def test_one_text_answers_a_phone_that_several_partners_know(ana: Contact) -> None:
    partner = Partner.objects.create(name="Other", created_at=NOON)
    agreed(person(phone=PHONE, partner=partner), "sms")
    hear("STOP", PHONE)
    assert Revocation.objects.count() == 2
    assert outbox.dispatch(at=NOON).sent == 1


def test_a_stop_by_mail_gets_no_text(ana: Contact) -> None:
    agreed(person(email="ana@example.org"), "email")
    hear("STOP", "ana@example.org", "email")
    assert not StopConfirmation.objects.exists()


def test_a_stop_that_was_read_too_late_gets_no_text(ana: Contact) -> None:
    hear("STOP", PHONE, received_at=NOON, at=NOON + 5 * MINUTE)
    assert Revocation.objects.count() == 1
    assert not StopConfirmation.objects.exists()


@pytest.mark.parametrize("seconds", [241, 301, 86400])
def test_the_sender_refuses_it_when_its_minutes_are_over(ana: Contact, seconds: int) -> None:
    message = stopped(ana)
    assert outbox.dispatch(at=NOON + timedelta(seconds=seconds)).refused == 1
    assert "no_stop_to_confirm" in refused(message)
    assert confirmations() == 0


def test_it_is_not_written_after_anything_else_that_left_there(ana: Contact) -> None:
    other = queued(ana, "sms")
    soon = NOON + timedelta(seconds=1)
    Message.objects.filter(pk=other.pk).update(claimed_at=soon, state="failed")
    hear("STOP", PHONE, received_at=NOON, at=soon)
    assert Revocation.objects.count() == 1
    assert not StopConfirmation.objects.exists()


def test_it_is_not_sent_after_anything_else_that_left_there(ana: Contact) -> None:
    message = stopped(ana)
    other = queued(agreed(person(), "sms"), "sms")
    Message.objects.filter(pk=other.pk).update(
        contact=ana, claimed_at=NOON + timedelta(seconds=1), state="failed"
    )
    outbox.dispatch(at=NOON + MINUTE)
    assert "no_stop_to_confirm" in refused(message)


def test_the_stop_holds_where_its_confirmation_fails(ana: Contact) -> None:
    keys.destroy(key=ana.key, at=NOON)
    assert hear("STOP", PHONE).outcome == "withdrawn"
    assert not StopConfirmation.objects.exists()
    assert Revocation.objects.count() == 1


def test_no_other_message_finds_the_door(ana: Contact) -> None:
    stopped(ana)
    sandbox, _ = connections.ensure_local(at=NOON)
    for code in {row[0] for row in purposes.DEFAULTS}:
        decision, message = outbox.queue(
            contact=ana,
            connection=sandbox,
            purpose_code=code,
            channel="sms",
            context_type="consent.revocation",
            context_id=Revocation.objects.get().pk,
            idempotency_key=f"forged-{code}",
            subject="",
            text="Come back!",
            at=NOON,
            actor=SYSTEM,
        )
        assert message is None, code
        assert "suppressed" in {reason["code"] for reason in decision.reasons}, code


def test_a_message_that_only_calls_itself_a_confirmation_is_refused(ana: Contact) -> None:
    forged = queued(ana, "sms")
    Message.objects.filter(pk=forged.pk).update(purpose_code="stop_confirmation")
    assert outbox.dispatch(at=NOON).refused == 1
    assert refused(forged) == ["no_stop_to_confirm"]


def test_a_confirmation_of_somebody_else_opens_nothing(ana: Contact) -> None:
    message = stopped(ana)
    Message.objects.filter(pk=message.pk).update(contact=agreed(person(), "sms"))
    outbox.dispatch(at=NOON)
    assert refused(message) == ["no_stop_to_confirm"]


def test_the_database_holds_one_to_a_stop_and_five_minutes(ana: Contact) -> None:
    kept = StopConfirmation.objects.get(message=stopped(ana))
    other = queued(agreed(person(), "email"))
    late = NOON + timedelta(seconds=301)
    with pytest.raises(IntegrityError), transaction.atomic():
        StopConfirmation.objects.filter(pk=kept.pk).update(send_by=late)
    with pytest.raises(IntegrityError), transaction.atomic():
        StopConfirmation.objects.create(
            revocation=kept.revocation, message=other, revoked_at=NOON, send_by=NOON
        )


def test_a_stop_is_answered_before_all_that_waits(ana: Contact) -> None:
    for _ in range(3):
        queued(agreed(person(), "email"))
    message = stopped(ana)
    assert outbox.dispatch(at=NOON, limit=1).message_ids[0] == message.pk


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_words_are_short_whole_and_sell_nothing(language: str) -> None:
    words = stop_texts.words(language)
    assert words.keys() == stop_texts.words("en").keys()
    text = words["confirm"].format(sender="N" * stop_texts.NAME_CHARS)
    # One text of Latin letters, or two of any other script.
    assert len(text) <= (160 if text.isascii() else 134)
    assert not [word for word in PROMOTION if word in text.lower()]
    assert language == "en" or words != stop_texts.words("en")


def test_a_language_we_do_not_have_reads_english() -> None:
    assert stop_texts.words("tlh-KX") == stop_texts.words("en")


def test_marketing_to_who_stopped_stays_refused(ana: Contact) -> None:
    stopped(ana)
    outbox.dispatch(at=NOON)
    assert put(ana, "sms")[1] is None
