"""What have people and providers told us since? Taken before anything more is sent."""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import transaction

from accounts.audit import Actor
from config.lib import logs
from consent import addresses, confirmation, contacts, keywords, ledger, messages, suppression
from consent.keywords import Meaning
from consent.models import Channel, ConsentEvent, Contact, Taken
from integrations import inbox
from integrations.models import InboxItem

log = logs.get(__name__)
# A report can be faster than the answer to our own request: it waits for the row so long.
REPORT_WAITS = timedelta(minutes=5)


def take_waiting(*, at: datetime, limit: int = 500) -> int:
    """Act upon what waits in the inbox, in its order; return how many items were taken.

    Law: 47 CFR 64.1200(a)(10); a stop that has arrived is never overtaken by a send.
    """
    return sum(_take(item, at) for item in inbox.waiting(limit=limit))


@transaction.atomic
def _take(item: InboxItem, at: datetime) -> bool:
    # Waits for whoever has it, instead of passing by: what they hold may be a stop.
    held = InboxItem.objects.select_for_update(of=("self",)).get(pk=item.pk)
    if held.processed_at is not None or Taken.objects.filter(item=held).exists():
        return False
    effect = _act(held, at)
    if effect is None:
        return False
    Taken.objects.create(item=held, effect=effect, at=at)
    inbox.finish(item=held, outcome=effect, at=at)
    log.info("consent.inbox.taken", item_id=held.pk, effect=effect)
    return True


def _act(item: InboxItem, at: datetime) -> str | None:
    body = item.body_sealed
    if not isinstance(body, dict):
        return "unreadable"
    if item.kind == InboxItem.Kind.DELIVERY_REPORT:
        return _report(item, body, at)
    if item.kind == InboxItem.Kind.INBOUND_MESSAGE:
        return _hear(item, body, at)
    return "not_for_consent"


def _report(item: InboxItem, body: Mapping[str, object], at: datetime) -> str | None:
    effect = messages.report(
        provider_message_id=_text(body, "provider_message_id"),
        connection_id=item.connection_id,
        status=_text(body, "status"),
        code=_text(body, "code"),
        at=at,
    )
    early = effect == messages.NO_SUCH_MESSAGE and item.received_at > at - REPORT_WAITS
    return None if early else effect


def _hear(item: InboxItem, body: Mapping[str, object], at: datetime) -> str:
    channel, sender = _text(body, "channel"), _text(body, "from")
    if channel not in Channel.values or not sender:
        return "unreadable"
    meaning = keywords.read(_text(body, "text"))
    people = _people(channel, sender)
    if meaning in {Meaning.STOP, Meaning.UNSURE}:
        return _stop(item, people, channel=channel, sender=sender, meaning=meaning, at=at)
    if meaning == Meaning.YES:
        return _confirm(item, people, channel, at)
    return "kept"


def _stop(
    item: InboxItem,
    people: list[Contact],
    *,
    channel: str,
    sender: str,
    meaning: Meaning,
    at: datetime,
) -> str:
    # The address first: it must hold even for somebody we do not know.
    suppression.suppress(channel=channel, reason=f"inbound_{meaning}", at=at, address=sender)
    for person in people:
        ledger.withdraw(
            contact=person,
            act=ConsentEvent.Act.KEYWORD,
            source=f"inbound_{meaning}",
            at=at,
            actor=Actor("recipient", person.public_id),
            evidence=_evidence(item),
        )
    return "withdrawn" if people else "suppressed"


def _confirm(item: InboxItem, people: list[Contact], channel: str, at: datetime) -> str:
    for person in people:
        asked = confirmation.pending(contact=person, channel=channel, at=at)
        if asked is not None:
            confirmation.confirm(
                opt_in_id=asked.pk,
                act=ConsentEvent.Act.KEYWORD,
                at=at,
                evidence=_evidence(item),
            )
            return "confirmed"
    return "nothing_asked"


def _evidence(item: InboxItem) -> dict[str, object]:
    body = item.body_sealed or {}
    text = _text(body, "text")
    return {
        "inbox_item": item.pk,
        "provider_message": _text(body, "provider_message_id"),
        "text_sha256": hashlib.sha256(text.encode()).hexdigest(),
        "text": text[:500],
    }


def _people(channel: str, sender: str) -> list[Contact]:
    try:
        return contacts.everyone_at(channel=channel, value=sender)
    except addresses.NotAContact:
        return []


def _text(body: Mapping[str, object], name: str) -> str:
    return str(body.get(name) or "")
