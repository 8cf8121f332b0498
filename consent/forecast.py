"""What would the gate say of a whole audience now? One statement, and the gate's own `decide`.

The database reduces each person to a case: a number that holds all that a verdict can turn on
(place, state and kind of consent, stop, key, ...). Millions of people are some hundred cases, and
each case is decided once, by the same function that judges one message. Who cannot be reduced (a
cap on messages may be reached, or the place was never noted) is judged one by one.
"""

import uuid
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from itertools import islice
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import QuerySet

from consent import contacts, facts, gate, places, purposes, rulebook
from consent.facts import Facts, Subject
from consent.gate import Verdict
from consent.models import ConsentEvent, Contact, Place, RegisterEntry
from consent.rulebook import Rule, Rulebook
from consent.standing import SUPERSEDED, Standing

NOBODY = uuid.UUID(int=0)
# Not a case: this person is judged alone.
ALONE = -1
ROWS_AT_ONCE = 5000
PLAN = "SET LOCAL jit = off; SET LOCAL work_mem = '64MB'; SET LOCAL parallel_tuple_cost = 0.01"
ALONE_AT_ONCE = 1000
STATES = ("", "claimed", "given", "confirmed", "refused", "withdrawn", "expired", SUPERSEDED)
PERMISSIONS = ("", *ConsentEvent.Permission.values)
AGE_MAX = 30
# More registers are asked in the world than a case has room for; who stands in a further one is
# judged alone.
REGISTER_BITS = 4
# The fields of a case, from the lowest bit: name and width.
FIELDS = (
    *[(name, 1) for name in ("erased", "restricted", "readable", "address", "suppressed")],
    *[("moved", 1), ("guarded", 1), ("state", 3), ("permission", 4), ("age", 5), ("stale", 4)],
    *[("registers", REGISTER_BITS), ("special_state", 3), ("special_permission", 4)],
    *[("phi_state", 3), ("phi_permission", 4), ("sent", 3), ("place", 18)],
)
SHIFTS = {name: sum(width for _, width in FIELDS[:n]) for n, (name, _) in enumerate(FIELDS)}
PLACES_MAX = 1 << dict(FIELDS)["place"]
SIDES = {"special": purposes.SPECIAL_DATA, "phi": purposes.PHI_CONTENT}


@dataclass(frozen=True)
class Case:
    """How many people of an audience have one verdict."""

    verdict: Verdict
    people: int


@dataclass(frozen=True)
class Question:
    """What is asked of an audience, and what of the rules the statement must know."""

    subject: Subject
    at: datetime
    book: Rulebook

    @cached_property
    def rules(self) -> list[Rule]:
        """Return the rules of any place that speak of such a message on this day."""
        subject, on = self.subject, self.at.date()
        everywhere = frozenset(place for rule in self.book.rules for place in rule.where)
        return [
            rule
            for rule in self.book.rules
            if rule.holds(places=everywhere, on=on)
            and rule.touches(
                purpose=subject.purpose.code,
                channel=subject.channel,
                content=frozenset(subject.content),
            )
        ]

    @cached_property
    def months(self) -> list[int]:
        """Return after how many months some place calls some consent expired, ascending."""
        return sorted({rule.months for rule in self.rules if rule.kind == "expiry"})

    @cached_property
    def registers(self) -> list[str]:
        """Return the registers that some place asks and that anybody was looked up in."""
        asked = sorted({rule.register for rule in self.rules if rule.kind == "register"})
        return [n for n in asked if RegisterEntry.objects.filter(register=n).exists()]

    @cached_property
    def window(self) -> timedelta:
        """Return the longest time in which some place counts messages; none counts: zero."""
        hours = [rule.window_hours for rule in self.rules if rule.kind == "frequency"]
        return timedelta(hours=max(hours, default=0))


@dataclass(frozen=True)
class _Spot:
    """What every case at one place is judged by."""

    countries: tuple[str, ...]
    zones: tuple[str, ...]
    rules: tuple[Rule, ...]

    def is_capped(self, sent: int) -> bool:
        """Say whether so many messages may be too many for one more."""
        caps = [rule for rule in self.rules if rule.kind == "frequency"]
        return any(sent >= rule.max_messages for rule in caps)


def counts(
    *,
    people: QuerySet[Contact],
    purpose_code: str,
    channel: str,
    at: datetime,
    content: Collection[str] = (),
) -> list[Case]:
    """Judge a whole audience, writing nothing, and count people by verdict; the most first.

    :raises UnknownPurpose: there is no such purpose at that instant.
    :raises BadRule: a rule pack cannot be read.
    """
    question = _question(purpose_code, channel, content, at)
    sql, params = statement(people=people, question=question)
    with planned() as cursor:
        cursor.execute(
            f"SELECT code, count(*) FROM ({sql}{_fence()}) judged GROUP BY code",  # noqa: S608  our own statement
            params,
        )
        grouped = dict(cursor.fetchall())
    verdicts = decided(grouped, question)
    found = [Case(verdict, grouped[code]) for code, verdict in verdicts.items() if verdict]
    alone = {code for code, verdict in verdicts.items() if verdict is None}
    if alone:
        found += _of_those_alone(people, question, alone)
    return sorted(found, key=lambda case: -case.people)


def rows(
    *,
    people: QuerySet[Contact],
    purpose_code: str,
    channel: str,
    at: datetime,
    content: Collection[str] = (),
) -> Iterator[tuple[uuid.UUID, Verdict]]:
    """Judge a whole audience, writing nothing, and yield each person's verdict.

    The verdict's hash of inputs is that of the case. What is held in memory does not grow with
    the audience.
    :raises UnknownPurpose: there is no such purpose at that instant.
    :raises BadRule: a rule pack cannot be read.
    """
    question = _question(purpose_code, channel, content, at)
    verdicts: dict[int, Verdict | None] = {}
    for batch in _fetched(people, question):
        verdicts |= decided({code for _, code in batch} - verdicts.keys(), question)
        alone = _judged_alone([pk for pk, code in batch if verdicts[code] is None], question)
        for pk, code in batch:
            yield pk, verdicts[code] or alone[pk]


def statement(*, people: QuerySet[Contact], question: Question) -> tuple[str, list[Any]]:
    """Return the SQL that reduces an audience to `id, code`, and its parameters."""
    by = contacts.field_of(question.subject.channel)
    stop = f"{question.subject.channel}_stop_index"
    columns = ["id", "key_id", "place_id", "erased_at", "restricted_at", stop, f"{by}_set_at"]
    audience, params = people.order_by().values(*columns).query.sql_with_params()
    parts = _Parts(question, stop=stop, set_at=f"{by}_set_at")
    unplaced = f"c.place_id IS NULL OR c.place_id >= {PLACES_MAX}"
    alone = " OR ".join([unplaced, *parts.alone])
    sql = (
        f"SELECT c.id, CASE WHEN {alone} THEN {ALONE} ELSE {parts.code()} END AS code "  # noqa: S608  only our own words; values are parameters
        f"FROM ({audience}) c {' '.join(parts.joins)}"
    )
    return sql, [*params, *parts.join_params]


def decided(codes: Collection[int], question: Question) -> dict[int, Verdict | None]:
    """Decide each case once, as the gate decides one message; None: its people one by one."""
    read = {code: _fields(code) for code in codes if code != ALONE}
    rows = Place.objects.in_bulk({fields["place"] for fields in read.values()})
    spots = {pk: _spot(place, question) for pk, place in rows.items()}
    found: dict[int, Verdict | None] = dict.fromkeys(codes)
    for code, fields in read.items():
        spot = spots[fields["place"]]
        if not spot.is_capped(fields["sent"]):
            known = _facts(fields, spot, question)
            found[code] = gate.decide(known, spot.rules, question.at, book=question.book)
    return found


@contextmanager
def planned() -> Iterator[CursorWrapper]:
    """Give a cursor on which a statement over millions of rows is planned well."""
    # Compiling the statement costs more than it saves; hashes of a million people need room; and
    # a row of two numbers is cheap to hand from one process to another.
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(PLAN)
        yield cursor


def ask(*, subject: Subject, at: datetime) -> Question:
    """Return a question under the rules in force."""
    return Question(subject, at, rulebook.book())


def _fence() -> str:
    # PostgreSQL takes the expression of a case for one with as many values as people. Behind a
    # fence it knows nothing of it and expects few: each process then counts its own share.
    return " OFFSET '0'" if connection.vendor == "postgresql" else ""


# The fields of a case that the person's own standing fills, by their part of the state's row.
_OWN = {name: name for name in ("state", "permission", "age", "guarded", "stale")}


class _Parts:
    """The pieces of the statement: what is joined, and what each field of a case is made of."""

    def __init__(self, question: Question, *, stop: str, set_at: str) -> None:
        self._question = question
        self.joins: list[str] = []
        self.join_params: list[object] = []
        self._terms: list[str] = []
        self.alone: list[str] = []
        if len(question.months) >= 1 << dict(FIELDS)["stale"]:
            self.alone.append("1 = 1")
        self._at = connection.ops.adapt_datetimefield_value(question.at)
        self._add_simple(stop, set_at)
        self._join_dead_keys()
        self._join_state("s", question.subject.purpose.code, _OWN)
        self._join_stop(stop)
        self._sides()
        self._join_registers(stop)
        self._join_sent()
        if question.subject.purpose.code == purposes.PERMISSION_REQUEST:
            # Asking turns on another purpose and on when somebody was asked last.
            self.alone.append("1 = 1")

    def code(self) -> str:
        """Return the expression of a case: each field at its own bits."""
        return " + ".join(self._terms)

    def _add_simple(self, stop: str, set_at: str) -> None:
        opens = _bits("readable", 1)
        reached = f"{opens} + {_bits('address', 1)}"
        self._terms += [
            _flag("erased", "c.erased_at IS NOT NULL"),
            _flag("restricted", "c.restricted_at IS NOT NULL"),
            "CASE WHEN k.id IS NOT NULL THEN 0 "
            f"WHEN c.{stop} <> '' THEN {reached} ELSE {opens} END",
            _flag("suppressed", "x.id IS NOT NULL"),
            _flag("moved", f"s.at < c.{set_at}"),
            f"{_bits('place', 1)} * c.place_id",
        ]

    def _join_dead_keys(self) -> None:
        # The few keys that do not open are joined, not the millions that do.
        self.joins.append(
            "LEFT JOIN (SELECT id FROM accounts_datakey WHERE destroyed_at IS NOT NULL "
            "OR wrapped IS NULL OR delete_at <= %s) k ON k.id = c.key_id"
        )
        self.join_params.append(self._at)

    def _join_state(self, alias: str, purpose_code: str, names: Mapping[str, str]) -> None:
        # Reduced to a number before it is joined: what is hashed for millions is small.
        cuts = [gate.months_before(self._question.at, number) for number in self._question.months]
        make: dict[str, Callable[[str], str]] = {
            "state": lambda name: self._state_of(name, purpose_code),
            "permission": lambda name: _choice(name, "permission", PERMISSIONS),
            "age": _age_of,
            "guarded": lambda name: _flag(name, "guarded"),
            "stale": lambda name: _since(name, len(cuts)),
        }
        bits = " + ".join(make[part](name) for part, name in names.items())
        self.joins.append(
            f"LEFT JOIN (SELECT contact_id, at, {bits} AS bits FROM consent_consentstate "  # noqa: S608  our own words
            f"WHERE purpose_code = %s AND channel = %s) {alias} ON {alias}.contact_id = c.id"
        )
        self._terms.append(f"coalesce({alias}.bits, 0)")
        # In the order of the parts: the state asks the instant, staleness its limits.
        limits = [connection.ops.adapt_datetimefield_value(cut) for cut in cuts]
        limits = limits if "stale" in names else []
        self.join_params += [self._at, *limits, purpose_code, self._question.subject.channel]

    def _state_of(self, name: str, purpose_code: str) -> str:
        state = _state_of(name)
        # Asked only where a purpose ever changed its basis: hardly ever.
        others = purposes.of_another_basis(purpose_code, self._question.at)
        if not others:
            return state
        return (
            "CASE WHEN state NOT IN ('withdrawn', 'refused') AND EXISTS "  # noqa: S608  our own words
            "(SELECT 1 FROM consent_consentevent e WHERE e.id = event_id "
            f"AND e.purpose_id IN ({', '.join(map(str, others))})) "
            f"THEN {_bits(name, STATES.index(SUPERSEDED))} ELSE {state} END"
        )

    def _join_stop(self, stop: str) -> None:
        self.joins.append(
            f"LEFT JOIN consent_suppression x ON x.address_index = c.{stop} "
            "AND x.channel = %s AND x.lifted_at IS NULL"
        )
        self.join_params.append(self._question.subject.channel)

    def _sides(self) -> None:
        # Asked only by what the words are about: an ordinary message pays nothing for it.
        asked = {rule.standing for rule in self._question.rules if rule.standing}
        for name, purpose_code in SIDES.items():
            if purpose_code in asked:
                names = {"state": f"{name}_state", "permission": f"{name}_permission"}
                self._join_state(name, purpose_code, names)

    def _join_registers(self, stop: str) -> None:
        # One join each: processes then share one hash, where each would group all for itself.
        for place, register in enumerate(self._question.registers):
            alias = f"r{place}"
            self.joins.append(
                f"LEFT JOIN consent_registerentry {alias} ON {alias}.address_index = c.{stop} "
                f"AND {alias}.register = %s AND {alias}.answer = 'listed'"
            )
            self.join_params.append(register)
            if place < REGISTER_BITS:
                self._terms.append(_flag("registers", f"{alias}.id IS NOT NULL", 1 << place))
            else:
                self.alone.append(f"{alias}.id IS NOT NULL")

    def _join_sent(self) -> None:
        # Below a place's cap what was sent changes nothing; how many is enough to tell.
        code = self._question.subject.purpose.code
        recent = facts.recent_messages(self._question.at, queued_too=True).filter(purpose_code=code)
        if not self._question.window or not recent.exists():
            return
        columns = ("contact_id", "sent_at", "claimed_at", "not_before")
        sql, params = recent.order_by().values(*columns).query.sql_with_params()
        since = self._question.at - self._question.window
        self.joins.append(
            f"LEFT JOIN (SELECT contact_id, count(*) AS sent FROM ({sql}) n "  # noqa: S608
            "WHERE coalesce(sent_at, claimed_at, not_before) > %s GROUP BY contact_id) m "
            "ON m.contact_id = c.id"
        )
        self.join_params += [*params, connection.ops.adapt_datetimefield_value(since)]
        most = (1 << dict(FIELDS)["sent"]) - 1
        sent = f"CASE WHEN m.sent > {most} THEN {most} ELSE m.sent END"
        self._terms.append(f"CASE WHEN m.sent IS NULL THEN 0 ELSE {_bits('sent', 1)} * {sent} END")


def _bits(name: str, value: int) -> str:
    # The engine adds numbers that stand in their place already; it multiplies nothing.
    return f"CAST({value << SHIFTS[name]} AS bigint)"


def _flag(name: str, condition: str, value: int = 1) -> str:
    return f"CASE WHEN {condition} THEN {_bits(name, value)} ELSE 0 END"


def _choice(name: str, column: str, values: Sequence[str]) -> str:
    cases = [f"WHEN '{value}' THEN {_bits(name, n)}" for n, value in enumerate(values) if n]
    return f"CASE {column} {' '.join(cases)} ELSE 0 END"


def _state_of(name: str) -> str:
    # Past its date an agreement is expired, whatever its row says.
    return (
        "CASE WHEN valid_until <= %s AND state IN ('claimed', 'given', 'confirmed') "
        f"THEN {_bits(name, STATES.index('expired'))} ELSE {_choice(name, 'state', STATES)} END"
    )


def _age_of(name: str) -> str:
    return (
        f"CASE WHEN age_years IS NULL THEN 0 WHEN age_years > {AGE_MAX} "
        f"THEN {_bits(name, AGE_MAX + 1)} ELSE {_bits(name, 1)} * (age_years + 1) END"
    )


def _since(name: str, limits: int) -> str:
    # The newest limit first: who agreed since then is past none of them.
    cases = [f"WHEN at > %s THEN {_bits(name, passed)}" for passed in range(limits)]
    return f"CASE {' '.join(cases)} ELSE {_bits(name, limits)} END" if cases else "0"


def _fields(code: int) -> dict[str, int]:
    read = {}
    for name, width in FIELDS:
        read[name] = code & ((1 << width) - 1)
        code >>= width
    return read


def _spot(place: Place, question: Question) -> _Spot:
    countries, subject = places.countries(place), question.subject
    rules = question.book.applicable(
        countries=countries,
        purpose=subject.purpose.code,
        channel=subject.channel,
        content=subject.content,
        on=question.at.date(),
    )
    return _Spot(countries, places.zones(place), rules)


def _facts(fields: Mapping[str, int], spot: _Spot, question: Question) -> Facts:
    subject, at = question.subject, question.at
    standings = {name: _side(fields, name, at) for name in SIDES}
    kept = [(SIDES[name], stand) for name, stand in standings.items() if stand]
    own = _own(fields, question)
    kept += [(subject.purpose.code, own)] if own else []
    listed = question.registers
    return Facts(
        contact_id=NOBODY,
        purpose_code=subject.purpose.code,
        basis=subject.purpose.basis,
        channel=subject.channel,
        content=subject.content,
        places=spot.countries,
        zones=spot.zones,
        erased=bool(fields["erased"]),
        restricted=bool(fields["restricted"]),
        readable=bool(fields["readable"]),
        has_address=bool(fields["address"]),
        suppressed=bool(fields["suppressed"]),
        standings=tuple(sorted(kept)),
        address_set_at=own.at + timedelta(microseconds=1) if own and fields["moved"] else None,
        registers=tuple(
            name for bit, name in enumerate(listed) if fields["registers"] & (1 << bit)
        ),
    )


def _own(fields: Mapping[str, int], question: Question) -> Standing | None:
    if not fields["state"]:
        return None
    passed = fields["stale"]
    # Any instant between the two limits is judged alike; the limit itself is one of them.
    months = question.months[passed - 1] if passed else 0
    return Standing(
        STATES[fields["state"]],
        NOBODY,
        gate.months_before(question.at, months),
        None,
        PERMISSIONS[fields["permission"]],
        fields["age"] - 1 if fields["age"] else None,
        bool(fields["guarded"]),
    )


def _side(fields: Mapping[str, int], name: str, at: datetime) -> Standing | None:
    state = STATES[fields[f"{name}_state"]]
    permission = PERMISSIONS[fields[f"{name}_permission"]]
    return Standing(state, NOBODY, at, None, permission) if state else None


def _question(purpose_code: str, channel: str, content: Collection[str], at: datetime) -> Question:
    purpose = purposes.current(purpose_code, at)
    return ask(subject=Subject(purpose, channel, tuple(sorted(content))), at=at)


def _fetched(
    people: QuerySet[Contact], question: Question, only: Collection[int] = ()
) -> Iterator[list[tuple[uuid.UUID, int]]]:
    sql, params = statement(people=people, question=question)
    if only:
        # A few of millions: the rest stay where they are.
        chosen = ", ".join(map(str, sorted(only)))
        sql = f"SELECT id, code FROM ({sql}{_fence()}) judged WHERE code IN ({chosen})"  # noqa: S608  numbers
    with connection.chunked_cursor() as cursor:
        with planned():
            cursor.execute(sql, params)
        while batch := cursor.fetchmany(ROWS_AT_ONCE):
            yield [(_id(pk), code) for pk, code in batch]


def _id(value: object) -> uuid.UUID:
    return value if isinstance(value, uuid.UUID) else uuid.UUID(str(value))


def _judged_alone(ids: Sequence[uuid.UUID], question: Question) -> dict[uuid.UUID, Verdict]:
    found: dict[uuid.UUID, Verdict] = {}
    waiting = iter(ids)
    while few := list(islice(waiting, ALONE_AT_ONCE)):
        people = Contact.objects.filter(pk__in=few).select_related("key", "place")
        known = facts.gather(people=list(people), subject=question.subject, at=question.at)
        for one in known:
            found[one.contact_id] = gate.decide_by(question.book, one, question.at)
    return found


def _of_those_alone(
    people: QuerySet[Contact], question: Question, codes: Collection[int]
) -> list[Case]:
    seen: Counter[str] = Counter()
    verdicts: dict[str, Verdict] = {}
    for batch in _fetched(people, question, codes):
        for verdict in _judged_alone([pk for pk, _ in batch], question).values():
            reasons = [reason.plain() for reason in verdict.reasons]
            key = f"{verdict.verdict} {verdict.defer_until} {reasons}"
            verdicts.setdefault(key, verdict)
            seen[key] += 1
    return [Case(verdicts[key], number) for key, number in seen.items()]
