"""Whom does a benchmark write to? People of nobody, made in bulk; Django is set up before."""

from datetime import datetime
from typing import Any

from accounts.models import DataKey
from consent import addresses, contacts, purposes
from consent.models import ConsentEvent, ConsentState, Contact
from integrations import connections


def phone(number: int) -> str:
    """Return the number of the person of that place."""
    return f"+336{number:08d}"


def people(count: int, *, at: datetime) -> list[Contact]:
    """Make people with keys of their own, addresses sealed under them, and a yes of each."""
    purposes.ensure_defaults(at=at)
    connections.ensure_local(at=at)
    purpose = purposes.current(purposes.MARKETING, at)
    seen: dict[str, Any] = {}
    made = []
    for number in range(count):
        contact = contacts.new(partner=None, source="bench", batch=None, at=at)
        person = addresses.clean(
            name="Bench Person",
            email="",
            phone=phone(number),
            language="fr",
            time_zone="Europe/Paris",
            country="FR",
            region="",
            attributes={},
        )
        contacts.write(contact=contact, person=person, at=at, seen=seen)
        made.append(contact)
    DataKey.objects.bulk_create([contact.key for contact in made], batch_size=500)
    Contact.objects.bulk_create(made, batch_size=500)
    said = [
        ConsentEvent(
            number=1,
            contact=contact,
            purpose=purpose,
            purpose_code=purpose.code,
            channel="sms",
            kind="confirmed",
            act="button",
            permission="express",
            source="bench",
            at=at,
        )
        for contact in made
    ]
    ConsentEvent.objects.bulk_create(said, batch_size=500)
    states = [
        ConsentState(
            contact=event.contact,
            purpose_code=purpose.code,
            channel="sms",
            state="confirmed",
            event=event,
            at=at,
            permission="express",
        )
        for event in said
    ]
    ConsentState.objects.bulk_create(states, batch_size=500)
    return made
