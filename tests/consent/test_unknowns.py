"""What becomes of a message without an answer? One match settles it; nothing sends it again."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import pytest

from accounts.models import TrailLeaf, User
from consent import intake, outbox, suppression, unknowns
from consent.models import Message
from integrations.messaging.base import THANKS, Asked, Found, OutgoingMessage, ProviderError, Sent
from tests.accounts.staff import member
from tests.consent.people import NOON, agreed, person
from tests.consent.test_dispatching import queued

pytestmark = pytest.mark.django_db
SOON = NOON + timedelta(minutes=4)
DELIVERED = Found("SM1", "delivered")


class Silent:
    """A provider that never answers, and can be asked later."""

    channels, thanks = ("email",), THANKS

    def __init__(self, *found: Found) -> None:
        self.found, self.sends, self.asked = found, 0, 0

    def send(self, _message: OutgoingMessage) -> Sent:
        self.sends += 1
        raise ProviderError("unknown", "no_answer")

    def look_up(self, asked: Sequence[Asked]) -> Mapping[uuid.UUID, Sequence[Found]]:
        self.asked += 1
        return {one.message.message_id: self.found for one in asked}


def lost(monkeypatch: pytest.MonkeyPatch, *found: Found) -> tuple[Silent, Message]:
    provider = Silent(*found)
    monkeypatch.setattr(outbox, "provider_for", lambda _connection: provider)
    message = queued(to=agreed(person(email="lost@example.org"), "email"))
    assert outbox.dispatch(at=NOON).unknown == 1
    return provider, message


def fresh(message: Message) -> Message:
    message.refresh_from_db()
    return message


@pytest.mark.parametrize(
    ("found", "state", "problem"),
    [
        (DELIVERED, "delivered", ""),
        (Found("SM1", "sent"), "sent", ""),
        (Found("SM1", "failed", "30003"), "failed", "30003"),
    ],
)
def test_exactly_one_match_settles_it(
    monkeypatch: pytest.MonkeyPatch, found: Found, state: str, problem: str
) -> None:
    provider, message = lost(monkeypatch, found)
    assert unknowns.look_up(at=SOON) == 1
    row = fresh(message)
    assert (row.state, row.problem, row.provider_message_id) == (state, problem, "SM1")
    assert row.body_sealed is None
    leaf = TrailLeaf.objects.get(action=f"consent.message.{state}")
    assert (leaf.actor_kind, leaf.object_id) == ("provider", str(message.pk))
    assert provider.sends == 1


@pytest.mark.parametrize("found", [(), (DELIVERED, Found("SM2", "delivered"))])
def test_none_or_several_leave_it(
    monkeypatch: pytest.MonkeyPatch, found: tuple[Found, ...]
) -> None:
    _, message = lost(monkeypatch, *found)
    assert unknowns.look_up(at=SOON) == 0
    assert fresh(message).state == "unknown"


def test_a_name_that_another_message_has_is_not_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    _, message = lost(monkeypatch, DELIVERED)
    other = queued(email="other@example.org")
    Message.objects.filter(pk=other.pk).update(provider_message_id="SM1")
    assert unknowns.look_up(at=SOON) == 0
    assert fresh(message).state == "unknown"


def test_a_stop_that_the_list_tells_of_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    _, message = lost(monkeypatch, Found("SM1", "failed", "opted_out"))
    unknowns.look_up(at=SOON)
    intake.take_waiting(at=SOON)
    index = message.contact.email_stop_index
    assert suppression.is_suppressed(channel="email", address_index=index)


def test_it_is_asked_a_few_times_and_the_words_are_then_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    provider, message = lost(monkeypatch)
    assert unknowns.look_up(at=NOON + timedelta(minutes=1)) == provider.asked == 0
    assert fresh(message).body_sealed is not None
    for hours in range(40):
        unknowns.look_up(at=SOON + timedelta(hours=hours))
    row = fresh(message)
    assert (provider.asked, provider.sends) == (len(unknowns.ASK_AFTER), 1)
    assert (row.state, row.body_sealed) == ("unknown", None)


def test_a_provider_without_a_list_is_left_to_people() -> None:
    message = queued(to=agreed(person(email="x0003@example.org"), "email"))
    outbox.dispatch(at=NOON)
    assert unknowns.look_up(at=SOON) == 0
    assert (fresh(message).state, message.body_sealed) == ("unknown", None)


def test_causes_are_counted_by_account(monkeypatch: pytest.MonkeyPatch) -> None:
    _, message = lost(monkeypatch)
    [cause] = unknowns.causes()
    assert (cause.problem, cause.count, cause.oldest_at) == ("no_answer", 1, NOON)
    assert list(unknowns.waiting(problem="no_answer")) == [message]
    assert not unknowns.waiting(problem="worker_lost")


@pytest.mark.parametrize(
    ("delivered", "state", "problem"),
    [(True, "delivered", "vendor_log"), (False, "failed", "not_delivered_vendor_log")],
)
def test_an_officer_says_what_became_of_it_and_nothing_is_sent(
    monkeypatch: pytest.MonkeyPatch, delivered: bool, state: str, problem: str
) -> None:
    provider, message = lost(monkeypatch)
    staff = member(User.Role.OFFICER)
    settle(message, staff, SOON, delivered=delivered)
    row = fresh(message)
    assert (row.state, row.problem, row.body_sealed) == (state, problem, None)
    leaf = TrailLeaf.objects.get(action="consent.message.settled")
    assert (leaf.actor_id, leaf.details["problem"]) == (str(staff.pk), problem)
    outbox.dispatch(at=SOON + timedelta(days=1))
    assert provider.sends == 1


def settle(message: Message, staff: User, at: datetime, *, delivered: bool = True) -> str:
    return unknowns.settle(
        message_id=message.pk, delivered=delivered, reason="vendor_log", at=at, staff=staff
    )


def test_it_is_settled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    _, message = lost(monkeypatch)
    staff = member(User.Role.OFFICER)
    settle(message, staff, SOON)
    with pytest.raises(unknowns.NotUnknown):
        settle(message, staff, SOON, delivered=False)
    assert fresh(message).state == "delivered"


def test_words_are_no_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    _, message = lost(monkeypatch)
    with pytest.raises(ValueError, match="Ana"):
        unknowns.settle(
            message_id=message.pk,
            delivered=True,
            reason="Ana said so",
            at=SOON,
            staff=member(User.Role.OFFICER),
        )
