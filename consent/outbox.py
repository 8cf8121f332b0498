"""The door to a person: the only module that calls a messaging provider (promise 1).

No message exists without the decision that allowed it, written in the same transaction; the gate
judges again at hand-off, under the same lock as a withdrawal; then one call is made, outside any
transaction, and its outcome recorded. Campaigns, opt-ins and the partner's API all come here.
"""

import secrets
import time
import uuid
from collections import Counter, deque
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeGuard

from django.db import connection as database
from django.db import transaction
from django.db.models import QuerySet

from accounts import audit
from accounts.audit import Actor
from config.lib import logs
from consent import claims, intake, messages, purposes, revocations
from consent.claims import Claimed, Due, Opened, SomethingArrived, StillValid
from consent.hands import Hands
from consent.models import Contact, Message
from consent.queueing import KeyReused, queue
from integrations import inbox, pacing
from integrations.messaging import NoSuchProvider, provider_for
from integrations.messaging.base import (
    Asked,
    Found,
    KeepsStops,
    LooksUp,
    MessagingProvider,
    OutgoingMessage,
    Paced,
    ProviderError,
    Sent,
)
from integrations.models import Connection, InboxItem

log = logs.get(__name__)
State = Message.State
ATTEMPTS_MAX = 5
BACKOFF_SECONDS = (30, 120, 480, 1920)
# Longer than any provider may take to answer; after it nobody knows what became of the call.
HAND_OFF_SECONDS = 600
OWN_CONTEXTS = "consent."
DRAINS_MAX = 5
# What an answer to our own request tells of the person, and how the inbox calls it.
HEARD = {inbox.OPTED_OUT: "opt_out", inbox.BOUNCED: inbox.UNDELIVERABLE}
# Calls at once in one process, where a vendor takes so many: at the pace of most, one in ten of
# these is under way. A crash leaves at most so many unknown.
HANDS = 128
# Fewer are not worth a claim of their own while others are still under way.
LEAST_AT_ONCE = 40
# By the machine's own clock. A task has 300 seconds: the last calls may take their time.
ROUND_SECONDS = 120
LONGEST_WAIT_SECONDS = 1.0
# What waits here was written there, with the decision that allowed it.
__all__ = [
    "Dispatched",
    "Found",
    "KeyReused",
    "Told",
    "cancel",
    "dispatch",
    "hear",
    "look_up",
    "queue",
    "recover",
    "tell_stop",
]


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

    def note(self, outcome: str, message_id: uuid.UUID) -> None:
        """Count what became of one message."""
        setattr(self, outcome, getattr(self, outcome) + 1)
        self.message_ids.append(message_id)


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
    `now` tells the instant of each claim; without it all are judged at `at`, which a round of
    many slow calls would leave minutes behind.
    """
    due = _due(at, own_only=still_valid is None, limit=limit)
    return _Round(due, still_valid or always_valid, at, now).run()


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


def teller(*, connection: Connection) -> LooksUp | None:
    """Return the provider of an account if it can say what became of messages."""
    try:
        provider = provider_for(connection)
    except NoSuchProvider:
        return None
    return provider if isinstance(provider, LooksUp) else None


def look_up(
    *, connection: Connection, lost: Sequence[Opened]
) -> Mapping[uuid.UUID, Sequence[Found]] | None:
    """Ask one provider what became of messages without an answer; None if it cannot tell, ever.

    Called outside of any transaction; it reads a list there and sends nothing.
    """
    provider = teller(connection=connection)
    if provider is None:
        return None
    asked = [Asked(_outgoing(one), one.message.claimed_at or one.message.queued_at) for one in lost]
    try:
        return provider.look_up(asked)
    except ProviderError as failed:
        log.warning("consent.message.not_looked_up", outcome=failed.outcome, count=len(lost))
        return {}


def hear(*, message: Message, address: str, code: str, at: datetime) -> None:
    """Let what an answer about a message tells of the person go the way of all that is told."""
    if code in HEARD:
        inbox.store(
            connection=message.connection,
            kind=InboxItem.Kind.OTHER,
            dedupe_key=f"{code}:{message.pk}",
            body={"kind": HEARD[code], "channel": message.channel, "from": address},
            at=at,
        )


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
    first = [message_id for message_id, _ in revocations.answers_waiting(at=at)]
    answers = {row.message_id: row for row in _named(Message.objects.filter(pk__in=first))}
    others = _named(rows.exclude(pk__in=first).order_by("not_before", "id")[:limit])
    return [*(answers[pk] for pk in first if pk in answers), *_turned(others)]


def _turned(due: list[Due]) -> list[Due]:
    """Begin somewhere in the middle, where it is more than one claim.

    Another worker has read the same list: from the same end both would look at each row twice.
    """
    start = secrets.randbelow(len(due)) if len(due) > HANDS else 0
    return due[start:] + due[:start]


def _named(rows: QuerySet[Message]) -> list[Due]:
    return [Due(*row) for row in rows.values_list("pk", "contact_id", "connection_id")]


class _Round:
    """One round of sending: what is due of each account, what is under way, what came of it."""

    def __init__(
        self,
        due: list[Due],
        still_valid: StillValid,
        at: datetime,
        now: Callable[[], datetime] | None,
    ) -> None:
        self.done = Dispatched()
        self._still_valid = still_valid
        self._ends, self._moves = time.monotonic() + ROUND_SECONDS, now is not None
        self._now = now or (lambda: at)
        self._waiting: dict[uuid.UUID, deque[Due]] = {}
        for one in due:
            self._waiting.setdefault(one.connection_id, deque()).append(one)
        self._providers: dict[uuid.UUID, MessagingProvider | None] = {}

    def run(self) -> Dispatched:
        with Hands[Opened, Sent](count=HANDS) as hands:
            try:
                while self._waiting and time.monotonic() < self._ends:
                    self._turn(hands)
            finally:
                # Also when a claim broke: what has left must not be called unknown for that.
                while hands.busy:
                    self._settle(hands.back())
        return self.done

    def _turn(self, hands: Hands[Opened, Sent]) -> None:
        waits = [self._advance(account, hands) for account in list(self._waiting)]
        wait = min(waits)
        if hands.busy:
            self._settle(hands.back(timeout_seconds=wait))
        elif wait and self._moves:
            time.sleep(min(wait, LONGEST_WAIT_SECONDS))
        elif wait:
            # On a clock that stands the pace never lets the next one go.
            self._waiting.clear()

    def _advance(self, account: uuid.UUID, hands: Hands[Opened, Sent]) -> float:
        """Claim and hand over the next few of one account; return the seconds until more may."""
        provider, queue_ = self._provider(account), self._waiting[account]
        if not _goes_in_parallel(provider):
            self._one_by_one(account, provider)
            return 0.0
        if hands.free < min(LEAST_AT_ONCE, len(queue_), HANDS):
            return float(HAND_OFF_SECONDS)
        wanted = min(hands.free, len(queue_))
        # Before the claim: what is claimed leaves at once, so that no stop is met on the way.
        granted, wait = pacing.take(
            connection_id=account, wanted=wanted, per_second=provider.per_second, at=self._now()
        )
        for opened in self._claim(account, granted) if granted else []:
            hands.carry(opened, partial(provider.send, _outgoing(opened)))
        return 0.0 if granted else wait

    def _one_by_one(self, account: uuid.UUID, provider: MessagingProvider | None) -> None:
        for opened in self._claim(account, 1):
            call: Future[Sent] = Future()
            try:
                call.set_result(_send(provider, opened))
            except ProviderError as refused:
                call.set_exception(refused)
            self._settle([(opened, call)])

    def _claim(self, account: uuid.UUID, count: int) -> list[Opened]:
        queue_ = self._waiting[account]
        due = _next(queue_, count)
        claimed = _claim_undisturbed(due, self._now(), self._still_valid)
        for message_id, outcome in claimed.outcomes.items():
            self.done.note(outcome, message_id)
        if not claimed.opened and not claimed.outcomes:
            # Another worker was here before us, and took more than these.
            self._waiting[account] = queue_ = deque(_still_queued(queue_))
        if not queue_:
            del self._waiting[account]
        return claimed.opened

    def _settle(self, back: list[tuple[Opened, Future[Sent]]]) -> None:
        at = self._now()
        sent: list[tuple[Message, str]] = []
        for opened, call in back:
            fault = call.exception()
            if fault is None:
                sent.append((opened.message, call.result().provider_message_id))
            else:
                self.done.note(_not_sent(opened, fault, at), opened.message.pk)
        if sent:
            _record_sent(sent, at)
        for message, _ in sent:
            self.done.note("sent", message.pk)

    def _provider(self, account: uuid.UUID) -> MessagingProvider | None:
        if account not in self._providers:
            row = Connection.objects.get(pk=account)
            try:
                self._providers[account] = provider_for(row)
            except NoSuchProvider:
                self._providers[account] = None
        return self._providers[account]


def _goes_in_parallel(provider: object) -> TypeGuard[Paced]:
    # SQLite has one writer: claims and outcomes of several threads would only wait for one another.
    return isinstance(provider, Paced) and database.vendor == "postgresql"


def _next(waiting: deque[Due], count: int) -> list[Due]:
    """Take the first few, of each person one: the others wait for their turn."""
    batch: dict[uuid.UUID, Due] = {}
    passed: list[Due] = []
    while waiting and len(batch) < count:
        one = waiting.popleft()
        if one.contact_id in batch:
            passed.append(one)
        else:
            batch[one.contact_id] = one
    waiting.extendleft(reversed(passed))
    return list(batch.values())


def _still_queued(due: Collection[Due]) -> list[Due]:
    rows = Message.objects.filter(pk__in=[one.message_id for one in due], state=State.QUEUED)
    left = set(rows.values_list("pk", flat=True))
    return [one for one in due if one.message_id in left]


def _claim_undisturbed(due: list[Due], at: datetime, still_valid: StillValid) -> Claimed:
    # Before each claim, not once a round, and again while something has arrived in between: a stop
    # that stands in the inbox when a message is claimed is never overtaken.
    for _ in range(DRAINS_MAX):
        intake.take_waiting(at=at)
        try:
            return claims.claim(due=due, at=at, still_valid=still_valid)
        except SomethingArrived:
            continue
    # So much comes in that the messages can wait for the next round.
    return Claimed()


def _send(provider: MessagingProvider | None, opened: Opened) -> Sent:
    if provider is None:
        raise ProviderError("transient", "no_adapter")
    return provider.send(_outgoing(opened))


def _outgoing(opened: Opened) -> OutgoingMessage:
    content: Any = opened.content
    return OutgoingMessage(
        message_id=opened.message.pk,
        channel=opened.message.channel,
        address=opened.address,
        subject=content["subject"],
        text=content["text"],
        headers=content["headers"],
        within_window=opened.within_window,
        is_question=opened.message.purpose_code == purposes.PERMISSION_REQUEST,
    )


def _not_sent(opened: Opened, fault: BaseException, at: datetime) -> str:
    """Record why a message did not leave, or that nobody knows; return the word for it."""
    message = opened.message
    if not isinstance(fault, ProviderError):
        # The adapter itself broke, perhaps after the request had left.
        log.error("consent.message.broke", message_id=str(message.pk), fault=type(fault).__name__)
        _record(message.pk, State.UNKNOWN, at, problem="adapter_fault")
        return "unknown"
    hear(message=message, address=opened.address, code=fault.code, at=at)
    return _fail(message, fault, at)


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
def _record_sent(sent: list[tuple[Message, str]], at: datetime) -> None:
    """Record what providers took, together: one by one this is two thirds of a round's work."""
    names = {message.pk: told for message, told in sent if told}
    known = messages.sent_many(names=names, at=at) if names else set()
    ours = [message for message, _ in sent if message.pk in known]
    audit.record_many([messages.leaf_of_sent(message=message, at=at) for message in ours])
    for message, told in sent:
        if message.pk not in known:
            _record(message.pk, State.SENT, at, provider_message_id=told)
        log.info("consent.message.sent", message_id=str(message.pk))


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
