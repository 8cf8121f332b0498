"""Does whoever holds this link belong to the person? A code goes to another address of theirs.

Six digits, ten minutes, five tries. It leaves as a service message through the gate and the outbox,
as any other; what is kept is a keyed hash, whose pepper is not in the database.
"""

import hmac
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django_q.tasks import async_task

from accounts import audit, keys
from accounts.audit import Actor
from consent import contacts, gate, outbox, purposes
from consent.models import Channel, Contact, Message
from integrations import connections
from integrations.models import Connection
from videos import audiences, wording
from videos.models import Campaign, CodeSent, Device, Link

CONTEXT = "videos.code"
DIGITS, TRIES = 6, 5
MINUTES = wording.CODE_MINUTES
ASKS, ASKS_HOURS = 5, 24
# WhatsApp is the same phone as SMS: what matters is another address, not another app.
OTHERS = {
    Channel.EMAIL: (Channel.SMS, Channel.WHATSAPP),
    Channel.SMS: (Channel.EMAIL,),
    Channel.WHATSAPP: (Channel.EMAIL,),
}


class TooManyCodes(Exception):
    """So many codes were asked for on this link that no more go out today."""


class NoWayToAsk(Exception):
    """The person has no second address at which the gate lets us send a code."""


class _TooLate(Exception):
    """It could only leave at another hour, when the code would be over."""


@dataclass(frozen=True)
class Asked:
    """A code that is on its way, and the browser that asked for it."""

    sent: CodeSent
    channel: str


def other_channels(*, campaign: Campaign) -> list[tuple[str, Connection]]:
    """Return by what a code can go out beside a campaign's own channel, and over what."""
    found = {
        channel: connections.carrier(channel=channel)
        for channel in OTHERS[Channel(campaign.channel)]
    }
    return [(channel, way) for channel, way in found.items() if way is not None]


def reaches(*, contact: Contact, campaign: Campaign) -> bool:
    """Say whether a person has a second address by which a code could reach them."""
    ways = {channel for channel, _ in other_channels(campaign=campaign)}
    return bool(ways & set(contacts.channels_of(contact)))


def unreached(*, campaign: Campaign) -> int:
    """Return how many people of a campaign's audience no code could reach."""
    people = audiences.audience(campaign)
    if not other_channels(campaign=campaign):
        return people.count()
    other = contacts.field_of(OTHERS[Channel(campaign.channel)][0])
    return people.filter(**{f"{other}_index": None}).count()


def ask(*, link: Link, device: Device | None, at: datetime) -> Asked:
    """Send a code to another address of the link's person; the newest one counts.

    Law: GDPR Art. 32(1)(b); the code says nothing of what it opens.
    :raises TooManyCodes: too many were asked for on this link.
    :raises NoWayToAsk: there is no second address, or the gate refuses each; its decisions stay.
    """
    with transaction.atomic():
        # The person first, then the link, as a withdrawal does.
        held = contacts.lock(contact_id=link.contact_id)
        _hold(link)
        _require_few(link, at)
        for channel, way in other_channels(campaign=link.asset.campaign):
            if channel in contacts.channels_of(held):
                sent = _send(link, held, device, (channel, way), at)
                if sent is not None:
                    return Asked(sent, channel)
    # Outside: the gate's refusals are decisions, and stay.
    raise NoWayToAsk


def waiting(*, device: Device | None, at: datetime) -> CodeSent | None:
    """Return the code that a browser may still enter."""
    if device is None:
        return None
    newest = CodeSent.objects.filter(device=device).order_by("-asked_at", "-pk").first()
    if newest is None or newest.used_at or newest.expires_at <= at or newest.tries >= TRIES:
        return None
    return newest


@transaction.atomic
def enter(*, link: Link, device: Device | None, code: str, at: datetime) -> bool:
    """Take a code; say whether it is the one. Each try counts, in the trail as well."""
    _hold(link)
    newest = waiting(device=device, at=at)
    if newest is None or device is None:
        return False
    CodeSent.objects.filter(pk=newest.pk).update(tries=F("tries") + 1)
    digits = "".join(sign for sign in code if sign.isdecimal())
    right = hmac.compare_digest(_index(newest.pk, digits).encode(), newest.code_index.encode())
    if right:
        CodeSent.objects.filter(pk=newest.pk).update(used_at=at)
        Device.objects.filter(pk=device.pk).update(proved_at=at)
    _note(link, "entered" if right else "mistaken", at, Actor("recipient", str(link.contact_id)))
    return right


def still_valid(*, message: Message, at: datetime) -> str | None:
    """Say why a code may not leave any more, as a code of its own; None if it may."""
    sent = CodeSent.objects.filter(message=message).first()
    return None if sent is not None and sent.expires_at > at else "code_over"


def _hold(link: Link) -> None:
    # Two browsers at once are one after the other, so that no limit is passed between them.
    Link.objects.select_for_update(of=("self",)).get(pk=link.pk)


def _require_few(link: Link, at: datetime) -> None:
    since = at - timedelta(hours=ASKS_HOURS)
    if CodeSent.objects.filter(device__link=link, asked_at__gt=since).count() >= ASKS:
        raise TooManyCodes


def _send(
    link: Link, held: Contact, device: Device | None, by: tuple[str, Connection], at: datetime
) -> CodeSent | None:
    number, code = uuid.uuid4(), f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
    try:
        message = _queue(link, held, by, (number, code), at)
    except _TooLate:
        return None
    if message is None:
        return None
    sent = CodeSent.objects.create(
        id=number,
        device=device or Device.objects.create(link=link, created_at=at),
        message=message,
        code_index=_index(number, code),
        asked_at=at,
        expires_at=at + timedelta(minutes=MINUTES),
    )
    _note(link, "sent", at, audit.SYSTEM)
    async_task("videos.delivery_jobs.dispatch_due")
    return sent


@transaction.atomic
def _queue(
    link: Link,
    held: Contact,
    by: tuple[str, Connection],
    made: tuple[uuid.UUID, str],
    at: datetime,
) -> Message | None:
    channel, way = by
    number, code = made
    words = wording.code(
        channel=channel,
        language=held.language,
        sender=link.asset.campaign.sender_name,
        code=code,
        site=settings.PUBLIC_URL,
    )
    decision, message = outbox.queue(
        contact=held,
        connection=way,
        purpose_code=purposes.SERVICE,
        channel=channel,
        context_type=CONTEXT,
        context_id=link.pk,
        idempotency_key=f"code:{number.hex}",
        subject=words.subject,
        text=words.text,
        at=at,
        actor=Actor("recipient", str(link.contact_id)),
    )
    if decision.verdict == gate.DEFER:
        raise _TooLate
    return message


def _index(number: uuid.UUID, code: str) -> str:
    return keys.token_index(kind=CONTEXT, token=f"{number}:{code}")


def _note(link: Link, what: str, at: datetime, actor: Actor) -> None:
    audit.record(
        action=f"videos.code.{what}",
        at=at,
        actor=actor,
        subject_id=link.contact_id,
        object_type="videos.link",
        object_id=str(link.pk),
    )
