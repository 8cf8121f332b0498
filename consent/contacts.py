"""Whom may we know, and how is what names them kept? Sealed under a key of their own."""

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from accounts import audit, keys
from accounts.audit import Actor
from accounts.models import DataKey, Partner, TrailLeaf
from config.lib import bulk
from consent import addresses, areas, known_names, places
from consent.addresses import NotAContact, Person
from consent.models import Channel, Contact, ImportBatch, Place

CONTACT_KEPT_DAYS = 730
UNREADABLE = "(gone)"
CHANNELS_OF = {"email": [Channel.EMAIL], "phone": [Channel.SMS, Channel.WHATSAPP]}
__all__ = ["NotAContact", "OpenContact", "register"]


@dataclass(frozen=True)
class OpenContact:
    """A person's data in plain text: never to be kept, logged or queued."""

    name: str
    email: str
    phone: str
    attributes: Mapping[str, str]


class NoAddress(Exception):
    """The person has no address on this channel, or it no longer opens."""


@transaction.atomic
def register(  # noqa: PLR0913  the facts of one row, all named by the caller
    *,
    partner: Partner | None,
    name: str,
    email: str,
    phone: str,
    language: str,
    time_zone: str,
    country: str,
    attributes: Mapping[str, str],
    source: str,
    at: datetime,
    actor: Actor,
    region: str = "",
    batch: ImportBatch | None = None,
) -> Contact:
    """Keep a person, or bring up to date the one who has this address already.

    An empty address or attribute takes nothing away. No consent comes of it.
    :raises NotAContact: a field is unusable, or the two addresses belong to two people.
    """
    person = addresses.clean(
        name=name,
        email=email,
        phone=phone,
        language=language,
        time_zone=time_zone,
        country=country,
        region=region,
        attributes=attributes,
    )
    known = _known(partner=partner, person=person, at=at)
    contact = known or new(partner=partner, source=source, batch=batch, at=at)
    changed = write(contact=contact, person=person, at=at)
    if known:
        contact.save()
    else:
        contact.key.save(force_insert=True)
        contact.save(force_insert=True)
    audit.record_many([leaf(contact, known=bool(known), changed=changed, actor=actor, at=at)])
    return contact


def write(
    *, contact: Contact, person: Person, at: datetime, seen: dict[str, Place] | None = None
) -> list[str]:
    """Seal a person's data into an unsaved or locked row; return which fields changed."""
    seal = keys.sealer(key=contact.key, at=at)
    changed = [_seal(contact, "name", person.name, at, seal)]
    _set_name(contact, person.name)
    if person.email:
        changed.append(_set_address(contact, "email", person.email, at, seal))
    if person.phone:
        changed.append(_set_address(contact, "phone", person.phone, at, seal))
        contact.phone_country, zones = addresses.phone_places(person.phone)
        # The library knows exchanges; a mobile phone of the same area code may keep another clock.
        contact.phone_zones = sorted({*zones, *areas.zones_of(person.phone)})
        contact.phone_regions = list(areas.regions_of(person.phone))
    if person.attributes:
        sealed = json.dumps(dict(person.attributes), ensure_ascii=False, sort_keys=True)
        changed.append(_seal(contact, "attributes", sealed, at, seal))
    for field in ("language", "time_zone", "country", "region"):
        value = getattr(person, field)
        if value and getattr(contact, field) != value:
            setattr(contact, field, value)
            changed.append(field)
    contact.place = places.of(contact, seen=seen)
    contact.updated_at = at
    return [field for field in changed if field]


def opened(*, contact: Contact, at: datetime) -> OpenContact:
    """Open a person's data for the system's own use, such as drawing a name.

    :raises KeyRefused: the key is expired or destroyed.
    """
    attributes = _open(contact, "attributes", at)
    return OpenContact(
        name=_open(contact, "name", at),
        email=_open(contact, "email", at),
        phone=_open(contact, "phone", at),
        attributes=json.loads(attributes) if attributes else {},
    )


def shown(*, contact: Contact, at: datetime, staff: Actor, reason: str) -> OpenContact:
    """Open a person's data for a member of staff; the opening stands in the trail.

    :raises KeyRefused: the key is expired or destroyed.
    """
    if contact.name_sealed is not None:
        keys.reveal(
            key=contact.key,
            sealed=bytes(contact.name_sealed),
            context=_place(contact, "name"),
            at=at,
            staff=staff,
            reason=reason,
        )
    return opened(contact=contact, at=at)


def masked(*, contact: Contact, at: datetime) -> OpenContact:
    """Return a person's data with most of it hidden, for lists."""
    try:
        plain = opened(contact=contact, at=at)
    except keys.KeyRefused:
        return OpenContact(name=UNREADABLE, email="", phone="", attributes={})
    return OpenContact(
        name=addresses.mask("name", plain.name) or UNREADABLE,
        email=addresses.mask("email", plain.email),
        phone=addresses.mask("phone", plain.phone),
        attributes={},
    )


def address(*, contact: Contact, channel: str, at: datetime) -> str:
    """Return where a person is reached on a channel.

    :raises NoAddress: nowhere, or the key no longer opens.
    """
    try:
        value = _open(contact, field_of(channel), at)
    except keys.KeyRefused:
        value = ""
    if not value:
        raise NoAddress(channel)
    return value


def field_of(channel: str) -> str:
    """Return which of a person's two addresses a channel uses."""
    return "email" if channel == Channel.EMAIL else "phone"


def stop_index(contact: Contact, channel: str) -> str:
    """Return the keyed hash under which a stop from this person's address is kept; or nothing."""
    return str(getattr(contact, f"{channel}_stop_index"))


def channels_of(contact: Contact) -> list[str]:
    """Return the channels for which the person has an address."""
    return [
        channel
        for channel in Channel.values
        if getattr(contact, f"{field_of(channel)}_sealed") is not None
    ]


def find(*, partner: Partner | None, email: str = "", phone: str = "") -> Contact | None:
    """Return whom a partner (or the house) knows under an address.

    :raises NotAContact: it is no address.
    """
    wanted = Q()
    if email:
        wanted |= Q(email_index=index(partner=partner, field="email", value=email))
    if phone:
        wanted |= Q(phone_index=index(partner=partner, field="phone", value=phone))
    return Contact.objects.filter(wanted).first() if wanted else None


def everyone_at(*, channel: str, value: str) -> list[Contact]:
    """Return all whom the house or any partner knows under an address.

    :raises NotAContact: it is no address.
    """
    field = field_of(channel)
    realms: list[Partner | None] = [None, *Partner.objects.all()]
    indexes = [index(partner=partner, field=field, value=value) for partner in realms]
    return list(Contact.objects.filter(**{f"{field}_index__in": indexes}))


def everyone_locked(*, places: Iterable[tuple[str, str]]) -> list[Contact]:
    """Return all who are known at these (channel, address), their rows held by the caller.

    What is no address is nobody's. They are held in one order everywhere and before any
    suppression, so that two who wait for one another are never in a ring.
    """
    found = set()
    for channel, value in places:
        try:
            found |= {row.pk for row in everyone_at(channel=channel, value=value)}
        except NotAContact:
            continue
    return [lock(contact_id=pk) for pk in sorted(found)]


def for_partner(partner: Partner | None) -> QuerySet[Contact]:
    """Return the contacts of one partner only, or those of the house."""
    return Contact.objects.filter(partner=partner, erased_at=None)


def lock(*, contact_id: uuid.UUID) -> Contact:
    """Return a contact whose row is held until the caller's transaction ends."""
    # Without its key: a row that only refers to the person, such as the outcome of a message that
    # is on its way, does not wait for who holds the person and in turn waits for that row.
    held = Contact.objects.select_for_update(of=("self",), no_key=True)
    held = held.select_related("key", "place")
    return held.get(pk=contact_id)


def lock_free(*, contact_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Contact]:
    """Return those of some contacts whom nobody holds, by id, held from now on as by `lock`.

    It never waits, so that who holds many is in no ring with who waits for them one by one.
    """
    rows = Contact.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
    rows = rows.select_related("key", "place").filter(pk__in=list(contact_ids))
    return {row.pk: row for row in rows.order_by("pk")}


def index(*, partner: Partner | None, field: str, value: str) -> str:
    """Return the keyed hash of an address in a partner's realm.

    :raises NotAContact: it is no address.
    """
    clean = addresses.clean_email if field == "email" else addresses.clean_phone
    return index_of(partner_id=partner.id if partner else None, field=field, value=clean(value))


def index_of(*, partner_id: uuid.UUID | None, field: str, value: str) -> str:
    """Return the keyed hash of a normalised address; each partner's is another."""
    realm = known_names.realm(field=field, partner_id=partner_id)
    return keys.blind_index(realm=realm, value=value)


def index_again(*, at: datetime, limit: int = 1000) -> int:
    """Give contacts of before their place and the hashes of stops and names; return how many.

    Until then nothing is sent to such a contact, and no script leaves for an AI.
    """
    done = 0
    for contact in _not_indexed()[:limit]:
        with transaction.atomic():
            held = lock(contact_id=contact.pk)
            if held.erased_at is None:
                _index(held, at)
                done += 1
    return done


def without_name_index(*, partner: Partner | None, limit: int) -> list[Contact]:
    """Return some of the contacts whose name is not among those that scripts are searched for."""
    people = for_partner(partner).filter(name_first_index=None).select_related("key")
    return list(people.order_by("pk")[:limit])


def in_batches(contacts: QuerySet[Contact], *, size: int) -> Iterator[list[Contact]]:
    """Yield contacts in the order of their ids, a few at a time."""
    last: uuid.UUID | None = None
    while True:
        ahead = contacts.order_by("pk")
        rows = list((ahead.filter(pk__gt=last) if last else ahead)[:size])
        if not rows:
            return
        yield rows
        last = rows[-1].pk


def _known(*, partner: Partner | None, person: Person, at: datetime) -> Contact | None:
    wanted = Q()
    for field, value in (("email", person.email), ("phone", person.phone)):
        if value:
            hashed = index_of(partner_id=partner.id if partner else None, field=field, value=value)
            wanted |= Q(**{f"{field}_index": hashed})
    rows = Contact.objects.select_for_update(of=("self",), no_key=True).select_related("key")
    rows = rows.filter(wanted)
    alive = [row for row in rows if keys.opens(key=row.key, at=at) or release(row)]
    if len(alive) > 1:
        raise NotAContact("phone", "This number and this e-mail address belong to two contacts.")
    return alive[0] if alive else None


def release(contact: Contact) -> bool:
    """Free the addresses of a contact whose key no longer opens; return False: it is not alive."""
    # What is past its time is not brought back: its address is free for a new row.
    Contact.objects.filter(pk=contact.pk).update(email_index=None, phone_index=None)
    return False


def new(
    *, partner: Partner | None, source: str, batch: ImportBatch | None, at: datetime
) -> Contact:
    """Make an unsaved row with an unsaved key of its own."""
    contact = bulk.row(
        Contact, partner=partner, source=source, batch=batch, created_at=at, updated_at=at
    )
    contact.key = keys.prepare(
        scope=DataKey.Scope.PERSON,
        owner_id=contact.id,
        at=at,
        delete_at=at + timedelta(days=CONTACT_KEPT_DAYS),
    )
    return contact


def leaf(
    contact: Contact, *, known: bool, changed: list[str], actor: Actor, at: datetime
) -> TrailLeaf:
    """Return the trail's entry of a person who was kept or brought up to date."""
    return audit.leaf(
        action="consent.contact.updated" if known else "consent.contact.registered",
        at=at,
        actor=actor,
        subject_id=contact.id,
        details={"source": contact.source, "fields": changed},
    )


def _set_address(contact: Contact, field: str, value: str, at: datetime, seal: keys.Seal) -> str:
    hashed = index_of(partner_id=contact.partner_id, field=field, value=value)
    before = getattr(contact, f"{field}_index")
    if before == hashed:
        return ""
    setattr(contact, f"{field}_index", hashed)
    if before is not None:
        # Consent belongs to the address it was given for: the gate compares this instant.
        setattr(contact, f"{field}_set_at", at)
    _set_stops(contact, field, value)
    return _seal(contact, field, value, at, seal)


def _set_name(contact: Contact, name: str) -> None:
    for column, hashed in known_names.indexes(partner_id=contact.partner_id, name=name).items():
        setattr(contact, column, hashed)


def _not_indexed() -> QuerySet[Contact]:
    missing = Q(place=None) | Q(name_first_index=None)
    return Contact.objects.filter(missing, erased_at=None).order_by("pk")


def _set_stops(contact: Contact, field: str, value: str) -> None:
    for channel in CHANNELS_OF[field]:
        hashed = keys.suppression_index(channel=channel, value=value)
        setattr(contact, f"{channel}_stop_index", hashed)


def _index(contact: Contact, at: datetime) -> None:
    contact.place = places.of(contact)
    # Who no longer opens has no name that could be found.
    _set_name(contact, "")
    # Of a value that was changed in its place as well; promise 4's check names that one.
    with suppress(keys.KeyRefused):
        for field in CHANNELS_OF:
            if value := _open(contact, field, at):
                _set_stops(contact, field, value)
        _set_name(contact, _open(contact, "name", at))
    contact.save()


def _seal(contact: Contact, field: str, value: str, at: datetime, seal: keys.Seal) -> str:
    column = f"{field}_sealed"
    if getattr(contact, column) is not None and _open(contact, field, at) == value:
        return ""
    setattr(contact, column, seal(value.encode(), _place(contact, field)))
    return field


def _open(contact: Contact, field: str, at: datetime) -> str:
    sealed = getattr(contact, f"{field}_sealed")
    if sealed is None:
        return ""
    context = _place(contact, field)
    return keys.unseal(key=contact.key, sealed=sealed, context=context, at=at).decode()


def _place(contact: Contact, field: str) -> str:
    return f"consent_contact.{field}:{contact.id}"
