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
# Of what is no message of a campaign: a question of consent, or the answer to a stop.
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
    codes = {pk: templates.standing(connection=row).code for pk, row in strict.items()}
    told = {row.pk: _code(row, row.pk in within, codes[row.connection_id]) for row in ours}
    return Rule(within, {pk: code for pk, code in told.items() if code})


def _code(message: Message, is_within: bool, standing: str) -> str:  # noqa: FBT001
    if is_within:
        return ""
    # A template has words of its own: they speak of a video, and would ask or answer nothing.
    return OTHER_WORDS if message.purpose_code in purposes.OURS else standing


def _within(messages: Sequence[Message], at: datetime) -> frozenset[uuid.UUID]:
    rows = Conversation.objects.filter(
        contact__in=[row.contact_id for row in messages], heard_at__gt=at - OPEN_FOR
    )
    open_ = set(rows.values_list("contact_id", "connection_id"))
    return frozenset(
        row.pk
        for row in messages
        if (row.contact_id, row.connection_id) in open_
        or (row.purpose_code in ANSWERS and row.queued_at > at - OPEN_FOR)
    )
