"""What was known of a person at an instant that has passed? Built again from rows that only grow.

Consent is the fold of its events up to then, a stop counts between its two dates, a message from
when it left. What was since overwritten (a place, an address) is read as it stands today: whoever
judges again compares the hash of the facts with the one that the decision kept.
"""

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from django.db.models import QuerySet

from accounts.models import DataKey
from consent import contacts, facts, places, purposes, standing
from consent.facts import Facts, Subject
from consent.models import (
    ConsentEvent,
    Contact,
    Message,
    Purpose,
    RegisterEntry,
    StopConfirmation,
    Suppression,
)
from consent.standing import Standing

ASK_AGAIN = timedelta(days=facts.ASK_AGAIN_DAYS)
RECENT = timedelta(hours=facts.RECENT_HOURS)
Row = TypeVar("Row", ConsentEvent, Message)


@dataclass(frozen=True)
class Case:
    """Whom, for what, and when; and the message that was being handed off, if one was."""

    contact: Contact
    subject: Subject
    at: datetime
    handing_off: Message | None = None


@dataclass(frozen=True)
class _Rows:
    events: Mapping[uuid.UUID, Sequence[ConsentEvent]]
    stops: Mapping[tuple[str, str], Sequence[Suppression]]
    listed: Mapping[str, Sequence[RegisterEntry]]
    messages: Mapping[uuid.UUID, Sequence[Message]]
    # Every version of every purpose, the newest first.
    versions: Sequence[Purpose]
    # The messages that confirm a stop, and until when they may be sent.
    answers: Mapping[uuid.UUID, datetime]


def gather(cases: Sequence[Case]) -> list[Facts]:
    """Build the facts of some cases, in their order, in a fixed number of queries.

    At an instant that has not passed they are the facts that the gate reads.
    """
    rows = _rows(cases)
    return [_facts(case, rows) for case in cases]


def is_moved(contact: Contact, channel: str, at: datetime) -> bool:
    """Say whether the person's address of then, or all that named them, has since gone."""
    set_at = contact.phone_set_at
    if contacts.field_of(channel) == "email":
        set_at = contact.email_set_at
    return contact.erased_at is not None or (set_at is not None and set_at > at)


def left_before(*, contact: Contact, at: datetime, since: datetime) -> QuerySet[Message]:
    """Return what left for a person from `since` until an instant, newest first."""
    rows = Message.objects.filter(contact=contact, state__in=facts.HANDED_OFF)
    gone = rows.filter(claimed_at__gt=since, claimed_at__lte=at).defer("body_sealed")
    return gone.order_by("-claimed_at")


def _rows(cases: Sequence[Case]) -> _Rows:
    people = {case.contact.pk for case in cases}
    stops = {contacts.stop_index(case.contact, case.subject.channel) for case in cases} - {""}
    codes = {code for case in cases for code in case.subject.codes}
    channels = {case.subject.channel for case in cases}
    times = sorted(case.at for case in cases)
    events = ConsentEvent.objects.filter(
        contact__in=people, purpose_code__in=codes, channel__in=channels
    ).defer("evidence_sealed")
    sent = Message.objects.filter(contact__in=people).only(
        *("contact_id", "purpose_code", "channel", "state", "queued_at", "not_before"),
        *("claimed_at", "sent_at"),
    )
    if times:
        sent = sent.filter(queued_at__gt=times[0] - ASK_AGAIN - RECENT, queued_at__lte=times[-1])
    suppressions = Suppression.objects.filter(address_index__in=stops, channel__in=channels)
    entries = RegisterEntry.objects.filter(
        address_index__in=stops, answer=RegisterEntry.Answer.LISTED
    )
    by_address: dict[tuple[str, str], list[Suppression]] = {}
    for row in suppressions:
        by_address.setdefault((row.channel, row.address_index), []).append(row)
    by_index: dict[str, list[RegisterEntry]] = {}
    for entry in entries:
        by_index.setdefault(entry.address_index, []).append(entry)
    answers = StopConfirmation.objects.filter(
        message__in=[case.handing_off.pk for case in cases if case.handing_off]
    )
    return _Rows(
        _by_person(events.order_by("number")),
        by_address,
        by_index,
        _by_person(sent),
        list(Purpose.objects.order_by("-version")),
        dict(answers.values_list("message_id", "send_by")),
    )


def _by_person(rows: Iterable[Row]) -> dict[uuid.UUID, list[Row]]:
    found: dict[uuid.UUID, list[Row]] = {}
    for row in rows:
        found.setdefault(row.contact_id, []).append(row)
    return found


def _facts(case: Case, rows: _Rows) -> Facts:
    person, subject, at = case.contact, case.subject, case.at
    stop_index = contacts.stop_index(person, subject.channel)
    by_phone = contacts.field_of(subject.channel) == "phone"
    opens = _opened(person.key, at)
    place = places.known_of(person)
    sent = [row for row in rows.messages.get(person.pk, ()) if _counts(row, case)]
    set_at = person.phone_set_at if by_phone else person.email_set_at
    return Facts(
        contact_id=person.pk,
        purpose_code=subject.purpose.code,
        basis=subject.purpose.basis,
        channel=subject.channel,
        content=subject.content,
        places=places.countries(place),
        zones=places.zones(place),
        erased=person.erased_at is not None and person.erased_at <= at,
        restricted=person.restricted_at is not None and person.restricted_at <= at,
        readable=opens,
        has_address=opens and bool(stop_index),
        suppressed=any(
            _was_stopped(row, at) for row in rows.stops.get((subject.channel, stop_index), ())
        ),
        standings=tuple(sorted(_standings(case, rows))),
        address_set_at=set_at,
        registers=tuple(
            sorted(row.register for row in rows.listed.get(stop_index, ()) if row.checked_at <= at)
        ),
        asked_recently=any(
            row.purpose_code == purposes.PERMISSION_REQUEST and row.channel == subject.channel
            for row in sent
        ),
        recent=tuple(
            sorted(_when(row, at) for row in sent if row.purpose_code == subject.purpose.code)
        ),
        answers_stop=_answers_stop(case, rows),
    )


def _answers_stop(case: Case, rows: _Rows) -> bool:
    if case.handing_off is None or case.subject.purpose.code != purposes.STOP_CONFIRMATION:
        return False
    send_by = rows.answers.get(case.handing_off.pk)
    return send_by is not None and send_by >= case.at


def _standings(case: Case, rows: _Rows) -> Iterator[tuple[str, Standing]]:
    subject, folds = case.subject, dict[str, Standing | None]()
    bases = {row.pk: row.basis for row in rows.versions}
    basis_then: dict[uuid.UUID, str] = {}
    for event in rows.events.get(case.contact.pk, ()):
        asked = event.channel == subject.channel and event.purpose_code in subject.codes
        if asked and event.at <= case.at:
            folds[event.purpose_code] = standing.step(folds.get(event.purpose_code), event)
            basis_then[event.pk] = bases[event.purpose_id]
    for code, fold in folds.items():
        if fold is not None:
            now = _basis(code, case.at, rows.versions)
            then = basis_then[fold.event_id]
            yield code, standing.carried(fold, basis_then=then, basis_now=now)


def _basis(code: str, at: datetime, versions: Sequence[Purpose]) -> str | None:
    in_force = (row.basis for row in versions if row.code == code and row.valid_from <= at)
    return next(in_force, None)


def _opened(key: DataKey, at: datetime) -> bool:
    destroyed = key.destroyed_at is not None and key.destroyed_at <= at
    return not destroyed and (key.delete_at is None or key.delete_at > at)


def _was_stopped(row: Suppression, at: datetime) -> bool:
    return row.created_at <= at and (row.lifted_at is None or row.lifted_at > at)


def _counts(row: Message, case: Case) -> bool:
    """Say whether a message counted then: against a cap, or as a question that was asked."""
    queued_too, at = case.handing_off is None, case.at
    if row.queued_at > at or (case.handing_off and row.pk == case.handing_off.pk):
        return False
    gone = row.state in facts.HANDED_OFF and _went_before(row, case)
    waiting = row.state in facts.HANDED_OFF or row.state == Message.State.QUEUED
    if not gone and not (queued_too and waiting):
        return False
    asked = row.purpose_code == purposes.PERMISSION_REQUEST and row.queued_at > at - ASK_AGAIN
    left = row.claimed_at is not None and at - RECENT < row.claimed_at <= at
    return asked or left or row.queued_at > at - RECENT


def _went_before(row: Message, case: Case) -> bool:
    if row.claimed_at is None or row.claimed_at > case.at:
        return False
    own = case.handing_off
    if own is None or row.claimed_at < case.at:
        return True
    # One round of sending has one instant: what was due before this one left before it.
    return (row.not_before, row.pk) < (own.not_before, own.pk)


def _when(row: Message, at: datetime) -> datetime:
    if row.sent_at is not None and row.sent_at <= at:
        return row.sent_at
    if row.claimed_at is not None and row.claimed_at <= at:
        return row.claimed_at
    return row.not_before
