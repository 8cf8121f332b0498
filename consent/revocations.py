"""How far does a stop reach, by when must others know it, and may it be answered?"""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from accounts import audit
from accounts.audit import Actor
from accounts.models import TrailLeaf
from config.lib import bulk
from consent import places, purposes, rulebook
from consent.models import Channel, Contact, Message, Propagation, Revocation, StopConfirmation
from consent.rulebook import Rule
from integrations.crm import mapping
from integrations.models import Connection, CrmSync

Means = Revocation.Means
# What a revocation cites where no pack speaks of it, and where the person named its reach.
HOUSE_RULE, AS_SAID = "house.stop_reach", "house.stop_as_said"
BY_WORDS = {Means.KEYWORD, Means.FREE_TEXT}
TEXTED = {Channel.SMS, Channel.WHATSAPP}
# Of the five minutes that the law gives, the last is left to the round of the sender and the wire.
ANSWER_WITHIN = timedelta(minutes=4)
UNITED_STATES = {"US", "PR", "GU", "VI", "AS", "MP"}
BUSINESS_DAYS, DAYS = 10, 2
FRIDAY = 4
# Who could write to a person by themselves, and so must be told.
WRITERS = (Connection.Kind.CRM, Connection.Kind.MESSAGING)


@dataclass(frozen=True)
class Reach:
    """How far one stop goes; no purposes named is every purpose."""

    channels: tuple[str, ...]
    purposes: tuple[str, ...] | None
    rule: str

    @property
    def ends_messages(self) -> bool:
        """Say whether messages and links end with it."""
        return self.purposes is None or purposes.MARKETING in self.purposes


@dataclass(frozen=True)
class Written:
    """A stop as it will be written, with its entry in the trail."""

    row: Revocation
    leaf: TrailLeaf
    ends_messages: bool


def reach(
    *,
    contact: Contact,
    channels: Collection[str] | None,
    purpose_codes: Collection[str] | None,
    via: str | None,
    at: datetime,
) -> Reach:
    """Say how far a stop goes: as far as was said; else as the widest law of all places has it.

    Where no law speaks, or a pack cannot be read, it ends everything.
    Law: 47 CFR 64.1200(a)(10), (12): silence on the scope is everything.
    """
    every = tuple(Channel.values)
    if channels or purpose_codes is not None:
        codes = None if purpose_codes is None else tuple(sorted(purpose_codes))
        return Reach(tuple(sorted(channels or every)), codes, AS_SAID)
    rule = _widest(contact, via, at)
    if rule is None or rule.scope == "all":
        return Reach(every, None, rule.id if rule else HOUSE_RULE)
    if rule.scope == "purpose":
        return Reach(every, _answered(contact, via), rule.id)
    return Reach((via,) if via else every, None, rule.id)


def keep(
    *,
    contact: Contact,
    reached: Reach,
    means: str,
    via: str | None,
    received_at: datetime,
    at: datetime,
    actor: Actor,
) -> Revocation:
    """Write a stop down, and whom else to tell of it by when, in the caller's transaction.

    Law: 47 CFR 64.1200(a)(10), (d)(3): ten business days; 16 CFR 310.5(a)(8): the record.
    """
    written = prepare(
        contact=contact,
        reached=reached,
        means=means,
        via=via,
        received_at=received_at,
        at=at,
        actor=actor,
    )
    write([written], writers=writers())
    return written.row


def prepare(
    *,
    contact: Contact,
    reached: Reach,
    means: str,
    via: str | None,
    received_at: datetime,
    at: datetime,
    actor: Actor,
) -> Written:
    """Make the row of a stop and its entry in the trail, unsaved: for a list of thousands."""
    row = bulk.row(
        Revocation,
        contact=contact,
        means=Means(means),
        scope_rule=reached.rule,
        channels=list(reached.channels),
        purposes=None if reached.purposes is None else list(reached.purposes),
        received_at=received_at,
        effective_at=at,
    )
    leaf = audit.leaf(
        action="consent.revocation.recorded",
        at=at,
        actor=actor,
        subject_id=contact.id,
        object_type="consent.revocation",
        object_id=str(row.pk),
        details={
            "means": row.means,
            "channel": via or "",
            "channels": row.channels,
            "purposes": row.purposes or "all",
            "rule": row.scope_rule,
            "received_at": received_at.isoformat(),
        },
    )
    return Written(row, leaf, reached.ends_messages)


def write(stops: Collection[Written], *, writers: Collection[Connection]) -> None:
    """Write prepared stops, and for each of these systems that it is to be told."""
    bulk.insert([stop.row for stop in stops])
    topics = {} if all(stop.ends_messages for stop in stops) else _topics()
    Propagation.objects.bulk_create(
        [
            _planned(stop.row, connection)
            for stop in stops
            for connection in writers
            if stop.ends_messages or topics.get(connection.pk, set()) & set(stop.row.purposes or ())
        ],
        batch_size=500,
    )
    audit.record_many([stop.leaf for stop in stops])


def _topics() -> dict[uuid.UUID, set[str]]:
    """Return which purposes each CRM knows by themselves: it is told of the end of one of them."""
    rows = CrmSync.objects.values_list("pk", "fields")
    return {pk: set(mapping.subscriptions(fields=fields).values()) for pk, fields in rows}


def writers() -> list[Connection]:
    """Return who could write to a person by themselves, and so must be told of their stop."""
    return list(Connection.objects.filter(kind__in=WRITERS))


def due_at(*, contact: Contact, by_mail: bool, received_at: datetime) -> datetime:
    """Return by when another system must know: ten business days in the US, else two days.

    Holidays count as business days, which is the stricter reading; e-mail has two days anywhere.
    Law: 47 CFR 64.1200(a)(10), (d)(3); RFC 8058 as Gmail and Yahoo ask it.
    """
    lands = {code[:2] for code in places.countries(places.known_of(contact))}
    if by_mail or not lands or not lands <= UNITED_STATES:
        return received_at + timedelta(days=DAYS)
    day = received_at
    for _ in range(BUSINESS_DAYS):
        day += timedelta(days=1)
        while day.weekday() > FRIDAY:
            day += timedelta(days=1)
    return day


def answerable(*, revocation: Revocation, channel: str, at: datetime) -> bool:
    """Say whether a stop may still be confirmed to the person, on a channel, with one text.

    Only one said in words on a channel of texts, once, in time, and if nothing left there since.
    Law: 47 CFR 64.1200(a)(12), one text, within five minutes.
    """
    return (
        revocation.means in BY_WORDS
        and channel in TEXTED
        and revocation.received_at <= at <= revocation.received_at + ANSWER_WITHIN
        and not StopConfirmation.objects.filter(revocation=revocation).exists()
        and not _left_since(revocation.contact_id, channel, revocation.received_at, but=None)
    )


def answers(*, message: Message, at: datetime) -> bool:
    """Say whether a message is the one confirmation of a stop, in time, and still the last word.

    Law: 47 CFR 64.1200(a)(12): later than five minutes it is never sent.
    """
    row = StopConfirmation.objects.filter(
        message=message, send_by__gte=at, revocation__contact=message.contact_id
    ).first()
    return row is not None and not _left_since(
        message.contact_id, message.channel, row.revoked_at, but=message.pk
    )


def answers_waiting(*, at: datetime) -> list[tuple[uuid.UUID, uuid.UUID]]:
    """Return the confirmations that wait, each with its person: they go before all the rest."""
    rows = StopConfirmation.objects.filter(
        revocation__effective_at__gt=at - 2 * ANSWER_WITHIN,
        message__state=Message.State.QUEUED,
        message__not_before__lte=at,
    )
    return list(rows.order_by("send_by").values_list("message_id", "message__contact_id"))


def _widest(contact: Contact, via: str | None, at: datetime) -> Rule | None:
    lands = places.countries(places.known_of(contact))
    try:
        told = rulebook.told("revocation", countries=lands, at=at)
    except rulebook.BadRule:
        # A pack that cannot be read narrows no stop.
        return None
    rules = [rule for rule in told if not via or not rule.channels or via in rule.channels]
    scopes = {rule.scope for rule in rules}
    scope = scopes.pop() if len(scopes) == 1 else "all"
    speaking = [rule for rule in rules if rule.scope == scope]
    return max(speaking, key=lambda rule: (rule.valid_from, rule.id), default=None)


def _answered(contact: Contact, via: str | None) -> tuple[str, ...]:
    # The kind of message that was answered; marketing ends with every stop.
    written = Message.objects.filter(contact=contact, claimed_at__isnull=False)
    newest = (written.filter(channel=via) if via else written).order_by("-claimed_at").first()
    return tuple(sorted({purposes.MARKETING, newest.purpose_code if newest else ""} - {""}))


def _planned(row: Revocation, connection: Connection) -> Propagation:
    mail = Channel.EMAIL in row.channels and _sends_mail(connection)
    due = due_at(contact=row.contact, by_mail=mail, received_at=row.received_at)
    return Propagation(revocation=row, connection=connection, due_at=due, next_at=row.effective_at)


def _sends_mail(connection: Connection) -> bool:
    return connection.kind == Connection.Kind.CRM or Channel.EMAIL in connection.scopes


def _left_since(
    contact_id: uuid.UUID, channel: str, since: datetime, *, but: uuid.UUID | None
) -> bool:
    left = Message.objects.filter(contact=contact_id, channel=channel, claimed_at__gt=since)
    return (left.exclude(pk=but) if but else left).exists()
