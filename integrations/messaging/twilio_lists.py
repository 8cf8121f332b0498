"""Which message in Twilio's own list is ours? Found by number, words and time; exactly, or not.

A number never stands in the address of a call: addresses are logged all along the way. The list is
asked for by time, and read here.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

from integrations import inbox
from integrations.messaging import whatsapp
from integrations.messaging.base import Asked, Found, OutgoingMessage, ProviderError
from integrations.messaging.wire import STOPPED_CODES, Wire, text

PREFIX = "whatsapp:"
# How far their clock may be behind ours.
SKEW = timedelta(seconds=30)
# A claimed message leaves within this, or its worker is dead.
LEAVES_WITHIN = timedelta(minutes=10)
# From its creation there until it was sent, which is what the list is asked by.
QUEUED_THERE = timedelta(hours=1)
# One call covers the messages of so long a time.
TOGETHER = timedelta(minutes=10)
# Each row may hold 1600 letters, and an answer has a limit of size.
PAGE_ROWS, PAGES_MAX = "200", 40
FORWARD = {"delivered": "delivered", "read": "delivered"}
FAILED = frozenset({"failed", "undelivered", "canceled"})


def look_up(*, wire: Wire, path: str, asked: Sequence[Asked]) -> Mapping[UUID, Sequence[Found]]:
    """Return for each message the rows of the account's list that could be it.

    :raises ProviderError: no answer, or more rows than are read.
    """
    found: dict[UUID, Sequence[Found]] = {}
    for group in _together(asked):
        rows = list(_rows(wire, path, group[0].left_at, group[-1].left_at))
        for one in group:
            ours = [row for row in rows if is_ours(row, one.message, one.left_at)]
            found[one.message.message_id] = [_found(row) for row in ours]
    return found


def is_ours(row: object, message: OutgoingMessage, left_at: datetime) -> bool:
    """Say whether a row of the list went to this person, with these words, at that time."""
    if not isinstance(row, Mapping) or not text(row, "sid"):
        return False
    to = f"{PREFIX}{message.address}" if message.channel == "whatsapp" else message.address
    created = _instant(text(row, "date_created"))
    return (
        text(row, "to") == to
        and text(row, "direction").startswith("outbound")
        and created is not None
        and left_at - SKEW <= created <= left_at + LEAVES_WITHIN
        and _has_words(text(row, "body"), message)
    )


def _has_words(body: str, message: OutgoingMessage) -> bool:
    link = whatsapp.LINK.search(message.text)
    if message.channel == "whatsapp" and link is not None:
        # Of a template the list shows the approved words, with our link in them.
        return link.group(0).rstrip(".,;)") in body
    return body == message.text


def _together(asked: Sequence[Asked]) -> Iterator[list[Asked]]:
    group: list[Asked] = []
    for one in sorted(asked, key=lambda one: one.left_at):
        if group and one.left_at - group[0].left_at > TOGETHER:
            yield group
            group = []
        group.append(one)
    if group:
        yield group


def _rows(wire: Wire, path: str, first: datetime, last: datetime) -> Iterator[Mapping[str, Any]]:
    place, fields = path, {
        "PageSize": PAGE_ROWS,
        "DateSent>": _written(first - SKEW),
        "DateSent<": _written(last + LEAVES_WITHIN + QUEUED_THERE),
    }  # fmt: skip
    for _ in range(PAGES_MAX):
        reply = wire.get(place, fields)
        rows = (reply.body or {}).get("messages")
        if not reply.is_good or not isinstance(rows, list):
            raise ProviderError("transient", f"http_{reply.status}")
        yield from rows
        more = urlsplit(text(reply.body, "next_page_uri"))
        if not more.path:
            return
        if more.path != path:
            raise ProviderError("transient", "page_elsewhere")
        fields = dict(parse_qsl(more.query))
    # Half a list could show one match where there are two.
    raise ProviderError("transient", "list_too_long")


def _found(row: Mapping[str, Any]) -> Found:
    status, code = text(row, "status"), text(row, "error_code")
    if status in FAILED:
        told = inbox.OPTED_OUT if code in STOPPED_CODES else code
        return Found(text(row, "sid")[:80], "failed", told[:40])
    return Found(text(row, "sid")[:80], "delivered" if status in FORWARD else "sent")


def _written(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _instant(told: str) -> datetime | None:
    try:
        created = parsedate_to_datetime(told)
    except (ValueError, TypeError):
        return None
    return created if created.tzinfo else created.replace(tzinfo=UTC)
