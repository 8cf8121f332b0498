"""What became of a message whose request left and brought no answer? Asked for, never sent again.

The provider's own list is read some minutes later, and a few times more within a day. Exactly one
match settles it; anything else leaves it for a person, who looks there and says what they saw.
Neither sends: whoever is to be written to again is a new decision, by a person's own act.
"""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, F, Min, Q, QuerySet

from accounts import audit, keys
from accounts.audit import Actor
from accounts.models import User
from consent import claims, contacts, messages, outbox
from consent.claims import Opened
from consent.models import Message
from consent.outbox import Found
from integrations.models import Connection

State = Message.State
# After its hand-off; a vendor's list may be minutes behind, and an outage takes hours.
ASK_AFTER = tuple(timedelta(minutes=minutes) for minutes in (3, 15, 60, 360, 1440))
AT_ONCE = 200
# How a person can know, as it stands in the trail: a code, since words could name somebody.
REASONS = {
    "vendor_log": "The provider's own log shows it",
    "vendor_support": "The provider's support said so",
    "person_said": "The person said so",
    "house_knows": "Known here: the worker or the network was down",
}


class NotUnknown(Exception):
    """What became of it is known meanwhile: nothing was changed."""


@dataclass(frozen=True)
class Cause:
    """Messages of one cause at one account: how many, and since when the oldest waits."""

    problem: str
    connection_id: uuid.UUID
    label: str
    provider: str
    count: int
    oldest_at: datetime


def waiting(*, problem: str = "", connection_id: uuid.UUID | None = None) -> QuerySet[Message]:
    """Return the messages nobody knows the fate of, the oldest first."""
    rows = Message.objects.filter(state=State.UNKNOWN).defer("body_sealed")
    if problem:
        rows = rows.filter(problem=problem)
    if connection_id is not None:
        rows = rows.filter(connection_id=connection_id)
    return rows.select_related("contact", "connection").order_by("claimed_at", "pk")


def causes() -> list[Cause]:
    """Return the causes of all that is unknown, the one with most messages first."""
    rows = Message.objects.filter(state=State.UNKNOWN).values(
        "problem", "connection_id", "connection__label", "connection__provider"
    )
    counted = rows.annotate(count=Count("pk"), oldest=Min("claimed_at")).order_by("-count")
    return [
        Cause(
            problem=row["problem"],
            connection_id=row["connection_id"],
            label=row["connection__label"],
            provider=row["connection__provider"],
            count=row["count"],
            oldest_at=row["oldest"],
        )
        for row in counted
    ]


def tries_left(message: Message) -> int:
    """Return how often its provider is asked about a message still: never one that cannot say."""
    if outbox.teller(connection=message.connection) is None:
        return 0
    return len(ASK_AFTER) - message.lookups


def look_up(*, at: datetime, limit: int = AT_ONCE) -> int:
    """Ask providers for messages whose turn it is; return how many were settled.

    No transaction is open while a provider is asked. A worker that dies here costs one try.
    """
    return sum(_ask(account, rows, at) for account, rows in _turns(at, limit))


@transaction.atomic
def settle(
    *, message_id: uuid.UUID, delivered: bool, reason: str, at: datetime, staff: User
) -> str:
    """Note what a person found out about a message, in the trail; return its state. Sends nothing.

    One that was not delivered counts as failed: the people of a campaign can then be tried again,
    by its own button, and each is judged by the gate anew.
    :raises ValueError: the reason is none of `REASONS`.
    :raises NotUnknown: its provider, or a colleague, was faster.
    """
    if reason not in REASONS:
        raise ValueError(reason)
    held = _held(message_id)
    if held is None:
        raise NotUnknown
    state = State.DELIVERED if delivered else State.FAILED
    if delivered:
        held.delivered_at = at
    messages.close(
        message=held,
        state=state,
        at=at,
        actor=audit.staff(staff),
        action="consent.message.settled",
        problem=f"{'' if delivered else 'not_delivered_'}{reason}",
    )
    return state.value


def _turns(at: datetime, limit: int) -> Iterator[tuple[Connection, list[Message]]]:
    rows = Message.objects.filter(_due(at), state=State.UNKNOWN).order_by("claimed_at", "pk")
    taken: dict[uuid.UUID, list[Message]] = {}
    for row in rows.select_related("contact__key")[:limit]:
        # Compared and set: of two workers one asks.
        own = Message.objects.filter(pk=row.pk, state=State.UNKNOWN, lookups=row.lookups)
        if own.update(lookups=F("lookups") + 1):
            taken.setdefault(row.connection_id, []).append(row)
    accounts = Connection.objects.in_bulk(taken)
    for account_id, messages_ in taken.items():
        yield accounts[account_id], messages_


def _due(at: datetime) -> Q:
    due = Q(pk__in=[])
    for tries, after in enumerate(ASK_AFTER):
        due |= Q(lookups=tries, claimed_at__lte=at - after)
    return due


def _ask(account: Connection, rows: Sequence[Message], at: datetime) -> int:
    lost = list(_readable(account, rows, at))
    found = outbox.look_up(connection=account, lost=lost)
    last = [row.pk for row in rows if row.lookups + 1 >= len(ASK_AFTER)]
    settled = 0
    for one in lost:
        matches = (found or {}).get(one.message.pk, ())
        settled += len(matches) == 1 and _settle_found(one, matches[0], at)
    # Asked for the last time, or not askable: the words have no more use.
    ended = [row.pk for row in rows] if found is None else last
    Message.objects.filter(pk__in=ended, state=State.UNKNOWN).update(
        body_sealed=None, lookups=len(ASK_AFTER)
    )
    return settled


def _readable(account: Connection, rows: Sequence[Message], at: datetime) -> Iterator[Opened]:
    for row in rows:
        row.connection = account
        try:
            if row.body_sealed is not None:
                yield claims.opened(message=row, at=at)
        except (keys.KeyRefused, contacts.NoAddress):
            # Erased meanwhile, or of another number: it stays as it is, for an officer.
            continue


@transaction.atomic
def _settle_found(one: Opened, found: Found, at: datetime) -> bool:
    held = _held(one.message.pk)
    taken = Message.objects.filter(
        connection_id=one.message.connection_id, provider_message_id=found.provider_message_id
    )
    if held is None or taken.exists():
        return False
    state = {"delivered": State.DELIVERED, "failed": State.FAILED}.get(found.status, State.SENT)
    held.provider_message_id = found.provider_message_id
    if state != State.FAILED:
        held.sent_at = held.claimed_at
    if state == State.DELIVERED:
        held.delivered_at = at
    outbox.hear(message=held, address=one.address, code=found.code, at=at)
    messages.close(
        message=held,
        state=state,
        at=at,
        actor=Actor("provider", str(held.connection_id)),
        action=f"consent.message.{state.value}",
        problem=messages.audit_code(found.code) if state == State.FAILED else "",
    )
    return True


def _held(message_id: uuid.UUID) -> Message | None:
    rows = Message.objects.select_for_update(of=("self",)).select_related("connection")
    return rows.filter(pk=message_id, state=State.UNKNOWN).first()
