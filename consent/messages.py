"""What became of a message? Its states move forward only."""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from accounts import audit
from accounts.audit import Actor
from accounts.models import TrailLeaf
from consent.models import Message

State = Message.State
NO_SUCH_MESSAGE = "no_such_message"
CANCEL_BATCH = 500
# A report may arrive late, twice, or before our own record of the sending.
FORWARD = {
    State.HANDING_OFF: {State.DELIVERED, State.FAILED},
    State.SENT: {State.DELIVERED, State.FAILED},
    State.UNKNOWN: {State.DELIVERED, State.FAILED},
}
# In one statement, the rows held in the order of everybody who holds several. Django's own way to
# give each row another name is a CASE of as many arms: it costs more than all the rest of it.
SENT_MANY = """
    WITH held AS (
        SELECT id, told.name FROM consent_message
        JOIN unnest(%s::uuid[], %s::text[]) AS told (pk, name) ON id = told.pk
        WHERE state = 'handing_off' AND provider_message_id = ''
        ORDER BY id FOR UPDATE OF consent_message
    )
    UPDATE consent_message AS ours
    SET state = 'sent', sent_at = %s, problem = '', body_sealed = NULL,
        provider_message_id = held.name
    FROM held WHERE ours.id = held.id RETURNING ours.id
"""
TOLD = {"delivered": State.DELIVERED, "failed": State.FAILED}


@dataclass(frozen=True)
class Report:
    """What a provider tells of one message, by its own name for it."""

    connection_id: uuid.UUID
    provider_message_id: str
    status: str
    code: str


def close(
    *, message: Message, state: str, at: datetime, actor: Actor, action: str, problem: str = ""
) -> None:
    """End a message's time in the outbox: its body is cleared, its hash stays.

    Of one whose fate is unknown the body stays, to know it by in the provider's list; for a day.
    """
    message.state = state
    message.problem = problem
    if state != State.UNKNOWN:
        message.body_sealed = None
    message.save()
    audit.record_many([_leaf(message, state, at, actor, action, problem)])


def leaf_of_sent(*, message: Message, at: datetime) -> TrailLeaf:
    """Return the trail's entry of a message that its provider took, unsaved."""
    return _leaf(message, State.SENT.value, at, audit.SYSTEM, "consent.message.sent", "")


def sent_many(*, names: Mapping[uuid.UUID, str], at: datetime) -> set[uuid.UUID]:
    """Note that providers took messages, under the providers' names for them; return which of them.

    One that has moved on already, or that has a name, is left as it is: a report was faster.
    """
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            told: tuple[Any, ...] = (list(names), list(names.values()), at)
            cursor.execute(SENT_MANY, told)
            return {pk for (pk,) in cursor.fetchall()}
        rows = Message.objects.filter(pk__in=list(names), state=State.HANDING_OFF)
        plain = set(rows.filter(provider_message_id="").values_list("pk", flat=True))
        Message.objects.filter(pk__in=plain).update(
            state=State.SENT, sent_at=at, problem="", body_sealed=None
        )
        own = Message._meta.pk
        cursor.executemany(
            "UPDATE consent_message SET provider_message_id = %s WHERE id = %s",
            [(names[pk], own.get_db_prep_value(pk, connection)) for pk in plain],
        )
    return plain


def cancel_queued(
    *,
    at: datetime,
    actor: Actor,
    reason: str,
    contact_id: uuid.UUID | None = None,
    channels: Collection[str] | None = None,
    purposes: Collection[str] | None = None,
    context: tuple[str, uuid.UUID] | None = None,
    spared: Collection[str] = (),
) -> int:
    """Cancel what is queued and not yet handed off, but the purposes spared, in the caller's
    transaction.
    """
    rows = Message.objects.select_for_update().filter(state=State.QUEUED)
    rows = rows.exclude(purpose_code__in=spared)
    if contact_id is not None:
        rows = rows.filter(contact_id=contact_id)
    if channels is not None:
        rows = rows.filter(channel__in=channels)
    if purposes is not None:
        rows = rows.filter(purpose_code__in=purposes)
    if context is not None:
        rows = rows.filter(context_type=context[0], context_id=context[1])
    count = 0
    # A few at a time: a campaign may have a million that wait for their hour.
    while waiting := list(rows.order_by("pk")[:CANCEL_BATCH]):
        for message in waiting:
            close(
                message=message,
                state=State.CANCELLED,
                at=at,
                actor=actor,
                action="consent.message.cancelled",
                problem=reason,
            )
        count += len(waiting)
    return count


def report(
    *,
    provider_message_id: str,
    connection_id: uuid.UUID,
    status: str,
    code: str,
    at: datetime,
    message_id: str = "",
) -> str:
    """Take a provider's delivery report; return what it changed, as a code.

    `message_id` is our own name, for a message whose provider's name never reached us.
    """
    rows = Message.objects.select_for_update().filter(connection_id=connection_id)
    message = None
    if provider_message_id:
        message = rows.filter(provider_message_id=provider_message_id).first()
        message = message or _nameless(rows, message_id, provider_message_id)
    if message is None:
        return NO_SUCH_MESSAGE
    state = TOLD.get(status)
    if state is None or state not in FORWARD.get(State(message.state), set()):
        return "report_ignored"
    if state == State.DELIVERED:
        message.delivered_at = at
    close(
        message=message,
        state=state,
        at=at,
        actor=Actor("provider", str(connection_id)),
        action=f"consent.message.{state.value}",
        problem=audit_code(code) if state == State.FAILED else "",
    )
    return state.value


def report_many(*, reports: Mapping[int, Report], at: datetime) -> dict[int, str]:
    """Take delivery reports in their order, as `report` does; return by key what each changed.

    One that names no message known here is not in the answer and changes nothing.
    """
    names = {one.provider_message_id for one in reports.values() if one.provider_message_id}
    rows = Message.objects.select_for_update(of=("self",)).defer("body_sealed")
    # Held in the order of everybody who holds several; of two of one name the first counts.
    held = list(rows.filter(provider_message_id__in=names).order_by("pk"))
    found = {(row.connection_id, row.provider_message_id): row for row in reversed(held)}
    effects: dict[int, str] = {}
    closed: dict[tuple[State, str], list[Message]] = {}
    for key, one in reports.items():
        message = found.get((one.connection_id, one.provider_message_id))
        if message is None:
            continue
        state = TOLD.get(one.status)
        if state is None or state not in FORWARD.get(State(message.state), set()):
            effects[key] = "report_ignored"
            continue
        # The next report of the same message finds it moved.
        message.state, effects[key] = state, state.value
        problem = audit_code(one.code) if state == State.FAILED else ""
        closed.setdefault((state, problem), []).append(message)
    for (state, problem), moved in closed.items():
        _close_many(moved, state, problem, at)
    return effects


def nameless(*, ids: Collection[str]) -> set[str]:
    """Return which of our own names for messages are of such that no provider's name reached."""
    ours = {found: name for name in ids if (found := _uuid(name)) is not None}
    rows = Message.objects.filter(pk__in=ours, provider_message_id="", state=State.UNKNOWN)
    return {ours[pk] for pk in rows.values_list("pk", flat=True)} if ours else set()


def _close_many(moved: list[Message], state: State, problem: str, at: datetime) -> None:
    rows = Message.objects.filter(pk__in=[message.pk for message in moved])
    arrived = {"delivered_at": at} if state == State.DELIVERED else {}
    rows.update(state=state, problem=problem, body_sealed=None, **arrived)
    action = f"consent.message.{state.value}"
    audit.record_many(
        _leaf(one, state.value, at, Actor("provider", str(one.connection_id)), action, problem)
        for one in moved
    )


def _leaf(  # noqa: PLR0917  the parts of one row
    message: Message, state: str, at: datetime, actor: Actor, action: str, problem: str
) -> TrailLeaf:
    return audit.leaf(
        action=action,
        at=at,
        actor=actor,
        subject_id=message.contact_id,
        object_type="consent.message",
        object_id=str(message.pk),
        details={"channel": message.channel, "state": state, "problem": problem},
    )


def _nameless(rows: QuerySet[Message], message_id: str, name: str) -> Message | None:
    ours = _uuid(message_id)
    if ours is None:
        return None
    message = rows.filter(pk=ours, provider_message_id="", state=State.UNKNOWN).first()
    if message is not None:
        message.provider_message_id = name
    return message


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def audit_code(text: str) -> str:
    """Return a provider's code cut down to what a code may hold."""
    kept = "".join(char if char.isascii() and char.isalnum() else "_" for char in text)
    return kept[:40]
