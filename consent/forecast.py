"""What would the gate say of a whole audience now? One statement, and the gate's own `decide`.

The database reduces each person to a case (`consent/cases.py`), and each case is decided once, by
the same function that judges one message. Where a cap on messages is full, the case is decided for
whoever meets the same full caps; when they open is then each person's own. Who cannot be reduced
(the place was never noted, or more messages counted than a case can tell) is judged one by one.
"""

import uuid
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property

from django.db import connection
from django.db.models import QuerySet

from consent import cases, facts, gate, hours, places, purposes
from consent.cases import ALONE, PERMISSIONS, SENT_MAX, SIDES, STATES, Key, Question
from consent.facts import Facts, Subject
from consent.gate import Verdict
from consent.models import Contact, Place
from consent.rulebook import Rule
from consent.standing import Standing

NOBODY = uuid.UUID(int=0)
ALONE_AT_ONCE = 1000


@dataclass(frozen=True)
class Case:
    """How many people of an audience have one verdict."""

    verdict: Verdict
    people: int


@dataclass(frozen=True)
class _Spot:
    """What every case at one place is judged by."""

    countries: tuple[str, ...]
    zones: tuple[str, ...]
    rules: tuple[Rule, ...]
    # Each opening that was found, with the earliest instant known to wait for it.
    _shut: dict[datetime, datetime] = field(default_factory=dict)

    @cached_property
    def caps(self) -> list[Rule]:
        """Return the rules that count messages here."""
        return [rule for rule in self.rules if rule.kind == "frequency"]

    def can_tell(self, sent: int) -> bool:
        """Say whether the newest and the oldest of so many are all that the caps ask for."""
        exact = sent < SENT_MAX
        return all(
            rule.max_messages == 1 or (exact and rule.max_messages >= sent) for rule in self.caps
        )

    def opening(self, at: datetime) -> datetime | None:
        """Return the first instant, not before `at`, within the hours of this place."""
        for opens, since in self._shut.items():
            if since <= at <= opens:
                return opens
        found = hours.next_allowed(rules=self.rules, zones=self.zones, at=at)
        if found is not None and found > at:
            self._shut[found] = at
        return found


@dataclass
class _Kind:
    """Everybody of one code: who meets the same full caps is decided once."""

    fields: Mapping[str, int]
    spot: _Spot
    question: Question
    # By the caps that are full; and whether an hour is left after they open.
    _decided: dict[tuple[tuple[bool, ...], bool], Verdict] = field(default_factory=dict)
    _waiting: dict[tuple[tuple[bool, ...], datetime | None], Verdict] = field(default_factory=dict)

    def verdict(self, key: Key) -> Verdict | None:
        """Return what the gate says of them; None: they are judged one by one."""
        if not self.spot.can_tell(self.fields["sent"]):
            return None
        # A cap opens at one instant, whenever it is asked; so what the gate finds turning from
        # caps to hours and back is the first open hour after the last of them.
        opens = [self._opens(rule, key) for rule in self.spot.caps]
        full = tuple(instant > self.question.at for instant in opens)
        until = self.spot.opening(max([self.question.at, *opens]))
        if (full, until) not in self._waiting:
            self._waiting[full, until] = self._until(full, until, key)
        return self._waiting[full, until]

    def _opens(self, rule: Rule, key: Key) -> datetime:
        reached = self.fields["sent"] >= rule.max_messages
        counted = key.newest if rule.max_messages == 1 else key.oldest
        window = timedelta(hours=rule.window_hours)
        return counted + window if reached and counted else self.question.at

    def _until(self, full: tuple[bool, ...], until: datetime | None, key: Key) -> Verdict:
        kind = (full, until is None)
        if kind not in self._decided:
            known = _facts(self.fields, self.spot, self.question, self._recent(key))
            rules, question = self.spot.rules, self.question
            self._decided[kind] = gate.decide(known, rules, question.at, book=question.book)
        verdict = self._decided[kind]
        return replace(verdict, defer_until=until) if verdict.defer_until else verdict

    def _recent(self, key: Key) -> tuple[datetime, ...]:
        # No cap asks for those in between.
        if key.newest is None or key.oldest is None:
            return ()
        return (*[key.oldest] * (self.fields["sent"] - 1), key.newest)


def counts(
    *,
    people: QuerySet[Contact],
    purpose_code: str,
    channel: str,
    at: datetime,
    content: Collection[str] = (),
) -> list[Case]:
    """Judge a whole audience, writing nothing, and count people by verdict; the most first.

    A verdict's hash of inputs is that of one of its people, or of nobody's: no decision rests on
    it.
    :raises UnknownPurpose: there is no such purpose at that instant.
    :raises BadRule: a rule pack cannot be read.
    """
    purpose = purposes.current(purpose_code, at)
    question = cases.ask(subject=Subject(purpose, channel, tuple(sorted(content))), at=at)
    found = cases.grouped(people=people, question=question)
    verdicts = decided(found, question)
    # Kept by identity: verdicts that are one object are one case.
    tally = Counter[int]()
    for key, verdict in verdicts.items():
        tally[id(verdict)] += found[key]
    judged = {id(verdict): verdict for verdict in verdicts.values() if verdict}
    told = [Case(verdict, tally[one]) for one, verdict in judged.items()]
    alone = {key.code for key, verdict in verdicts.items() if verdict is None}
    if alone:
        told += _of_those_alone(people, question, alone)
    return sorted(told, key=lambda case: -case.people)


def reached(
    *,
    people: QuerySet[Contact],
    purpose_code: str,
    channel: str,
    at: datetime,
    content: Collection[str] = (),
) -> dict[str, int]:
    """Count whoever would get a message, now or at their hour, by the country of their number.

    Of a number that names none, and of whoever is judged alone, the country is the empty text.
    :raises UnknownPurpose: there is no such purpose at that instant.
    """
    purpose = purposes.current(purpose_code, at)
    question = cases.ask(subject=Subject(purpose, channel, tuple(sorted(content))), at=at)
    found = cases.grouped(people=people, question=question)
    countries = dict(Place.objects.values_list("pk", "phone_country"))
    tally, alone = Counter[str](), set[int]()
    for key, verdict in decided(found, question).items():
        if verdict is None:
            alone.add(key.code)
        elif verdict.verdict != gate.REFUSE:
            tally[countries[cases.fields_of(key.code)["place"]]] += found[key]
    for case in _of_those_alone(people, question, alone) if alone else []:
        tally[""] += case.people * (case.verdict.verdict != gate.REFUSE)
    return dict(+tally)


def decided(found: Collection[Key], question: Question) -> dict[Key, Verdict | None]:
    """Decide each case once, as the gate decides one message; None: its people one by one."""
    read = {code: cases.fields_of(code) for code in {key.code for key in found} - {ALONE}}
    rows = Place.objects.in_bulk({fields["place"] for fields in read.values()})
    spots = {pk: _spot(place, question) for pk, place in rows.items()}
    kinds = {code: _Kind(fields, spots[fields["place"]], question) for code, fields in read.items()}
    return {key: kinds[key.code].verdict(key) if key.code in kinds else None for key in found}


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


def _facts(
    fields: Mapping[str, int], spot: _Spot, question: Question, recent: tuple[datetime, ...]
) -> Facts:
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
        recent=recent,
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


def _judged_alone(ids: Sequence[uuid.UUID], question: Question) -> Iterator[Verdict]:
    people = Contact.objects.filter(pk__in=ids).select_related("key", "place")
    known = facts.gather(people=list(people), subject=question.subject, at=question.at)
    for one in known:
        yield gate.decide_by(question.book, one, question.at)


def _of_those_alone(
    people: QuerySet[Contact], question: Question, codes: Collection[int]
) -> list[Case]:
    seen = Counter[str]()
    verdicts: dict[str, Verdict] = {}
    for ids in _ids(people, question, codes):
        for verdict in _judged_alone(ids, question):
            reasons = [reason.plain() for reason in verdict.reasons]
            key = f"{verdict.verdict} {verdict.defer_until} {reasons}"
            verdicts.setdefault(key, verdict)
            seen[key] += 1
    return [Case(verdicts[key], number) for key, number in seen.items()]


def _ids(
    people: QuerySet[Contact], question: Question, codes: Collection[int]
) -> Iterator[list[uuid.UUID]]:
    # A few of millions: the rest stay where they are.
    sql, params = cases.in_codes(people=people, question=question, codes=codes)
    with connection.chunked_cursor() as cursor:
        with cases.planned():
            cursor.execute(sql, params)
        while batch := cursor.fetchmany(ALONE_AT_ONCE):
            yield [pk if isinstance(pk, uuid.UUID) else uuid.UUID(str(pk)) for (pk,) in batch]
