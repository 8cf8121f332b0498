"""How does a row of a list become a person? Prepared in chunks, written in a few statements."""

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from accounts import audit
from accounts.audit import Actor
from accounts.models import Partner, TrailLeaf
from config.lib import bulk
from consent import batches, contacts, ledger, revocations, suppression
from consent.addresses import Person
from consent.models import (
    Channel,
    ConsentEvent,
    ConsentState,
    Contact,
    ImportBatch,
    Place,
    Purpose,
    Revocation,
)
from consent.revocations import Written


@dataclass(frozen=True)
class Row:
    """One row that may be imported; a "no" names its channels, or the law says how far it goes."""

    number: int
    person: Person
    claim: str
    channels: tuple[str, ...] = ()
    # What it is called where it comes from, if a number does not say it.
    reference: str = ""


@dataclass(frozen=True)
class Origin:
    """Where rows come from, as the contacts and the acts of consent will name it."""

    source: str
    act: str
    means: str
    evidence: Mapping[str, object]
    partner: Partner | None = None
    batch: ImportBatch | None = None


def list_of(batch: ImportBatch) -> Origin:
    """Return an uploaded list as the origin of its rows."""
    return Origin(
        source=batch.source,
        act=ConsentEvent.Act.IMPORT,
        means=Revocation.Means.IMPORT,
        evidence={"import": str(batch.pk), "file": batch.file_sha256},
        partner=batch.partner,
        batch=batch,
    )


def known(partner_id: uuid.UUID | None, rows: list[Row]) -> dict[str, Contact]:
    """Return whom rows would meet, by the indexes of their addresses."""
    return known_at(index for row in rows for index in indexes(partner_id, row.person))


def known_at(wanted: Iterable[str]) -> dict[str, Contact]:
    """Return who has the addresses of these indexes, by index."""
    wanted = set(wanted)
    found = Contact.objects.select_related("key").filter(
        Q(email_index__in=wanted) | Q(phone_index__in=wanted)
    )
    return {
        index: contact
        for contact in found
        for index in (contact.email_index, contact.phone_index)
        if index
    }


def indexes(partner_id: uuid.UUID | None, person: Person) -> Iterator[str]:
    """Yield the indexes of a person's addresses in a partner's realm."""
    for column in ("email", "phone"):
        if value := getattr(person, column):
            yield contacts.index_of(partner_id=partner_id, field=column, value=value)


class Writer:
    """Gathers what a chunk writes, so that thousands of rows are a few statements."""

    def __init__(self, origin: Origin, purpose: Purpose, at: datetime, actor: Actor) -> None:
        self._origin, self._purpose, self._at, self._actor = origin, purpose, at, actor
        self._people: list[Contact] = []
        self._places: dict[str, Place] = {}
        self._events: list[ConsentEvent] = []
        self._leaves: list[TrailLeaf] = []
        self._stops: list[Written] = []
        self._stopped: dict[tuple[str, str], uuid.UUID] = {}

    def update(self, row: Row) -> None:
        """Bring one known person up to date, by the way of all others."""
        person = row.person
        contact = contacts.register(
            partner=self._origin.partner,
            name=person.name,
            email=person.email,
            phone=person.phone,
            language=person.language,
            time_zone=person.time_zone,
            country=person.country,
            region=person.region,
            attributes=person.attributes,
            source=self._origin.source,
            at=self._at,
            actor=self._actor,
            batch=self._origin.batch,
        )
        if row.claim == "no":
            self._stop(contact, row)
        for channel in self._claimed(contact, row.claim):
            ledger.record(
                contact=contact,
                purpose_code=self._purpose.code,
                channel=channel,
                kind=ConsentEvent.Kind.CLAIMED,
                act=self._origin.act,
                source=self._origin.source,
                at=self._at,
                actor=self._actor,
                evidence=self._evidence(row),
            )

    def add(self, row: Row, *, gone: list[Contact]) -> Contact:
        """Prepare a new person; whoever had the address and is past their time lets it go."""
        for old in gone:
            contacts.release(old)
        contact = contacts.new(
            partner=self._origin.partner,
            source=self._origin.source,
            batch=self._origin.batch,
            at=self._at,
        )
        changed = contacts.write(contact=contact, person=row.person, at=self._at, seen=self._places)
        self._people.append(contact)
        self._leaves.append(
            contacts.leaf(contact, known=False, changed=changed, actor=self._actor, at=self._at)
        )
        if row.claim == "no":
            self._prepare_stop(contact, row)
        for channel in self._claimed(contact, row.claim):
            self._prepare(contact, row, channel, ConsentEvent.Kind.CLAIMED)
        return contact

    def _prepare(self, contact: Contact, row: Row, channel: str, kind: str) -> None:
        event = ledger.prepare(
            contact=contact,
            purpose=self._purpose,
            channel=channel,
            kind=kind,
            act=self._origin.act,
            source=self._origin.source,
            at=self._at,
            actor=self._actor,
            number=1,
            evidence=self._evidence(row),
        )
        self._events.append(event)
        self._leaves.append(ledger.leaf(event))

    def write(self) -> None:
        """Write everything that was prepared."""
        bulk.insert([contact.key for contact in self._people])
        bulk.insert(self._people)
        bulk.insert(self._events)
        bulk.insert(
            [
                bulk.row(
                    ConsentState,
                    contact_id=event.contact_id,
                    purpose_code=event.purpose_code,
                    channel=event.channel,
                    state=event.kind,
                    event=event,
                    at=event.at,
                )
                for event in self._events
            ]
        )
        audit.record_many(self._leaves)
        if self._stops:
            revocations.write(self._stops, writers=revocations.writers())
            suppression.suppress_many(people=self._stopped, reason=self._origin.source, at=self._at)

    def _stop(self, contact: Contact, row: Row) -> None:
        # A no that another system was told is the person's stop, whoever brings it to us.
        ledger.withdraw(
            contact=contact,
            act=self._origin.act,
            channels=row.channels or None,
            means=self._origin.means,
            source=self._origin.source,
            at=self._at,
            actor=self._actor,
            evidence=self._evidence(row),
        )

    def _prepare_stop(self, contact: Contact, row: Row) -> None:
        # As `ledger.withdraw` does it, for somebody of whom there is nothing yet to end.
        reached = revocations.reach(
            contact=contact,
            channels=row.channels or None,
            purpose_codes=None,
            via=None,
            at=self._at,
        )
        contact.stopped_at = self._at
        for channel in reached.channels:
            self._prepare(contact, row, channel, ConsentEvent.Kind.WITHDRAWN)
            index = contacts.stop_index(contact, channel)
            if index and reached.purposes is None:
                self._stopped[channel, index] = contact.id
        self._leaves.append(
            ledger.stopped_leaf(
                contact=contact,
                channels=reached.channels,
                source=self._origin.source,
                at=self._at,
                actor=self._actor,
            )
        )
        self._stops.append(
            revocations.prepare(
                contact=contact,
                reached=reached,
                means=self._origin.means,
                via=None,
                received_at=self._at,
                at=self._at,
                actor=self._actor,
            )
        )

    def _claimed(self, contact: Contact, claim: str) -> list[str]:
        if claim != "yes":
            return []
        # A tick in another system names no WhatsApp, and that channel's opt-in must.
        return [name for name in contacts.channels_of(contact) if name != Channel.WHATSAPP]

    def _evidence(self, row: Row) -> dict[str, object]:
        named = {"record": row.reference} if row.reference else {"row": row.number}
        return {**self._origin.evidence, **named}


def packed(rows: Iterable[Row]) -> bytes:
    """Pack rows, a line each."""
    return batches.packed(
        json.dumps([row.number, vars(row.person), row.claim]).encode() for row in rows
    )


def opened_row(line: bytes) -> Row:
    """Read one line."""
    number, person, claim = json.loads(line)
    return Row(number, Person(**person), claim)
