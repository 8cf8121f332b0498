"""What may be believed of a provider that signs nothing? What protects a person, and no more.

Whoever learns the address of such a webhook can post to it. A stop is taken at once; a yes, a start
and a delivery are not: each would rest on a stranger's word (`consent.answers`).
"""

import json
from collections.abc import Mapping
from typing import Any

from accounts import keys
from integrations import inbox
from integrations.messaging import whatsapp
from integrations.messaging.base import Event, NotAnEvent
from integrations.messaging.wire import STOPPED_CODES
from integrations.models import InboxItem

REALM = "inbox"


def load(body: bytes) -> dict[str, Any]:
    """Return the JSON object of a post.

    :raises NotAnEvent: it is none.
    """
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise NotAnEvent from None
    if not isinstance(found, dict):
        raise NotAnEvent
    return found


def name_of(body: bytes) -> str:
    """Return the dedupe key of an event that has no id: keyed, since it holds a number."""
    return f"body:{keys.blind_index(realm=REALM, value=body.hex())}"


def said(*, sender: str, words: str, name: str) -> tuple[Event, ...]:
    """Return a person's WhatsApp message; nothing without sender or id."""
    if not sender or not name:
        raise NotAnEvent
    body = {
        "channel": "whatsapp",
        "from": whatsapp.number(sender)[:254],
        "text": words[:4000],
        "provider_message_id": name[:80],
        "unsigned": "yes",
    }
    return (Event(InboxItem.Kind.INBOUND_MESSAGE.value, f"said:{name}"[:128], body),)


def failed(*, message: str, code: str) -> tuple[Event, ...]:
    """Return the report that a message did not arrive."""
    if not message:
        raise NotAnEvent
    body: Mapping[str, str] = {
        "provider_message_id": message[:80],
        "status": "failed",
        "code": inbox.OPTED_OUT if code in STOPPED_CODES else code[:40],
    }
    return (Event(InboxItem.Kind.DELIVERY_REPORT.value, f"failed:{message}"[:128], body),)


def stopped(*, sender: str, name: str) -> tuple[Event, ...]:
    """Return a stop that the provider itself took."""
    if not sender:
        raise NotAnEvent
    body = {"kind": "opt_out", "channel": "whatsapp", "from": whatsapp.number(sender)[:254]}
    return (Event(InboxItem.Kind.OTHER.value, name[:128], body),)
