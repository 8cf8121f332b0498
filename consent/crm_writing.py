"""What is a CRM told of a person? Their stop, their erasure, what was sent, what was watched.

Each is a target of its own with the CRM's answer as receipt, told outside of any transaction until
it is known. A stop and an erasure told twice are the same, so what nobody knows is told again; a
note is not, and waits for a human.
"""

import uuid
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Case, Exists, F, OuterRef, QuerySet, When

from accounts import audit
from accounts.models import User
from config.lib import clock, logs
from consent import contacts, crm_pages
from consent.models import Channel, Contact, CrmLink, Message, Writeback
from consent.outbox import Told
from integrations import crm
from integrations.crm import CrmError
from integrations.crm.base import TOPICS_ENDED, Crm, Receipt
from integrations.crm.mapping import TOPIC
from integrations.models import Connection, CrmSync, OAuthGrant

log = logs.get(__name__)
State, Kind = Writeback.State, Writeback.Kind
Now = Callable[[], datetime]
# Of which purposes; none: of all.
Codes = tuple[str, ...] | None
# A worker that died in a call has lost its turn by then.
TURN = timedelta(minutes=10)
BACKOFF = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 360))
ATTEMPTS_MAX = 20
# GDPR Art. 12(3) and 19: within a month.
ERASED_WITHIN = timedelta(days=30)
NOTED_WITHIN = timedelta(days=2)
SENT, WATCHED = "message", "watched"
SUBJECTS = {SENT: "Video message sent", WATCHED: "Video watched"}
MAY_BE_TRIED_AGAIN = (State.FAILED, State.UNKNOWN)


@dataclass(frozen=True)
class Stop:
    """What a person ended, and when."""

    email: str = field(repr=False)
    channels: tuple[str, ...]
    purposes: Codes
    at: datetime


def tell_stop(
    *,
    connection: Connection,
    contact: Contact,
    channels: tuple[str, ...],
    at: datetime,
    stopped_at: datetime,
    purposes: Codes = None,
) -> Told:
    """Write a stop into every record that a CRM has of a person; twice is the same.

    Of certain purposes alone where the CRM knows them, else of the whole channel.

    A record that says so already, such as the one the stop was read from, needs no telling.
    """
    try:
        reader = _reader(connection, clock.now)
    except crm.NoSuchCrm:
        return Told("failed", "no_adapter")
    links = CrmLink.objects.filter(connection=connection, contact=contact, gone_how="")
    known = [link for link in links if not _says_so(link, channels, purposes)]
    email = _email(contact, at) if known else ""
    told = [_tell_stop(link, Stop(email, channels, purposes, stopped_at), reader) for link in known]
    order = ("failed", "later", "told", "not_needed")
    return min(told, key=lambda one: order.index(one.outcome), default=Told("not_needed"))


def plan_erasure(*, contact: Contact, at: datetime) -> int:
    """Write down each record of a person that a CRM is to erase; in the erasure's transaction.

    Only for somebody whose erasure was asked for: that our own time with them is over is no
    reason to delete what is not ours.
    Law: GDPR Art. 17(1), 19.
    """
    links = list(CrmLink.objects.filter(contact=contact).exclude(record_id=""))
    rows = [
        Writeback(
            kind=Kind.ERASE,
            connection_id=link.connection_id,
            link=link,
            contact=contact,
            event="erasure",
            event_id=contact.pk,
            happened_at=at,
            due_at=at + ERASED_WITHIN,
            next_at=at,
        )
        for link in links
    ]
    Writeback.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def end_links(*, contact: Contact, at: datetime) -> int:
    """Leave of a person's records their keyed hashes, so that no reading brings them back.

    The id of a record that its CRM is still to erase goes once it has answered.
    """
    waiting = Writeback.objects.filter(contact=contact, kind=Kind.ERASE, state=State.WAITING)
    links = CrmLink.objects.filter(contact=contact)
    links.exclude(pk__in=waiting.values("link")).update(record_id="")
    return links.exclude(gone_how=CrmLink.Gone.ERASED).update(
        gone_how=CrmLink.Gone.ERASED, gone_at=at, content_index="", stops=[], forget_at=None
    )


def plan_notes(*, at: datetime, limit: int = 200) -> int:
    """Write down which messages are to be noted in the CRMs that are allowed to be told."""
    told = Writeback.objects.filter(kind=Kind.NOTE, event=SENT, event_id=OuterRef("pk"))
    allowed = CrmSync.objects.filter(writes_notes=True).values("connection")
    sent = Message.objects.filter(sent_at__gt=at - NOTED_WITHIN).exclude(Exists(told))
    linked = CrmLink.objects.filter(gone_how="", connection__in=allowed)
    rows = sent.filter(contact__in=linked.values("contact")).order_by("sent_at")[:limit]
    people = {row.contact_id for row in rows}
    of = {link.contact_id: link for link in linked.filter(contact__in=people).order_by("-pk")}
    notes = [
        _note_of(SENT, row.pk, of[row.contact_id], row.sent_at or at)
        for row in rows
        if row.contact_id in of
    ]
    # Two jobs at once: one note of one message.
    Writeback.objects.bulk_create(notes, ignore_conflicts=True)
    return len(notes)


def plan_watched(*, contact_id: uuid.UUID, link_id: uuid.UUID, at: datetime) -> int:
    """Write down that a person first watched by a link, for the CRMs that are allowed to be told.

    Called in the transaction that counts the play, so that no view is told that was not one.
    """
    allowed = CrmSync.objects.filter(writes_notes=True).values("connection")
    links = CrmLink.objects.filter(contact=contact_id, gone_how="", connection__in=allowed)
    newest = {link.connection_id: link for link in links.order_by("pk")}
    notes = [_note_of(WATCHED, link_id, link, at) for link in newest.values()]
    Writeback.objects.bulk_create(notes, ignore_conflicts=True)
    return len(notes)


def pass_on(*, at: datetime, limit: int = 50, now: Now = clock.now) -> Counter[str]:
    """Tell the CRMs what waits; called again, it goes on. Return how many came to which end."""
    done: Counter[str] = Counter()
    waiting = Writeback.objects.filter(
        state=State.WAITING, next_at__lte=at, connection__state=Connection.State.ACTIVE
    )
    rows = waiting.select_related("link", "connection").order_by("next_at", "pk")
    for row in list(rows[:limit]):
        taken = Writeback.objects.filter(pk=row.pk, state=State.WAITING, next_at=row.next_at)
        if taken.update(next_at=at + TURN, attempts=F("attempts") + 1):
            done[_tell(row, at, now)] += 1
    return done


@transaction.atomic
def try_again(*, writeback_id: uuid.UUID, at: datetime, staff: User) -> bool:
    """Let a CRM be told once more, on an officer's word; False when it has ended otherwise.

    A note whose outcome is unknown may stand there twice then: only a person may wish that.
    """
    held = Writeback.objects.select_for_update(of=("self",)).filter(pk=writeback_id).first()
    if held is None or held.state not in MAY_BE_TRIED_AGAIN:
        return False
    before, held.state = held.state, State.WAITING
    held.attempts, held.problem, held.next_at, held.done_at = 0, "", at, None
    held.save()
    audit.record(
        action="consent.writeback.asked_again",
        at=at,
        actor=audit.staff(staff),
        subject_id=held.contact_id,
        object_type="consent.writeback",
        object_id=str(held.pk),
        details={"kind": held.kind, "connection": str(held.connection_id), "was": before},
    )
    return True


def listed() -> QuerySet[Writeback]:
    """Return what CRMs are told, what needs a person first, then what waits, then the newest."""
    first = Case(
        When(state__in=MAY_BE_TRIED_AGAIN, then=0), When(state=State.WAITING, then=1), default=2
    )
    return Writeback.objects.select_related("connection", "contact").order_by(
        first, "-happened_at", "pk"
    )


def erasures_of(*, contact_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, list[Writeback]]:
    """Return what each CRM answered to the erasure of these people, by person."""
    found: dict[uuid.UUID, list[Writeback]] = {}
    rows = Writeback.objects.filter(kind=Kind.ERASE, contact__in=contact_ids)
    for row in rows.select_related("connection").order_by("happened_at", "pk"):
        found.setdefault(row.contact_id, []).append(row)
    return found


def asked_to_be_forgotten(*, limit: int = 100) -> list[Contact]:
    """Return people who asked in a CRM to be forgotten and are still here, for retention."""
    links = CrmLink.objects.filter(forget_at__isnull=False, contact__erased_at=None)
    return [link.contact for link in links.select_related("contact").order_by("forget_at")[:limit]]


def _says_so(link: CrmLink, channels: tuple[str, ...], purposes: Codes) -> bool:
    left = set(channels) - set(crm_pages.stopped_channels(link.stops))
    of_topics = purposes and _topics(purposes) <= set(link.stops) and left <= {Channel.EMAIL}
    return bool(of_topics) or not left


def _topics(purposes: Collection[str]) -> set[str]:
    return {f"{TOPIC}{code}" for code in purposes}


def _email(contact: Contact, at: datetime) -> str:
    try:
        return contacts.address(contact=contact, channel=Channel.EMAIL, at=at)
    except contacts.NoAddress:
        return ""


def _tell_stop(link: CrmLink, stop: Stop, reader: Crm) -> Told:
    if link.account_id != _account(link.connection_id):
        return Told("not_needed", "another_account")
    try:
        receipt = reader.stop(
            record_id=link.record_id,
            email=stop.email,
            channels=stop.channels,
            purposes=stop.purposes,
            at=stop.at,
        )
    except CrmError as refused:
        waits = refused.outcome != "permanent" or refused.code == "not_connected"
        return Told("later" if waits else "failed", _code(refused))
    # What we told is read back with the next page, and is no new act of the person then.
    flags = {"email"} & set(stop.channels)
    if stop.purposes and receipt.code == TOPICS_ENDED:
        flags = _topics(stop.purposes)
    flags |= {"phone"} if set(stop.channels) - {"email"} else set()
    CrmLink.objects.filter(pk=link.pk).update(stops=sorted({*link.stops, *flags}))
    return Told("not_needed" if receipt.code == "nothing_to_tell" else "told", receipt.code)


def _tell(row: Writeback, at: datetime, now: Now) -> str:
    if row.link.account_id != _account(row.connection_id):
        return _record(row, at, State.FAILED, problem="another_account")
    try:
        receipt = _told(row, _reader(row.connection, now))
    except crm.NoSuchCrm:
        return _record(row, at, State.FAILED, problem="no_adapter")
    except CrmError as refused:
        return _record(row, at, _after(row, refused), problem=_code(refused))
    return _record(row, at, State.TOLD, receipt=receipt)


def _told(row: Writeback, reader: Crm) -> Receipt:
    if row.kind == Kind.ERASE:
        return reader.forget(record_id=row.link.record_id)
    subject = f"{SUBJECTS[row.event]} ({row.event_id})"
    return reader.note(record_id=row.link.record_id, subject=subject, at=row.happened_at)


def _after(row: Writeback, refused: CrmError) -> Writeback.State:
    if refused.outcome == "unknown" and row.kind == Kind.NOTE:
        return State.UNKNOWN
    gives_up = refused.outcome == "permanent" and refused.code != "not_connected"
    return State.FAILED if gives_up or row.attempts + 1 >= ATTEMPTS_MAX else State.WAITING


@transaction.atomic
def _record(
    row: Writeback,
    at: datetime,
    state: Writeback.State,
    *,
    problem: str = "",
    receipt: Receipt | None = None,
) -> str:
    held = Writeback.objects.select_for_update(of=("self",)).get(pk=row.pk)
    if held.state != State.WAITING:
        # Another worker, after this one's turn, was told first.
        return held.state
    held.problem, held.state = problem, state
    if receipt is not None:
        held.receipt = vars(receipt)
    if state == State.WAITING:
        held.next_at = at + BACKOFF[min(held.attempts, len(BACKOFF)) - 1]
    else:
        held.done_at = at
        _note(held, at)
    held.save()
    if state == State.TOLD and row.kind == Kind.ERASE:
        # Its hash stays: if the CRM brings the record back, it is not read.
        CrmLink.objects.filter(pk=row.link_id).update(record_id="")
    log.info("consent.writeback.tried", writeback_id=str(row.pk), outcome=state)
    return "later" if state == State.WAITING else state


def _note_of(event: str, event_id: uuid.UUID, link: CrmLink, happened_at: datetime) -> Writeback:
    return Writeback(
        kind=Kind.NOTE,
        connection_id=link.connection_id,
        link=link,
        contact_id=link.contact_id,
        event=event,
        event_id=event_id,
        happened_at=happened_at,
        due_at=happened_at + NOTED_WITHIN,
        next_at=happened_at,
    )


def _reader(connection: Connection, now: Now) -> Crm:
    sync = CrmSync.objects.filter(pk=connection.pk).first()
    return crm.reader_for(connection=connection, fields=sync.fields if sync else {}, now=now)


def _account(connection_id: uuid.UUID) -> str:
    grant = OAuthGrant.objects.filter(pk=connection_id).first()
    return grant.account_id if grant else ""


def _code(refused: CrmError) -> str:
    return f"{refused.code}:{refused.told}"[:80] if refused.told else refused.code


def _note(held: Writeback, at: datetime) -> None:
    receipt = held.receipt or {}
    audit.record(
        action=f"consent.writeback.{held.state}",
        at=at,
        actor=audit.SYSTEM,
        subject_id=held.contact_id,
        object_type="consent.writeback",
        object_id=str(held.pk),
        details={
            "kind": held.kind,
            "connection": str(held.connection_id),
            "attempts": held.attempts,
            "late": at > held.due_at,
            "problem": held.problem,
            "receipt": str(receipt.get("code", "")),
            "status": int(receipt.get("status", 0)),
            "reference": str(receipt.get("reference", "")),
        },
    )
