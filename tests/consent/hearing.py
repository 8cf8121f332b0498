"""How do the tests let something be heard? Put in the inbox as a provider would, and taken."""

import uuid
from collections.abc import Mapping
from datetime import datetime

import pytest

from consent import intake, keywords
from integrations import connections, inbox
from integrations.models import InboxItem
from tests.consent.people import NOON


def reads(monkeypatch: pytest.MonkeyPatch, word: str, *texts: str) -> None:
    """Let the parser read these texts so (none named: all), whatever its list of words holds."""
    read = keywords.read
    monkeypatch.setattr(
        keywords, "read", lambda text: word if text in texts or not texts else read(text)
    )


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
    body |= {"subject": subject} if subject else {}
    return taken("inbound_message", body, received_at, at or received_at)


def told(kind: str, body: Mapping[str, object] | None = None, at: datetime = NOON) -> InboxItem:
    """Let another system tell something of a person."""
    return taken("other", {"kind": kind, **(body or {})}, at, at)


def taken(kind: str, body: Mapping[str, object], received_at: datetime, at: datetime) -> InboxItem:
    """Store one event, take what waits, and return it as it stands then."""
    sandbox, _ = connections.ensure_local(at=NOON)
    item = inbox.store(
        connection=sandbox, kind=kind, dedupe_key=uuid.uuid4().hex, body=body, at=received_at
    )
    assert item is not None
    intake.take_waiting(at=at)
    item.refresh_from_db()
    return item
