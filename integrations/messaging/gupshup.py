"""How does Gupshup take a message and tell of it? WhatsApp, with the app's own key.

No look-up of a message could be confirmed: what got no answer stays parked.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from integrations.messaging import unsigned, whatsapp
from integrations.messaging.base import (
    THANKS,
    Event,
    KnownTemplate,
    NotAnEvent,
    OutgoingMessage,
    Posted,
    ProviderError,
    Sent,
)
from integrations.messaging.wire import Reply, Wire, per_second, refusal, text
from integrations.models import Connection

SEND, ANSWER = "/wa/api/v1/template/msg", "/wa/api/v1/msg"
NEEDED = ("api_key", "app_name", "source")


class GupshupProvider:
    """One app at Gupshup."""

    channels: tuple[str, ...] = ("whatsapp",)
    thanks = THANKS

    def __init__(self, connection: Connection) -> None:
        held = connection.credentials_sealed
        self._held: dict[str, str] = held if isinstance(held, dict) else {}
        self.per_second = per_second(provider="gupshup", held=self._held)
        self._wire = Wire(connection, {"apikey": str(self._held.get("api_key") or "")})

    def send(self, message: OutgoingMessage) -> Sent:
        """Hand one message over; a 200 may still say that it was refused.

        :raises ProviderError: with its outcome.
        """
        if message.channel not in self.channels:
            raise ProviderError("permanent", "channel_unknown")
        if not all(self._held.get(name) for name in NEEDED):
            raise ProviderError("transient", "credentials_unreadable")
        fields = {
            "channel": "whatsapp",
            "source": whatsapp.digits(self._held["source"]),
            "destination": whatsapp.digits(message.address),
            "src.name": self._held["app_name"],
        }
        path, content = self._content(message)
        reply = self._wire.form(path, {**fields, **content})
        name = text(reply.body, "messageId")
        if reply.is_good and text(reply.body, "status") == "submitted" and name:
            return Sent(name[:80])
        raise refusal(reply, _code(reply))

    def read(self, posted: Posted) -> tuple[Event, ...]:
        """Read one event of version 2. Gupshup signs nothing: see `unsigned`.

        :raises NotAnEvent: it is not in that format; a subscription of version 3 is seen so.
        """
        event = unsigned.load(posted.body)
        kind, payload = text(event, "type"), event.get("payload")
        if not kind or not isinstance(payload, dict):
            raise NotAnEvent
        inner = payload.get("payload")
        if kind == "message":
            words = text(inner, "text") if isinstance(inner, dict) else ""
            sender = text(payload, "sender", "phone") or text(payload, "source")
            words = words or text(payload, "payload", "title")
            return unsigned.said(sender=sender, words=words, name=text(payload, "id"))
        if kind == "user-event" and text(payload, "type") == "opted-out":
            name = unsigned.name_of(posted.body)
            return unsigned.stopped(sender=text(payload, "phone"), name=name)
        if kind == "message-event" and text(payload, "type") == "failed":
            return unsigned.failed(
                message=text(payload, "gsId") or text(payload, "id"),
                code=text(payload, "payload", "code"),
            )
        return ()

    def check(self) -> str:
        """Look for the template among the approved ones of the app."""
        app = quote(str(self._held.get("app_id") or ""), safe="")
        try:
            reply = self._wire.get(f"/wa/app/{app}/template", {"templateStatus": "APPROVED"})
        except ProviderError:
            return "Gupshup gave no answer. Try again in a minute."
        if reply.status in (401, 403):
            return "Gupshup refuses the key. Copy the key and the app id again."
        rows = (reply.body or {}).get("templates")
        if not reply.is_good or not isinstance(rows, list):
            return f"Gupshup answered with an error ({reply.status}). Try again later."
        known = [(text(row, "id"), text(row, "status")) for row in rows]
        return whatsapp.problem_of(known, self._held)

    def templates(self) -> Sequence[KnownTemplate]:
        """Return all templates of the app, which come in one answer.

        :raises ProviderError: no list came.
        """
        app = quote(str(self._held.get("app_id") or ""), safe="")
        reply = self._wire.get(f"/wa/app/{app}/template", {})
        rows = (reply.body or {}).get("templates")
        if not reply.is_good or not isinstance(rows, list):
            raise whatsapp.not_listed(reply.status)
        return [_template(row) for row in rows if isinstance(row, dict)]

    def _content(self, message: OutgoingMessage) -> tuple[str, dict[str, str]]:
        if message.within_window:
            words = {"type": "text", "text": whatsapp.words_of(message)}
            return ANSWER, {"message": json.dumps(words)}
        template = whatsapp.template_of(self._held, is_question=message.is_question)
        filled = {"id": template.name, "params": template.values(message)}
        return SEND, {"template": json.dumps(filled)}


def _template(row: Mapping[str, Any]) -> KnownTemplate:
    return KnownTemplate(
        code=text(row, "id"),
        title=text(row, "elementName") or text(row, "id"),
        language=text(row, "languageCode"),
        category=text(row, "category"),
        state=text(row, "status"),
        quality=text(row, "quality"),
        words=text(row, "data"),
        reason=text(row, "reason"),
    )


def _code(reply: Reply) -> str:
    if text(reply.body, "status") == "error":
        return text(reply.body, "code") or "refused"
    return text(reply.body, "code")
