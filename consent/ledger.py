"""Has this person agreed? The only writer of consent events; the state is their fold."""

import hashlib
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import F, Max

from accounts import audit, keys
from accounts.audit import Actor
from accounts.models import TrailLeaf
from config.lib import bulk, canonical
from consent import contacts, messages, purposes, revocations, suppression
from consent.models import (
    Channel,
    ConsentEvent,
    ConsentState,
    Contact,
    Notice,
    OptIn,
    Proof,
    Purpose,
    RenderedForm,
    Revocation,
)
from consent.revocations import Reach
from consent.standing import AGREED, NO, is_own, standing_of, step

Kind = ConsentEvent.Kind
Permission = ConsentEvent.Permission


class NotAnAct(ValueError):
    """The event is not one that a ledger can hold."""


@dataclass(frozen=True)
class Particulars:
    """What is known of an act beside who, what and when; all of it optional."""

    permission: str = ""
    form: RenderedForm | None = None
    proof: Proof | None = None
    provider_message_id: str = ""
    seller: str = ""
    locale: str = ""
    age_years: int | None = None
    # Who agreed for a child, in words; sealed under the child's key.
    guardian: str = field(default="", repr=False)
    # When it was said, where it is written down later; the purpose is the one of that day.
    said_at: datetime | None = None


NOTHING_MORE = Particulars()
STATE_FIELDS = ("state", "event", "at", "valid_until", "permission", "age_years", "guarded")


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
    particulars: Particulars = NOTHING_MORE,
) -> ConsentEvent:
    """Append one act of consent and bring the state up to date.

    The person's own confirmation lifts the suppression of the address it was given at; nobody
    else's does.
    Law: GDPR Art. 7(1); ISO/IEC TS 27560 consent record.
    :raises NotAnAct: unknown kind, act or channel, or agreement by the passing of time.
    :raises UnknownPurpose: there is no such purpose at that instant.
    """
    _check(kind=kind, act=act, channel=channel)
    held = contacts.lock(contact_id=contact.id)
    purpose = purposes.current(purpose_code, particulars.said_at or at)
    before = _state_row(held, purpose_code, channel)
    fresh = kind in AGREED and particulars.said_at is None
    if before is not None and fresh and _is_superseded(before, purpose):
        _end_superseded(held, purpose_code, channel, at)
        before.refresh_from_db()
    event = prepare(
        contact=held,
        purpose=purpose,
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
        particulars=particulars,
    )
    event.save(force_insert=True)
    if advanced := _advanced(before, event):
        advanced.save()
    if kind == Kind.CONFIRMED and is_own(event):
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
    particulars: Particulars = NOTHING_MORE,
) -> ConsentEvent:
    """Make an event, unsaved: for an import that writes thousands of claims."""
    event = bulk.row(
        ConsentEvent,
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
        said_at=particulars.said_at,
        valid_until=valid_until,
        permission=_permission(kind, particulars),
        form=particulars.form,
        proof=particulars.proof,
        provider_message_id=particulars.provider_message_id[:80],
        seller=particulars.seller,
        locale=particulars.locale or (notice.language if notice else ""),
        age_years=particulars.age_years,
    )
    if particulars.guardian:
        event.guardian_sealed = keys.seal(
            key=contact.key,
            plaintext=particulars.guardian.encode(),
            context=guardian_place(event.id),
            at=at,
        )
    if evidence:
        plain = canonical.encode(dict(evidence))
        event.evidence_sha256 = hashlib.sha256(plain).hexdigest()
        event.evidence_sealed = keys.seal(
            key=contact.key, plaintext=plain, context=evidence_place(event.id), at=at
        )
    return event


@transaction.atomic
def record_many(*, events: Sequence[ConsentEvent]) -> None:
    """Append prepared acts of people whose rows the caller holds, in a few statements.

    At most one act a person, purpose and channel; each gets its number here.
    :raises NotAnAct: one is a confirmation, which lifts a stop and is the person's own.
    """
    if any(event.kind == Kind.CONFIRMED for event in events):
        raise NotAnAct("people confirm one by one")
    people = {event.contact_id for event in events}
    last = {
        (row["contact_id"], row["purpose_code"], row["channel"]): row["last"]
        for row in ConsentEvent.objects.filter(contact__in=people)
        .values("contact_id", "purpose_code", "channel")
        .annotate(last=Max("number"))
    }
    rows = {_place(row): row for row in ConsentState.objects.filter(contact__in=people)}
    for event in events:
        event.number = last.get(_place(event), 0) + 1
    ConsentEvent.objects.bulk_create(events, batch_size=500)
    states = [row for event in events if (row := _advanced(rows.get(_place(event)), event))]
    for row in states:
        # By its place and not by its key: known and new ones are one statement.
        row.pk = None
    ConsentState.objects.bulk_create(
        states,
        batch_size=500,
        update_conflicts=True,
        unique_fields=["contact", "purpose_code", "channel"],
        update_fields=STATE_FIELDS,
    )
    audit.record_many([leaf(event) for event in events])


@transaction.atomic
def withdraw(  # noqa: PLR0913  the facts of one act, all named by the caller
    *,
    contact: Contact,
    act: str,
    source: str,
    at: datetime,
    actor: Actor,
    channels: Collection[str] | None = None,
    purposes: Collection[str] | None = None,
    evidence: Mapping[str, object] | None = None,
    means: str = "page",
    via: str | None = None,
    received_at: datetime | None = None,
) -> list[ConsentEvent]:
    """Take consent back: by default for every channel and purpose, links and queued messages too.

    One act ends everything unless the person, or the law of every place they may be in, said less;
    a second one changes nothing more. `means` is how it was said, `via` the channel it was said on,
    `received_at` when it reached us. It counts when this commits; other systems are told later.
    Law: GDPR Art. 7(3), 21(3); 47 CFR 64.1200(a)(10), effective when it commits.
    :raises NotAnAct: unknown means, act or channel.
    """
    if means not in Revocation.Means.values:
        raise NotAnAct("unknown means")
    held = contacts.lock(contact_id=contact.id)
    reached = revocations.reach(
        contact=held, channels=channels, purpose_codes=purposes, via=via, at=at
    )
    # A stop counts from somebody whose key no longer opens, too: nothing can be sealed for them.
    kept = evidence if evidence and keys.opens(key=held.key, at=at) else None
    events = _take_back(
        contact=held,
        pairs=_open_pairs(held, set(reached.channels), reached.purposes),
        act=act,
        source=source,
        at=at,
        actor=actor,
        evidence=kept,
    )
    stopped = reached.ends_messages and _stop(held, reached, source=source, at=at, actor=actor)
    contact.stopped_at = held.stopped_at
    if events or stopped:
        revocations.keep(
            contact=held,
            reached=reached,
            means=means,
            via=via,
            received_at=min(received_at or at, at),
            at=at,
            actor=actor,
        )
    return events


def state_of(*, contact: Contact, purpose_code: str, channel: str, at: datetime) -> str | None:
    """Return a person's state for a purpose and channel at an instant; None is no act at all."""
    row = ConsentState.objects.filter(
        contact=contact, purpose_code=purpose_code, channel=channel
    ).first()
    return standing_of(row).effective(at) if row else None


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
            "permission": event.permission,
            "source": event.source,
            "notice": event.notice_id or "",
            "evidence": event.evidence_sha256,
        },
    )


def stopped_leaf(
    *, contact: Contact, channels: Collection[str], source: str, at: datetime, actor: Actor
) -> TrailLeaf:
    """Return the trail's entry of a person whose messages and links end."""
    return audit.leaf(
        action="consent.contact.stopped",
        at=at,
        actor=actor,
        subject_id=contact.id,
        details={"channels": sorted(channels), "source": source},
    )


def evidence_place(event_id: uuid.UUID) -> str:
    """Return the context under which an event's evidence is sealed."""
    return f"consent_consentevent.evidence:{event_id}"


def guardian_place(event_id: uuid.UUID) -> str:
    """Return the context under which a child's guardian is sealed."""
    return f"consent_consentevent.guardian:{event_id}"


def _state_row(contact: Contact, purpose_code: str, channel: str) -> ConsentState | None:
    rows = ConsentState.objects.filter(contact=contact, purpose_code=purpose_code, channel=channel)
    return rows.annotate(basis_then=F("event__purpose__basis")).first()


def _is_superseded(row: ConsentState, purpose: Purpose) -> bool:
    open_still = row.state not in {*NO, Kind.EXPIRED}
    return open_still and row.basis_then != purpose.basis  # type: ignore[attr-defined]


def _end_superseded(contact: Contact, purpose_code: str, channel: str, at: datetime) -> None:
    # What stands was agreed to on another basis: it ends here, or the fold would keep it in place
    # of the fresh agreement.
    record(
        contact=contact,
        purpose_code=purpose_code,
        channel=channel,
        kind=Kind.EXPIRED,
        act=ConsentEvent.Act.CLOCK,
        source="basis_changed",
        at=at,
        actor=audit.SYSTEM,
    )


def _permission(kind: str, particulars: Particulars) -> str:
    if kind == Kind.GIVEN:
        return particulars.permission or Permission.EXPRESS.value
    return particulars.permission if kind == Kind.CONFIRMED else ""


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


def _advanced(row: ConsentState | None, event: ConsentEvent) -> ConsentState | None:
    """Return the state row after one more event, unsaved; None if there is none still."""
    after = step(standing_of(row) if row else None, event)
    if after is None:
        return None
    row = row or ConsentState(
        contact_id=event.contact_id, purpose_code=event.purpose_code, channel=event.channel
    )
    row.state, row.event_id, row.at, row.valid_until = (
        after.state,
        after.event_id,
        after.at,
        after.valid_until,
    )
    row.permission, row.age_years, row.guarded = after.permission, after.age_years, after.guarded
    return row


def _place(row: ConsentEvent | ConsentState) -> tuple[uuid.UUID, str, str]:
    return row.contact_id, row.purpose_code, row.channel


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


def _take_back(
    *,
    contact: Contact,
    pairs: Sequence[tuple[str, str]],
    act: str,
    source: str,
    at: datetime,
    actor: Actor,
    evidence: Mapping[str, object] | None,
) -> list[ConsentEvent]:
    """Write that consent to each (purpose, channel) is taken back, in a few statements for all."""
    for _, channel in pairs:
        _check(kind=Kind.WITHDRAWN, act=act, channel=channel)
    asked = {code: purposes.current(code, at) for code in sorted({code for code, _ in pairs})}
    events = [
        prepare(
            contact=contact,
            purpose=asked[code],
            channel=channel,
            kind=Kind.WITHDRAWN,
            act=act,
            source=source,
            at=at,
            actor=actor,
            # Each gets its own when it is written.
            number=0,
            evidence=evidence,
        )
        for code, channel in pairs
    ]
    if events:
        record_many(events=events)
    return events


def _stop(contact: Contact, reached: Reach, *, source: str, at: datetime, actor: Actor) -> bool:
    """Stop links, questions, queued messages and addresses; say whether that was new."""
    is_first, before = contact.stopped_at is None, _stops_in_force(contact)
    contact.stopped_at = at
    contact.save(update_fields=["stopped_at"])
    # A question that was open before the stop is not answered by a late tap.
    OptIn.objects.filter(contact=contact, answered_at=None, expires_at__gt=at).update(expires_at=at)
    # Who ended some purposes only may still be written to for the others.
    for channel in reached.channels if reached.purposes is None else ():
        suppression.suppress(contact=contact, channel=channel, reason=source, at=at)
    messages.cancel_queued(
        at=at,
        actor=actor,
        reason="withdrawn",
        contact_id=contact.id,
        channels=reached.channels,
        purposes=reached.purposes,
        spared=(purposes.STOP_CONFIRMATION,),
    )
    audit.record_many(
        [
            stopped_leaf(
                contact=contact, channels=reached.channels, source=source, at=at, actor=actor
            )
        ]
    )
    return is_first or _stops_in_force(contact) != before


def _stops_in_force(contact: Contact) -> set[tuple[str, str]]:
    indexes = {contacts.stop_index(contact, channel) for channel in Channel.values} - {""}
    return suppression.reasons(indexes=indexes)
