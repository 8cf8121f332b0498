"""An unknown place is judged at least as strictly as every place that a pack knows."""

import random
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest

from consent import gate, hours, rule_format, rule_tests, rulebook
from consent.facts import Facts
from consent.gate import Verdict
from consent.rule_format import Rule
from consent.standing import Standing

BOOK = rulebook.book()
JUDGED = [rule for rule in BOOK.rules if rule.kind in rulebook.JUDGED]
STATES = {place for rule in BOOK.rules for place in rule.where if place[2:3] == "-"}
KNOWN = sorted((BOOK.countries | STATES) - {f"{country}-?" for country in BOOK.with_states})
PURPOSES = (
    "marketing service ai_use view_analytics sharing permission_request special_data phi_content"
).split()
ZONES = [
    "America/New_York",
    "America/Los_Angeles",
    "America/St_Johns",
    "Europe/Paris",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Pacific/Auckland",
]
NOBODY = uuid.UUID(int=0)
START = datetime(2024, 1, 1, tzinfo=UTC)
FACTS = 100
# Purposes that do not rest on consent: there fewer rules refuse, and each is met alone.
OTHERWISE = {("permission_request", "legitimate_interest"), ("service", "contract")}


def unknown_of(place: str) -> tuple[str, ...]:
    """What is known of somebody in a place once the state, or the country too, is not."""
    return (place[:2],) if place[2:] else ()


@cache
def registers() -> list[str]:
    return sorted({rule.register for rule in JUDGED if rule.register})


def some_facts(chance: random.Random) -> tuple[Facts, datetime]:
    """Somebody, somewhere in the world, and a minute of eight years."""
    at = START + timedelta(minutes=chance.randrange(8 * 365 * 24 * 60))
    purpose = chance.choice([*PURPOSES, "marketing", "marketing"])
    channel = chance.choice(["email", "sms", "whatsapp"])
    sides = (purpose, "marketing", "special_data", "phi_content")
    said = {code: a_standing(chance, at) for code in sides}
    if chance.random() < 0.5:
        said[purpose] = Standing("confirmed", NOBODY, at - timedelta(days=9), None, "written", 40)
    known = Facts(
        contact_id=NOBODY,
        purpose_code=purpose,
        basis=chance.choice(["consent", "consent", "contract", "legitimate_interest"]),
        channel=channel,
        places=(),
        zones=tuple(chance.sample(ZONES, chance.choice([0, 1, 1, 1, 2]))),
        content=tuple(chance.sample(sorted(rule_format.CONTENT), chance.choice([0, 0, 1, 2]))),
        standings=tuple(sorted((code, row) for code, row in said.items() if row)),
        registers=tuple(chance.sample(registers(), chance.choice([0, 0, 1]))),
        recent=tuple(at - timedelta(hours=n) for n in chance.choice([(), (5,), (30, 3, 2, 1)])),
    )
    return known, at


def a_standing(chance: random.Random, at: datetime) -> Standing | None:
    state = chance.choice(["confirmed", "confirmed", "given", "claimed", "refused", ""])
    if not state:
        return None
    agreed = state in gate.AGREED
    return Standing(
        state,
        NOBODY,
        at - timedelta(days=chance.choice([1, 100, 200, 400, 800, 1500])),
        None,
        chance.choice(sorted(rule_format.PERMISSIONS)) if agreed else "",
        chance.choice([None, 9, 12, 14, 15, 17, 30]),
        chance.random() < 0.3,
    )


def verdict(known: Facts, at: datetime, countries: tuple[str, ...]) -> Verdict:
    rules = BOOK.applicable(
        countries=countries,
        purpose=known.purpose_code,
        channel=known.channel,
        content=known.content,
        on=at.date(),
    )
    return gate.decide(known, rules, at, book=BOOK)


def is_milder(one: Verdict, other: Verdict) -> bool:
    if other.verdict == gate.REFUSE:
        return one.verdict != gate.REFUSE
    if other.verdict == gate.DEFER and one.verdict != gate.REFUSE:
        assert other.defer_until
        return one.defer_until is None or one.defer_until < other.defer_until
    return False


def milder(known: Facts, at: datetime, place: str) -> list[str]:
    """Name what an unknown place lets through though this place does not."""
    there = verdict(known, at, (place,))
    if there.verdict == gate.ALLOW:
        return []
    # Of a state the country's unknown state is asked, and the unknown country as well.
    about = f"{known.purpose_code} {known.channel} {known.basis} {at:%a %Y-%m-%d %H:%M}"
    return [
        f"{unknown}, {about}: {place} {there.verdict} by {[r.rule for r in there.reasons]}"
        for unknown in {unknown_of(place), ()}
        if is_milder(verdict(known, at, unknown), there)
    ]


def facts_of(rule: Rule) -> Iterator[tuple[Facts, datetime]]:
    """The facts on which counsel tested a rule, and the same with less for others to refuse."""
    for test in rule.tests:
        words = rule_tests._words(rule, test.partition("->")[0])
        at = rule_tests._instant(words["at"], ZoneInfo(words["zone"]))
        known = rule_tests._facts(rule, words, at)
        own = {(known.purpose_code, basis) for basis in (known.basis, "legitimate_interest")}
        for purpose, basis in own | OTHERWISE:
            asked = replace(known, purpose_code=purpose, basis=basis)
            content = frozenset(known.content)
            if rule.touches(purpose=purpose, channel=known.channel, content=content):
                yield from ((variant, at) for variant in variants(asked, at))


def variants(known: Facts, at: datetime) -> Iterator[Facts]:
    """Who agreed more firmly is refused by fewer rules: the one at hand must still be met."""
    stand = known.standing()
    yield known
    firm = [(state, kind) for state in ("", "confirmed") for kind in ("", "express", "written")]
    for state, kind in firm if stand and stand.state in gate.AGREED else []:
        assert stand
        row = replace(stand, state=state or stand.state, permission=kind or stand.permission)
        yield with_standing(known, known.purpose_code, row)
    ideal = Standing("confirmed", NOBODY, at - timedelta(days=1), None, "written", 40)
    blameless = with_standing(known, known.purpose_code, ideal)
    yield blameless
    agreed = replace(ideal, state="given")
    yield with_standing(blameless, "marketing", agreed)
    yield replace(known, standings=(("marketing", agreed),))
    yield replace(known, standings=())


def with_standing(known: Facts, purpose: str, stand: Standing) -> Facts:
    return replace(known, standings=tuple({**dict(known.standings), purpose: stand}.items()))


def test_there_are_places_to_hold_it_against() -> None:
    assert len(KNOWN) > 100
    assert {"US-FL", "US-DC", "PR", "CA-QC", "CO", "DE"} <= set(KNOWN)


@pytest.mark.parametrize("kind", sorted(rulebook.JUDGED))
def test_no_rule_of_a_place_bites_where_that_of_the_unknown_place_does_not(kind: str) -> None:
    found = [
        f"{rule.id}: {fault}"
        for rule in JUDGED
        if rule.kind == kind and rule.status == "in_force"
        for known, at in facts_of(rule)
        for place in sorted(rule.where & set(KNOWN))
        for fault in milder(known, at, place)
    ]
    assert not found, found[:5]


@pytest.mark.parametrize("purpose", ["marketing", "permission_request"])
def test_each_open_hour_of_an_unknown_place_is_open_in_every_place(purpose: str) -> None:
    # Day by day, and not by chance: a holiday of one country is one day in the year.
    timed = [rule for rule in JUDGED if rule.kind == "hours" and rule.status == "in_force"]
    outside = {
        (rule.id, unknown, str(on))
        for rule in timed
        for place in (rule.where & set(KNOWN)) - BOOK.with_states
        for unknown in {unknown_of(place), ()}
        for channel in rule.channels or {"email", "sms", "whatsapp"}
        if rule.touches(purpose=purpose, channel=channel, content=frozenset())
        for on in days_of(rule)
        if not opens_within(rule, unknown, (purpose, channel), on)
    }
    assert not outside, sorted(outside)[:5]


def days_of(rule: Rule) -> Iterator[date]:
    first = max(rule.valid_from, date(2026, 1, 1))
    last = min(rule.valid_to or date.max, date(2029, 1, 1))
    yield from (first + timedelta(days=n) for n in range((last - first).days))


@cache
def open_hours(unknown: tuple[str, ...], spoken_of: tuple[str, str], on: date) -> hours.Walls:
    purpose, channel = spoken_of
    rules = BOOK.applicable(countries=unknown, purpose=purpose, channel=channel, on=on)
    plan = hours._plan(rules)
    assert plan, "an unknown place has no hours"
    return tuple((start.time(), end.time()) for start, end in plan.shared(("UTC",), on))


def opens_within(
    rule: Rule, unknown: tuple[str, ...], spoken_of: tuple[str, str], on: date
) -> bool:
    allowed = hours._windows(rule, on)
    return all(
        any(opens <= start and end <= closes for opens, closes in allowed)
        for start, end in open_hours(unknown, spoken_of, on)
    )


@pytest.mark.parametrize("seed", range(2))
def test_no_place_is_stricter_than_the_unknown_one_on_any_facts(seed: int) -> None:
    chance = random.Random(seed)
    for known, at in (some_facts(chance) for _ in range(FACTS)):
        for place in KNOWN:
            assert milder(known, at, place) == []
