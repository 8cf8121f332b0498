"""Do messages and bodies go at their time, and what has its time left stay?"""

import uuid
from datetime import timedelta

import pytest

from config.lib.inventory import DEFAULT_DAYS
from integrations import connections, inbox, personal_data
from integrations.models import InboxItem, SandboxMessage
from tests.accounts.staff import NOON

pytestmark = pytest.mark.django_db


def message(age_days: int) -> SandboxMessage:
    return SandboxMessage.objects.create(
        connection=connections.ensure_local(at=NOON)[0],
        direction=SandboxMessage.Direction.TO_PHONE,
        channel="sms",
        content_sealed={"address": "+14155550100", "subject": "", "text": "x", "headers": {}},
        address_index="a" * 64,
        at=NOON - timedelta(days=age_days),
    )


def item(age_days: int | None) -> InboxItem:
    stored = inbox.store(
        connection=connections.ensure_local(at=NOON)[0],
        kind="inbound_message",
        dedupe_key=uuid.uuid4().hex,
        body={"text": "STOP"},
        at=NOON - timedelta(days=60),
    )
    assert stored is not None
    if age_days is not None:
        inbox.finish(item=stored, outcome="withdrawn", at=NOON - timedelta(days=age_days))
    return stored


def due() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for record in personal_data.due(at=NOON, days=DEFAULT_DAYS):
        found.setdefault(record.record_class, []).append(record.object_id)
        assert record.due_at <= NOON
    return found


def test_sandbox_messages_are_due_after_their_days() -> None:
    old, on_the_day, _young = message(31), message(30), message(29)
    assert due() == {"sandbox_message": [str(old.pk), str(on_the_day.pk)]}


def test_bodies_are_due_days_after_they_were_acted_upon() -> None:
    old, _young, _waiting = item(8), item(6), item(None)
    assert due() == {"inbox_item": [str(old.pk)]}


def test_another_policy_counts() -> None:
    message(5)
    days = {**DEFAULT_DAYS, "sandbox_message": 4}
    assert len(list(personal_data.due(at=NOON, days=days))) == 1


def test_a_message_goes_whole_and_an_event_keeps_that_it_came() -> None:
    sent, came = message(31), item(8)
    personal_data.erase_record(record_class="sandbox_message", object_id=str(sent.pk), at=NOON)
    personal_data.erase_record(record_class="inbox_item", object_id=str(came.pk), at=NOON)
    assert not SandboxMessage.objects.exists()
    row = InboxItem.objects.get()
    assert (row.body_sealed, row.outcome) == (None, "withdrawn")
    assert due() == {}


def test_erasing_twice_does_nothing_twice() -> None:
    sent = message(31)
    for _ in range(2):
        personal_data.erase_record(record_class="sandbox_message", object_id=str(sent.pk), at=NOON)
