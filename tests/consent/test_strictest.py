"""An unknown place is judged at least as strictly as every place that a pack knows."""

import random
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest

from consent import gate, rule_format, rule_tests, rulebook
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
START = datetime(2024, 1, 1, tzinfo=UTC)
FACTS = 100


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
    said = {code: a_standing(chance, at) for code in (purpose, "marketing", "special_data")}
    said["phi_content"] = a_standing(chance, at)
    known = Facts(
        contact_id=uuid.UUID(int=0),
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
        uuid.UUID(int=0),
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
    return [
        f"{'-'.join((*unknown, '?'))} {known.purpose_code} {known.channel} {at:%a %Y-%m-%d %H:%M}"
        f" {known.basis} {known.zones}: {place} {there.verdict} by {[r.rule for r in there.reasons]}"
        for unknown in {unknown_of(place), ()}
        if is_milder(verdict(known, at, unknown), there)
    ]


def facts_of(rule: Rule) -> Iterator[tuple[Facts, datetime]]:
    """The facts on which counsel tested a rule: where it bites, and where it just does not."""
    for test in rule.tests:
        words = rule_tests._words(rule, test.partition("->")[0])
        at = rule_tests._instant(words["at"], ZoneInfo(words["zone"]))
        yield rule_tests._facts(rule, words, at), at


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


@pytest.mark.parametrize("seed", range(2))
def test_no_place_is_stricter_than_the_unknown_one_on_any_facts(seed: int) -> None:
    chance = random.Random(seed)
    for known, at in (some_facts(chance) for _ in range(FACTS)):
        for place in KNOWN:
            assert milder(known, at, place) == []
