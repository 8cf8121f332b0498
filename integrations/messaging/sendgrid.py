"""How does SendGrid take a letter and tell of it? By its API v3, with all tracking off.

It has no idempotency key and no look-up that every account may use: what got no answer stays
parked, until an event that carries our own name for the message settles it.
"""

import json
from collections.abc import Mapping
from typing import Any

from config.lib import clock
from integrations import inbox
from integrations.messaging import letters, sendgrid_signature
from integrations.messaging.base import (
    THANKS,
    Event,
    NotAnEvent,
    NotSigned,
    OutgoingMessage,
    Posted,
    ProviderError,
    Sent,
)
from integrations.messaging.wire import Reply, Wire, per_second, refusal, text
from integrations.models import Connection, InboxItem

SEND, SCOPES, STOPS = "/v3/mail/send", "/v3/scopes", "/v3/asm/suppressions/global"
MESSAGE_ID = "x-message-id"
OFF = {"enable": False}
TRACKING = {
    "click_tracking": {"enable": False, "enable_text": False},
    "open_tracking": OFF,
    "subscription_tracking": OFF,
    "ganalytics": OFF,
}
TAKEN_STATUS, KEPT_STATUS = 202, 201
MOST_EVENTS = 5000
STOPPED = frozenset({"spamreport", "unsubscribe", "group_unsubscribe"})
# Why it dropped what it had accepted, in its own words, in lower case.
DROPPED = {
    "unsubscribed address": inbox.OPTED_OUT,
    "spam reporting address": inbox.OPTED_OUT,
    "bounced address": inbox.BOUNCED,
    "invalid": inbox.BOUNCED,
}


class SendGridProvider:
    """One account at SendGrid, in the US or the EU."""

    channels: tuple[str, ...] = ("email",)
    thanks = THANKS

    def __init__(self, connection: Connection) -> None:
        held = connection.credentials_sealed
        self._held: dict[str, str] = held if isinstance(held, dict) else {}
        self.per_second = per_second(provider="sendgrid", held=self._held)
        self._key = str(self._held.get("api_key") or "")
        place = "sendgrid_eu" if self._held.get("eu") else "sendgrid"
        self._wire = Wire(connection, {"Authorization": f"Bearer {self._key}"}, place=place)

    def send(self, message: OutgoingMessage) -> Sent:
        """Hand one letter over; 202 and nothing else says that it was taken.

        :raises ProviderError: with its outcome.
        """
        if message.channel not in self.channels:
            raise ProviderError("permanent", "channel_unknown")
        if not self._key:
            raise ProviderError("transient", "credentials_unreadable")
        reply = self._wire.json(SEND, self._written(message))
        if reply.status == TAKEN_STATUS and not reply.body:
            # Its own name for it stands in a header that no specification holds.
            return Sent((_name(reply) or message.message_id.hex)[:80])
        raise refusal(reply, _code(reply))

    def read(self, posted: Posted) -> tuple[Event, ...]:
        """Read a signed batch of events.

        :raises NotSigned: the signature is not SendGrid's, or the batch is too old.
        :raises NotAnEvent: it is no list of events.
        """
        if not sendgrid_signature.is_signed(
            key=str(self._held.get("verification_key") or ""),
            body=posted.body,
            signature=posted.headers.get(sendgrid_signature.SIGNATURE, ""),
            stamp=posted.headers.get(sendgrid_signature.TIMESTAMP, ""),
            at=clock.now(),
        ):
            raise NotSigned
        try:
            rows = json.loads(posted.body)
        except (ValueError, RecursionError):
            raise NotAnEvent from None
        if not isinstance(rows, list) or len(rows) > MOST_EVENTS:
            raise NotAnEvent
        return tuple(event for row in rows if isinstance(row, dict) for event in _events(row))

    def stop(self, *, address: str, channel: str) -> None:
        """Put an address on the account's list of those who get nothing.

        :raises ProviderError: with its outcome.
        """
        written = letters.plain_address(address)
        reply = self._wire.json(STOPS, {"recipient_emails": [written]})
        if reply.status != KEPT_STATUS:
            raise refusal(reply, _code(reply))

    def check(self) -> str:
        """Ask what the key may do: it has to be able to send."""
        try:
            letters.sender_of(self._held)
            reply = self._wire.get(SCOPES, {})
        except ProviderError as failed:
            if failed.code == "sender_unusable":
                return "Enter the sender's address, such as news@example.org."
            return "SendGrid gave no answer. Try again in a minute."
        if reply.status in (401, 403):
            return "SendGrid refuses the key. Create one that may send, and enter it again."
        scopes = (reply.body or {}).get("scopes")
        if not reply.is_good or not isinstance(scopes, list):
            return f"SendGrid answered with an error ({reply.status}). Try again later."
        if "mail.send" not in scopes:
            return "The key may not send. Give it “Mail Send” at SendGrid."
        return ""

    def _written(self, message: OutgoingMessage) -> dict[str, object]:
        sender = letters.sender_of(self._held)
        to = [{"email": letters.plain_address(message.address)}]
        name = {"name": sender.name} if sender.name else {}
        headers = letters.one_click(message)
        return {
            # Opaque, and it comes back with every event.
            "personalizations": [{"to": to, "custom_args": {"ref": message.message_id.hex}}],
            "from": {"email": sender.address, **name},
            "subject": letters.subject_of(message),
            "content": [{"type": "text/plain", "value": message.text}],
            "tracking_settings": TRACKING,
            **({"headers": headers} if headers else {}),
        }


def _events(row: Mapping[str, Any]) -> list[Event]:
    """Return what one event tells: of the message, of the person, or nothing we act upon."""
    kind, name = text(row, "event"), text(row, "sg_event_id")
    if not name or not text(row, "email"):
        return []
    if kind == "delivered":
        return [_report(row, name, "delivered", "")]
    if kind in STOPPED:
        return [_told(row, name, "opt_out")]
    if kind == "bounce":
        # A block is the receiver's mood of the day, and no word about the mailbox.
        code = "blocked" if text(row, "type") == "blocked" else inbox.BOUNCED
        return _failed(row, name, code)
    if kind == "dropped":
        why = text(row, "reason").lower()
        return _failed(row, name, DROPPED.get(why, "dropped"))
    return []


def _failed(row: Mapping[str, Any], name: str, code: str) -> list[Event]:
    report = _report(row, name, "failed", code)
    if code == inbox.BOUNCED:
        return [report, _told(row, name, inbox.UNDELIVERABLE)]
    if code == inbox.OPTED_OUT:
        # By the address too: the report alone would need a message that we know.
        return [report, _told(row, name, "opt_out")]
    return [report]


def _report(row: Mapping[str, Any], name: str, status: str, code: str) -> Event:
    body = {
        # Their name for the message, before what their filters added to it.
        "provider_message_id": text(row, "sg_message_id").partition(".")[0][:80]
        or text(row, "ref")[:32],
        "status": status,
        "code": code,
        "message_id": text(row, "ref")[:32],
    }
    return Event(InboxItem.Kind.DELIVERY_REPORT.value, f"event:{name}"[:128], body)


def _told(row: Mapping[str, Any], name: str, kind: str) -> Event:
    body = {"kind": kind, "channel": "email", "from": text(row, "email")[:254]}
    return Event(InboxItem.Kind.OTHER.value, f"told:{name}"[:128], body)


def _name(reply: Reply) -> str:
    named = (value for name, value in reply.headers.items() if name.lower() == MESSAGE_ID)
    return next(named, "")


def _code(reply: Reply) -> str:
    # Its words may repeat the address: only that there was an error is kept.
    return "refused" if reply.body and reply.body.get("errors") else ""
