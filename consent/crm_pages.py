"""How do a CRM's records become people here? A page at a time, in the transaction of its cursor.

A flag of "agreed" there is a claim and allows nothing; a flag of "no" is the person's stop. Only
what is new there is an act: a person who confirmed here after an old "no" is not stopped again.
"""

import itertools
import json
import uuid
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from django.db import transaction

from accounts import audit, keys, ring
from accounts.audit import SYSTEM
from config.lib import bulk
from consent import (
    addresses,
    contacts,
    crm_merges,
    import_rows,
    ledger,
    purposes,
    suppression,
)
from consent.addresses import NotAContact, Person
from consent.import_rows import Origin, Row
from consent.models import Channel, ConsentEvent, Contact, CrmLink, Purpose, Revocation
from integrations.crm.base import Page, Record
from integrations.crm.mapping import TOPIC
from integrations.models import Connection

CHANNELS = {
    "email": (Channel.EMAIL.value,),
    "phone": (Channel.SMS.value, Channel.WHATSAPP.value),
    "all": tuple(Channel.values),
}
# What may be wrong without the person being lost: it is left out.
OPTIONAL = {
    "language": addresses.clean_language,
    "time_zone": addresses.clean_time_zone,
    "country": addresses.clean_country,
    "region": addresses.clean_region,
}
Links = dict[str, CrmLink]


@transaction.atomic
def keep(*, connection: Connection, account_id: str, page: Page, at: datetime) -> Counter[str]:
    """Keep one page of a CRM; the same page again changes nothing. Return what came of it.

    Law: GDPR Art. 14 (data from elsewhere), 7(1), 21(3).
    """
    with ring.steady():
        keeper = _Keeper(connection, account_id, page, at)
        for lost, kept in page.merged:
            keeper.merge(lost, kept)
        for record in page.records:
            keeper.take(record)
        keeper.write()
        for identity in page.gone:
            keeper.end(identity)
    return +keeper.counts


def index_of(*, account_id: str, record_id: str) -> str:
    """Return the keyed hash by which a record of an account is found."""
    return keys.blind_index(realm=_realm(account_id), value=record_id)


def stopped_channels(stops: Iterable[str]) -> tuple[str, ...]:
    """Return the channels that a CRM's flags end."""
    ended = {channel for stop in stops for channel in CHANNELS.get(stop, ())}
    return tuple(channel for channel in CHANNELS["all"] if channel in ended)


def scopes_of(stops: Collection[str]) -> list[tuple[tuple[str, ...], tuple[str, ...] | None]]:
    """Return what a CRM's flags end: channels, and of which purposes (none: of all)."""
    channels = stopped_channels(stops)
    found: list[tuple[tuple[str, ...], tuple[str, ...] | None]] = []
    if channels:
        found.append((channels, None))
    topics = {stop.removeprefix(TOPIC) for stop in stops if stop.startswith(TOPIC)}
    if topics and Channel.EMAIL not in channels:
        # A purpose that is not known here is taken for the widest.
        known = set(Purpose.objects.filter(code__in=topics).values_list("code", flat=True))
        codes = {code if code in known else purposes.MARKETING for code in topics}
        found.append(((Channel.EMAIL.value,), tuple(sorted(codes))))
    return found


class _Keeper:
    """Works through one page and gathers what can be written in a few statements."""

    def __init__(self, connection: Connection, account_id: str, page: Page, at: datetime) -> None:
        self.counts: Counter[str] = Counter(read=len(page.records), bad=page.unreadable)
        self._connection, self._account, self._at = connection, account_id, at
        self._purpose = purposes.current(purposes.MARKETING, at)
        self._hashes = _hashes(account_id, page)
        self._links = self._known_links()
        # Read once: the library of phone numbers is a good part of what a contact costs.
        self._persons = {record.id: _try_person(record) for record in page.records}
        self._addresses = {
            identity: list(import_rows.indexes(None, person))
            for identity, person in self._persons.items()
            if person
        }
        self._people = import_rows.known_at(itertools.chain(*self._addresses.values()))
        self._held = _hold({*self._people.values(), *_people_of(self._links)})
        self._origin = Origin(
            source=connection.provider,
            act=ConsentEvent.Act.CRM,
            means=Revocation.Means.CRM_FLAG,
            evidence={"crm": connection.provider, "connection": str(connection.pk)},
        )
        self._writer = import_rows.Writer(self._origin, self._purpose, at, SYSTEM)
        self._fresh: set[str] = set()
        self._new_links: list[CrmLink] = []
        # New people who ended a purpose of e-mail: an act that needs them to be written first.
        self._topics: list[tuple[Contact, Record]] = []
        # Who has an address of somebody that this page brings as well: after those are written.
        self._later: list[Record] = []

    def merge(self, lost: str, kept: str) -> None:
        """Let the stricter of two people's choices hold for both."""
        old = self._link(lost)
        if old is None or old.gone_how:
            return
        crm_merges.merge(old=old, new=self._link(kept), into=kept, origin=self._origin, at=self._at)
        # Its addresses are free now.
        self._held |= _hold({old.contact})
        if self._link(kept) is None:
            old.record_index, old.record_id = self._index(kept), kept
            old.save(update_fields=["record_index", "record_id", "content_index"])
            self._links = {link.record_index: link for link in self._links.values()}
        self.counts["merged"] += 1

    def take(self, record: Record) -> None:
        """Keep one record, or say why not; what they opted out of counts in any case."""
        link = self._link(record.id)
        if link is not None and link.gone_how == CrmLink.Gone.ERASED:
            self.counts["erased_here"] += 1
            return
        content = _content(record)
        if link is not None and link.content_index == content and not link.gone_how:
            self.counts["same"] += 1
            return
        person = self._persons[record.id]
        if person is None:
            self._unusable(record, link)
            return
        if link is None:
            self._first_seen(record, person, content)
        else:
            self._seen_again(record, person, link, content)

    def write(self) -> None:
        """Write all that was gathered; then those who had to wait for it."""
        self._writer.write()
        bulk.insert(self._new_links)
        for contact, record in self._topics:
            # What ended whole was written with them.
            self._stop(contact, record, [one for one in record.stops if one in CHANNELS])
        self._topics = []
        later, self._later = self._later, []
        if not later:
            return
        # With the ids that the database gave them.
        self._links = self._known_links()
        self._people = import_rows.known_at(
            itertools.chain(*(self._addresses[record.id] for record in later))
        )
        self._held |= _hold(set(self._people.values()))
        self._fresh, self._new_links = set(), []
        self._writer = import_rows.Writer(self._origin, self._purpose, self._at, SYSTEM)
        for record in later:
            self.take(record)
        self.write()

    def end(self, identity: str) -> None:
        """Restrict somebody whose record was deleted there: the source no longer knows them."""
        link = self._link(identity)
        if link is None or link.gone_how:
            return
        crm_merges.end(link=link, how=CrmLink.Gone.DELETED, at=self._at)
        self.counts["deleted"] += 1

    def _first_seen(self, record: Record, person: Person, content: str) -> None:
        indexes = self._addresses[record.id]
        if self._fresh & set(indexes):
            self._later.append(record)
            return
        people = self._owners(indexes)
        alive = [pk for pk in people if keys.opens(key=self._held[pk].key, at=self._at)]
        if len(alive) > 1:
            self._unusable(record, None)
            return
        if alive:
            contact = self._held[alive[0]]
            if crm_merges.is_retired(contact=contact):
                crm_merges.unrestrict(contact=contact, at=self._at)
            self._update(contact, record, person, before=())
            self.counts["updated"] += 1
        else:
            gone = [self._held[pk] for pk in people]
            contact = self._writer.add(_row(record, person), gone=gone)
            self._fresh |= set(indexes)
            self.counts["new"] += 1
            self.counts["stopped"] += bool(stopped_channels(record.stops))
            if any(one.startswith(TOPIC) for one in record.stops):
                self._topics.append((contact, record))
        link = bulk.row(
            CrmLink,
            connection=self._connection,
            contact=contact,
            account_id=self._account,
            record_index=self._index(record.id),
            record_id=record.id,
        )
        self._mark(link, record, content)
        self._new_links.append(link)

    def _seen_again(self, record: Record, person: Person, link: CrmLink, content: str) -> None:
        contact = self._held[link.contact_id]
        indexes = self._addresses[record.id]
        if self._fresh & set(indexes):
            self._later.append(record)
            return
        others = self._owners(indexes) - {contact.pk}
        others = {pk for pk in others if keys.opens(key=self._held[pk].key, at=self._at)}
        retired = {pk for pk in others if crm_merges.is_retired(contact=self._held[pk])}
        if others - retired or not keys.opens(key=contact.key, at=self._at):
            self._unusable(record, link)
            return
        for pk in retired:
            # A merge that the CRM did not name: the record that went was among the deleted.
            crm_merges.take_over(
                lost=self._held[pk], kept=contact, into=record.id, origin=self._origin, at=self._at
            )
        if link.gone_how:
            crm_merges.bring_back(link=link, at=self._at)
            contact.restricted_at = None
        self._update(contact, record, person, before=link.stops)
        self._mark(link, record, content)
        link.save()
        self.counts["updated"] += 1

    def _update(
        self, contact: Contact, record: Record, person: Person, *, before: Collection[str]
    ) -> None:
        changed = contacts.write(contact=contact, person=person, at=self._at)
        contact.save()
        self._people |= dict.fromkeys(_indexes_of(contact), contact)
        leaf = contacts.leaf(contact, known=True, changed=changed, actor=SYSTEM, at=self._at)
        audit.record_many([leaf])
        self._stop(contact, record, before)
        if record.claims and not record.stops:
            self._claim(contact, record)

    def _stop(self, contact: Contact, record: Record, before: Collection[str]) -> None:
        scopes = scopes_of(set(record.stops) - set(before))
        for channels, codes in scopes:
            ledger.withdraw(
                contact=contact,
                act=ConsentEvent.Act.CRM,
                means=Revocation.Means.CRM_FLAG,
                channels=channels,
                purposes=codes,
                source=self._origin.source,
                at=self._at,
                actor=SYSTEM,
                evidence={**self._origin.evidence, "record": record.id},
            )
        self.counts["stopped"] += bool(scopes)

    def _claim(self, contact: Contact, record: Record) -> None:
        for channel in contacts.channels_of(contact):
            # A tick in another system names no WhatsApp, and that channel's opt-in must.
            if channel != Channel.WHATSAPP:
                ledger.record(
                    contact=contact,
                    purpose_code=self._purpose.code,
                    channel=channel,
                    kind=ConsentEvent.Kind.CLAIMED,
                    act=ConsentEvent.Act.CRM,
                    source=self._origin.source,
                    at=self._at,
                    actor=SYSTEM,
                    evidence={**self._origin.evidence, "record": record.id},
                )

    def _unusable(self, record: Record, link: CrmLink | None) -> None:
        # Whoever cannot be kept can still not be written to: their no counts by itself.
        self.counts["bad"] += 1
        if link is not None:
            self._stop(self._held[link.contact_id], record, link.stops)
            link.stops = sorted({*link.stops, *record.stops})
            link.save(update_fields=["stops"])
        for channel in stopped_channels(record.stops):
            value = record.values.get(contacts.field_of(channel), "")
            if value:
                suppression.suppress(
                    channel=channel, reason=self._origin.source, at=self._at, address=value
                )

    def _mark(self, link: CrmLink, record: Record, content: str) -> None:
        link.content_index, link.stops = content, list(record.stops)
        if record.forget and link.forget_at is None:
            link.forget_at = self._at
            self.counts["to_forget"] += 1

    def _owners(self, indexes: list[str]) -> set[uuid.UUID]:
        """Return who has these addresses at this moment, after what this page has changed."""
        people = {self._people[index].pk: index for index in indexes if index in self._people}
        return {pk for pk, index in people.items() if index in _indexes_of(self._held[pk])}

    def _known_links(self) -> Links:
        rows = CrmLink.objects.select_related("contact").filter(
            connection=self._connection, record_index__in=self._hashes.values()
        )
        return {link.record_index: link for link in rows}

    def _link(self, record_id: str) -> CrmLink | None:
        return self._links.get(self._index(record_id))

    def _index(self, record_id: str) -> str:
        return self._hashes[record_id]


def _realm(account_id: str) -> str:
    return f"crm_record:{account_id}"


def _hashes(account_id: str, page: Page) -> dict[str, str]:
    named = {record.id for record in page.records} | set(page.gone)
    named |= {identity for pair in page.merged for identity in pair}
    return keys.blind_indexes(realm=_realm(account_id), values=named)


def person_of(record: Record) -> Person:
    """Return the person of a record; what is unusable and not needed is left out.

    :raises NotAContact: a name or an address is unusable, or there is none.
    """
    told = dict(record.values)
    place = {field: _or_empty(field, told.get(field, "")) for field in OPTIONAL}
    try:
        person = _clean(told, place)
    except NotAContact as fault:
        # People write numbers as they like; who has a good e-mail address is kept without one.
        if fault.field != "phone" or not told.get("email"):
            raise
        person = _clean({**told, "phone": ""}, place)
    return replace(person, attributes=dict(_attributes(told)))


def _clean(told: Mapping[str, str], place: Mapping[str, str]) -> Person:
    return addresses.clean(
        name=told.get("name", ""),
        email=told.get("email", ""),
        phone=told.get("phone", ""),
        language=place["language"],
        time_zone=place["time_zone"],
        country=place["country"],
        region=place["region"],
    )


def _or_empty(field: str, text: str) -> str:
    try:
        return OPTIONAL[field](text)
    except NotAContact:
        return OPTIONAL[field]("")


def _attributes(told: dict[str, str]) -> Iterator[tuple[str, str]]:
    for field in addresses.ATTRIBUTES:
        try:
            yield from addresses.clean_attributes({field: told.get(field, "")}).items()
        except NotAContact:
            continue


def _try_person(record: Record) -> Person | None:
    try:
        return person_of(record)
    except NotAContact:
        return None


def _row(record: Record, person: Person) -> Row:
    channels = stopped_channels(record.stops)
    # A no to a part is no yes to the rest.
    agreed = record.claims and not record.stops
    return Row(0, person, "no" if channels else "yes" if agreed else "", channels, record.id)


def _content(record: Record) -> str:
    told = [sorted(record.values.items()), record.stops, record.claims, record.forget]
    return keys.blind_index(realm="crm_content", value=json.dumps(told, ensure_ascii=False))


def _indexes_of(contact: Contact) -> set[str]:
    return {index for index in (contact.email_index, contact.phone_index) if index}


def _people_of(links: Links) -> set[Contact]:
    return {link.contact for link in links.values()}


def _hold(people: set[Contact]) -> dict[uuid.UUID, Contact]:
    # In one order, as everybody who holds several does.
    rows = Contact.objects.select_for_update(of=("self",), no_key=True)
    rows = rows.select_related("key", "place").filter(pk__in={contact.pk for contact in people})
    return {contact.pk: contact for contact in rows.order_by("pk")}
