"""Does the sandbox behave like a provider: once each, reports by the inbox, every outcome?"""

import json
import uuid

import pytest
from django.db import connection as database

from integrations import connections, inbox, messaging
from integrations.messaging.base import (
    Event,
    KeepsStops,
    MessagingProvider,
    NotAnEvent,
    OutgoingMessage,
    Posted,
    ProviderError,
)
from integrations.models import Connection, SandboxMessage
from tests.accounts.staff import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture
def provider() -> MessagingProvider:
    return messaging.provider_for(connections.ensure_local(at=NOON)[0])


def read(provider: MessagingProvider, payload: bytes) -> Event:
    [event] = provider.read(Posted(payload))
    return event


def message(address: str = "+14155550100", channel: str = "sms") -> OutgoingMessage:
    return OutgoingMessage(uuid.uuid4(), channel, address, "", "Hello Ana", {"From": "Acme"})


@pytest.mark.parametrize(
    ("channel", "address"),
    [("sms", "+14155550100"), ("whatsapp", "+14155550100"), ("email", "ana@example.org")],
)
def test_a_message_arrives_and_is_reported(
    provider: MessagingProvider, channel: str, address: str
) -> None:
    sent = provider.send(message(address, channel))
    row = SandboxMessage.objects.get()
    assert row.content_sealed == {
        "address": address,
        "subject": "",
        "text": "Hello Ana",
        "headers": {"From": "Acme"},
    }
    [report] = inbox.waiting(limit=10)
    assert report.kind == "delivery_report"
    assert report.body_sealed == {
        "provider_message_id": sent.provider_message_id,
        "status": "delivered",
        "code": "",
    }


def test_the_same_message_twice_arrives_once(provider: MessagingProvider) -> None:
    one = message()
    assert provider.send(one) == provider.send(one)
    assert SandboxMessage.objects.count() == 1
    assert len(inbox.waiting(limit=10)) == 1


def test_two_messages_with_the_same_words_are_two(provider: MessagingProvider) -> None:
    assert provider.send(message()) != provider.send(message())


@pytest.mark.parametrize(
    ("address", "outcome", "arrives"),
    [
        ("+14155550001", "permanent", 0),
        ("it.fails@example.org", "permanent", 0),
        ("+14155550004", "permanent", 0),
        ("+14155550002", "transient", 0),
        ("ana0002@example.org", "transient", 0),
        ("+14155550003", "unknown", 1),
        ("ana0003@example.org", "unknown", 1),
    ],
)
def test_the_address_chooses_the_outcome(
    provider: MessagingProvider, address: str, outcome: str, arrives: int
) -> None:
    with pytest.raises(ProviderError) as failed:
        provider.send(message(address, "email" if "@" in address else "sms"))
    assert failed.value.outcome == outcome
    assert SandboxMessage.objects.count() == arrives
    # An answer that was lost brings no report either.
    assert inbox.waiting(limit=10) == []


def test_a_channel_that_is_none_is_refused(provider: MessagingProvider) -> None:
    with pytest.raises(ProviderError) as failed:
        provider.send(message(channel="fax"))
    assert failed.value.outcome == "permanent"


def test_neither_message_nor_failure_shows_the_person(provider: MessagingProvider) -> None:
    one = message("+14155550001")
    with pytest.raises(ProviderError) as failed:
        provider.send(one)
    for shown in (repr(one), str(failed.value), repr(failed.value)):
        assert "4155550001" not in shown
        assert "Ana" not in shown


def test_what_the_sandbox_keeps_is_sealed(provider: MessagingProvider) -> None:
    provider.send(message())
    with database.cursor() as cursor:
        cursor.execute("SELECT content_sealed, address_index FROM integrations_sandboxmessage")
        content, index = cursor.fetchone()
    assert b"Ana" not in bytes(content)
    assert "4155550100" not in index


def test_a_provider_that_this_version_lacks_is_refused() -> None:
    row = Connection(kind="messaging", provider="unheard-of")
    with pytest.raises(messaging.NoSuchProvider):
        messaging.provider_for(row)


def test_an_answer_of_a_person_is_read(provider: MessagingProvider) -> None:
    payload = (
        b'{"id": "e1", "kind": "inbound_message", "channel": "sms", "from": "+14155550100",'
        b' "text": "STOP", "provider_message_id": "m1"}'
    )
    assert read(provider, payload) == Event(
        "inbound_message",
        "hook:e1",
        {"channel": "sms", "from": "+14155550100", "text": "STOP", "provider_message_id": "m1"},
    )


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("opt_out", {"channel": "sms", "from": "+14155550100"}),
        ("reassigned", {"from": "+14155550100"}),
    ],
)
def test_what_a_provider_tells_of_a_person_is_read(
    provider: MessagingProvider, kind: str, body: dict[str, str]
) -> None:
    event = read(provider, json.dumps({"id": "e1", "kind": kind, **body}).encode())
    assert (event.kind, event.body) == ("other", {"kind": kind, **body})


def test_a_subject_comes_along_where_there_is_one(provider: MessagingProvider) -> None:
    body = {"channel": "email", "from": "a@example.org", "text": "", "provider_message_id": "m"}
    payload = {"id": "e1", "kind": "inbound_message", "subject": "STOP", **body}
    assert read(provider, json.dumps(payload).encode()).body["subject"] == "STOP"


def test_a_stop_is_kept_once_with_the_hash_of_its_address(provider: MessagingProvider) -> None:
    assert isinstance(provider, KeepsStops)
    for _ in range(2):
        provider.stop(address="+14155550100", channel="sms")
    row = SandboxMessage.objects.get()
    assert (row.direction, row.channel, row.content_sealed) == ("stopped", "sms", None)
    assert "4155550100" not in row.address_index


REPORT = {
    "id": "e1",
    "kind": "delivery_report",
    "provider_message_id": "m1",
    "status": "failed",
    "code": "30003",
}


def test_a_report_is_read(provider: MessagingProvider) -> None:
    event = read(provider, json.dumps(REPORT).encode())
    assert (event.kind, event.dedupe_key) == ("delivery_report", "hook:e1")
    assert event.body == {"provider_message_id": "m1", "status": "failed", "code": "30003"}


@pytest.mark.parametrize("payload", [b"", b"{", b"[]", b"null", b"7", b"\xff\xfe"])
def test_what_is_no_object_is_refused(provider: MessagingProvider, payload: bytes) -> None:
    with pytest.raises(NotAnEvent):
        read(provider, payload)


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "gossip"},
        {"kind": ["delivery_report"]},
        {"kind": None},
        {"id": 1},
        {"id": ""},
        {"id": "e" * 81},
        {"provider_message_id": 7},
        {"provider_message_id": "m" * 81},
        {"status": None},
        {"more": "x"},
    ],
)
def test_an_event_of_another_shape_is_refused(
    provider: MessagingProvider, change: dict[str, object]
) -> None:
    with pytest.raises(NotAnEvent):
        read(provider, json.dumps({**REPORT, **change}).encode())


@pytest.mark.parametrize("member", REPORT)
def test_an_event_that_lacks_a_member_is_refused(provider: MessagingProvider, member: str) -> None:
    rest = {name: value for name, value in REPORT.items() if name != member}
    with pytest.raises(NotAnEvent):
        read(provider, json.dumps(rest).encode())
