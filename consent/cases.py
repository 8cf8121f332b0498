"""Which case is each person of an audience? One statement reduces millions to some hundreds.

A case is a number that holds all that a verdict can turn on (place, state and kind of consent,
stop, key, ...), and, near a cap on messages, when the newest and the oldest of them counted. What
the cases come to is decided in `consent/forecast.py`.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import QuerySet

from consent import contacts, facts, gate, places, purposes, rulebook
from consent.facts import Subject
from consent.models import ConsentEvent, Contact, Place, RegisterEntry
from consent.rulebook import Rule, Rulebook
from consent.standing import SUPERSEDED

# Not a case: this person is judged alone.
ALONE = -1
PLAN = "SET LOCAL jit = off; SET LOCAL work_mem = '64MB'; SET LOCAL parallel_tuple_cost = 0.01"
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
# So many messages or more.
SENT_MAX = (1 << dict(FIELDS)["sent"]) - 1
SIDES = {"special": purposes.SPECIAL_DATA, "phi": purposes.PHI_CONTENT}


class Key(NamedTuple):
    """What the database says of one person or more; near a cap, when their messages counted."""

    code: int
    newest: datetime | None = None
    oldest: datetime | None = None


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
    def caps(self) -> list[Rule]:
        """Return the rules by which some place counts messages."""
        return [rule for rule in self.rules if rule.kind == "frequency"]

    @cached_property
    def window(self) -> timedelta:
        """Return the longest time in which some place counts messages; none counts: zero."""
        return timedelta(hours=max((rule.window_hours for rule in self.caps), default=0))

    @cached_property
    def spots(self) -> dict[int, frozenset[str]]:
        """Return each place with all whose rules hold there; a few rows for millions of people."""
        rows = Place.objects.all()
        return {row.pk: self.book.places(places.countries(row)) for row in rows}

    def not_asking(self, register: str) -> list[int]:
        """Return the places whose rules do not ask this register."""
        asking = [rule for rule in self.rules if rule.register == register]
        return [pk for pk, codes in self.spots.items() if not self._any_holds(asking, codes)]

    @cached_property
    def fewest(self) -> dict[int, list[int]]:
        """Return the places by how many messages fill their lowest cap; the most messages last."""
        found: dict[int, list[int]] = {}
        for pk, codes in self.spots.items():
            holding = [rule.max_messages for rule in self.caps if self._any_holds([rule], codes)]
            if holding:
                found.setdefault(min(holding), []).append(pk)
        return dict(sorted(found.items()))

    def _any_holds(self, rules: Sequence[Rule], codes: frozenset[str]) -> bool:
        return any(rule.holds(places=codes, on=self.at.date()) for rule in rules)


def ask(*, subject: Subject, at: datetime) -> Question:
    """Return a question under the rules in force."""
    return Question(subject, at, rulebook.book())


def statement(*, people: QuerySet[Contact], question: Question) -> tuple[str, list[Any]]:
    """Return the SQL that reduces an audience to `id, code, newest, oldest`, and its parameters.

    The instants are those of the messages that count, for whoever has as many as fill some cap of
    their place; null for all others.
    """
    by = contacts.field_of(question.subject.channel)
    stop = f"{question.subject.channel}_stop_index"
    columns = ["id", "key_id", "place_id", "erased_at", "restricted_at", stop, f"{by}_set_at"]
    audience, params = people.order_by().values(*columns).query.sql_with_params()
    parts = _Parts(question, stop=stop, set_at=f"{by}_set_at")
    unplaced = f"c.place_id IS NULL OR c.place_id >= {PLACES_MAX}"
    alone = " OR ".join([unplaced, *parts.alone])
    sql = (
        f"SELECT c.id, CASE WHEN {alone} THEN {ALONE} ELSE {parts.code()} END AS code, "  # noqa: S608  only our own words; values are parameters
        f"{parts.times} FROM ({audience}) c {' '.join(parts.joins)}"
    )
    return sql, [*params, *parts.join_params]


def grouped(*, people: QuerySet[Contact], question: Question) -> dict[Key, int]:
    """Count an audience by case. What is held grows with the people near a cap, not with all."""
    sql, params = statement(people=people, question=question)
    with planned() as cursor:
        cursor.execute(
            "SELECT code, newest, oldest, count(*) "  # noqa: S608  our own statement
            f"FROM ({sql}{_fence()}) judged GROUP BY code, newest, oldest",
            params,
        )
        return {
            Key(code, _instant(newest), _instant(oldest)): number
            for code, newest, oldest, number in cursor.fetchall()
        }


def in_codes(
    *, people: QuerySet[Contact], question: Question, codes: Collection[int]
) -> tuple[str, list[Any]]:
    """Return the SQL that finds the ids of whoever has one of these codes, and its parameters."""
    sql, params = statement(people=people, question=question)
    chosen = ", ".join(map(str, sorted(codes)))
    return f"SELECT id FROM ({sql}{_fence()}) judged WHERE code IN ({chosen})", params  # noqa: S608  numbers


@contextmanager
def planned() -> Iterator[CursorWrapper]:
    """Give a cursor on which a statement over millions of rows is planned well."""
    # Compiling the statement costs more than it saves; hashes of a million people need room; and
    # a row of two numbers is cheap to hand from one process to another.
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(PLAN)
        yield cursor


def fields_of(code: int) -> dict[str, int]:
    """Take a code apart into its fields."""
    read = {}
    for name, width in FIELDS:
        read[name] = code & ((1 << width) - 1)
        code >>= width
    return read


def _fence() -> str:
    # PostgreSQL takes the expression of a case for one with as many values as people. Behind a
    # fence it knows nothing of it and expects few: each process then counts its own share.
    return " OFFSET '0'" if connection.vendor == "postgresql" else ""


def _instant(value: datetime | str | None) -> datetime | None:
    # SQLite has no type for an instant: what is not read through a model is text, in UTC.
    return datetime.fromisoformat(value).replace(tzinfo=UTC) if isinstance(value, str) else value


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
        self.times = "NULL AS newest, NULL AS oldest"
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
            # Where nobody asks it, nothing is looked for. A place that is not known yet asks.
            deaf = ", ".join(map(str, self._question.not_asking(register)))
            index = (
                f"CASE WHEN c.place_id NOT IN ({deaf}) THEN c.{stop} END" if deaf else f"c.{stop}"
            )
            self.joins.append(
                f"LEFT JOIN consent_registerentry {alias} ON {alias}.address_index = {index} "
                f"AND {alias}.register = %s AND {alias}.answer = 'listed'"
            )
            self.join_params.append(register)
            if place < REGISTER_BITS:
                self._terms.append(_flag("registers", f"{alias}.id IS NOT NULL", 1 << place))
            else:
                self.alone.append(f"{alias}.id IS NOT NULL")

    def _join_sent(self) -> None:
        code = self._question.subject.purpose.code
        recent = facts.recent_messages(self._question.at, queued_too=True).filter(purpose_code=code)
        if not self._question.fewest or not recent.exists():
            return
        columns = ("contact_id", "sent_at", "claimed_at", "not_before")
        sql, params = recent.order_by().values(*columns).query.sql_with_params()
        counted = "coalesce(sent_at, claimed_at, not_before)"
        # Below a place's lowest cap what was sent changes nothing: nobody is joined.
        self.joins.append(
            f"LEFT JOIN (SELECT contact_id, count(*) AS sent, max({counted}) AS newest, "  # noqa: S608  our own words
            f"min({counted}) AS oldest FROM ({sql}) n WHERE {counted} > %s GROUP BY contact_id "
            f"HAVING count(*) >= {min(self._question.fewest)}) m "
            f"ON m.contact_id = c.id AND m.sent >= {self._fewest()}"
        )
        since = self._question.at - self._question.window
        self.join_params += [*params, connection.ops.adapt_datetimefield_value(since)]
        sent = f"CASE WHEN m.sent > {SENT_MAX} THEN {SENT_MAX} ELSE m.sent END"
        self._terms.append(f"CASE WHEN m.sent IS NULL THEN 0 ELSE {_bits('sent', 1)} * {sent} END")
        self.times = "m.newest AS newest, m.oldest AS oldest"

    def _fewest(self) -> str:
        # A place that is not known yet has the lowest of all caps: that costs a case, no answer.
        (lowest, _), *others = self._question.fewest.items()
        cases = [
            f"WHEN c.place_id IN ({', '.join(map(str, pks))}) THEN {most}" for most, pks in others
        ]
        return f"CASE {' '.join(cases)} ELSE {lowest} END" if cases else str(lowest)


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
