import threading
from collections.abc import Callable
from datetime import datetime

import pytest
from django.db import connection, transaction

from accounts.audit import SYSTEM
from consent import ledger, outbox
from consent.models import Contact, Message
from integrations import connections, inbox
from integrations.models import SandboxMessage
from tests.consent.people import NOON, agreed, person

pytestmark = pytest.mark.django_db(transaction=True)
WAIT_SECONDS = 20


def queued(contact: Contact) -> Message:
    sandbox, _ = connections.ensure_local(at=NOON)
    _, message = outbox.queue(
        contact=contact,
        connection=sandbox,
        purpose_code="marketing",
        channel="email",
        context_type="consent.test",
        context_id=None,
        idempotency_key=contact.id.hex,
        subject="Hello",
        text="Hello",
        at=NOON,
        actor=SYSTEM,
    )
    assert message is not None
    return message


def withdraw(contact: Contact) -> None:
    ledger.withdraw(contact=contact, act="button", source="page", at=NOON, actor=SYSTEM)


def in_thread(work: Callable[[], None]) -> threading.Thread:
    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_a_withdrawal_that_commits_first_is_not_overtaken() -> None:
    contact = agreed(person(), "email")
    message = queued(contact)
    holding, may_commit = threading.Event(), threading.Event()

    def slow_withdrawal() -> None:
        with transaction.atomic():
            withdraw(contact)
            holding.set()
            may_commit.wait(WAIT_SECONDS)

    withdrawing = in_thread(slow_withdrawal)
    assert holding.wait(WAIT_SECONDS)
    # The sender comes while the withdrawal is being written: it leaves that person alone, or waits.
    sending = in_thread(lambda: void(outbox.dispatch(at=NOON)))
    sending.join(0.5)
    may_commit.set()
    withdrawing.join(WAIT_SECONDS)
    sending.join(WAIT_SECONDS)
    assert outbox.dispatch(at=NOON).total == 0
    message.refresh_from_db()
    assert message.state == "cancelled"
    assert SandboxMessage.objects.count() == 0


def test_a_withdrawal_that_comes_during_the_hand_off_waits_for_it() -> None:
    contact = agreed(person(), "email")
    message = queued(contact)
    judging, may_go_on = threading.Event(), threading.Event()

    def slow_judge(_message: Message, _at: datetime) -> str | None:
        judging.set()
        may_go_on.wait(WAIT_SECONDS)
        return None

    sending = in_thread(lambda: void(outbox.dispatch(at=NOON, still_valid=slow_judge)))
    assert judging.wait(WAIT_SECONDS)
    withdrawing = in_thread(lambda: withdraw(contact))
    withdrawing.join(0.5)
    assert withdrawing.is_alive()
    may_go_on.set()
    sending.join(WAIT_SECONDS)
    withdrawing.join(WAIT_SECONDS)
    message.refresh_from_db()
    assert message.state == "sent"
    state = ledger.state_of(contact=contact, purpose_code="marketing", channel="email", at=NOON)
    assert state == "withdrawn"


def test_two_senders_send_one_message_once() -> None:
    for _ in range(6):
        queued(agreed(person(), "email"))
    senders = [in_thread(lambda: void(outbox.dispatch(at=NOON))) for _ in range(2)]
    for sender in senders:
        sender.join(WAIT_SECONDS)
    assert SandboxMessage.objects.count() == 6
    assert Message.objects.filter(state__in=["sent", "delivered"]).count() == 6
    assert set(Message.objects.values_list("attempts", flat=True)) == {1}


def test_a_stop_in_the_inbox_comes_before_the_next_send() -> None:
    contact = agreed(person(email="stop@example.org"), "email")
    message = queued(contact)
    inbox.store(
        connection=message.connection,
        kind="inbound_message",
        dedupe_key="stop-1",
        body={"channel": "email", "from": "stop@example.org", "text": "Stop!"},
        at=NOON,
    )
    assert outbox.dispatch(at=NOON).sent == 0
    message.refresh_from_db()
    assert message.state == "cancelled"
    assert SandboxMessage.objects.count() == 0


def void(_value: object) -> None:
    return None
