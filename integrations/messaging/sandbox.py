"""Which provider writes to phones that nobody owns? A real one that stays on this machine.

Its failures are chosen by the address, so that every outcome can be met on purpose:
the number or the part before the @ ends in 0001 or `fails` (permanent), 0002 (transient),
0003 (unknown: it arrives, and the answer is lost), 0004 (the person stopped at the provider).
"""

import json
import re
import uuid
from datetime import datetime

from django.db import transaction

from accounts import keys
from config.lib import clock
from integrations import inbox
from integrations.messaging.base import (
    THANKS,
    Event,
    NotAnEvent,
    OutgoingMessage,
    Posted,
    ProviderError,
    Sent,
)
from integrations.models import Connection, InboxItem, SandboxMessage

REALM = "sandbox"
PERMANENT = re.compile(r"(0001|fails)$")
TRANSIENT = re.compile(r"0002$")
UNKNOWN = re.compile(r"0003$")
STOPPED = re.compile(r"0004$")
# The members of each kind of event, with the longest value that is taken.
EVENTS = {
    "inbound_message": {"channel": 12, "from": 254, "text": 4000, "provider_message_id": 80},
    "delivery_report": {"provider_message_id": 80, "status": 12, "code": 40},
    "opt_out": {"channel": 12, "from": 254},
    "reassigned": {"from": 254},
}
# What only some mailboxes send along.
OPTIONAL = {"inbound_message": {"subject": 400}}


class SandboxProvider:
    """Keeps what it is given where the page of phones shows it, and reports it delivered."""

    channels: tuple[str, ...] = ("sms", "whatsapp", "email")
    thanks = THANKS

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def send(self, message: OutgoingMessage) -> Sent:
        """Put a message on its phone; the same message twice arrives once.

        :raises ProviderError: the address is one of those that fail.
        """
        mark = message.address.partition("@")[0]
        if message.channel not in self.channels:
            raise ProviderError("permanent", "channel_unknown")
        if PERMANENT.search(mark):
            raise ProviderError("permanent", "address_rejected")
        if TRANSIENT.search(mark):
            raise ProviderError("transient", "busy")
        if STOPPED.search(mark):
            raise ProviderError("permanent", inbox.OPTED_OUT)
        sent = self._keep(message, clock.now(), reported=not UNKNOWN.search(mark))
        if UNKNOWN.search(mark):
            raise ProviderError("unknown", "no_answer")
        return sent

    def read(self, posted: Posted) -> tuple[Event, ...]:
        """Read one event as the sandbox posts it: a JSON object with an id and a kind.

        :raises NotAnEvent: it is no such object, or a member is missing, unknown or too long.
        """
        try:
            event = json.loads(posted.body)
            kind, number = event.pop("kind"), event.pop("id")
            needed = EVENTS[kind]
        except (ValueError, KeyError, TypeError, AttributeError):
            raise NotAnEvent from None
        known = {**needed, **OPTIONAL.get(kind, {})}
        if not set(needed) <= set(event) <= set(known) or not all(
            isinstance(value, str) and len(value) <= known[name] for name, value in event.items()
        ):
            raise NotAnEvent
        if not isinstance(number, str) or not 0 < len(number) <= 80:
            raise NotAnEvent
        if kind in InboxItem.Kind.values:
            return (Event(kind, f"hook:{number}", event),)
        return (Event(InboxItem.Kind.OTHER.value, f"hook:{number}", {"kind": kind, **event}),)

    @transaction.atomic
    def stop(self, *, address: str, channel: str) -> None:
        """Note on a phone that its person stopped, as a provider's own stop list would.

        :raises ProviderError: the address is one of those that fail.
        """
        mark = address.partition("@")[0]
        if PERMANENT.search(mark):
            raise ProviderError("permanent", "address_rejected")
        if TRANSIENT.search(mark):
            raise ProviderError("transient", "busy")
        phone = address_index(address)
        # It holds no words: the page shows it on the thread that is there.
        SandboxMessage.objects.update_or_create(
            pk=uuid.uuid5(self._connection.pk, f"stop:{channel}:{phone}"),
            defaults={
                "connection": self._connection,
                "direction": SandboxMessage.Direction.STOPPED,
                "channel": channel,
                "address_index": phone,
                "at": clock.now(),
            },
        )

    def check(self) -> str:
        """Return the empty text: what stays on this machine needs no account."""
        return ""

    @transaction.atomic
    def _keep(self, message: OutgoingMessage, at: datetime, *, reported: bool) -> Sent:
        row, created = SandboxMessage.objects.get_or_create(
            pk=uuid.uuid5(self._connection.pk, message.message_id.hex),
            defaults={
                "connection": self._connection,
                "direction": SandboxMessage.Direction.TO_PHONE,
                "channel": message.channel,
                "content_sealed": {
                    "address": message.address,
                    "subject": message.subject,
                    "text": message.text,
                    "headers": dict(message.headers),
                },
                "address_index": address_index(message.address),
                "idempotency_key": message.message_id.hex,
                "at": at,
            },
        )
        sent = Sent(f"sbx_{row.pk.hex}")
        if created and reported:
            self._report(sent, at)
        return sent

    def _report(self, sent: Sent, at: datetime) -> None:
        # A report travels through the inbox as any provider's would.
        inbox.store(
            connection=self._connection,
            kind=InboxItem.Kind.DELIVERY_REPORT,
            dedupe_key=f"report:{sent.provider_message_id}",
            body={
                "provider_message_id": sent.provider_message_id,
                "status": "delivered",
                "code": "",
            },
            at=at,
        )


def address_index(address: str) -> str:
    """Return the keyed hash that names a phone or mailbox in the sandbox."""
    return keys.blind_index(realm=REALM, value=address.strip().lower())
