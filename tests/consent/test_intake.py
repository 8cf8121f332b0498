import uuid
from datetime import timedelta

import pytest

from accounts.models import Partner
from consent import intake, ledger, messages, suppression
from consent.models import Contact, Decision, Message, Suppression, Taken
from integrations import connections, inbox
from integrations.models import InboxItem
from tests.consent.people import NOON, agreed, person

pytestmark = pytest.mark.django_db


def hear(text: str, sender: str, channel: str = "sms") -> InboxItem:
    sandbox, _ = connections.ensure_local(at=NOON)
    item = inbox.store(
        connection=sandbox,
        kind="inbound_message",
        dedupe_key=uuid.uuid4().hex,
        body={"channel": channel, "from": sender, "text": text, "provider_message_id": "x"},
        at=NOON,
    )
    assert item is not None
    intake.take_waiting(at=NOON)
    item.refresh_from_db()
    return item


def state(contact: Contact, channel: str) -> str | None:
    return ledger.state_of(contact=contact, purpose_code="marketing", channel=channel, at=NOON)


@pytest.mark.parametrize("text", ["STOP", "please stop sending me these"])
def test_a_stop_ends_every_channel(text: str) -> None:
    contact = agreed(person(phone="+33612341234"), "email")
    assert hear(text, "+33 6 12 34 12 34").outcome == "withdrawn"
    assert [state(contact, channel) for channel in ("email", "sms")] == ["withdrawn"] * 2


def test_a_stop_from_nobody_we_know_holds_still() -> None:
    item = hear("stop", "+33612340999")
    index = suppression.index(channel="sms", address="+33612340999")
    assert item.outcome == "suppressed"
    assert suppression.is_suppressed(channel="sms", address_index=index)


def test_a_stop_reaches_the_person_at_every_partner() -> None:
    partner = Partner.objects.create(name="Other", created_at=NOON)
    ours = agreed(person(phone="+33612341235"), "sms")
    theirs = agreed(person(phone="+33612341235", partner=partner), "sms")
    hear("STOP", "+33612341235")
    assert [state(ours, "sms"), state(theirs, "sms")] == ["withdrawn", "withdrawn"]


def test_an_item_acts_once() -> None:
    item = hear("STOP", "+33612340998")
    InboxItem.objects.filter(pk=item.pk).update(processed_at=None)
    intake.take_waiting(at=NOON)
    assert Suppression.objects.count() == 1
    assert Taken.objects.count() == 1


def test_a_yes_that_nobody_asked_for_confirms_nothing() -> None:
    contact = person(phone="+33612341236")
    assert hear("YES", "+33612341236").outcome == "nothing_asked"
    assert state(contact, "sms") is None


@pytest.mark.parametrize(("text", "sender"), [("thanks", "+33612341237"), ("hm", "not a number")])
def test_anything_else_is_kept_and_changes_nothing(text: str, sender: str) -> None:
    contact = agreed(person(phone="+33612341237"), "sms")
    assert hear(text, sender).outcome == "kept"
    assert state(contact, "sms") == "confirmed"


def test_an_early_report_waits_for_the_row_and_a_stray_one_is_put_away() -> None:
    sandbox, _ = connections.ensure_local(at=NOON)
    body = {"provider_message_id": "unheard", "status": "delivered", "code": ""}
    inbox.store(connection=sandbox, kind="delivery_report", dedupe_key="r", body=body, at=NOON)
    assert intake.take_waiting(at=NOON) == 0
    assert intake.take_waiting(at=NOON + timedelta(minutes=6)) == 1


@pytest.mark.parametrize(
    ("before", "status", "after"),
    [
        ("sent", "failed", "failed"),
        ("unknown", "delivered", "delivered"),
        ("delivered", "failed", "delivered"),
        ("cancelled", "delivered", "cancelled"),
        ("sent", "odd", "sent"),
    ],
)
def test_a_report_moves_a_message_forward_only(before: str, status: str, after: str) -> None:
    sandbox, _ = connections.ensure_local(at=NOON)
    decision = _decision()
    message = Message.objects.create(
        contact=decision.contact,
        connection=sandbox,
        decision=decision,
        hand_off_decision=_decision(),
        purpose_code="marketing",
        channel="email",
        idempotency_key="k",
        state=before,
        not_before=NOON,
        queued_at=NOON,
        provider_message_id="p1",
    )
    messages.report(
        provider_message_id="p1", connection_id=sandbox.pk, status=status, code="x", at=NOON
    )
    assert Message.objects.get(pk=message.pk).state == after


def _decision() -> Decision:
    return Decision.objects.create(
        contact=person(),
        purpose_code="marketing",
        channel="email",
        context_type="test",
        phase="queue",
        verdict="allow",
        inputs_sha256="0",
        packs_version="0",
        at=NOON,
    )
