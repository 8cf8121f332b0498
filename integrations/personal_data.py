"""What does this storey hold of people? What providers sent us, and what the sandbox shows."""

import uuid
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from config.lib.inventory import TECHNICAL, Column, Declarations, Due
from integrations.models import InboxItem, SandboxMessage

SECRET = Column("key", "legitimate interest", "keep", personal=False)
INBOX = Column("message", "legal obligation", "inbox_item", personal=True)
PHONE = Column("message", "legitimate interest", "sandbox_message", personal=True)


def _as(column: Column, names: str) -> dict[str, Column]:
    return dict.fromkeys(names.split(), column)


DECLARATIONS: Declarations = {
    "integrations.connection": {
        **_as(TECHNICAL, "id kind provider label auth_kind state hosts scopes terms"),
        **_as(TECHNICAL, "created_at tested_at problem paced_until templates_read_at"),
        **_as(TECHNICAL, "templates_problem templates_asked_at"),
        **_as(SECRET, "credentials_sealed webhook_index"),
    },
    "integrations.oauthgrant": {
        **_as(TECHNICAL, "connection flow_expires_at flow_login_host login_host token_host"),
        **_as(TECHNICAL, "api_host account_id connected_at access_expires_at generation"),
        **_as(TECHNICAL, "lease_id lease_until failures retry_at"),
        **_as(SECRET, "state_index browser_index flow_sealed client_sealed tokens_sealed"),
    },
    "integrations.crmsync": {
        **_as(
            TECHNICAL,
            "connection writes_notes account_id fields state mode cursor step since_at began_at",
        ),
        **_as(TECHNICAL, "finished_at next_at lease_id lease_until failures counts problem"),
    },
    "integrations.crmchannel": _as(
        TECHNICAL, "connection until_at asked_at next_at failures problem"
    ),
    "integrations.messagetemplate": _as(
        TECHNICAL,
        "id connection code title language category state quality words reason changed_at",
    ),
    "integrations.inboxitem": {
        **_as(TECHNICAL, "id connection kind dedupe_key received_at processed_at"),
        **_as(TECHNICAL, "outcome attempts"),
        "body_sealed": INBOX,
    },
    "integrations.sandboxmessage": {
        **_as(TECHNICAL, "id connection direction channel idempotency_key at"),
        **_as(PHONE, "content_sealed address_index"),
    },
    # Its request is the anonymous script: it says nothing of anybody.
    "integrations.localvideojob": _as(TECHNICAL, "id state request problem created_at"),
}


def export(*, contact_id: uuid.UUID, at: datetime) -> dict[str, object]:
    """Return nothing: what stands here names no contact; consent exports a person's messages."""
    return {}


def erase(*, contact_id: uuid.UUID, at: datetime) -> dict[str, int]:
    """Erase nothing by contact: consent names a person's messages to `phones.forget` itself."""
    return {}


def due(*, at: datetime, days: Mapping[str, int]) -> Iterator[Due]:
    """Yield sandbox messages, and bodies of events that were acted upon, past their label."""
    kept = timedelta(days=days["sandbox_message"])
    messages = SandboxMessage.objects.filter(at__lte=at - kept).order_by("at")
    for pk, sent_at in messages.values_list("pk", "at").iterator():
        yield Due("sandbox_message", str(pk), None, sent_at + kept)
    kept = timedelta(days=days["inbox_item"])
    items = InboxItem.objects.filter(processed_at__lte=at - kept, body_sealed__isnull=False)
    for number, processed_at in items.order_by("pk").values_list("pk", "processed_at").iterator():
        if processed_at is not None:
            yield Due("inbox_item", str(number), None, processed_at + kept)


def erase_record(*, record_class: str, object_id: str, at: datetime) -> None:
    """Erase one sandbox message, or the body of one event; that it came is kept."""
    if record_class == "sandbox_message":
        SandboxMessage.objects.filter(pk=object_id).delete()
    elif record_class == "inbox_item":
        InboxItem.objects.filter(pk=object_id).update(body_sealed=None)
