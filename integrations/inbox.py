"""What did providers send us? Stored once, verified, answered at once; acted upon by who pulls.

Rows survive a crash and can be replayed; the storeys above take them (`consent.intake`).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import connection as database
from django.db.models import F, QuerySet

from integrations.models import Connection, InboxItem

if TYPE_CHECKING:
    # Adapters use the words below: neither may have to be imported before the other.
    from integrations.messaging.base import Event

# How every adapter calls a refusal or a failed delivery that means: the person stopped there.
OPTED_OUT = "opted_out"
# A passing fault (a lock, a lost connection) is over by then.
STUCK_ATTEMPTS = 3
# A list opens no seal: one that is broken would hide all others.
SEALED = ("body_sealed", "connection__credentials_sealed")
WRITTEN = ("connection", "kind", "dedupe_key", "body_sealed", "received_at", "outcome", "attempts")
# How they call a mailbox that is not there (any more), and what is told of it.
BOUNCED, UNDELIVERABLE = "bounced", "undeliverable"


def store(
    *,
    connection: Connection,
    kind: str,
    dedupe_key: str,
    body: Mapping[str, object],
    at: datetime,
) -> InboxItem | None:
    """Keep one event of a provider; None when it was kept before."""
    item, created = InboxItem.objects.get_or_create(
        connection=connection,
        dedupe_key=dedupe_key[:128],
        defaults={
            "kind": InboxItem.Kind(kind),
            "body_sealed": dict(body),
            "received_at": at,
        },
    )
    return item if created else None


def keep(*, connection: Connection, events: "Sequence[Event]", at: datetime) -> int:
    """Keep what came in one post; return how many of it were not kept before.

    One statement that is its own transaction: at hundreds of posts a second the look, the
    savepoint and the commit of `store` cost more than everything else of a request.
    """
    if not events:
        return 0
    fields: list[Any] = [InboxItem._meta.get_field(name) for name in WRITTEN]
    columns = ", ".join(field.column for field in fields)
    row = f"({', '.join(['%s'] * len(fields))})"
    values = [
        field.get_db_prep_save(field.value_from_object(item), database)
        for item in (_item(connection, event, at) for event in events)
        for field in fields
    ]
    rows = ", ".join([row] * len(events))
    # The names are our own; every value is bound.
    insert = f"INSERT INTO integrations_inboxitem ({columns}) VALUES {rows}"  # noqa: S608
    with database.cursor() as cursor:
        cursor.execute(f"{insert} ON CONFLICT (connection_id, dedupe_key) DO NOTHING", values)
        return int(cursor.rowcount)


def _item(connection: Connection, event: "Event", at: datetime) -> InboxItem:
    return InboxItem(
        connection_id=connection.pk,
        kind=InboxItem.Kind(event.kind).value,
        dedupe_key=event.dedupe_key[:128],
        body_sealed=dict(event.body),
        received_at=at,
    )


def waiting(*, limit: int, after: tuple[int, int] = (0, 0)) -> list[InboxItem]:
    """Return the events nobody has acted upon: what people said first, then delivery reports.

    Each in the order it came, from behind the two ids `after`, one for either. Some reports wait
    for minutes on purpose, and what came behind them may be a stop.
    """
    rows = InboxItem.objects.filter(processed_at=None).defer(*SEALED[:1]).order_by("pk")
    report = InboxItem.Kind.DELIVERY_REPORT
    news = list(rows.exclude(kind=report).filter(pk__gt=after[0])[:limit])
    return news + list(rows.filter(kind=report, pk__gt=after[1])[: limit - len(news)])


def has_news() -> bool:
    """Say whether anything but delivery reports waits; a report waits for its row on purpose."""
    waiting = InboxItem.objects.filter(processed_at=None)
    return waiting.exclude(kind=InboxItem.Kind.DELIVERY_REPORT).exists()


def stumble(*, item: InboxItem) -> None:
    """Count that an event could not be acted upon; it goes on waiting."""
    InboxItem.objects.filter(pk=item.pk).update(attempts=F("attempts") + 1)


def stuck() -> QuerySet[InboxItem]:
    """Return the events that could not be acted upon again and again, the oldest first."""
    rows = InboxItem.objects.filter(processed_at=None, attempts__gte=STUCK_ATTEMPTS)
    return rows.select_related("connection").defer(*SEALED).order_by("pk")


def finish(*, item: InboxItem, outcome: str, at: datetime) -> bool:
    """Mark an event as acted upon; False when another worker did so first."""
    changed = InboxItem.objects.filter(pk=item.pk, processed_at=None).update(
        processed_at=at, outcome=outcome[:40], attempts=item.attempts + 1
    )
    return bool(changed)


def finish_many(*, effects: Mapping[int, str], at: datetime) -> None:
    """Mark events, held by the caller, as acted upon, each to its effect."""
    alike: dict[str, list[int]] = {}
    for pk, outcome in effects.items():
        alike.setdefault(outcome[:40], []).append(pk)
    for outcome, pks in alike.items():
        InboxItem.objects.filter(pk__in=pks, processed_at=None).update(
            processed_at=at, outcome=outcome, attempts=F("attempts") + 1
        )
