"""How does Twilio take a message and tell of it? SMS and WhatsApp, by its Messages API of 2010.

Twilio has no idempotency key. After an unknown outcome its list of messages is read; where that
does not show the message, the status callback that carries our own id may still settle it.
"""

import base64
import json
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from urllib.parse import parse_qs, parse_qsl, quote, urlsplit
from uuid import UUID

from django.conf import settings

from config.lib import clock
from integrations import inbox, stand_ins
from integrations.messaging import (
    twilio_contents,
    twilio_lists,
    twilio_signature,
    twilio_tokens,
    whatsapp,
)
from integrations.messaging.base import (
    Asked,
    Event,
    Found,
    KnownTemplate,
    NotAnEvent,
    NotSigned,
    OutgoingMessage,
    Posted,
    ProviderError,
    Sent,
)
from integrations.messaging.twilio_lists import FAILED, FORWARD, PREFIX
from integrations.messaging.wire import FORM, STOPPED_CODES, Reply, Wire, per_second, refusal, text
from integrations.models import Connection, InboxItem

LONGEST_TEXT = 1600
FIELDS_MAX = 200
LOOK_UP_AFTER_SECONDS = (0.5, 2.0)
MESSAGE_ID = "message"


class TwilioProvider:
    """One account at Twilio, or a subaccount."""

    channels: tuple[str, ...] = ("sms", "whatsapp")
    # Empty TwiML: we answer by a message of our own, which the gate judges.
    thanks = ("text/xml", "<Response/>")

    def __init__(self, connection: Connection) -> None:
        held = connection.credentials_sealed
        self._held: dict[str, str] = held if isinstance(held, dict) else {}
        self.per_second = per_second(provider="twilio", held=self._held)
        tokens = self._tokens(connection)
        headers = {} if tokens else self._basic()
        self._wire = Wire(connection, headers, tokens=tokens)
        self._content_wire = Wire(connection, headers, place="twilio_content", tokens=tokens)
        account = quote(self._of("account_sid"), safe="")
        self._path = f"/2010-04-01/Accounts/{account}/Messages.json"

    def send(self, message: OutgoingMessage) -> Sent:
        """Hand one message over; look it up where no answer came.

        :raises ProviderError: with its outcome.
        """
        fields, started = self._fields(message), clock.now()
        try:
            reply = self._wire.form(self._path, fields)
        except ProviderError as failed:
            return self._found(message, started, failed)
        sid, code = text(reply.body, "sid"), _code(reply)
        if reply.is_good and sid and not code:
            return Sent(sid[:80])
        return self._found(message, started, refusal(reply, code))

    def look_up(self, asked: Sequence[Asked]) -> Mapping[UUID, Sequence[Found]]:
        """Return what the account's list says of messages that were never answered about.

        :raises ProviderError: no answer, or more rows than are read.
        """
        return twilio_lists.look_up(wire=self._wire, path=self._path, asked=asked)

    def templates(self) -> Sequence[KnownTemplate]:
        """Return the account's contents that were put before Meta, and what Meta said.

        :raises ProviderError: no whole list came.
        """
        return twilio_contents.templates(wire=self._content_wire)

    def read(self, posted: Posted) -> tuple[Event, ...]:
        """Read a status callback or a person's message, signed by the account's auth token.

        :raises NotSigned: the signature is not Twilio's.
        :raises NotAnEvent: it has neither the form of the one nor of the other.
        """
        pairs = _pairs(posted)
        if not twilio_signature.is_signed(
            token=self._of("auth_token"),
            url=posted.url,
            fields=pairs,
            body=posted.body,
            signature=posted.headers.get(twilio_signature.HEADER, ""),
        ):
            raise NotSigned
        fields = dict(pairs) if pairs is not None else _json(posted.body)
        if fields.get("AccountSid", self._of("account_sid")) != self._of("account_sid"):
            raise NotAnEvent
        if not fields.get("MessageSid"):
            raise NotAnEvent
        if fields.get("MessageStatus"):
            return _report(fields, posted.url)
        if "From" in fields:
            return (_said(fields),)
        raise NotAnEvent

    def check(self) -> str:
        """Ask for one message of the account's list, as the cheapest call that needs the key."""
        try:
            reply = self._wire.get(self._path, {"PageSize": "1"})
        except ProviderError as failed:
            if failed.code == "account_refused":
                return "Twilio refuses the OAuth app. Enter its client id and secret again."
            return "Twilio gave no answer. Try again in a minute."
        if reply.is_good and reply.body is not None and "messages" in reply.body:
            return ""
        if reply.status in (401, 403):
            return "Twilio refuses the key. Enter the account SID and the auth token or key again."
        return f"Twilio answered with an error ({reply.status}). Try again later."

    def _of(self, name: str) -> str:
        return str(self._held.get(name) or "")

    def _basic(self) -> dict[str, str]:
        user = self._of("key_sid") or self._of("account_sid")
        secret = self._of("key_secret") if self._of("key_sid") else self._of("auth_token")
        basic = base64.b64encode(f"{user}:{secret}".encode()).decode()
        return {"Authorization": f"Basic {basic}"}

    def _tokens(self, connection: Connection) -> twilio_tokens.Tokens | None:
        if not self._of("client_id"):
            return None
        return twilio_tokens.of(
            wire=Wire(connection, {}, place="twilio_oauth"),
            client_id=self._of("client_id"),
            client_secret=self._of("client_secret"),
        )

    def _fields(self, message: OutgoingMessage) -> dict[str, str]:
        if message.channel not in self.channels:
            raise ProviderError("permanent", "channel_unknown")
        if not self._of("account_sid") or not self._of("auth_token"):
            raise ProviderError("transient", "credentials_unreadable")
        fields = {**self._sender(message), **self._content(message)}
        if self._of("keep_nothing"):
            # Of the account's features, not of every account: Twilio then keeps neither words nor
            # the whole number.
            fields.update(ContentRetention="discard", AddressRetention="obfuscate")
        if stand_ins.reaches_us(provider="twilio"):
            hook = f"{settings.PUBLIC_URL}/hooks/{self._of('webhook_secret')}/"
            fields["StatusCallback"] = f"{hook}?{MESSAGE_ID}={message.message_id.hex}"
        return fields

    def _sender(self, message: OutgoingMessage) -> dict[str, str]:
        if message.channel == "whatsapp":
            sender = self._of("whatsapp_sender")
            fields = {"To": PREFIX + message.address, "From": PREFIX + sender}
        else:
            sender = self._of("sender")
            name = "MessagingServiceSid" if sender.startswith("MG") else "From"
            fields = {"To": message.address, name: sender}
        if not sender:
            raise ProviderError("permanent", "no_sender_for_channel")
        return fields

    def _content(self, message: OutgoingMessage) -> dict[str, str]:
        if message.channel == "whatsapp" and not message.within_window:
            template = whatsapp.template_of(self._held, is_question=message.is_question)
            values = enumerate(template.values(message), start=1)
            variables = {str(place): value for place, value in values}
            return {"ContentSid": template.name, "ContentVariables": json.dumps(variables)}
        if len(message.text) > LONGEST_TEXT:
            raise ProviderError("permanent", "too_long")
        return {"Body": message.text}

    def _found(self, message: OutgoingMessage, started: datetime, failed: ProviderError) -> Sent:
        """Return the one message of the list that is ours, where nobody knows; else the failure."""
        if failed.outcome == "unknown" and message.channel == "sms":
            for wait in LOOK_UP_AFTER_SECONDS:
                time.sleep(wait)
                if len(sids := self._listed(message, started)) == 1:
                    return Sent(sids[0][:80])
        raise failed

    def _listed(self, message: OutgoingMessage, started: datetime) -> list[str]:
        # Never asked for by the person's number: an address is logged all along the way.
        try:
            reply = self._wire.get(self._path, {"PageSize": "100"})
        except ProviderError:
            return []
        rows = (reply.body or {}).get("messages")
        return [
            text(row, "sid")
            for row in (rows if isinstance(rows, list) else [])
            if twilio_lists.is_ours(row, message, started)
        ]


def _code(reply: Reply) -> str:
    return text(reply.body, "code") or text(reply.body, "error_code")


def _pairs(posted: Posted) -> list[tuple[str, str]] | None:
    if posted.content_type != FORM:
        return None
    try:
        body = posted.body.decode()
        return parse_qsl(body, keep_blank_values=True, max_num_fields=FIELDS_MAX)
    except ValueError:
        raise NotAnEvent from None


def _json(body: bytes) -> dict[str, str]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise NotAnEvent from None
    if not isinstance(found, dict):
        raise NotAnEvent
    return {name: value for name, value in found.items() if isinstance(value, str)}


def _report(fields: dict[str, str], url: str) -> tuple[Event, ...]:
    sid, status = fields["MessageSid"][:80], fields["MessageStatus"]
    code = fields.get("ErrorCode", "")[:40]
    if status not in FORWARD and status not in FAILED:
        return ()
    body = {
        "provider_message_id": sid,
        "status": FORWARD.get(status, "failed"),
        "code": inbox.OPTED_OUT if code in STOPPED_CODES else code,
        # Signed with the address: it names our message even where Twilio's answer was lost.
        "message_id": parse_qs(urlsplit(url).query).get(MESSAGE_ID, [""])[0][:32],
    }
    return (Event(InboxItem.Kind.DELIVERY_REPORT.value, f"status:{sid}:{status}"[:128], body),)


def _said(fields: dict[str, str]) -> Event:
    sid, sender = fields["MessageSid"][:80], fields["From"][:254]
    channel = "whatsapp" if sender.startswith(PREFIX) else "sms"
    told = {"channel": channel, "from": sender.removeprefix(PREFIX)}
    kind = {"STOP": "opt_out", "HELP": "helped"}.get(fields.get("OptOutType", ""))
    if kind:
        # Twilio has answered the person by itself: what follows must not answer again.
        return Event(InboxItem.Kind.OTHER.value, f"said:{sid}", {"kind": kind, **told})
    told["text"], told["provider_message_id"] = fields.get("Body", "")[:4000], sid
    return Event(InboxItem.Kind.INBOUND_MESSAGE.value, f"said:{sid}", told)
