"""The door to a person: the only module that calls a messaging provider (promise 1).

No message exists without the decision that allowed it, written in the same transaction; the gate
judges again at hand-off, under the same lock as a withdrawal; then one call is made, outside any
transaction, and its outcome recorded. Campaigns, opt-ins and the partner's API all come here.
"""

import json
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction

from accounts import audit, keys
from accounts.audit import Actor
from config.lib import logs
from consent import contacts, gate, intake, messages, revocations, suppression
from consent.models import Contact, Decision, Message
from consent.queueing import KeyReused, body_place, note_decision, queue
from integrations import inbox
from integrations.messaging import NoSuchProvider, provider_for
from integrations.messaging.base import KeepsStops, OutgoingMessage, ProviderError
from integrations.models import Connection, InboxItem

log = logs.get(__name__)
State = Message.State
ATTEMPTS_MAX = 5
BACKOFF_SECONDS = (30, 120, 480, 1920)
# Longer than any provider may take to answer; after it nobody knows what became of the call.
HAND_OFF_SECONDS = 600
OWN_CONTEXTS = "consent."
DRAINS_MAX = 5
# What waits for an officer who reads an unsure answer is judged again after this.
HELD_HOURS = 1
# What an answer to our own request tells of the person, and how the inbox calls it.
HEARD = {inbox.OPTED_OUT: "opt_out", inbox.BOUNCED: inbox.UNDELIVERABLE}
StillValid = Callable[[Message, datetime], str | None]
# A message and its person, who never changes.
Due = tuple[uuid.UUID, uuid.UUID]
Claimed = tuple[str, Message | None, OutgoingMessage | None]
# What waits here was written there, with the decision that allowed it.
__all__ = ["Dispatched", "KeyReused", "Told", "cancel", "dispatch", "queue", "recover", "tell_stop"]


class _SomethingArrived(Exception):
    """An event came into the inbox after it was drained."""


@dataclass
class Dispatched:
    """What one round of sending came to."""

    sent: int = 0
    refused: int = 0
    deferred: int = 0
    failed: int = 0
    retried: int = 0
    unknown: int = 0
    message_ids: list[uuid.UUID] = field(default_factory=list)

    @property
    def total(self) -> int:
        """Return how many messages were decided upon."""
        counts = (self.sent, self.refused, self.deferred, self.failed, self.retried, self.unknown)
        return sum(counts)


@dataclass(frozen=True)
class Told:
    """What came of telling a provider: told, not_needed, later or failed; `code` says why."""

    outcome: str
    code: str = ""


def always_valid(_message: Message, _at: datetime) -> str | None:
    """Say of every message that what it leads to is still there."""
    return None


def dispatch(
    *,
    at: datetime,
    still_valid: StillValid | None = None,
    limit: int = 100,
    now: Callable[[], datetime] | None = None,
) -> Dispatched:
    """Hand over what is due: inbox first, gate again, one call each, outcome recorded.

    `still_valid` is the storey above: a code it returns refuses the message. Without it only
    messages of consent itself are taken, since nobody has vouched for what the others lead to.
    `now` tells the instant of each message; without it all are judged at `at`, which a round of
    many slow calls would leave minutes behind.
    """
    done = Dispatched()
    for due in _due(at, own_only=still_valid is None, limit=limit):
        instant = now() if now else at
        outcome, message, outgoing = _claim_undisturbed(due, instant, still_valid)
        if message is not None and outgoing is not None:
            outcome = _hand_over(message, outgoing, instant)
        if outcome:
            setattr(done, outcome, getattr(done, outcome) + 1)
            done.message_ids.append(due[0])
    return done


def cancel(
    *,
    context_type: str,
    context_id: uuid.UUID,
    at: datetime,
    actor: Actor,
    reason: str,
    contact: Contact | None = None,
) -> int:
    """Cancel what is queued for a context (and one person); return how many messages."""
    with transaction.atomic():
        return messages.cancel_queued(
            at=at,
            actor=actor,
            reason=reason,
            contact_id=contact.id if contact else None,
            context=(context_type, context_id),
        )


def tell_stop(*, connection: Connection, channel: str, address: str) -> Told:
    """Tell one provider that a person said stop, so that it writes to them by itself no more.

    Called outside of any transaction; the same stop twice is the same.
    """
    try:
        provider = provider_for(connection)
    except NoSuchProvider:
        return Told("failed", "no_adapter")
    if not isinstance(provider, KeepsStops) or channel not in provider.channels:
        return Told("not_needed")
    try:
        provider.stop(address=address, channel=channel)
    except ProviderError as refused:
        code = messages.audit_code(refused.code)
        return Told("failed" if refused.outcome == "permanent" else "later", code)
    return Told("told")


def recover(*, at: datetime) -> int:
    """Call unknown what was being handed off when its worker died; return how many.

    It may have arrived: it is never sent again by itself.
    """
    stale = Message.objects.filter(
        state=State.HANDING_OFF, claimed_at__lt=at - timedelta(seconds=HAND_OFF_SECONDS)
    )
    outcomes = Counter(
        _record(message_id, State.UNKNOWN, at, problem="worker_lost")
        for message_id in list(stale.values_list("pk", flat=True))
    )
    return outcomes[True]


def _due(at: datetime, *, own_only: bool, limit: int) -> list[Due]:
    rows = Message.objects.filter(state=State.QUEUED, not_before__lte=at)
    if own_only:
        rows = rows.filter(context_type__startswith=OWN_CONTEXTS)
    # Who said stop is answered within minutes or not at all, so before everybody else.
    first = revocations.answers_waiting(at=at)
    others = rows.exclude(pk__in=[message_id for message_id, _ in first])
    return [*first, *others.order_by("not_before", "id").values_list("pk", "contact_id")[:limit]]


def _claim_undisturbed(due: Due, at: datetime, still_valid: StillValid | None) -> Claimed:
    # Before each, not once a round, and again while something has arrived in between: a stop that
    # stands in the inbox when the message is claimed is never overtaken.
    for _ in range(DRAINS_MAX):
        intake.take_waiting(at=at)
        try:
            return _claim(due, at, still_valid or always_valid)
        except _SomethingArrived:
            continue
    # So much comes in that the message can wait for the next round.
    return "", None, None


@transaction.atomic
def _claim(due: Due, at: datetime, still_valid: StillValid) -> Claimed:
    message_id, contact_id = due
    # The person first, then the message, as a withdrawal does: one of the two comes first.
    held = contacts.lock(contact_id=contact_id)
    if inbox.has_news():
        raise _SomethingArrived
    message = (
        Message.objects.select_for_update(of=("self",))
        .select_related("connection")
        .filter(pk=message_id, state=State.QUEUED, not_before__lte=at)
        .first()
    )
    if message is None:
        return "", None, None
    message.contact = held
    decision = _judge_again(message, at, still_valid)
    if decision.verdict == gate.DEFER:
        message.not_before = decision.defer_until or at
        message.save(update_fields=["not_before"])
        return "deferred", None, None
    message.hand_off_decision = decision
    if decision.verdict == gate.REFUSE:
        _end(message, State.REFUSED, at, "refused", problem=decision.reasons[0]["code"])
        return "refused", None, None
    message.state, message.claimed_at = State.HANDING_OFF, at
    message.attempts += 1
    message.save()
    return "", message, _open(message, at)


def _judge_again(message: Message, at: datetime, still_valid: StillValid) -> Decision:
    verdict = gate.judge(
        contact=message.contact,
        purpose_code=message.purpose_code,
        channel=message.channel,
        content=message.content,
        at=at,
        handing_off=message,
    )
    if message.connection.state != Connection.State.ACTIVE and verdict.verdict == gate.ALLOW:
        verdict = gate.refusal(verdict=verdict, code="connection_off")
    elif verdict.verdict == gate.ALLOW and (code := still_valid(message, at)):
        verdict = gate.refusal(verdict=verdict, code=code)
    elif _is_only_held(message, verdict):
        # It waits, and does not end: the answer may have been no stop.
        verdict = gate.deferral(
            verdict=verdict,
            code="held_back",
            rule_id="house.suppressed",
            until=at + timedelta(hours=HELD_HOURS),
        )
    decision = gate.keep(
        verdict=verdict,
        contact=message.contact,
        purpose_code=message.purpose_code,
        channel=message.channel,
        context_type=message.context_type,
        context_id=message.context_id,
        message_id=message.pk,
        phase=Decision.Phase.HAND_OFF,
        at=at,
    )
    note_decision(decision, audit.SYSTEM)
    return decision


def _is_only_held(message: Message, verdict: gate.Verdict) -> bool:
    if {reason.code for reason in verdict.reasons} != {"suppressed"}:
        return False
    held = contacts.stop_index(message.contact, message.channel)
    reasons = {
        reason
        for channel, reason in suppression.reasons(indexes=[held])
        if channel == message.channel
    }
    return reasons == {suppression.PROVISIONAL}


def _open(message: Message, at: datetime) -> OutgoingMessage:
    sealed = bytes(message.body_sealed or b"")
    plain = keys.unseal(
        key=message.contact.key, sealed=sealed, context=body_place(message.pk), at=at
    )
    content = json.loads(plain)
    return OutgoingMessage(
        message_id=message.pk,
        channel=message.channel,
        address=contacts.address(contact=message.contact, channel=message.channel, at=at),
        subject=content["subject"],
        text=content["text"],
        headers=content["headers"],
    )


def _hand_over(message: Message, outgoing: OutgoingMessage, at: datetime) -> str:
    try:
        sent = provider_for(message.connection).send(outgoing)
    except ProviderError as refused:
        if refused.code in HEARD:
            _hear(message, outgoing, refused.code, at)
        return _fail(message, refused, at)
    _record(message.pk, State.SENT, at, provider_message_id=sent.provider_message_id)
    log.info("consent.message.sent", message_id=str(message.pk))
    return "sent"


def _hear(message: Message, outgoing: OutgoingMessage, code: str, at: datetime) -> None:
    # A stop at the provider, or no such mailbox: the way of everything that a provider tells.
    inbox.store(
        connection=message.connection,
        kind=InboxItem.Kind.OTHER,
        dedupe_key=f"{code}:{message.pk}",
        body={"kind": HEARD[code], "channel": outgoing.channel, "from": outgoing.address},
        at=at,
    )


def _fail(message: Message, refused: ProviderError, at: datetime) -> str:
    code = messages.audit_code(refused.code)
    log.warning("consent.message.not_sent", message_id=str(message.pk), outcome=refused.outcome)
    if refused.outcome == "unknown":
        _record(message.pk, State.UNKNOWN, at, problem=code)
        return "unknown"
    if refused.outcome == "permanent" or message.attempts >= ATTEMPTS_MAX:
        _record(message.pk, State.FAILED, at, problem=code)
        return "failed"
    wait = BACKOFF_SECONDS[min(message.attempts, len(BACKOFF_SECONDS)) - 1]
    Message.objects.filter(pk=message.pk, state=State.HANDING_OFF).update(
        state=State.QUEUED, not_before=at + timedelta(seconds=wait), problem=code
    )
    return "retried"


@transaction.atomic
def _record(
    message_id: uuid.UUID,
    state: str,
    at: datetime,
    *,
    problem: str = "",
    provider_message_id: str = "",
) -> bool:
    message = Message.objects.select_for_update(of=("self",)).get(pk=message_id)
    is_new = bool(provider_message_id) and not message.provider_message_id
    if is_new:
        message.provider_message_id, message.sent_at = provider_message_id, at
    if message.state != State.HANDING_OFF:
        # A report was faster than the answer to our own request.
        if is_new:
            message.save(update_fields=["provider_message_id", "sent_at"])
        return False
    _end(message, state, at, State(state).value, problem=problem)
    return True


def _end(message: Message, state: str, at: datetime, word: str, *, problem: str) -> None:
    messages.close(
        message=message,
        state=state,
        at=at,
        actor=audit.SYSTEM,
        action=f"consent.message.{word}",
        problem=problem,
    )
