"""What left, for whom, and about whom? Every disclosure to a vendor or a CRM, newest first.

Nothing is written down for this: each row is the evidence of its own kind, so that no list beside
it can say less. No row holds a value; it says which values went.
Law: GDPR Art. 15(1)(c), 30(1)(d); 45 CFR 164.528 (accounting of disclosures).
"""

import heapq
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, cast

from django.db.models import Count, Q, QuerySet

from config.lib import ids
from consent.models import Channel, Contact, Message, Propagation, Writeback
from integrations.models import Connection
from videos.models import EgressManifest

ROWS = 50
COUNTED_OVER = timedelta(days=90)
Left = Message.State
ADDRESS = {
    Channel.EMAIL: "E-mail address",
    Channel.SMS: "Phone number",
    Channel.WHATSAPP: "Phone number",
}
NOTED = {"message": "that a message was sent", "watched": "that the video was watched"}


@dataclass(frozen=True)
class Disclosure:
    """One thing that left; `contact_id` is empty where it was about nobody."""

    at: datetime
    to: Connection
    what: str
    contact_id: str
    reference: str
    state: str
    place: str


@dataclass(frozen=True)
class Cursor:
    """Where a page begins: after the row of this instant, kind and number."""

    at: datetime
    kind: str
    pk: str


@dataclass(frozen=True)
class Source:
    """One kind of evidence: its rows, when each left, whose it is, and what it says."""

    kind: str
    rows: Callable[[], QuerySet[Any]]
    at: str
    contact: str
    connection: str
    told: Callable[[Any], Disclosure]


def listed(
    *,
    contact: Contact | None = None,
    connection: Connection | None = None,
    after: Cursor | None = None,
    limit: int = ROWS,
) -> tuple[list[Disclosure], Cursor | None]:
    """Return a page of what left, newest first, and where the next one begins.

    What was about nobody, such as a script, is in no list of one person.
    """
    found = [_of(source, contact, connection, after, limit + 1) for source in SOURCES]
    merged = heapq.merge(*found, key=lambda row: row[:2], reverse=True)
    page = list(islice(merged, limit + 1))
    last = page[limit - 1] if len(page) > limit else None
    return [row[3] for row in page[:limit]], Cursor(last[0], last[1], last[2]) if last else None


def everything(*, contact: Contact) -> Iterator[Disclosure]:
    """Yield whatever left about one person, a page at a time."""
    after: Cursor | None = None
    while True:
        rows, after = listed(contact=contact, after=after)
        yield from rows
        if after is None:
            return


def counted(*, at: datetime) -> dict[Connection, int]:
    """Return to whom how much left in the last 90 days, most first."""
    counts: Counter[Any] = Counter()
    for source in SOURCES:
        rows = source.rows().filter(**{f"{source.at}__gt": at - COUNTED_OVER})
        grouped = rows.values_list(source.connection).annotate(rows=Count("pk")).order_by()
        counts.update(dict(grouped))
    connections = Connection.objects.in_bulk(list(counts))
    return {connections[pk]: rows for pk, rows in counts.most_common()}


def _of(
    source: Source,
    contact: Contact | None,
    connection: Connection | None,
    after: Cursor | None,
    limit: int,
) -> list[tuple[datetime, str, str, Disclosure]]:
    if contact is not None and not source.contact:
        return []
    rows = source.rows().filter(_older(source, after))
    if contact is not None:
        rows = rows.filter(**{source.contact: contact.pk})
    if connection is not None:
        rows = rows.filter(**{source.connection: connection.pk})
    newest = rows.order_by(f"-{source.at}", "-pk")[:limit]
    return [(getattr(row, source.at), source.kind, str(row.pk), source.told(row)) for row in newest]


def _older(source: Source, after: Cursor | None) -> Q:
    # Many rows share one instant: a page that ended among them goes on among them.
    if after is None:
        return Q()
    earlier = Q(**{f"{source.at}__lt": after.at})
    if source.kind > after.kind:
        return earlier
    same = Q(**{source.at: after.at})
    return earlier | (same & Q(pk__lt=after.pk) if source.kind == after.kind else same)


def _request(row: EgressManifest) -> Disclosure:
    count = len(row.slots)
    slots = f" with {count} open slot{'' if count == 1 else 's'}" if count else ""
    return Disclosure(
        at=row.at,
        # Only an uploaded film has none, and of that nothing leaves.
        to=cast(Connection, row.render.connection),
        what=f"A script without any person{slots}, {row.size_bytes:,} bytes",
        contact_id="",
        reference=row.body_sha256[:16],
        state="sent",
        place=f"{row.endpoint}, {row.region}" if row.region else row.endpoint,
    )


def _message(row: Message) -> Disclosure:
    return Disclosure(
        at=row.claimed_at or row.queued_at,
        to=row.connection,
        what=f"{ADDRESS[Channel(row.channel)]}, and a text with the name and a link",
        contact_id=row.contact.public_id,
        reference=row.public_id,
        state=row.state,
        place=Channel(row.channel).label,
    )


def _stop(row: Propagation) -> Disclosure:
    contact = row.revocation.contact
    return Disclosure(
        at=row.done_at or row.due_at,
        to=row.connection,
        what="That the person wants no messages",
        contact_id=contact.public_id,
        reference=f"stop {row.pk}",
        state=row.state,
        place="",
    )


def _writeback(row: Writeback) -> Disclosure:
    noted = f"A note {NOTED.get(row.event, 'of what happened')}"
    return Disclosure(
        at=row.done_at or row.due_at,
        to=row.connection,
        what="That the person is to be erased" if row.kind == Writeback.Kind.ERASE else noted,
        contact_id=row.contact.public_id,
        reference=ids.public("wrb", row.pk),
        state=row.state,
        place="",
    )


SOURCES = (
    Source(
        kind="message",
        rows=lambda: Message.objects.filter(
            state__in=[Left.SENT, Left.DELIVERED, Left.UNKNOWN, Left.FAILED],
            claimed_at__isnull=False,
        ).select_related("connection", "contact"),
        at="claimed_at",
        contact="contact_id",
        connection="connection_id",
        told=_message,
    ),
    Source(
        kind="request",
        rows=lambda: EgressManifest.objects.select_related("render__connection").defer("body"),
        at="at",
        contact="",
        connection="render__connection_id",
        told=_request,
    ),
    Source(
        kind="stop",
        rows=lambda: Propagation.objects.filter(
            state=Propagation.State.TOLD, done_at__isnull=False
        ).select_related("connection", "revocation__contact"),
        at="done_at",
        contact="revocation__contact_id",
        connection="connection_id",
        told=_stop,
    ),
    Source(
        kind="writeback",
        rows=lambda: Writeback.objects.filter(
            state__in=[Writeback.State.TOLD, Writeback.State.UNKNOWN], done_at__isnull=False
        ).select_related("connection", "contact"),
        at="done_at",
        contact="contact_id",
        connection="connection_id",
        told=_writeback,
    ),
)
