"""How does a row of a list become a person? Prepared in chunks, written in a few statements."""

import json
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from accounts import audit
from accounts.audit import Actor
from accounts.models import DataKey, TrailLeaf
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
    """One row that may be imported."""

    number: int
    person: Person
    claim: str


def known(partner_id: uuid.UUID | None, rows: list[Row]) -> dict[str, Contact]:
    """Return whom rows would meet, by the indexes of their addresses."""
    wanted = {index for row in rows for index in indexes(partner_id, row.person)}
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

    def __init__(self, batch: ImportBatch, purpose: Purpose, at: datetime, actor: Actor) -> None:
        self._batch, self._purpose, self._at, self._actor = batch, purpose, at, actor
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
            partner=self._batch.partner,
            name=person.name,
            email=person.email,
            phone=person.phone,
            language=person.language,
            time_zone=person.time_zone,
            country=person.country,
            region=person.region,
            attributes=person.attributes,
            source=self._batch.source,
            at=self._at,
            actor=self._actor,
            batch=self._batch,
        )
        if row.claim == "no":
            self._stop(contact, row)
        for channel in self._claimed(contact, row.claim):
            ledger.record(
                contact=contact,
                purpose_code=self._purpose.code,
                channel=channel,
                kind=ConsentEvent.Kind.CLAIMED,
                act=ConsentEvent.Act.IMPORT,
                source=self._batch.source,
                at=self._at,
                actor=self._actor,
                evidence=self._evidence(row),
            )

    def add(self, row: Row, *, gone: list[Contact]) -> None:
        """Prepare a new person; whoever had the address and is past their time lets it go."""
        for old in gone:
            contacts.release(old)
        contact = contacts.new(
            partner=self._batch.partner, source=self._batch.source, batch=self._batch, at=self._at
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

    def _prepare(self, contact: Contact, row: Row, channel: str, kind: str) -> None:
        event = ledger.prepare(
            contact=contact,
            purpose=self._purpose,
            channel=channel,
            kind=kind,
            act=ConsentEvent.Act.IMPORT,
            source=self._batch.source,
            at=self._at,
            actor=self._actor,
            number=1,
            evidence=self._evidence(row),
        )
        self._events.append(event)
        self._leaves.append(ledger.leaf(event))

    def write(self) -> None:
        """Write everything that was prepared."""
        DataKey.objects.bulk_create([contact.key for contact in self._people], batch_size=500)
        Contact.objects.bulk_create(self._people, batch_size=500)
        ConsentEvent.objects.bulk_create(self._events, batch_size=500)
        ConsentState.objects.bulk_create(
            [
                ConsentState(
                    contact_id=event.contact_id,
                    purpose_code=event.purpose_code,
                    channel=event.channel,
                    state=event.kind,
                    event=event,
                    at=event.at,
                )
                for event in self._events
            ],
            batch_size=500,
        )
        audit.record_many(self._leaves)
        if self._stops:
            revocations.write(self._stops, writers=revocations.writers())
            suppression.suppress_many(people=self._stopped, reason=self._batch.source, at=self._at)

    def _stop(self, contact: Contact, row: Row) -> None:
        # A no that another system was told is the person's stop, whoever brings it to us.
        ledger.withdraw(
            contact=contact,
            act=ConsentEvent.Act.IMPORT,
            means=Revocation.Means.IMPORT,
            source=self._batch.source,
            at=self._at,
            actor=self._actor,
            evidence=self._evidence(row),
        )

    def _prepare_stop(self, contact: Contact, row: Row) -> None:
        # As `ledger.withdraw` does it, for somebody of whom there is nothing yet to end.
        reached = revocations.reach(
            contact=contact, channels=None, purpose_codes=None, via=None, at=self._at
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
                source=self._batch.source,
                at=self._at,
                actor=self._actor,
            )
        )
        self._stops.append(
            revocations.prepare(
                contact=contact,
                reached=reached,
                means=Revocation.Means.IMPORT,
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
        return {"import": str(self._batch.pk), "file": self._batch.file_sha256, "row": row.number}


def packed(rows: Iterable[Row]) -> bytes:
    """Pack rows, a line each."""
    return batches.packed(
        json.dumps([row.number, vars(row.person), row.claim]).encode() for row in rows
    )


def opened_row(line: bytes) -> Row:
    """Read one line."""
    number, person, claim = json.loads(line)
    return Row(number, Person(**person), claim)
