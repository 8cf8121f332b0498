import secrets
import threading
import uuid
from collections import deque
from concurrent.futures import Future
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database

from accounts.audit import SYSTEM
from consent import claims, messages, outbox
from consent.hands import Hands
from consent.models import Contact, Message
from integrations import connections, inbox
from integrations.messaging.base import THANKS, OutgoingMessage, ProviderError, Sent
from integrations.models import Connection
from tests.consent.people import NOON, agreed, person

claim = claims.claim


class Quick:
    """A provider that may be called from several threads; what it does is told by the address."""

    channels, thanks, per_second = ("email",), THANKS, 1e6

    def __init__(self) -> None:
        self.took: list[str] = []
        self.threads: set[int] = set()
        # Both calls must be under way before one of them ends.
        self.meeting = threading.Barrier(2 if database.vendor == "postgresql" else 1, timeout=20)

    def send(self, message: OutgoingMessage) -> Sent:
        self.took.append(message.address)
        self.threads.add(threading.get_ident())
        if message.address.startswith("pair"):
            self.meeting.wait()
        if message.address.startswith("busy"):
            raise ProviderError("transient", "busy")
        if message.address.startswith("broken"):
            raise RuntimeError
        return Sent(f"Q{message.message_id.hex}")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Quick:
    provider = Quick()
    monkeypatch.setattr(outbox, "provider_for", lambda _connection: provider)
    return provider


def queued(*, email: str = "", to: Contact | None = None) -> Message:
    _, message = outbox.queue(
        contact=to or agreed(person(email=email), "email"),
        connection=connections.ensure_local(at=NOON)[0],
        purpose_code="marketing",
        channel="email",
        context_type="consent.test",
        context_id=None,
        idempotency_key=uuid.uuid4().hex,
        subject="",
        text="a link",
        at=NOON,
        actor=SYSTEM,
    )
    assert message is not None
    return message


def claimed(rows: list[Message]) -> list[claims.Opened]:
    due = [claims.Due(row.pk, row.contact_id, row.connection_id) for row in rows]
    return claim(due=due, at=NOON, still_valid=outbox.always_valid).opened


def state(message: Message) -> tuple[str, str]:
    message.refresh_from_db()
    return message.state, message.problem


@pytest.mark.django_db
def test_several_leave_at_the_same_time_and_each_once(quick: Quick) -> None:
    pair = [queued(email="pair1@example.org"), queued(email="pair2@example.org")]
    assert outbox.dispatch(at=NOON).sent == 2
    assert sorted(quick.took) == ["pair1@example.org", "pair2@example.org"]
    assert [state(message) for message in pair] == [("sent", "")] * 2
    names = {message.provider_message_id for message in pair}
    assert names == {f"Q{message.pk.hex}" for message in pair}
    if database.vendor == "postgresql":
        assert threading.get_ident() not in quick.threads


@pytest.mark.django_db
def test_one_that_is_not_taken_leaves_the_others_alone(quick: Quick) -> None:
    busy, well = queued(email="busy@example.org"), queued(email="well@example.org")
    done = outbox.dispatch(at=NOON)
    assert (done.retried, done.sent) == (1, 1)
    assert (state(busy), state(well)) == (("queued", "busy"), ("sent", ""))


@pytest.mark.django_db
def test_an_adapter_that_breaks_leaves_an_unknown(quick: Quick) -> None:
    broken, well = queued(email="broken@example.org"), queued(email="well@example.org")
    if database.vendor != "postgresql":
        # One at a time, what breaks ends the round; the worker is called lost later.
        with pytest.raises(RuntimeError):
            outbox.dispatch(at=NOON)
        assert state(broken) == ("handing_off", "")
        return
    done = outbox.dispatch(at=NOON)
    assert (done.unknown, done.sent) == (1, 1)
    assert state(broken) == ("unknown", "adapter_fault")
    assert state(well) == ("sent", "")


@pytest.mark.django_db
def test_nothing_is_claimed_while_something_waits_in_the_inbox(quick: Quick) -> None:
    message = queued(email="well@example.org")
    stop = {"channel": "email", "from": "well@example.org", "text": "STOP"}
    item = inbox.store(
        connection=message.connection,
        kind="inbound_message",
        dedupe_key="stop",
        body=stop,
        at=NOON,
    )
    assert item is not None
    due = claims.Due(message.pk, message.contact_id, message.connection_id)
    with pytest.raises(claims.SomethingArrived):
        claims.claim(due=[due], at=NOON, still_valid=outbox.always_valid)
    assert outbox.dispatch(at=NOON).sent == 0
    assert quick.took == []
    assert state(message)[0] == "cancelled"


@pytest.mark.django_db
def test_who_cannot_be_read_keeps_no_other_from_leaving(quick: Quick) -> None:
    gone, well = queued(email="gone@example.org"), queued(email="well@example.org")
    Message.objects.filter(pk=gone.pk).update(body_sealed=b"not sealed by us")
    done = outbox.dispatch(at=NOON)
    assert (done.refused, done.sent) == (1, 1)
    assert (state(gone), state(well)) == (("refused", "unreadable"), ("sent", ""))


@pytest.mark.django_db
def test_an_account_without_an_adapter_is_tried_later() -> None:
    message = queued(email="well@example.org")
    Connection.objects.filter(pk=message.connection_id).update(provider="unheard-of")
    assert outbox.dispatch(at=NOON).retried == 1
    assert state(message) == ("queued", "no_adapter")


def test_a_person_has_one_message_in_a_claim() -> None:
    one, two = uuid.uuid4(), uuid.uuid4()
    due = [claims.Due(uuid.uuid4(), contact, uuid.UUID(int=1)) for contact in (one, one, two)]
    waiting = deque(due)
    assert outbox._next(waiting, 3) == [due[0], due[2]]
    assert list(waiting) == [due[1]]


def test_hands_bring_back_what_broke_as_well() -> None:
    def broken() -> int:
        raise ValueError

    with Hands[str, int](count=2) as hands:
        hands.carry("well", lambda: 1)
        hands.carry("broken", broken)
        assert hands.free == 0
        back: dict[str, Future[int]] = {}
        while hands.busy:
            back.update(hands.back())
    assert back["well"].result() == 1
    assert isinstance(back["broken"].exception(), ValueError)


@pytest.mark.django_db
def test_what_another_worker_took_meanwhile_is_not_gone_through(
    quick: Quick, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "HANDS", 1)
    monkeypatch.setattr(secrets, "randbelow", lambda _count: 0)
    *others, last = [queued(email=f"well{number}@example.org") for number in range(8)]
    Message.objects.exclude(pk=last.pk).update(not_before=NOON - timedelta(minutes=1))
    looked: list[int] = []

    def after_another(**given: Any) -> claims.Claimed:
        if not looked:
            assert len(claimed(others)) == 7
        looked.append(len(given["due"]))
        return claim(**given)

    monkeypatch.setattr(claims, "claim", after_another)
    assert outbox.dispatch(at=NOON).sent == 1
    assert looked == [1, 1]
    assert quick.took == ["well7@example.org"]


@pytest.mark.django_db
def test_what_moved_on_before_its_answer_came_keeps_its_state() -> None:
    first, faster, named = [queued(email=f"well{number}@example.org") for number in range(3)]
    assert len(claimed([first, faster, named])) == 3
    rows = Message.objects.all()
    rows.filter(pk=faster.pk).update(state=Message.State.DELIVERED)
    rows.filter(pk=named.pk).update(provider_message_id="before")
    names = {row.pk: f"Q{row.pk.hex}" for row in (first, faster, named)}
    assert messages.sent_many(names=names, at=NOON) == {first.pk}
    states = [state(row)[0] for row in (first, faster, named)]
    assert states == ["sent", "delivered", "handing_off"]
    assert (first.provider_message_id, first.sent_at) == (names[first.pk], NOON)
    assert first.body_sealed is None
    assert named.provider_message_id == "before"
