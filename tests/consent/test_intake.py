from datetime import timedelta

import pytest
from django.db import transaction

from accounts.models import TrailLeaf, User
from consent import intake, messages, outbox
from consent.models import Decision, Message, Suppression, Taken
from integrations import connections, inbox
from integrations.models import InboxItem
from tests.consent.hearing import hear, told
from tests.consent.people import NOON, agreed, person
from tests.consent.test_outbox import queued

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


def broken(key: str = "broken") -> InboxItem:
    """Let an event arrive whose seal no longer opens."""
    sandbox, _ = connections.ensure_local(at=NOON)
    body = {"channel": "sms", "from": "+33612340997", "text": "STOP"}
    item = inbox.store(
        connection=sandbox, kind="inbound_message", dedupe_key=key, body=body, at=NOON
    )
    assert item is not None
    with transaction.get_connection().cursor() as cursor:
        cursor.execute(
            "UPDATE integrations_inboxitem SET body_sealed = %s WHERE id = %s", [b"torn", item.pk]
        )
    return item


def test_an_event_that_cannot_be_read_hides_no_later_stop() -> None:
    item = broken()
    assert hear("STOP", "+33612340998").processed_at is not None
    assert Suppression.objects.count() == 1
    assert inbox.has_news()
    attempts = InboxItem.objects.filter(pk=item.pk).values_list("attempts", flat=True)
    assert attempts.get() == 1


def test_an_event_that_is_stuck_is_put_away_by_an_officer_alone() -> None:
    item, officer = broken(), User.objects.create(email="officer@example.org", role="officer")
    assert not intake.set_aside(item_id=item.pk, at=NOON, staff=officer)
    for _ in range(inbox.STUCK_ATTEMPTS):
        intake.take_waiting(at=NOON)
    assert [row.pk for row in inbox.stuck()] == [item.pk]
    assert intake.set_aside(item_id=item.pk, at=NOON, staff=officer)
    assert not intake.set_aside(item_id=item.pk, at=NOON, staff=officer)
    assert not inbox.has_news()
    leaf = TrailLeaf.objects.get(action="consent.inbox.set_aside")
    assert leaf.details["kind"] == "inbound_message"


def test_nothing_is_sent_while_an_event_cannot_be_read() -> None:
    queued(agreed(person(), "email"))
    item = broken()
    assert outbox.dispatch(at=NOON).total == 0
    intake.set_aside(item_id=item.pk, at=NOON, staff=User.objects.create(email="o@example.org"))
    assert outbox.dispatch(at=NOON).sent == 1


def test_a_stop_is_heard_before_the_reports_that_came_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(intake, "PAGE", 2)
    sandbox, _ = connections.ensure_local(at=NOON)
    body = {"provider_message_id": "unheard", "status": "delivered", "code": ""}
    for key in "abcde":
        inbox.store(connection=sandbox, kind="delivery_report", dedupe_key=key, body=body, at=NOON)
    said = {"channel": "sms", "from": "+33612340996", "text": "STOP"}
    stop = inbox.store(
        connection=sandbox, kind="inbound_message", dedupe_key="f", body=said, at=NOON
    )
    assert inbox.waiting(limit=2)[0] == stop
    until = NOON + timedelta(seconds=1)
    assert intake.take_all(now=lambda: NOON, until=until) == 1
    assert Suppression.objects.count() == 1
    # All five reports were looked at; each waits for its message.
    assert len(inbox.waiting(limit=9)) == 5


def test_what_cannot_be_read_holds_back_no_page_behind_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(intake, "PAGE", 1)
    monkeypatch.setattr(intake, "_try_to_take", lambda item, _at: item.dedupe_key == "good")
    sandbox, _ = connections.ensure_local(at=NOON)
    for key in ("bad", "worse", "good"):
        inbox.store(connection=sandbox, kind="other", dedupe_key=key, body={}, at=NOON)
    assert intake.take_all(now=lambda: NOON, until=NOON + timedelta(seconds=1)) == 1


def test_taking_ends_at_its_instant() -> None:
    sandbox, _ = connections.ensure_local(at=NOON)
    inbox.store(connection=sandbox, kind="other", dedupe_key="a", body={}, at=NOON)
    assert intake.take_all(now=lambda: NOON, until=NOON) == 0
    assert len(inbox.waiting(limit=9)) == 1
