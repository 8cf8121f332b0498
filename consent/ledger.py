"""Has this person agreed? The only writer of consent events; the state is their fold."""

import hashlib
import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Max

from accounts import audit, keys
from accounts.audit import Actor
from accounts.models import TrailLeaf
from config.lib import canonical
from consent import contacts, messages, purposes, suppression
from consent.models import Channel, ConsentEvent, ConsentState, Contact, Notice, OptIn, Purpose

Kind = ConsentEvent.Kind
# What a person does with their own hand; a claim, an import or staff cannot undo a refusal.
OWN_ACTS = {
    ConsentEvent.Act.CHECKBOX,
    ConsentEvent.Act.KEYWORD,
    ConsentEvent.Act.BUTTON,
    ConsentEvent.Act.VOICE,
    ConsentEvent.Act.PAPER,
}
NO = {Kind.WITHDRAWN, Kind.REFUSED}
RECEIPT_VERSION = "1"
FOLD_BATCH = 500


class NotAnAct(ValueError):
    """The event is not one that a ledger can hold."""


@dataclass(frozen=True)
class Standing:
    """Where a fold stands: the state, and the event that brought it there."""

    state: str
    event_id: uuid.UUID
    at: datetime
    valid_until: datetime | None

    def effective(self, at: datetime) -> str:
        """Return the state at an instant: a consent past its date is expired."""
        agreed = self.state in {Kind.GIVEN, Kind.CONFIRMED, Kind.CLAIMED}
        past = self.valid_until is not None and self.valid_until <= at
        return Kind.EXPIRED.value if agreed and past else self.state


@transaction.atomic
def record(  # noqa: PLR0913  the facts of one row, all named by the caller
    *,
    contact: Contact,
    purpose_code: str,
    channel: str,
    kind: str,
    act: str,
    source: str,
    at: datetime,
    actor: Actor,
    notice: Notice | None = None,
    evidence: Mapping[str, object] | None = None,
    valid_until: datetime | None = None,
) -> ConsentEvent:
    """Append one act of consent and bring the state up to date.

    A confirmation lifts the suppression of the address it was given at.
    Law: GDPR Art. 7(1); ISO/IEC TS 27560 consent record.
    :raises NotAnAct: unknown kind, act or channel, or agreement by the passing of time.
    :raises UnknownPurpose: there is no such purpose at that instant.
    """
    _check(kind=kind, act=act, channel=channel)
    held = contacts.lock(contact_id=contact.id)
    event = prepare(
        contact=held,
        purpose=purposes.current(purpose_code, at),
        channel=channel,
        kind=kind,
        act=act,
        source=source,
        at=at,
        actor=actor,
        number=_next_number(held, purpose_code, channel),
        notice=notice,
        evidence=evidence,
        valid_until=valid_until,
    )
    event.save(force_insert=True)
    _advance(event)
    if kind == Kind.CONFIRMED:
        suppression.lift(contact=held, channel=channel, at=at)
    audit.record_many([leaf(event)])
    return event


def prepare(  # noqa: PLR0913  the facts of one row, all named by the caller
    *,
    contact: Contact,
    purpose: Purpose,
    channel: str,
    kind: str,
    act: str,
    source: str,
    at: datetime,
    actor: Actor,
    number: int,
    notice: Notice | None = None,
    evidence: Mapping[str, object] | None = None,
    valid_until: datetime | None = None,
) -> ConsentEvent:
    """Make an event, unsaved: for an import that writes thousands of claims."""
    event = ConsentEvent(
        id=uuid.uuid4(),
        number=number,
        contact=contact,
        purpose=purpose,
        purpose_code=purpose.code,
        channel=channel,
        kind=kind,
        act=act,
        notice=notice,
        source=source,
        actor_kind=actor.kind,
        actor_id=actor.id,
        at=at,
        valid_until=valid_until,
    )
    if evidence:
        plain = canonical.encode(dict(evidence))
        event.evidence_sha256 = hashlib.sha256(plain).hexdigest()
        event.evidence_sealed = keys.seal(
            key=contact.key, plaintext=plain, context=evidence_place(event.id), at=at
        )
    return event


@transaction.atomic
def withdraw(
    *,
    contact: Contact,
    act: str,
    source: str,
    at: datetime,
    actor: Actor,
    channels: Collection[str] | None = None,
    purposes: Collection[str] | None = None,
    evidence: Mapping[str, object] | None = None,
) -> list[ConsentEvent]:
    """Take consent back: by default for every channel and purpose, links and queued messages too.

    One act ends everything unless the person said less; a second one changes nothing more.
    Law: GDPR Art. 7(3), 21(3); 47 CFR 64.1200(a)(10), effective when it commits.
    """
    held = contacts.lock(contact_id=contact.id)
    chosen = set(channels or Channel.values)
    events = [
        record(
            contact=held,
            purpose_code=purpose_code,
            channel=channel,
            kind=Kind.WITHDRAWN,
            act=act,
            source=source,
            at=at,
            actor=actor,
            evidence=evidence,
        )
        for purpose_code, channel in _open_pairs(held, chosen, purposes)
    ]
    if ends_messages(purposes):
        _stop(held, chosen, purposes, source=source, at=at, actor=actor)
        contact.stopped_at = held.stopped_at
    return events


def ends_messages(withdrawn: Collection[str] | None) -> bool:
    """Say whether withdrawing these purposes (None: all) stops messages and links."""
    return withdrawn is None or purposes.MARKETING in withdrawn


def state_of(*, contact: Contact, purpose_code: str, channel: str, at: datetime) -> str | None:
    """Return a person's state for a purpose and channel at an instant; None is no act at all."""
    row = ConsentState.objects.filter(
        contact=contact, purpose_code=purpose_code, channel=channel
    ).first()
    return standing_of(row).effective(at) if row else None


def standing_of(row: ConsentState) -> Standing:
    """Return the standing that a state row holds."""
    return Standing(row.state, row.event_id, row.at, row.valid_until)


def fold(events: Iterable[ConsentEvent]) -> Standing | None:
    """Return where events of one person, purpose and channel lead; pure. Unknown is no."""
    standing: Standing | None = None
    for event in sorted(events, key=lambda event: event.number):
        standing = step(standing, event)
    return standing


def step(before: Standing | None, event: ConsentEvent) -> Standing | None:
    """Return where one more event leads; pure.

    Law: a refusal stands until the person's own act (GDPR Art. 7(3), 21(3)).
    """
    after = Standing(event.kind, event.id, event.at, event.valid_until)
    state = before.state if before else None
    if event.kind == Kind.CLAIMED and state not in {None, Kind.CLAIMED}:
        return before
    if event.kind == Kind.GIVEN and state in NO and event.act not in OWN_ACTS:
        return before
    if event.kind == Kind.GIVEN and state == Kind.CONFIRMED:
        return before
    if event.kind == Kind.EXPIRED and (state is None or state in NO):
        return before
    return after


def disagreements(*, limit: int = 20) -> list[str]:
    """Return the state rows that are not the fold of their events, as `contact purpose channel`.

    A state without an event is one too, and so is a fold without its state.
    """
    faults: list[str] = []
    for people in contacts.in_batches(Contact.objects.only("pk"), size=FOLD_BATCH):
        faults += _disagreements({person.pk for person in people})
        if len(faults) >= limit:
            break
    return faults[:limit]


def evidence_of(*, event: ConsentEvent, at: datetime) -> bytes:
    """Open what an event rests on; empty if it rests on nothing.

    :raises KeyRefused: the person's key is expired or destroyed.
    """
    if event.evidence_sealed is None:
        return b""
    return keys.unseal(
        key=event.contact.key,
        sealed=bytes(event.evidence_sealed),
        context=evidence_place(event.id),
        at=at,
    )


def receipt(*, contact: Contact, at: datetime) -> dict[str, object]:
    """Return a person's consent record, signed, for the person to keep; it names nobody.

    Law: ISO/IEC TS 27560, consent receipt; GDPR Art. 7(1).
    """
    events = ConsentEvent.objects.filter(contact=contact).select_related("purpose", "notice")
    body: dict[str, object] = {
        "kind": "sealcast.consent_receipt",
        "schema_version": RECEIPT_VERSION,
        "person": contact.public_id,
        "issued_at": canonical.instant(at),
        "states": [
            {
                "purpose": row.purpose_code,
                "channel": row.channel,
                "state": standing_of(row).effective(at),
                "since": canonical.instant(row.at),
            }
            for row in ConsentState.objects.filter(contact=contact).order_by("id")
        ],
        "events": [content(event) for event in events.order_by("at", "number", "id")],
        "notices": {
            event.notice.sha256: {"language": event.notice.language, "text": event.notice.text}
            for event in events
            if event.notice
        },
    }
    return {**body, "signed": audit.sign(body)}


def content(event: ConsentEvent) -> dict[str, object]:
    """Return an event as a receipt and a proof carry it."""
    until = event.valid_until
    return {
        "id": str(event.id),
        "number": event.number,
        "at": canonical.instant(event.at),
        "purpose": {
            "code": event.purpose_code,
            "version": event.purpose.version,
            "basis": event.purpose.basis,
        },
        "channel": event.channel,
        "kind": event.kind,
        "act": event.act,
        "source": event.source,
        "by": {"kind": event.actor_kind, "id": event.actor_id},
        "notice_sha256": event.notice_id,
        "evidence_sha256": event.evidence_sha256,
        "valid_until": canonical.instant(until) if until else None,
    }


def leaf(event: ConsentEvent) -> TrailLeaf:
    """Return the trail's entry of an event."""
    return audit.leaf(
        action=f"consent.event.{event.kind}",
        at=event.at,
        actor=Actor(event.actor_kind, event.actor_id),  # type: ignore[arg-type]
        subject_id=event.contact_id,
        object_type="consent.event",
        object_id=str(event.id),
        details={
            "purpose": event.purpose_code,
            "channel": event.channel,
            "act": event.act,
            "source": event.source,
            "notice": event.notice_id or "",
            "evidence": event.evidence_sha256,
        },
    )


def evidence_place(event_id: uuid.UUID) -> str:
    """Return the context under which an event's evidence is sealed."""
    return f"consent_consentevent.evidence:{event_id}"


def _check(*, kind: str, act: str, channel: str) -> None:
    if kind not in Kind.values or act not in ConsentEvent.Act.values:
        raise NotAnAct("unknown kind or act")
    if channel not in Channel.values:
        raise NotAnAct("unknown channel")
    if act == ConsentEvent.Act.CLOCK and kind != Kind.EXPIRED:
        raise NotAnAct("time can only end a consent")
    if act == ConsentEvent.Act.IMPORT and kind in {Kind.GIVEN, Kind.CONFIRMED}:
        raise NotAnAct("an import can only claim")


def _next_number(contact: Contact, purpose_code: str, channel: str) -> int:
    last = ConsentEvent.objects.filter(
        contact=contact, purpose_code=purpose_code, channel=channel
    ).aggregate(last=Max("number"))["last"]
    return (last or 0) + 1


def _advance(event: ConsentEvent) -> None:
    row = ConsentState.objects.filter(
        contact_id=event.contact_id, purpose_code=event.purpose_code, channel=event.channel
    ).first()
    after = step(standing_of(row) if row else None, event)
    if after is None:
        return
    row = row or ConsentState(
        contact_id=event.contact_id, purpose_code=event.purpose_code, channel=event.channel
    )
    row.state, row.event_id, row.at, row.valid_until = (
        after.state,
        after.event_id,
        after.at,
        after.valid_until,
    )
    row.save()


def _open_pairs(
    contact: Contact, channels: set[str], codes: Collection[str] | None
) -> list[tuple[str, str]]:
    rows = ConsentState.objects.filter(contact=contact, channel__in=channels)
    states = {(row.purpose_code, row.channel): row.state for row in rows}
    wanted = set(codes) if codes is not None else {code for code, _ in states}
    if codes is None:
        # An objection counts even where nobody was ever asked.
        wanted.add(purposes.MARKETING)
    pairs = [(code, channel) for code in sorted(wanted) for channel in sorted(channels)]
    asked = [pair for pair in pairs if pair in states or pair[0] == purposes.MARKETING or codes]
    return [pair for pair in asked if states.get(pair) != Kind.WITHDRAWN]


def _stop(
    contact: Contact,
    channels: set[str],
    codes: Collection[str] | None,
    *,
    source: str,
    at: datetime,
    actor: Actor,
) -> None:
    contact.stopped_at = at
    contact.save(update_fields=["stopped_at"])
    # A question that was open before the stop is not answered by a late tap.
    OptIn.objects.filter(contact=contact, answered_at=None, expires_at__gt=at).update(expires_at=at)
    for channel in sorted(channels):
        suppression.suppress(contact=contact, channel=channel, reason=source, at=at)
    messages.cancel_queued(
        at=at,
        actor=actor,
        reason="withdrawn",
        contact_id=contact.id,
        channels=channels,
        purposes=codes,
    )
    audit.record(
        action="consent.contact.stopped",
        at=at,
        actor=actor,
        subject_id=contact.id,
        details={"channels": sorted(channels), "source": source},
    )


def _disagreements(people: set[uuid.UUID]) -> list[str]:
    folds: dict[tuple[uuid.UUID, str, str], Standing | None] = {}
    for event in ConsentEvent.objects.filter(contact__in=people).order_by("number"):
        place = (event.contact_id, event.purpose_code, event.channel)
        folds[place] = step(folds.get(place), event)
    rows = {
        (row.contact_id, row.purpose_code, row.channel): standing_of(row)
        for row in ConsentState.objects.filter(contact__in=people)
    }
    places = sorted({*folds, *rows}, key=str)
    return [" ".join(map(str, place)) for place in places if folds.get(place) != rows.get(place)]
