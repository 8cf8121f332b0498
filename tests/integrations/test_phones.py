"""Do the phones show what came, take answers as a provider does, and forget when told?"""

import uuid
from collections.abc import Iterator

import pytest
from django_q.models import OrmQ

from integrations import connections, inbox, messaging, phones
from integrations.messaging.base import KeepsStops, OutgoingMessage
from integrations.models import SandboxMessage
from tests.accounts.staff import NOON

pytestmark = pytest.mark.django_db
ANA, BEN = "+14155550100", "+14155550101"


def send(address: str = ANA, channel: str = "sms", text: str = "Hello") -> uuid.UUID:
    provider = messaging.provider_for(connections.ensure_local(at=NOON)[0])
    one = OutgoingMessage(uuid.uuid4(), channel, address, "Subject", text, {"From": "Acme"})
    provider.send(one)
    return one.message_id


def tasks() -> Iterator[str]:
    return (task.func() for task in OrmQ.objects.all())


def test_a_stop_is_shown_where_there_is_a_thread_and_forgotten_with_it() -> None:
    message_id = send()
    provider = messaging.provider_for(connections.ensure_local(at=NOON)[0])
    assert isinstance(provider, KeepsStops)
    for channel in ("sms", "whatsapp"):
        provider.stop(address=ANA, channel=channel)
    [thread] = phones.threads(limit=10)
    assert thread.stopped_at is not None
    phones.forget(message_ids=[message_id])
    assert set(SandboxMessage.objects.values_list("address_index", flat=True)) == {""}


def test_each_address_and_channel_is_a_thread() -> None:
    for address, channel in ((ANA, "sms"), (ANA, "whatsapp"), (BEN, "sms"), (ANA, "sms")):
        send(address, channel)
    found = {(thread.address, thread.channel): thread for thread in phones.threads(limit=10)}
    assert {place: len(thread.messages) for place, thread in found.items()} == {
        (ANA, "sms"): 2,
        (ANA, "whatsapp"): 1,
        (BEN, "sms"): 1,
    }
    assert phones.count() == 3
    assert found[ANA, "sms"].phone == found[ANA, "whatsapp"].phone


def test_one_address_in_capitals_is_the_same_mailbox() -> None:
    send("Ana@Example.org", "email")
    send("ana@example.org", "email")
    [thread] = phones.threads(limit=10)
    assert len(thread.messages) == 2


def test_threads_come_by_the_page_newest_first() -> None:
    for address in (ANA, BEN):
        send(address)
    assert [thread.address for thread in phones.threads(limit=1)] == [BEN]
    assert [thread.address for thread in phones.threads(limit=1, offset=1)] == [ANA]


def test_the_sender_is_the_one_the_message_names() -> None:
    send()
    [thread] = phones.threads(limit=1)
    assert thread.sender == "Acme"


def test_only_the_last_messages_are_shown() -> None:
    for number in range(phones.SHOWN_MESSAGES + 3):
        send(text=f"number {number}")
    [thread] = phones.threads(limit=1)
    assert len(thread.messages) == phones.SHOWN_MESSAGES
    assert thread.messages[-1].body == f"number {phones.SHOWN_MESSAGES + 2}"


def test_an_answer_reaches_the_inbox_as_a_providers_would() -> None:
    send()
    [thread] = phones.threads(limit=1)
    phones.reply(phone=thread.phone, channel="sms", text="  STOP ", at=NOON)
    item = inbox.waiting(limit=10)[0]
    assert item.kind == "inbound_message"
    assert isinstance(item.body_sealed, dict)
    told = {key: item.body_sealed[key] for key in ("channel", "from", "text")}
    assert told == {"channel": "sms", "from": ANA, "text": "STOP"}
    [thread] = phones.threads(limit=1)
    assert [(bubble.body, bubble.ours) for bubble in thread.messages][-1:] in (
        [("STOP", False)],
        [("Hello", True)],
    )
    assert list(tasks()) == ["consent.jobs.take_inbox"]


@pytest.mark.parametrize("text", ["", "   ", "x" * 1001])
def test_an_answer_that_is_none_is_refused(text: str) -> None:
    send()
    [thread] = phones.threads(limit=1)
    with pytest.raises(phones.NotAReply):
        phones.reply(phone=thread.phone, channel="sms", text=text, at=NOON)
    assert not list(tasks())


def test_a_phone_that_was_never_written_to_cannot_answer() -> None:
    send()
    [thread] = phones.threads(limit=1)
    for phone, channel in ((thread.phone, "whatsapp"), ("0" * 64, "sms"), ("", "")):
        with pytest.raises(phones.NoSuchPhone):
            phones.reply(phone=phone, channel=channel, text="STOP", at=NOON)
    assert SandboxMessage.objects.count() == 1


def test_a_person_who_is_erased_is_forgotten_with_their_answers() -> None:
    first, _ = send(ANA), send(BEN)
    send(ANA, "whatsapp")
    [ana] = [
        thread
        for thread in phones.threads(limit=9)
        if (thread.address, thread.channel) == (ANA, "sms")
    ]
    phones.reply(phone=ana.phone, channel="sms", text="my name is Ana", at=NOON)
    assert phones.forget(message_ids=[first]) == 3
    assert [thread.address for thread in phones.threads(limit=9)] == [BEN]
    bodies = [item.body_sealed for item in inbox.waiting(limit=99)]
    assert "my name is Ana" not in str(bodies)
    assert phones.forget(message_ids=[first]) == 0


def test_forgetting_nothing_forgets_nothing() -> None:
    send()
    assert phones.forget(message_ids=[]) == 0
    assert phones.forget(message_ids=[uuid.uuid4()]) == 0
    assert phones.count() == 1
