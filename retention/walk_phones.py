"""What do the demo's people find on their phones? Tokens read from the sandbox, as they would."""

import re
from collections.abc import Collection
from uuid import UUID

from consent.models import Contact, Message
from integrations.models import SandboxMessage

CONFIRM = re.compile(r"/join/confirm/([A-Za-z0-9_-]{43})")
LINK = re.compile(r"/v/([A-Za-z0-9_-]{43})")


def confirm_tokens(*, source: str) -> list[tuple[Contact, str]]:
    """Return the people of a list who were asked to confirm, each with the token they got."""
    people = {row.pk: row for row in Contact.objects.filter(source=source).select_related("key")}
    sent = Message.objects.filter(contact__in=people, purpose_code="permission_request")
    return [
        (people[message.contact_id], match[1])
        for message in sent.order_by("contact_id")
        if (match := CONFIRM.search(text_of(message)))
    ]


def link_tokens(campaign_ids: Collection[UUID]) -> list[str]:
    """Return the tokens of the links that arrived, of these campaigns."""
    arrived = Message.objects.filter(context_id__in=campaign_ids, state=Message.State.DELIVERED)
    texts = (text_of(message) for message in arrived.order_by("sent_at", "pk"))
    return [match[1] for text in texts if (match := LINK.search(text))]


def link_token_of(*, campaign_id: UUID, contact: Contact) -> str:
    """Return the token of the link that one person got in a campaign; empty if none arrived."""
    arrived = Message.objects.filter(context_id=campaign_id, contact=contact).order_by("queued_at")
    found = [match[1] for message in arrived if (match := LINK.search(text_of(message)))]
    return found[-1] if found else ""


def text_of(message: Message) -> str:
    """Return the words of a message as they stand on the phone; empty if it did not arrive."""
    row = SandboxMessage.objects.filter(
        idempotency_key=message.pk.hex, direction=SandboxMessage.Direction.TO_PHONE
    ).first()
    content = row.content_sealed if row else None
    return str(content["text"]) if isinstance(content, dict) else ""
