"""Does any send leave outside the hours of any rule that holds for its person? Millions are asked.

`make prove-hours SEED=1 SENDS=10000000` makes people in every place and zone of the packs, some in
several at once, and sends to them at the edges of windows, at the jumps of their clocks, on
holidays and their eves. `consent.hours` says now or when; `hours_oracle` looks whether that is so.
"""

import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache

import numpy as np
from numpy.random import Generator, SeedSequence, default_rng
from phonenumbers import parse
from phonenumbers import timezone as phone_timezone

from benchmarks import hours_oracle as oracle
from consent import areas, hours, rulebook
from consent.rulebook import Rule

CASE = 250
CHUNK = 40_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
A_DAY = 24 * 60 * oracle.MINUTE
FIRST, LAST = date(2012, 1, 1), date(2038, 1, 1)
PURPOSES = (*["marketing"] * 12, *["permission_request"] * 3, "service")
CHANNELS = (*["sms"] * 6, *["whatsapp"] * 2, "email")
# Beside the zones of the packs: half and quarter hours, the date line, jumps at odd times.
ODD_ZONES = (
    "Africa/Cairo Africa/Casablanca America/Asuncion America/Havana America/Nuuk America/Santiago "
    "America/Scoresbysund Antarctica/Troll Asia/Beirut Asia/Gaza Asia/Kabul Asia/Kathmandu "
    "Asia/Kolkata Asia/Pyongyang Asia/Tehran Asia/Tokyo Asia/Yangon Atlantic/Azores "
    "Australia/Adelaide Australia/Darwin Australia/Eucla Australia/Lord_Howe Australia/Sydney "
    "Europe/Berlin Europe/Chisinau Europe/Dublin Europe/Istanbul Europe/Lisbon Europe/London "
    "Europe/Moscow Europe/Paris Europe/Volgograd Pacific/Apia Pacific/Auckland Pacific/Chatham "
    "Pacific/Easter Pacific/Fiji Pacific/Kiritimati Pacific/Marquesas Pacific/Norfolk "
    "Pacific/Pago_Pago Pacific/Tongatapu UTC"
).split()


@dataclass(frozen=True)
class Person:
    """Where somebody may be, as the gate would know it, and what is sent to them how."""

    places: tuple[str, ...]
    zones: tuple[str, ...]
    asked: tuple[str, str] = ("marketing", "sms")


@dataclass
class Tally:
    """What was met, and what was wrong."""

    counts: Counter[str] = field(default_factory=Counter)
    places: set[str] = field(default_factory=set)
    zones: set[str] = field(default_factory=set)
    jumps: set[tuple[str, int]] = field(default_factory=set)
    holidays: set[tuple[str, int]] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        """Take in what another process met."""
        self.counts += other.counts
        self.places |= other.places
        self.zones |= other.zones
        self.jumps |= other.jumps
        self.holidays |= other.holidays
        self.faults = (self.faults + other.faults)[:10]


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    seed, sends = int(os.environ.get("SEED", "1")), int(os.environ.get("SENDS", "10000000"))
    began = time.monotonic()
    tally = prove(seed=seed, sends=sends, processes=os.cpu_count() or 1)
    report(tally, seed=seed, seconds=time.monotonic() - began)
    return 1 if tally.counts["outside"] or tally.counts["late"] else 0


def prove(*, seed: int, sends: int, processes: int) -> Tally:
    """Ask so many sends, the same ones for the same seed, and hold each answer to the oracle."""
    sizes = [min(CHUNK, sends - done) for done in range(0, sends, CHUNK)]
    seeds = SeedSequence(seed).spawn(len(sizes))
    tally = Tally()
    if processes == 1:
        for part in map(chunk, seeds, sizes):
            tally.add(part)
        return tally
    with ProcessPoolExecutor(processes) as pool:
        for part in pool.map(chunk, seeds, sizes):
            tally.add(part)
    return tally


def report(tally: Tally, *, seed: int, seconds: float) -> None:
    met = tally.counts
    print(f"prove-hours: seed {seed}, {met['sends']:,} sends in {seconds:.0f} s")
    print(
        f"  to {met['people']:,} people in {len(tally.places)} places and {len(tally.zones)} time "
        f"zones; {met['several_zones']:,} sends to people with several zones, "
        f"{met['several_places']:,} with several places, {met['split']:,} of split area codes"
    )
    print(
        f"  allowed {met['allowed']:,}, deferred {met['deferred']:,}, refused {met['refused']:,} "
        f"(no zone known: {met['no_zone']:,}); {met['unbound']:,} bound by no hours"
    )
    print(
        f"  {len(tally.jumps):,} jumps of a clock met in {FIRST.year}-{LAST.year - 1}, "
        f"{met['near_jump']:,} sends within a day of one; {len(tally.holidays):,} holidays met, "
        f"{met['on_holiday']:,} sends on one or on its eve"
    )
    print(f"  outside the hours: {met['outside']}; put off without need: {met['late']}")
    for fault in tally.faults:
        print("   ", fault)


def chunk(seed: SeedSequence, sends: int) -> Tally:
    """Make and judge some sends, in one process."""
    dice, tally = default_rng(seed), Tally()
    while sends:
        size = min(CASE, sends)
        case(dice, tally, size)
        sends -= size
    return tally


def case(dice: Generator, tally: Tally, size: int) -> None:
    """Send to one person about one day, many times, and look at each answer."""
    asked = (str(dice.choice(PURPOSES)), str(dice.choice(CHANNELS)))
    person = replace(somebody(dice), asked=asked)
    around = a_day(dice, person)
    instants = moments(dice, person, around, size)
    _meet(tally, person, around, size)
    days = instants // A_DAY
    for number in np.unique(days):
        on = oracle.EPOCH + timedelta(days=int(number))
        judge(dice, tally, person, on, instants[days == number])


def judge(dice: Generator, tally: Tally, person: Person, on: date, instants: oracle.Ints) -> None:
    """Ask `consent.hours` about each instant of a day, and the oracle about each answer."""
    rules = _rules(person, on)
    found = np.array([answer(rules, person.zones, int(at)) for at in instants], dtype=np.int64)
    refused = found < 0
    deferred = ~refused & (found > instants)
    counts = {"allowed": ~refused & ~deferred, "deferred": deferred, "refused": refused}
    tally.counts.update({name: int(flags.sum()) for name, flags in counts.items()})
    tally.counts["unbound"] += 0 if rules else len(instants)
    outside = ~refused & ~_within(found, person, on)
    # What was put off must have been shut until then: at once, just before, and at some instant.
    until = np.where(refused, instants + hours.SEARCH_DAYS * A_DAY, found)
    waiting = refused | deferred
    late = np.zeros(len(instants), dtype=np.bool_)
    for share in (0.0, 1.0, dice.random(len(instants))):
        between = instants + ((until - instants - 1) * share).astype(np.int64)
        late |= waiting & _within(between, person, on)
    _blame(tally, "outside", outside, person, (instants, found))
    _blame(tally, "late", late, person, (instants, found))


def answer(rules: tuple[Rule, ...], zones: tuple[str, ...], at: int) -> int:
    """Return when a message may arrive: now, later, or -1 for never, as the gate would ask."""
    moment = EPOCH + at * MICROSECOND
    if hours.may_arrive(rules=rules, zones=zones, at=moment):
        return at
    opening = hours.next_allowed(rules=rules, zones=zones, at=moment)
    return -1 if opening is None else (opening - EPOCH) // MICROSECOND


def somebody(dice: Generator) -> Person:
    """Return where a person may be: at home, by their number, both, or nobody knows."""
    kind = dice.random()
    if kind < 0.30:
        return _of_code(dice)
    if kind < 0.55:
        place = str(dice.choice(_places()))
        return Person((place,), _zones_in(dice, place))
    if kind < 0.70:
        place, number = str(dice.choice(_places())), _of_code(dice)
        zones = {*_zones_in(dice, place), *number.zones}
        return Person(tuple(sorted({place, *number.places})), tuple(sorted(zones)))
    if kind < 0.80:
        places = {str(place) for place in dice.choice(_places(), size=dice.integers(2, 4))}
        return Person(tuple(sorted(places)), _some(dice, _zones()))
    if kind < 0.85:
        return Person((str(dice.choice(["US", "CA"])),), _some(dice, _zones()))
    if kind < 0.98:
        return Person((), _some(dice, _zones()))
    return Person(("US-FL",), ())


def a_day(dice: Generator, person: Person) -> int:
    """Return a day, numbered since 1970: near a jump of the clock, near a holiday, or any."""
    first, last = ((day - oracle.EPOCH).days for day in (FIRST, LAST))
    kind = dice.random()
    jumps = [minute for zone in person.zones for minute in oracle.edges(zone)]
    jumps = [minute for minute in jumps if first <= minute // (24 * 60) < last]
    if kind < 0.35 and jumps:
        return int(dice.choice(jumps)) // (24 * 60)
    if kind < 0.70:
        calendars = _calendars(person) or _all_calendars()
        days = [day for day in _ordered(str(dice.choice(calendars))) if first <= day < last]
        return int(dice.choice(days)) - int(dice.integers(0, 2))
    return int(dice.integers(first, last))


def moments(dice: Generator, person: Person, around: int, size: int) -> oracle.Ints:
    """Return instants about a day: anywhere, at the edges of its windows, at a jump."""
    anywhere = dice.integers((around - 1) * A_DAY, (around + 2) * A_DAY, size)
    edges = _edges(person, around)
    if not edges:
        return anywhere
    exact = dice.choice(np.array(edges, dtype=np.int64), size)
    nudges = [0, -1, 1, -1_000_000, 1_000_000, -oracle.MINUTE, oracle.MINUTE, 30 * oracle.MINUTE]
    near = exact + dice.choice(np.array(nudges, dtype=np.int64), size)
    return np.where(dice.random(size) < 0.5, anywhere, near)


def _edges(person: Person, around: int) -> list[int]:
    on = oracle.EPOCH + timedelta(days=around)
    found = oracle.selected(frozenset(person.places), person.asked, on)
    windows = {window for row in found for day in row.week for window in day}
    edges = [
        edge
        for zone in person.zones
        for window in windows
        for edge in oracle.span(zone, around, *window)
    ]
    jumps = [minute * oracle.MINUTE for zone in person.zones for minute in oracle.edges(zone)]
    return edges + [jump for jump in jumps if abs(jump - around * A_DAY) < 2 * A_DAY]


def _meet(tally: Tally, person: Person, around: int, size: int) -> None:
    met = {"sends": size, "people": 1}
    met["several_zones"] = size * (len(person.zones) > 1)
    met["several_places"] = size * (len(person.places) > 1)
    met["no_zone"] = size * (not person.zones)
    met["split"] = size * (person.zones in _split())
    near = {
        (zone, minute)
        for zone in person.zones
        for minute in oracle.edges(zone)
        if abs(minute // (24 * 60) - around) <= 1
    }
    days = {
        (calendar, day)
        for calendar in _calendars(person)
        for day in (around, around + 1)
        if day in oracle.holidays(calendar)
    }
    met["near_jump"] = size * bool(near)
    met["on_holiday"] = size * bool(days)
    tally.counts.update(met)
    tally.places.update(person.places or ("?",))
    tally.zones.update(person.zones)
    tally.jumps |= near
    tally.holidays |= days


def _blame(
    tally: Tally,
    what: str,
    wrong: oracle.Flags,
    person: Person,
    answers: tuple[oracle.Ints, oracle.Ints],
) -> None:
    tally.counts[what] += int(wrong.sum())
    for place in np.flatnonzero(wrong)[:1]:
        asked, came = (int(row[place]) for row in answers)
        then = EPOCH + came * MICROSECOND if came >= 0 else "never"
        tally.faults.append(f"{what}: {person} at {EPOCH + asked * MICROSECOND} -> {then}")


def _within(instants: oracle.Ints, person: Person, on: date) -> oracle.Flags:
    return oracle.within(
        instants, places=person.places, zones=person.zones, asked=person.asked, on=on
    )


def _rules(person: Person, on: date) -> tuple[Rule, ...]:
    at = datetime(on.year, on.month, on.day, tzinfo=UTC)
    purpose, channel = person.asked
    found = rulebook.applicable(countries=person.places, purpose=purpose, channel=channel, at=at)
    return tuple(rule for rule in found if rule.kind == "hours")


def _calendars(person: Person) -> list[str]:
    found = oracle.selected(frozenset(person.places), person.asked, date(2026, 7, 1))
    return sorted({row.calendar for row in found if row.calendar})


def _of_code(dice: Generator) -> Person:
    phone = f"+1{dice.choice(_codes())}{dice.choice(['234', '555', '721'])}0123"
    return Person(areas.regions_of(phone), _zones_of(phone))


@cache
def _zones_of(phone: str) -> tuple[str, ...]:
    library = phone_timezone.time_zones_for_number(parse(phone))
    return tuple(sorted({*library, *areas.zones_of(phone)}))


def _zones_in(dice: Generator, place: str) -> tuple[str, ...]:
    known = areas.zones_in(place) or _of_packs().get(place, ())
    return (str(dice.choice(known)),) if known else _some(dice, _zones())


def _some(dice: Generator, zones: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted({str(zone) for zone in dice.choice(zones, size=dice.integers(1, 4))}))


@cache
def _places() -> list[str]:
    # Those with hours of their own come more often; the others must come through as well.
    named = {place for row in oracle.rows() for place in row.where if place[-1:] not in "?*"}
    return [*sorted(named | oracle.countries() | set(areas.regions())), *sorted(named) * 3]


@cache
def _codes() -> list[str]:
    every = (str(number) for number in range(200, 1000))
    return [code for code in every if areas.regions_of(f"+1{code}5550123")]


@cache
def _split() -> set[tuple[str, ...]]:
    several = {_zones_of(f"+1{code}5550123") for code in _codes()}
    return {zones for zones in several if len(zones) > 1}


@cache
def _of_packs() -> dict[str, tuple[str, ...]]:
    """Return the zones in which counsel tested the rules of each country."""
    found: dict[str, set[str]] = {}
    for rule in rulebook.book().rules:
        words = [word for test in rule.tests for word in test.split()]
        zones = {word[5:] for word in words if word.startswith("zone=")}
        for place in rule.where if len(rule.where) == 1 else ():
            found.setdefault(place, set()).update(zones)
    return {place: tuple(sorted(zones)) for place, zones in found.items() if zones}


@cache
def _zones() -> list[str]:
    of_packs = {zone for zones in _of_packs().values() for zone in zones}
    of_states = {zone for region in areas.regions() for zone in areas.zones_in(region)}
    return sorted({*ODD_ZONES, *of_packs, *of_states})


@cache
def _all_calendars() -> list[str]:
    return sorted({row.calendar for row in oracle.rows() if row.calendar})


@cache
def _ordered(calendar: str) -> list[int]:
    return sorted(oracle.holidays(calendar))


if __name__ == "__main__":
    sys.exit(main())
