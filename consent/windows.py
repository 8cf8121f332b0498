"""May words of our own go to somebody on WhatsApp now? For a day after they wrote; else a template.

The rule is the vendor's, and says nothing of consent: the gate has judged by then. What is kept is
the instant at which somebody last wrote over an account, and no word of it.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from consent import purposes
from consent.models import Channel, Contact, Conversation, Message
from integrations import templates
from integrations.models import Connection

# Of the 24 hours, what is left is for the way: a message may wait for its hand.
OPEN_FOR = timedelta(hours=24) - timedelta(minutes=5)
# The list of an account's templates is read within this.
UNREAD_WAITS = timedelta(minutes=10)
UNREAD = "template_unread"
# Of an answer that did not leave within its day: no template has its words.
OTHER_WORDS = "template_other_words"
# Each is written because the person has just said something over this very account. Where nothing
# is signed that may be a stranger's word: the provider knows better, and refuses.
ANSWERS = frozenset({purposes.STOP_CONFIRMATION, purposes.HELP_ANSWER})


@dataclass(frozen=True)
class Rule:
    """What the vendor's rule says of some messages: in a window, to wait, or not to leave."""

    within: frozenset[uuid.UUID] = frozenset()
    refused: dict[uuid.UUID, str] = field(default_factory=dict)


def heard(*, people: Iterable[Contact], connection: Connection, at: datetime) -> None:
    """Note that these people, who share an address, wrote on WhatsApp over an account."""
    for person in people:
        row, created = Conversation.objects.get_or_create(
            contact=person, connection=connection, defaults={"heard_at": at}
        )
        if not created and row.heard_at < at:
            row.heard_at = at
            row.save(update_fields=["heard_at"])


def rule(*, messages: Sequence[Message], at: datetime) -> Rule:
    """Say of messages that are about to leave what WhatsApp's own rule makes of them.

    In a number of queries that does not grow with the messages, but with their accounts.
    """
    ours = [row for row in messages if row.channel == Channel.WHATSAPP]
    accounts = {row.connection_id: row.connection for row in ours}
    strict = {pk: row for pk, row in accounts.items() if templates.keeps(connection=row)}
    ours = [row for row in ours if row.connection_id in strict]
    if not ours:
        return Rule()
    within = _within(ours, at)
    left = [row for row in ours if row.pk not in within]
    needed = {(row.connection_id, _asks(row)) for row in left}
    codes = {
        (pk, asks): templates.standing(connection=strict[pk], is_question=asks).code
        for pk, asks in needed
    }
    told = {row.pk: codes[row.connection_id, _asks(row)] for row in left}
    # A template has words of its own, and would answer nothing.
    told |= {row.pk: OTHER_WORDS for row in left if row.purpose_code in ANSWERS}
    return Rule(within, {pk: code for pk, code in told.items() if code})


def unaskable(
    *, connection: Connection, channel: str, at: datetime, contact: Contact | None = None
) -> str:
    """Return why a question of consent cannot go out over an account; empty if it can.

    Without a contact, to somebody who has not written to us. A list that was never read is no
    reason: the question waits for it.
    """
    if channel != Channel.WHATSAPP or not templates.keeps(connection=connection):
        return ""
    if contact and (contact.pk, connection.pk) in _open([contact.pk], at):
        return ""
    code = templates.standing(connection=connection, is_question=True).code
    return "" if code == UNREAD else code


def _asks(message: Message) -> bool:
    return message.purpose_code == purposes.PERMISSION_REQUEST


def _within(messages: Sequence[Message], at: datetime) -> frozenset[uuid.UUID]:
    open_ = _open([row.contact_id for row in messages], at)
    return frozenset(
        row.pk
        for row in messages
        if (row.contact_id, row.connection_id) in open_
        or (row.purpose_code in ANSWERS and row.queued_at > at - OPEN_FOR)
    )


def _open(contact_ids: Iterable[uuid.UUID], at: datetime) -> set[tuple[uuid.UUID, uuid.UUID]]:
    """Return who wrote over which account within a day."""
    rows = Conversation.objects.filter(contact__in=contact_ids, heard_at__gt=at - OPEN_FOR)
    return set(rows.values_list("contact_id", "connection_id"))
