"""How does WATI take a message and tell of it? WhatsApp templates and answers, by its API v3.

It takes our own id for a template and names it so in its webhooks; an answer gets an id from WATI.
It has no look-up that we could confirm: what got no answer stays parked.
"""

from collections.abc import Mapping, Sequence
from typing import Any

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

API = "/api/ext/v3"
PAGE_ROWS = 100
SAID = frozenset({"message", "messageReceived"})
FAILED = frozenset(
    f"{kind}MessageFailed{version}" for kind in ("template", "session") for version in ("", "_v2")
)


class WatiProvider:
    """One tenant at WATI."""

    channels: tuple[str, ...] = ("whatsapp",)
    thanks = THANKS

    def __init__(self, connection: Connection) -> None:
        held = connection.credentials_sealed
        self._held: dict[str, str] = held if isinstance(held, dict) else {}
        self.per_second = per_second(provider="wati", held=self._held)
        self._token = str(self._held.get("token") or "")
        self._wire = Wire(connection, {"Authorization": f"Bearer {self._token}"})

    def send(self, message: OutgoingMessage) -> Sent:
        """Hand one message over; 200 says that it was accepted, the recipient's row whether.

        :raises ProviderError: with its outcome.
        """
        if message.channel not in self.channels:
            raise ProviderError("permanent", "channel_unknown")
        if not self._token:
            raise ProviderError("transient", "credentials_unreadable")
        if message.within_window:
            return self._answer(message)
        reply = self._wire.json(f"{API}/messageTemplates/send", self._body(message))
        row = _row(reply)
        if reply.is_good and row is not None and not row.get("errors"):
            return Sent(message.message_id.hex)
        raise refusal(reply, _code(reply, row))

    def read(self, posted: Posted) -> tuple[Event, ...]:
        """Read one event. WATI signs nothing: see `unsigned`.

        :raises NotAnEvent: it is not in WATI's format.
        """
        event = unsigned.load(posted.body)
        kind = text(event, "eventType")
        if not kind:
            raise NotAnEvent
        if kind in SAID and event.get("owner") is not True:
            words = text(event, "text") or text(event, "buttonReply", "text")
            return unsigned.said(
                sender=text(event, "waId"),
                words=words or text(event, "listReply", "title"),
                name=text(event, "whatsappMessageId") or text(event, "id"),
            )
        if kind in FAILED and text(event, "localMessageId"):
            code = text(event, "failedCode")
            return unsigned.failed(message=text(event, "localMessageId"), code=code)
        return ()

    def check(self) -> str:
        """Look for the template among those of the account, and whether Meta approved it."""
        try:
            fields = {"page_number": "1", "page_size": "100"}
            reply = self._wire.get(f"{API}/messageTemplates", fields)
        except ProviderError:
            return "WATI gave no answer. Try again in a minute."
        if reply.status in (401, 403):
            return "WATI refuses the token. Copy it again from API Docs in WATI's dashboard."
        if not reply.is_good or _list(reply) is None:
            return f"WATI answered with an error ({reply.status}). Try again later."
        known = [(one.code, one.state) for one in map(_template, _rows(reply))]
        return whatsapp.problem_of(known, self._held)

    def templates(self) -> Sequence[KnownTemplate]:
        """Return all templates of the tenant, page by page.

        :raises ProviderError: no whole list came.
        """
        found: list[KnownTemplate] = []
        for page in range(1, whatsapp.PAGES_MAX + 1):
            fields = {"page_number": str(page), "page_size": str(PAGE_ROWS)}
            reply = self._wire.get(f"{API}/messageTemplates", fields)
            if not reply.is_good or _list(reply) is None:
                raise whatsapp.not_listed(reply.status)
            found += map(_template, _rows(reply))
            if len(_rows(reply)) < PAGE_ROWS:
                return found
        raise ProviderError("transient", "list_too_long")

    def _answer(self, message: OutgoingMessage) -> Sent:
        channel, number = self._held.get("channel"), whatsapp.digits(message.address)
        target = f"{channel}:{number}" if channel else number
        body = {"target": target, "text": whatsapp.words_of(message)}
        reply = self._wire.json(f"{API}/conversations/messages/text", body)
        taken = (reply.body or {}).get("message")
        name = text(taken, "local_message_id") or text(taken, "id")
        if reply.is_good and name:
            return Sent(name[:80])
        raise refusal(reply, text(reply.body, "code"))

    def _body(self, message: OutgoingMessage) -> dict[str, object]:
        template = whatsapp.template_of(self._held, is_question=message.is_question)
        values = enumerate(template.values(message), start=1)
        body: dict[str, object] = {
            "template_name": template.name,
            # Opaque: it is shown in WATI's dashboard.
            "broadcast_name": f"sealcast_{message.message_id.hex}",
            "recipients": [
                {
                    "phone_number": whatsapp.digits(message.address),
                    "local_message_id": message.message_id.hex,
                    "custom_params": [
                        {"name": str(place), "value": value} for place, value in values
                    ],
                }
            ],
        }
        if channel := self._held.get("channel"):
            body["channel"] = channel
        return body


def _row(reply: Reply) -> dict[str, Any] | None:
    body = reply.body or {}
    rows = body.get("recipients")
    if body.get("success") is not True or not isinstance(rows, list) or len(rows) != 1:
        return None
    return rows[0] if isinstance(rows[0], dict) else None


def _code(reply: Reply, row: dict[str, Any] | None) -> str:
    errors = (row or {}).get("errors")
    if errors:
        first = errors[0] if isinstance(errors, list) else errors
        # The words of a row may name the person: only a code is kept.
        return text({"e": first}, "e", "code") or "recipient_refused"
    if reply.body is not None and reply.body.get("success") is False:
        return text(reply.body, "code") or "refused"
    return "" if reply.is_good else text(reply.body, "code")


def _list(reply: Reply) -> list[Any] | None:
    body = reply.body or {}
    for name in ("templates", "messageTemplates", "result"):
        if isinstance(body.get(name), list):
            return list(body[name])
    return None


def _rows(reply: Reply) -> list[Mapping[str, Any]]:
    return [row for row in _list(reply) or [] if isinstance(row, dict)]


def _template(row: Mapping[str, Any]) -> KnownTemplate:
    name = text(row, "name") or text(row, "elementName")
    return KnownTemplate(
        code=name,
        title=name,
        language=text(row, "language_option", "value") or text(row, "language"),
        category=text(row, "category"),
        state=text(row, "status"),
        quality=text(row, "quality"),
        words=text(row, "body_original") or text(row, "body"),
    )
