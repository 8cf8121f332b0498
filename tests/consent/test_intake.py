from datetime import timedelta

import pytest

from consent import intake, messages
from consent.models import Decision, Message, Suppression, Taken
from integrations import connections, inbox
from integrations.models import InboxItem
from tests.consent.hearing import hear, told
from tests.consent.people import NOON, person

pytestmark = pytest.mark.django_db


def test_an_item_acts_once() -> None:
    item = hear("STOP", "+33612340998")
    InboxItem.objects.filter(pk=item.pk).update(processed_at=None)
    intake.take_waiting(at=NOON)
    assert Suppression.objects.count() == 1
    assert Taken.objects.count() == 1


def test_what_is_not_for_us_is_put_away() -> None:
    assert told("gossip").outcome == "not_for_consent"


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
