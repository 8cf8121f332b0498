"""Who else tells us of a stop? A provider, a CRM, a register of numbers; heard like the person."""

import hashlib
from collections.abc import Mapping
from datetime import datetime

from accounts.audit import Actor
from consent import contacts, ledger, registers, suppression
from consent.answers import text_of
from consent.models import Channel, ConsentEvent, Message, Revocation
from integrations import inbox
from integrations.models import InboxItem

PHONE_CHANNELS = (Channel.SMS, Channel.WHATSAPP)
Means, Act = Revocation.Means, ConsentEvent.Act


def by_provider(*, item: InboxItem, body: Mapping[str, object], at: datetime) -> str:
    """Take a stop that a provider tells: said to it, or read by it before us.

    It has answered the person by itself, so that we do not.
    """
    channel, sender = text_of(body, "channel"), text_of(body, "from")
    if channel not in Channel.values or not sender:
        return "unreadable"
    return _told_of_stop(
        item, [(channel, sender)], None, at, act=Act.PROVIDER, means=Means.PROVIDER_EVENT
    )


def by_crm(*, item: InboxItem, body: Mapping[str, object], at: datetime) -> str:
    """Take a flag of a CRM: `email`, `phone` or both, and the `channels` if it names some."""
    places = [
        (channel, value)
        for channel, value in (
            (Channel.EMAIL.value, text_of(body, "email")),
            (Channel.SMS.value, text_of(body, "phone")),
            (text_of(body, "channel"), text_of(body, "from")),
        )
        if channel in Channel.values and value
    ]
    if not places:
        return "unreadable"
    listed = body.get("channels")
    named = {str(one) for one in (listed if isinstance(listed, list) else ())} & set(Channel.values)
    return _told_of_stop(item, places, named or None, at, act=Act.CRM, means=Means.CRM_FLAG)


def _told_of_stop(
    item: InboxItem,
    places: list[tuple[str, str]],
    named: set[str] | None,
    at: datetime,
    *,
    act: str,
    means: str,
) -> str:
    people = contacts.everyone_locked(places=places)
    for person in people:
        ledger.withdraw(
            contact=person,
            act=act,
            means=means,
            source=means,
            channels=named,
            via=places[0][0] if means == Means.PROVIDER_EVENT else None,
            received_at=item.received_at,
            at=at,
            actor=_provider(item),
            evidence={"inbox_item": item.pk},
        )
    for channel, value in places:
        for reached in _served(channel, value, named):
            suppression.suppress(channel=reached, reason=means, at=at, address=value)
    return "withdrawn" if people else "suppressed"


def _served(channel: str, value: str, named: set[str] | None) -> list[str]:
    field_name = contacts.field_of(channel)
    return [
        other
        for other in Channel.values
        if contacts.field_of(other) == field_name and (named is None or other in named)
    ]


def of_number(*, item: InboxItem, body: Mapping[str, object], at: datetime) -> str:
    """End what was agreed to for a number that belongs to somebody else since.

    Law: 47 CFR 64.1200(l)-(m): consent does not come with the number.
    """
    number = text_of(body, "from") or text_of(body, "phone")
    if not number:
        return "unreadable"
    people = contacts.everyone_locked(places=[(Channel.SMS.value, number)])
    for person in people:
        ledger.withdraw(
            contact=person,
            act=Act.PROVIDER,
            means=Means.PROVIDER_EVENT,
            source="reassigned",
            channels=PHONE_CHANNELS,
            received_at=item.received_at,
            at=at,
            actor=_provider(item),
            evidence={"inbox_item": item.pk},
        )
    registers.note(
        register=registers.REASSIGNED,
        channels=PHONE_CHANNELS,
        address=number,
        answer="listed",
        receipt_sha256=hashlib.sha256(
            f"{item.connection_id}:{item.dedupe_key}".encode()
        ).hexdigest(),
        at=at,
        actor=_provider(item),
    )
    return "withdrawn" if people else "noted"


def of_mailbox(*, item: InboxItem, body: Mapping[str, object], at: datetime) -> str:
    """Write no more to a mailbox that is not there: a list, and no word of its person.

    It may be somebody else's tomorrow, so that only a fresh act of the person lifts it.
    """
    channel, address = text_of(body, "channel"), text_of(body, "from")
    if channel not in Channel.values or not address:
        return "unreadable"
    suppression.suppress(channel=channel, reason=inbox.BOUNCED, at=at, address=address)
    return "suppressed"


def by_report(*, item: InboxItem, body: Mapping[str, object], at: datetime) -> str:
    """Take a report that a message did not arrive because its person had stopped at the provider.

    Empty if we know no such message.
    """
    message = (
        Message.objects.filter(
            provider_message_id=text_of(body, "provider_message_id"), connection=item.connection_id
        )
        .select_related("contact")
        .first()
    )
    if message is None:
        return ""
    ledger.withdraw(
        contact=message.contact,
        act=Act.PROVIDER,
        means=Means.PROVIDER_EVENT,
        source=inbox.OPTED_OUT,
        via=message.channel,
        received_at=item.received_at,
        at=at,
        actor=_provider(item),
    )
    return "withdrawn"


def _provider(item: InboxItem) -> Actor:
    return Actor("provider", str(item.connection_id))
