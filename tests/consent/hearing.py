"""How do the tests let something be heard? Put in the inbox as a provider would, and taken."""

import uuid
from datetime import datetime

from consent import intake
from integrations import connections, inbox
from integrations.models import InboxItem
from tests.consent.people import NOON


def hear(
    text: str,
    sender: str,
    channel: str = "sms",
    *,
    subject: str = "",
    received_at: datetime = NOON,
    at: datetime | None = None,
) -> InboxItem:
    """Let a person's message arrive and be acted upon."""
    body = {"channel": channel, "from": sender, "text": text, "provider_message_id": "x"}
    if subject:
        body["subject"] = subject
    return taken("inbound_message", body, received_at, at or received_at)


def told(kind: str, at: datetime = NOON, **body: object) -> InboxItem:
    """Let another system tell something of a person."""
    return taken("other", {"kind": kind, **body}, at, at)


def taken(kind: str, body: dict[str, object], received_at: datetime, at: datetime) -> InboxItem:
    """Store one event, take what waits, and return it as it stands then."""
    sandbox, _ = connections.ensure_local(at=NOON)
    item = inbox.store(
        connection=sandbox, kind=kind, dedupe_key=uuid.uuid4().hex, body=body, at=received_at
    )
    assert item is not None
    intake.take_waiting(at=at)
    item.refresh_from_db()
    return item
