"""What does the gate know of a person at this instant? Read from the rows, for one or for many."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from accounts import keys
from config.lib import canonical
from consent import contacts, ledger, purposes, suppression
from consent.ledger import Standing
from consent.models import ConsentState, Contact, Message, Purpose

ASK_AGAIN_DAYS = 30
RECENT_HOURS = 48
HANDED_OFF = (
    Message.State.HANDING_OFF,
    Message.State.SENT,
    Message.State.DELIVERED,
    Message.State.UNKNOWN,
)


@dataclass(frozen=True)
class Facts:
    """Everything a verdict rests on; no address and no name."""

    contact_id: uuid.UUID
    purpose_code: str
    basis: str
    channel: str
    places: tuple[str, ...]
    zones: tuple[str, ...]
    erased: bool
    restricted: bool
    readable: bool
    has_address: bool
    suppressed: bool
    standing: Standing | None
    address_set_at: datetime | None
    may_be_asked: bool
    asked_recently: bool
    recent: tuple[datetime, ...]

    def plain(self) -> dict[str, object]:
        """Return the facts as they are hashed."""
        stand = self.standing
        return {
            "contact": str(self.contact_id),
            "purpose": [self.purpose_code, self.basis],
            "channel": self.channel,
            "places": list(self.places),
            "zones": list(self.zones),
            "erased": self.erased,
            "restricted": self.restricted,
            "readable": self.readable,
            "has_address": self.has_address,
            "suppressed": self.suppressed,
            "state": [stand.state, str(stand.event_id), _instant(stand.at)] if stand else None,
            "valid_until": _instant(stand.valid_until) if stand else None,
            "address_set_at": _instant(self.address_set_at),
            "may_be_asked": self.may_be_asked,
            "asked_recently": self.asked_recently,
            "recent": [_instant(at) for at in self.recent],
        }


def gather(
    *,
    people: Sequence[Contact],
    purpose: Purpose,
    channel: str,
    at: datetime,
    handing_off: Message | None = None,
) -> list[Facts]:
    """Read the facts of some contacts, in their order, in a fixed number of queries.

    At hand-off only what has left already counts, and the message itself does not.
    """
    indexes = {person.id: _address_index(person, channel, at) for person in people}
    known = [value for value in indexes.values() if value]
    stopped = suppression.in_force(channel=channel, indexes=known)
    states = _states(people, {purpose.code, purposes.MARKETING}, channel)
    sent = _sent(people, at, handing_off)
    return [
        _facts(
            person,
            purpose,
            channel,
            at,
            index=indexes[person.id],
            stopped=stopped,
            states=states,
            sent=sent.get(person.id, []),
        )
        for person in people
    ]


def _facts(
    person: Contact,
    purpose: Purpose,
    channel: str,
    at: datetime,
    *,
    index: str,
    stopped: set[str],
    states: dict[tuple[uuid.UUID, str], Standing],
    sent: list[Message],
) -> Facts:
    marketing = states.get((person.id, purposes.MARKETING))
    by_phone = contacts.field_of(channel) == "phone"
    return Facts(
        contact_id=person.id,
        purpose_code=purpose.code,
        basis=purpose.basis,
        channel=channel,
        places=_places(person),
        zones=_zones(person),
        erased=person.erased_at is not None,
        restricted=person.restricted_at is not None,
        readable=bool(index) or keys.opens(key=person.key, at=at),
        has_address=bool(index),
        suppressed=index in stopped,
        standing=states.get((person.id, purpose.code)),
        address_set_at=person.phone_set_at if by_phone else person.email_set_at,
        may_be_asked=bool(marketing and marketing.effective(at) in {"claimed", "given"}),
        asked_recently=any(
            row.purpose_code == purposes.PERMISSION_REQUEST and row.channel == channel
            for row in sent
        ),
        recent=tuple(sorted(_when(row) for row in sent if row.purpose_code == purpose.code)),
    )


def _places(person: Contact) -> tuple[str, ...]:
    # One may live here and carry a number from there: the law of both holds.
    region = f"-{person.region}" if person.region else ""
    places = {person.country + region} if person.country else set()
    if person.phone_country and person.phone_country != person.country:
        places.add(person.phone_country)
    return tuple(sorted(places))


def _zones(person: Contact) -> tuple[str, ...]:
    return (person.time_zone,) if person.time_zone else tuple(person.phone_zones)


def _address_index(person: Contact, channel: str, at: datetime) -> str:
    try:
        value = contacts.address(contact=person, channel=channel, at=at)
    except contacts.NoAddress:
        return ""
    return suppression.index_of(channel=channel, value=value)


def _states(
    people: Iterable[Contact], codes: set[str], channel: str
) -> dict[tuple[uuid.UUID, str], Standing]:
    rows = ConsentState.objects.filter(
        contact__in=[person.id for person in people], purpose_code__in=codes, channel=channel
    )
    return {(row.contact_id, row.purpose_code): ledger.standing_of(row) for row in rows}


def _sent(
    people: Iterable[Contact], at: datetime, handing_off: Message | None
) -> dict[uuid.UUID, list[Message]]:
    counted = list(HANDED_OFF) if handing_off else [*HANDED_OFF, Message.State.QUEUED]
    rows = (
        Message.objects.filter(contact__in=[person.id for person in people], state__in=counted)
        .filter(
            Q(queued_at__gt=at - timedelta(hours=RECENT_HOURS))
            | Q(claimed_at__gt=at - timedelta(hours=RECENT_HOURS))
            | Q(
                purpose_code=purposes.PERMISSION_REQUEST,
                queued_at__gt=at - timedelta(days=ASK_AGAIN_DAYS),
            )
        )
        .exclude(pk__in=[handing_off.pk] if handing_off else [])
        .only("contact_id", "purpose_code", "channel", "not_before", "claimed_at", "sent_at")
    )
    sent: dict[uuid.UUID, list[Message]] = {}
    for row in rows:
        sent.setdefault(row.contact_id, []).append(row)
    return sent


def _when(row: Message) -> datetime:
    return row.sent_at or row.claimed_at or row.not_before


def _instant(at: datetime | None) -> str | None:
    return canonical.instant(at) if at else None
