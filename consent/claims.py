"""Which of the messages that are due may leave at this instant? Claimed together, judged singly.

All in one transaction: the persons are held first, then the messages, as a withdrawal does, and
whoever is held by somebody else is left for the next time. Nothing of the wire is here.
"""

import json
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, OuterRef, Subquery

from accounts import audit, keys
from config.lib import bulk
from consent import contacts, gate, messages, suppression, windows
from consent.gate import Verdict
from consent.models import Contact, Decision, Message
from consent.queueing import body_place, decision_leaf
from integrations import inbox
from integrations.models import Connection

State = Message.State
# What waits for an officer who reads an unsure answer is judged again after this.
HELD_HOURS = 1
StillValid = Callable[[Message, datetime], str | None]


@dataclass(frozen=True)
class Due:
    """A message that is due; its person and its account never change."""

    message_id: uuid.UUID
    contact_id: uuid.UUID
    connection_id: uuid.UUID


class SomethingArrived(Exception):
    """An event came into the inbox after it was drained."""


@dataclass(frozen=True)
class Opened:
    """A claimed message in plain text: for the wire, and for nothing else."""

    message: Message
    address: str = field(repr=False)
    content: Mapping[str, object] = field(repr=False)
    within_window: bool = False


@dataclass
class Claimed:
    """What was decided of some messages, and those that may leave now."""

    outcomes: dict[uuid.UUID, str] = field(default_factory=dict)
    opened: list[Opened] = field(default_factory=list)


@transaction.atomic
def claim(*, due: Sequence[Due], at: datetime, still_valid: StillValid) -> Claimed:
    """Judge messages again under their persons' locks, and claim those that the gate allows.

    At most one message a person: the second would not know of the first.
    Law: 47 CFR 64.1200(a)(10); a stop that has arrived is never overtaken by a send.
    :raises SomethingArrived: the inbox must be read first; nothing was claimed.
    """
    held = contacts.lock_free(contact_ids={one.contact_id for one in due})
    if inbox.has_news():
        raise SomethingArrived
    rows = _locked(due, held, at)
    done, decisions, verdicts = Claimed(), [], gate.judge_leaving(messages=rows, at=at)
    whatsapp = windows.rule(messages=rows, at=at)
    for row in rows:
        verdict = _by_vendor(verdicts[row.pk], whatsapp.refused.get(row.pk, ""), at)
        verdict, leaving = _judge_again(row, verdict, at, still_valid)
        decision = _decision(row, verdict, at)
        decisions.append(decision)
        if leaving is not None:
            done.opened.append(replace(leaving, within_window=row.pk in whatsapp.within))
        else:
            done.outcomes[row.pk] = "refused" if verdict.verdict == gate.REFUSE else "deferred"
    _write(rows, decisions, {one.message.pk for one in done.opened}, at)
    return done


def _locked(due: Iterable[Due], held: Mapping[uuid.UUID, Contact], at: datetime) -> list[Message]:
    wanted = [one.message_id for one in due if one.contact_id in held]
    # Without waiting: who cancels holds messages and may wait for a person that is held here.
    rows = list(
        Message.objects.select_for_update(of=("self",), skip_locked=True)
        .filter(pk__in=wanted, state=State.QUEUED, not_before__lte=at)
        .order_by("pk")
    )
    # Once each: opening an account's sealed keys for every message is most of the work otherwise.
    accounts = Connection.objects.in_bulk({row.connection_id for row in rows})
    for row in rows:
        row.contact, row.connection = held[row.contact_id], accounts[row.connection_id]
    return rows


def _judge_again(
    message: Message, verdict: Verdict, at: datetime, still_valid: StillValid
) -> tuple[Verdict, Opened | None]:
    if message.connection.state != Connection.State.ACTIVE and verdict.verdict == gate.ALLOW:
        return gate.refusal(verdict=verdict, code="connection_off"), None
    if verdict.verdict == gate.ALLOW and (code := still_valid(message, at)):
        return gate.refusal(verdict=verdict, code=code), None
    if _is_only_held(message, verdict):
        # It waits, and does not end: the answer may have been no stop.
        until = at + timedelta(hours=HELD_HOURS)
        rule = "house.suppressed"
        return gate.deferral(verdict=verdict, code="held_back", rule_id=rule, until=until), None
    if verdict.verdict != gate.ALLOW:
        return verdict, None
    try:
        return verdict, opened(message=message, at=at)
    except (keys.KeyRefused, contacts.NoAddress):
        # One that cannot be read must not keep the others of its claim from leaving.
        return gate.refusal(verdict=verdict, code="unreadable"), None


def _by_vendor(verdict: Verdict, code: str, at: datetime) -> Verdict:
    """Hold back what the gate allows and WhatsApp does not: no template that Meta approved."""
    if not code or verdict.verdict != gate.ALLOW:
        return verdict
    if code == windows.UNREAD:
        until, rule = at + windows.UNREAD_WAITS, "house.template"
        return gate.deferral(verdict=verdict, code=code, rule_id=rule, until=until)
    return gate.refusal(verdict=verdict, code=code)


def _is_only_held(message: Message, verdict: Verdict) -> bool:
    if {reason.code for reason in verdict.reasons} != {"suppressed"}:
        return False
    held = contacts.stop_index(message.contact, message.channel)
    reasons = {
        reason
        for channel, reason in suppression.reasons(indexes=[held])
        if channel == message.channel
    }
    return reasons == {suppression.PROVISIONAL}


def opened(*, message: Message, at: datetime) -> Opened:
    """Open a message whose person is held: for the wire.

    :raises KeyRefused: the person's key does not open.
    :raises NoAddress: the person has no address of its channel any more.
    """
    sealed = bytes(message.body_sealed or b"")
    place = body_place(message.pk)
    plain = keys.unseal(key=message.contact.key, sealed=sealed, context=place, at=at)
    address = contacts.address(contact=message.contact, channel=message.channel, at=at)
    return Opened(message, address, json.loads(plain))


def _decision(message: Message, verdict: Verdict, at: datetime) -> Decision:
    return gate.prepare(
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


def _write(
    rows: Sequence[Message], decisions: Sequence[Decision], leaving: set[uuid.UUID], at: datetime
) -> None:
    bulk.insert(decisions)
    audit.record_many([decision_leaf(decision, audit.SYSTEM) for decision in decisions])
    ours = Decision.objects.filter(
        message_id=OuterRef("pk"), pk__in=[decision.pk for decision in decisions]
    )
    Message.objects.filter(pk__in=leaving).update(
        state=State.HANDING_OFF,
        claimed_at=at,
        attempts=F("attempts") + 1,
        hand_off_decision=Subquery(ours.values("pk")[:1]),
    )
    for row, decision in zip(rows, decisions, strict=True):
        row.hand_off_decision = decision
        if row.pk in leaving:
            row.state, row.claimed_at, row.attempts = State.HANDING_OFF, at, row.attempts + 1
        else:
            _leave_here(row, decision, at)


def _leave_here(message: Message, decision: Decision, at: datetime) -> None:
    if decision.verdict == gate.DEFER:
        # The message keeps no decision of a wait: each has its own row.
        message.hand_off_decision = None
        message.not_before = decision.defer_until or at
        message.save(update_fields=["not_before"])
        return
    messages.close(
        message=message,
        state=State.REFUSED,
        at=at,
        actor=audit.SYSTEM,
        action="consent.message.refused",
        problem=decision.reasons[0]["code"],
    )
