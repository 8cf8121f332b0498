import uuid
from datetime import datetime, timedelta

import pytest

from accounts.audit import SYSTEM
from consent import claims, intake, ledger, messages, outbox
from consent.models import ConsentState, Contact, Decision, Message
from integrations import connections
from integrations.models import SandboxMessage
from tests.consent.people import NOON, act, agreed, person

pytestmark = pytest.mark.django_db
CONTEXT = uuid.UUID(int=7)


def put(contact: Contact, channel: str = "email", key: str = "") -> tuple[Decision, Message | None]:
    sandbox, _ = connections.ensure_local(at=NOON)
    return outbox.queue(
        contact=contact,
        connection=sandbox,
        purpose_code="marketing",
        channel=channel,
        context_type="consent.test",
        context_id=CONTEXT,
        idempotency_key=key or uuid.uuid4().hex,
        subject="Hello",
        text="Hello Ana, look: https://example.org/v/secret",
        at=NOON,
        actor=SYSTEM,
    )


def queued(contact: Contact, channel: str = "email") -> Message:
    _, message = put(contact, channel)
    assert message is not None
    return message


def test_a_message_to_who_agreed_is_sent_once() -> None:
    message = queued(agreed(person(), "email"))
    assert outbox.dispatch(at=NOON).sent == 1
    assert outbox.dispatch(at=NOON).total == 0
    message.refresh_from_db()
    assert message.state == "sent"
    assert message.body_sealed is None
    assert message.hand_off_decision is not None
    assert SandboxMessage.objects.count() == 1


def test_a_delivery_report_moves_it_forward() -> None:
    message = queued(agreed(person(), "email"))
    outbox.dispatch(at=NOON)
    intake.take_waiting(at=NOON)
    message.refresh_from_db()
    assert message.state == "delivered"


def test_the_body_is_sealed_in_the_row() -> None:
    message = queued(agreed(person(), "email"))
    assert b"secret" not in bytes(message.body_sealed or b"")
    assert len(message.body_sha256) == 64


def test_without_consent_there_is_a_decision_and_no_message() -> None:
    decision, message = put(person())
    assert message is None
    assert decision.verdict == "refuse"
    assert decision.reasons[0]["code"] == "no_consent"
    assert decision.reasons[0]["source"]


def test_a_claim_from_a_list_is_no_consent() -> None:
    contact = person()
    act(contact, "email", "claimed")
    decision, message = put(contact)
    assert message is None
    assert {reason["code"] for reason in decision.reasons} == {"claimed_only"}


def test_the_same_key_gives_the_same_message() -> None:
    contact = agreed(person(), "email")
    _, first = put(contact, key="k1")
    _, second = put(contact, key="k1")
    assert first == second
    assert Message.objects.count() == 1


def test_a_key_of_another_person_is_refused() -> None:
    put(agreed(person(), "email"), key="k1")
    with pytest.raises(outbox.KeyReused):
        put(agreed(person(), "email"), key="k1")


def test_what_the_storey_above_disowns_is_refused_at_hand_off() -> None:
    message = queued(agreed(person(), "email"))
    done = outbox.dispatch(at=NOON, still_valid=lambda _message, _at: "link_dead")
    message.refresh_from_db()
    assert (done.refused, message.state, message.problem) == (1, "refused", "link_dead")
    assert SandboxMessage.objects.count() == 0


def test_a_round_that_takes_long_judges_each_message_at_its_own_instant() -> None:
    ended = NOON + timedelta(minutes=1)
    contact = person()
    act(contact, "email", "confirmed")
    ConsentState.objects.filter(contact=contact).update(valid_until=ended)
    message = queued(contact)
    seen: list[datetime] = []
    done = outbox.dispatch(at=NOON, still_valid=lambda _m, at: seen.append(at), now=lambda: ended)
    message.refresh_from_db()
    assert (done.refused, message.problem, seen) == (1, "expired", [])
    other = queued(agreed(person(), "email"))
    assert outbox.dispatch(
        at=NOON, still_valid=lambda _m, at: seen.append(at), now=lambda: ended
    ).sent
    assert seen == [ended]
    assert Message.objects.get(pk=other.pk).claimed_at == ended


def test_other_storeys_messages_wait_for_their_own_judge() -> None:
    message = queued(agreed(person(), "email"))
    Message.objects.filter(pk=message.pk).update(context_type="videos.campaign")
    assert outbox.dispatch(at=NOON).total == 0
    assert outbox.dispatch(at=NOON, still_valid=outbox.always_valid).sent == 1


def test_a_withdrawal_cancels_what_is_queued() -> None:
    contact = agreed(person(), "email")
    message = queued(contact)
    ledger.withdraw(contact=contact, act="button", source="page", at=NOON, actor=SYSTEM)
    assert outbox.dispatch(at=NOON).total == 0
    message.refresh_from_db()
    assert (message.state, message.body_sealed) == ("cancelled", None)


@pytest.mark.parametrize(
    ("local", "state"), [("fails", "failed"), ("x0003", "unknown"), ("x0002", "queued")]
)
def test_each_outcome_of_the_provider_has_its_state(local: str, state: str) -> None:
    contact = agreed(person(email=f"{local}@example.org"), "email")
    message = queued(contact)
    outbox.dispatch(at=NOON)
    message.refresh_from_db()
    assert message.state == state


def test_what_is_unknown_is_never_sent_again() -> None:
    queued(agreed(person(email="x0003@example.org"), "email"))
    outbox.dispatch(at=NOON)
    assert outbox.dispatch(at=NOON + timedelta(days=2)).total == 0
    assert SandboxMessage.objects.count() == 1


@pytest.mark.parametrize(("ours", "state"), [(True, "delivered"), (False, "unknown")])
def test_a_report_that_names_our_own_id_settles_what_was_unknown(ours: bool, state: str) -> None:
    message = queued(agreed(person(email="x0003@example.org"), "email"))
    outbox.dispatch(at=NOON)
    messages.report(
        provider_message_id="SM1",
        connection_id=message.connection_id,
        status="delivered",
        code="",
        message_id=message.pk.hex if ours else uuid.uuid4().hex,
        at=NOON,
    )
    message.refresh_from_db()
    assert (message.state, message.provider_message_id) == (state, "SM1" if ours else "")


def test_a_busy_provider_is_tried_five_times() -> None:
    message = queued(agreed(person(email="x0002@example.org"), "email"))
    for step in range(8):
        outbox.dispatch(at=NOON + timedelta(hours=step))
    message.refresh_from_db()
    assert (message.state, message.attempts) == ("failed", 5)


def test_a_lost_worker_leaves_an_unknown() -> None:
    message = queued(agreed(person(), "email"))
    due = claims.Due(message.pk, message.contact_id, message.connection_id)
    assert claims.claim(due=[due], at=NOON, still_valid=outbox.always_valid).opened
    assert outbox.recover(at=NOON + timedelta(minutes=5)) == 0
    assert outbox.recover(at=NOON + timedelta(minutes=11)) == 1
    message.refresh_from_db()
    assert message.state == "unknown"


def test_cancelling_a_context_leaves_others_alone() -> None:
    contact = agreed(person(), "email")
    message = queued(contact)
    other = uuid.UUID(int=8)
    asked = {"context_type": "consent.test", "at": NOON, "actor": SYSTEM, "reason": "paused"}
    assert outbox.cancel(context_id=other, **asked) == 0  # type: ignore[arg-type]
    assert outbox.cancel(context_id=CONTEXT, **asked) == 1  # type: ignore[arg-type]
    message.refresh_from_db()
    assert message.state == "cancelled"


def test_a_night_message_waits_for_the_morning() -> None:
    contact = agreed(person(), "sms")
    sandbox, _ = connections.ensure_local(at=NOON)
    night = NOON.replace(hour=21, minute=30)  # 23:30 in Paris
    decision, message = outbox.queue(
        contact=contact,
        connection=sandbox,
        purpose_code="marketing",
        channel="sms",
        context_type="consent.test",
        context_id=CONTEXT,
        idempotency_key="night",
        subject="",
        text="Bonsoir",
        at=night,
        actor=SYSTEM,
    )
    assert message is not None
    assert decision.verdict == "defer"
    assert message.not_before == NOON.replace(day=8, hour=6)  # 8:00 in Paris
    assert outbox.dispatch(at=night).total == 0
    assert outbox.dispatch(at=message.not_before).sent == 1
