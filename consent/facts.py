"""What does the gate know of a person at this instant? Read from the rows, for one or for many."""

import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from django.db.models import F, OuterRef, Q, QuerySet, Subquery

from accounts.models import DataKey
from config.lib import canonical
from consent import contacts, places, purposes, revocations, standing, suppression
from consent.models import ConsentState, Contact, Message, Purpose, RegisterEntry, Revocation
from consent.standing import Standing

ASK_AGAIN_DAYS = 30
RECENT_HOURS = 48
HANDED_OFF = (
    Message.State.HANDING_OFF,
    Message.State.SENT,
    Message.State.DELIVERED,
    Message.State.UNKNOWN,
)
# Beside the message's own purpose: what may be asked of it, and what its content may need.
SIDE_PURPOSES = (purposes.MARKETING, purposes.SPECIAL_DATA, purposes.PHI_CONTENT)


@dataclass(frozen=True)
class Subject:
    """What a message is for, on which channel, and what it speaks of."""

    purpose: Purpose
    channel: str
    content: tuple[str, ...] = ()

    @property
    def codes(self) -> set[str]:
        """Return the purposes whose consent may count."""
        return {self.purpose.code, *SIDE_PURPOSES}


@dataclass(frozen=True)
class Facts:
    """Everything a verdict rests on; no address and no name."""

    contact_id: uuid.UUID
    purpose_code: str
    basis: str
    channel: str
    places: tuple[str, ...]
    zones: tuple[str, ...]
    content: tuple[str, ...] = ()
    erased: bool = False
    restricted: bool = False
    readable: bool = True
    has_address: bool = True
    suppressed: bool = False
    # Where the person stands on the message's own purpose, and on those it may also need.
    standings: tuple[tuple[str, Standing], ...] = field(default=())
    address_set_at: datetime | None = None
    registers: tuple[str, ...] = ()
    asked_recently: bool = False
    recent: tuple[datetime, ...] = ()
    # The message is the one text that confirms a stop: it alone passes the stop itself.
    answers_stop: bool = False

    def standing(self, purpose_code: str = "") -> Standing | None:
        """Return where the person stands on a purpose; on the message's own by default."""
        return dict(self.standings).get(purpose_code or self.purpose_code)

    def plain(self) -> dict[str, object]:
        """Return the facts as they are hashed."""
        return {
            "contact": str(self.contact_id),
            "purpose": [self.purpose_code, self.basis],
            "channel": self.channel,
            "content": list(self.content),
            "places": list(self.places),
            "zones": list(self.zones),
            "erased": self.erased,
            "restricted": self.restricted,
            "readable": self.readable,
            "has_address": self.has_address,
            "suppressed": self.suppressed,
            "standings": {code: _plain(stand) for code, stand in self.standings},
            "address_set_at": _instant(self.address_set_at),
            "registers": list(self.registers),
            "asked_recently": self.asked_recently,
            "recent": [_instant(at) for at in self.recent],
            # Named only where it is so: the hash of every other decision stays what it was.
            **({"answers_stop": True} if self.answers_stop else {}),
        }


def gather(
    *,
    people: Sequence[Contact],
    subject: Subject,
    at: datetime,
    handing_off: Sequence[Message] | None = None,
    answering: Revocation | None = None,
) -> list[Facts]:
    """Read the facts of some contacts, in their order, in a fixed number of queries.

    At hand-off, of one message a person, only what has left already counts, and these messages
    do not. `answering` is the stop that a message not yet written is to confirm.
    """
    channel = subject.channel
    stops = [index for person in people if (index := contacts.stop_index(person, channel))]
    stopped = suppression.in_force(channel=channel, indexes=stops) if stops else set()
    listed = _registers(stops)
    states = _states(people, subject, at)
    sent = _sent(people, at, handing_off)
    known = [
        _facts(
            person,
            subject,
            at,
            stopped=stopped,
            listed=listed,
            states=states.get(person.id, ()),
            sent=sent.get(person.id, []),
        )
        for person in people
    ]
    if subject.purpose.code != purposes.STOP_CONFIRMATION:
        return known
    return [
        replace(one, answers_stop=_answers_stop(one, at, handing_off, answering)) for one in known
    ]


def readable(key: DataKey, at: datetime) -> bool:
    """Say whether a person's key would open, by its dates alone: no key is unwrapped for it."""
    dead = key.destroyed_at is not None or key.wrapped is None
    return not dead and (key.delete_at is None or key.delete_at > at)


def _facts(
    person: Contact,
    subject: Subject,
    at: datetime,
    *,
    stopped: set[str],
    listed: dict[str, set[str]],
    states: Iterable[tuple[str, Standing]],
    sent: list[Message],
) -> Facts:
    stop_index = contacts.stop_index(person, subject.channel)
    by_phone = contacts.field_of(subject.channel) == "phone"
    opens = readable(person.key, at)
    place = places.known_of(person)
    return Facts(
        contact_id=person.id,
        purpose_code=subject.purpose.code,
        basis=subject.purpose.basis,
        channel=subject.channel,
        content=subject.content,
        places=places.countries(place),
        zones=places.zones(place),
        erased=person.erased_at is not None,
        restricted=person.restricted_at is not None,
        readable=opens,
        has_address=opens and bool(stop_index),
        suppressed=stop_index in stopped,
        standings=tuple(sorted(states)),
        address_set_at=person.phone_set_at if by_phone else person.email_set_at,
        registers=tuple(sorted(listed.get(stop_index, ()))),
        asked_recently=any(
            row.purpose_code == purposes.PERMISSION_REQUEST and row.channel == subject.channel
            for row in sent
        ),
        recent=tuple(sorted(when(row) for row in sent if row.purpose_code == subject.purpose.code)),
    )


def _answers_stop(
    known: Facts,
    at: datetime,
    handing_off: Sequence[Message] | None,
    answering: Revocation | None,
) -> bool:
    if handing_off is not None:
        theirs = [row for row in handing_off if row.contact_id == known.contact_id]
        return any(revocations.answers(message=row, at=at) for row in theirs)
    if answering is None or answering.contact_id != known.contact_id:
        return False
    return revocations.answerable(revocation=answering, channel=known.channel, at=at)


def _states(
    people: Iterable[Contact], subject: Subject, at: datetime
) -> dict[uuid.UUID, list[tuple[str, Standing]]]:
    in_force = Purpose.objects.filter(code=OuterRef("purpose_code"), valid_from__lte=at)
    rows = ConsentState.objects.filter(
        contact__in=[person.id for person in people],
        purpose_code__in=subject.codes,
        channel=subject.channel,
    ).annotate(
        basis_then=F("event__purpose__basis"),
        basis_now=Subquery(in_force.order_by("-version").values("basis")[:1]),
    )
    found: dict[uuid.UUID, list[tuple[str, Standing]]] = {}
    for row in rows:
        stand = standing.carried(
            standing.standing_of(row), basis_then=row.basis_then, basis_now=row.basis_now
        )
        found.setdefault(row.contact_id, []).append((row.purpose_code, stand))
    return found


def _registers(stops: Collection[str]) -> dict[str, set[str]]:
    rows = RegisterEntry.objects.filter(
        address_index__in=stops, answer=RegisterEntry.Answer.LISTED
    ).values_list("address_index", "register")
    found: dict[str, set[str]] = {}
    for index, register in rows:
        found.setdefault(index, set()).add(register)
    return found


def _sent(
    people: Iterable[Contact], at: datetime, handing_off: Sequence[Message] | None
) -> dict[uuid.UUID, list[Message]]:
    rows = (
        recent_messages(at, queued_too=handing_off is None)
        .filter(contact__in=[person.id for person in people])
        .exclude(pk__in=[row.pk for row in handing_off or ()])
        .only("contact_id", "purpose_code", "channel", "not_before", "claimed_at", "sent_at")
    )
    sent: dict[uuid.UUID, list[Message]] = {}
    for row in rows:
        sent.setdefault(row.contact_id, []).append(row)
    return sent


def recent_messages(at: datetime, *, queued_too: bool) -> QuerySet[Message]:
    """Return everyone's messages that may count against a cap or a question at an instant."""
    counted = [*HANDED_OFF, Message.State.QUEUED] if queued_too else list(HANDED_OFF)
    since = at - timedelta(hours=RECENT_HOURS)
    return Message.objects.filter(state__in=counted).filter(
        Q(queued_at__gt=since)
        | Q(claimed_at__gt=since)
        | Q(
            purpose_code=purposes.PERMISSION_REQUEST,
            queued_at__gt=at - timedelta(days=ASK_AGAIN_DAYS),
        )
    )


def when(row: Message) -> datetime:
    """Return the instant at which a message counts: when it left, or when it will."""
    return row.sent_at or row.claimed_at or row.not_before


def _plain(stand: Standing) -> list[object]:
    return [
        stand.state,
        str(stand.event_id),
        _instant(stand.at),
        _instant(stand.valid_until),
        stand.permission,
        stand.age_years,
        stand.guarded,
    ]


def _instant(at: datetime | None) -> str | None:
    return canonical.instant(at) if at else None
