"""Who do the tests write to? People of nobody, at numbers kept free for fiction."""

import itertools
import uuid
from dataclasses import replace
from datetime import UTC, datetime

from accounts import keys
from accounts.audit import SYSTEM, Actor
from consent import contacts, gate, ledger, purposes
from consent.models import ConsentEvent, Contact, Decision, Message
from integrations import connections

# A Wednesday, 15:00 in Paris and 10:00 in New York.
NOON = datetime(2026, 10, 7, 14, 0, tzinfo=UTC)
_numbers = itertools.count(100)


def person(at: datetime = NOON, **fields: object) -> Contact:
    """Register somebody; each call another person."""
    number = next(_numbers)
    chosen: dict[str, object] = {
        "partner": None,
        "name": "Ana Müller",
        "email": f"ana{number}@example.org",
        "phone": f"+3361234{number:04d}",
        "language": "fr",
        "time_zone": "Europe/Paris",
        "country": "FR",
        "attributes": {"company": "Acme"},
        "source": "test",
        "actor": SYSTEM,
        **fields,
    }
    purposes.ensure_defaults(at=at)
    return contacts.register(at=at, **chosen)  # type: ignore[arg-type]


def agreed(contact: Contact, channel: str, at: datetime = NOON) -> Contact:
    """Let somebody give consent by a form and confirm it."""
    act(contact, channel, "given", at)
    act(contact, channel, "confirmed", at)
    return contact


def act(
    contact: Contact,
    channel: str,
    kind: str,
    at: datetime = NOON,
    *,
    particulars: ledger.Particulars = ledger.NOTHING_MORE,
) -> ConsentEvent:
    """Append one act on marketing, as a person does it (or, a claim, as a list does)."""
    purposes.ensure_defaults(at=at)
    claimed = kind == ConsentEvent.Kind.CLAIMED
    return ledger.record(
        contact=contact,
        purpose_code=purposes.MARKETING,
        channel=channel,
        kind=kind,
        act=ConsentEvent.Act.IMPORT if claimed else ConsentEvent.Act.CHECKBOX,
        source="test",
        at=at,
        actor=Actor("recipient", contact.public_id),
        particulars=particulars,
    )


def rests_on(event: ConsentEvent) -> bytes:
    """Open what an act rests on; it must still open."""
    return keys.unseal(
        key=event.contact.key,
        sealed=bytes(event.evidence_sealed or b""),
        context=ledger.evidence_place(event.id),
        at=event.at,
    )


def sent(contact: Contact, channel: str, at: datetime) -> Message:
    """Let a marketing message have left at an instant, whatever the gate would say."""
    sandbox, _ = connections.ensure_local(at=at)
    verdict = gate.judge(contact=contact, purpose_code="marketing", channel=channel, at=at)
    decisions = [
        gate.prepare(
            verdict=replace(verdict, verdict="allow", defer_until=None),
            contact=contact,
            purpose_code="marketing",
            channel=channel,
            context_type="consent.test",
            context_id=None,
            message_id=None,
            phase=phase,
            at=at,
        )
        for phase in Decision.Phase.values
    ]
    Decision.objects.bulk_create(decisions)
    return Message.objects.create(
        contact=contact,
        connection=sandbox,
        decision=decisions[0],
        hand_off_decision=decisions[1],
        purpose_code="marketing",
        channel=channel,
        context_type="consent.test",
        idempotency_key=uuid.uuid4().hex,
        state="sent",
        not_before=at,
        queued_at=at,
        claimed_at=at,
        sent_at=at,
    )
