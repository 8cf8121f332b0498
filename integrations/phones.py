"""What would each recipient's phone show? The sandbox's own store as threads, and answers to it."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max, QuerySet
from django_q.tasks import async_task

from integrations import inbox
from integrations.models import InboxItem, SandboxMessage

SHOWN_MESSAGES = 12
LONGEST_REPLY = 1000


class NoSuchPhone(LookupError):
    """Nothing was ever sent to this phone on this channel."""


class NotAReply(ValueError):
    """The text is empty or too long to be sent from a phone."""


@dataclass(frozen=True)
class Bubble:
    """One message as the phone shows it; `ours` is False for the person's own."""

    body: str
    at: datetime
    ours: bool
    subject: str = ""


@dataclass(frozen=True)
class Thread:
    """What one address shows on one channel, oldest first."""

    phone: str
    channel: str
    address: str
    sender: str
    messages: list[Bubble]
    # When the provider was told that this person stopped.
    stopped_at: datetime | None = None

    @property
    def id(self) -> str:
        return f"phone-{self.phone[:16]}-{self.channel}"


def threads(*, limit: int, offset: int = 0) -> list[Thread]:
    """Return the threads that were written to last, newest first."""
    newest = (
        _shown()
        .values("address_index", "channel")
        .annotate(newest=Max("at"))
        .order_by("-newest", "address_index", "channel")[offset : offset + limit]
    )
    places = [(row["address_index"], row["channel"]) for row in newest]
    rows = _shown().filter(address_index__in=[index for index, _ in places])
    kept: dict[tuple[str, str], list[SandboxMessage]] = {place: [] for place in places}
    for row in rows.select_related("connection").order_by("at", "pk"):
        kept.get((row.address_index, row.channel), []).append(row)
    stops = {
        (row.address_index, row.channel): row.at
        for row in _stops().filter(address_index__in=[index for index, _ in places])
    }
    return [_thread(place, kept[place], stops.get(place)) for place in places]


def count() -> int:
    """Count the threads."""
    return _shown().values("address_index", "channel").distinct().count()


@transaction.atomic
def reply(*, phone: str, channel: str, text: str, at: datetime) -> InboxItem | None:
    """Send what a person typed on a sandbox phone, the way a provider reports an answer.

    :raises NoSuchPhone: this address was never written to on this channel.
    :raises NotAReply: the text is empty or longer than 1000 characters.
    """
    text = text.strip()
    if not 0 < len(text) <= LONGEST_REPLY:
        raise NotAReply
    received = (
        SandboxMessage.objects.filter(
            address_index=phone,
            channel=channel,
            direction=SandboxMessage.Direction.TO_PHONE,
        )
        .select_related("connection")
        .order_by("-at")
        .first()
    )
    if received is None or received.content_sealed is None:
        raise NoSuchPhone
    return _send(received, str(received.content_sealed["address"]), text, at)


@transaction.atomic
def forget(*, message_ids: Iterable[uuid.UUID]) -> int:
    """Empty every thread that one of our messages stands in, answers included; return how many.

    Called when a person is erased: the sandbox is told, as a provider would be, to delete.
    """
    names = [message_id.hex for message_id in message_ids]
    sent = _shown().filter(idempotency_key__in=names)
    threads = list(sent.values_list("address_index", flat=True).distinct())
    rows = _shown().filter(address_index__in=threads)
    replies = rows.filter(direction=SandboxMessage.Direction.FROM_PHONE)
    keys = [_reply_key(pk) for pk in replies.values_list("pk", flat=True)]
    InboxItem.objects.filter(dedupe_key__in=keys).update(body_sealed=None)
    _stops().filter(address_index__in=threads).update(address_index="")
    return rows.update(content_sealed=None, address_index="")


def _reply_key(pk: uuid.UUID) -> str:
    return f"reply:sbx_{pk.hex}"


def _send(received: SandboxMessage, address: str, text: str, at: datetime) -> InboxItem | None:
    own = SandboxMessage.objects.create(
        pk=uuid.uuid4(),
        connection=received.connection,
        direction=SandboxMessage.Direction.FROM_PHONE,
        channel=received.channel,
        content_sealed={"address": address, "subject": "", "text": text, "headers": {}},
        address_index=received.address_index,
        at=at,
    )
    name = f"sbx_{own.pk.hex}"
    item = inbox.store(
        connection=received.connection,
        kind=InboxItem.Kind.INBOUND_MESSAGE,
        dedupe_key=_reply_key(own.pk),
        body={
            "channel": received.channel,
            "from": address,
            "text": text,
            "provider_message_id": name,
        },
        at=at,
    )
    # In this transaction: the row is there when the task looks for it.
    async_task("consent.jobs.take_inbox")
    return item


def _shown() -> QuerySet[SandboxMessage]:
    return SandboxMessage.objects.filter(content_sealed__isnull=False)


def _stops() -> QuerySet[SandboxMessage]:
    return SandboxMessage.objects.filter(direction=SandboxMessage.Direction.STOPPED)


def _thread(
    place: tuple[str, str], rows: list[SandboxMessage], stopped_at: datetime | None
) -> Thread:
    shown = [(row, _content(row)) for row in rows[-SHOWN_MESSAGES:]]
    return Thread(
        phone=place[0],
        channel=place[1],
        address=shown[-1][1]["address"] if shown else "",
        sender=_sender(shown),
        messages=[_bubble(row, content) for row, content in shown],
        stopped_at=stopped_at,
    )


def _content(row: SandboxMessage) -> Mapping[str, Any]:
    # A value that does not open reads as None; the page then shows that something was there.
    return row.content_sealed or {"address": "", "subject": "", "text": "(cannot be opened)"}


def _sender(shown: list[tuple[SandboxMessage, Mapping[str, Any]]]) -> str:
    for _, content in reversed(shown):
        headers = content.get("headers")
        if isinstance(headers, Mapping) and headers.get("From"):
            return str(headers["From"])
    return "Sealcast demo"


def _bubble(row: SandboxMessage, content: Mapping[str, Any]) -> Bubble:
    return Bubble(
        body=content["text"],
        at=row.at,
        ours=row.direction == SandboxMessage.Direction.TO_PHONE,
        subject=content["subject"],
    )
