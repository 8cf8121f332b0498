"""Does each rule say what counsel meant? The tests that stand beside it in its pack, run alone.

`given written at=2026-03-02T10:00 -> allow`: facts, an arrow, what that one rule must come to.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from consent import gate
from consent.facts import Facts
from consent.models import ConsentEvent
from consent.rule_format import BadRule, Rule
from consent.rulebook import Rulebook
from consent.standing import Standing

STATES = {*ConsentEvent.Kind.values, "none"}
PERMISSIONS = set(ConsentEvent.Permission.values)
# A Wednesday morning on which the law of 2026 holds and no calendar has a holiday.
ORDINARY = "2026-10-07T11:00"
ZONES = {"US": "America/New_York", "CA": "America/Toronto", "BR": "America/Sao_Paulo"}
NOBODY = uuid.UUID(int=0)
# These limit an agreement, so they speak only beside a rule that asks for one.
LIMITS = {"age", "expiry"}
ASKS = "house.consent"


@dataclass(frozen=True)
class Failed:
    """A test of a rule that came out otherwise."""

    rule: str
    test: str
    found: str


def failures(book: Rulebook) -> Iterator[Failed]:
    """Yield the tests of a book's rules that fail.

    :raises BadRule: one cannot be read.
    """
    for rule in book.rules:
        for test in rule.tests:
            found, wanted = outcome(rule=rule, test=test, book=book)
            if found != wanted:
                yield Failed(rule.id, test, found)


def outcome(*, rule: Rule, test: str, book: Rulebook) -> tuple[str, str]:
    """Return what a rule comes to in one of its tests, and what it must.

    :raises BadRule: the test cannot be read.
    """
    said, arrow, wanted = test.partition("->")
    if not arrow:
        raise BadRule(f"{rule.id}: a test has no arrow")
    words = _words(rule, said)
    zone = ZoneInfo(words["zone"])
    at = _instant(words["at"], zone)
    known = _facts(rule, words, at)
    return _judged(rule, known, at, zone, book=book), " ".join(wanted.split())


def _judged(rule: Rule, known: Facts, at: datetime, zone: ZoneInfo, *, book: Rulebook) -> str:
    touched = rule.touches(
        purpose=known.purpose_code, channel=known.channel, content=frozenset(known.content)
    )
    # A proposed rule is tested as if it were in force: that is what its tests are about.
    places = book.places(known.places)
    in_time = rule.valid_from <= at.date() and (rule.valid_to is None or at.date() < rule.valid_to)
    if not (touched and in_time and rule.where & places):
        return "skip"
    beside = [row for row in book.rules if row.id == ASKS and rule.kind in LIMITS]
    verdict = gate.decide(known, [*beside, rule], at, book=book)
    if rule.kind == "reask":
        # After a no the house never asks; whether this rule says so too is what is tested.
        said = [reason.code for reason in verdict.reasons if reason.rule == rule.id]
        return f"refuse {said[0]}" if said else "allow"
    if verdict.verdict == gate.REFUSE:
        return f"refuse {verdict.reasons[0].code}"
    if verdict.verdict == gate.DEFER and verdict.defer_until:
        return f"defer {verdict.defer_until.astimezone(zone):%Y-%m-%dT%H:%M}"
    return "allow"


def _words(rule: Rule, said: str) -> dict[str, str]:
    place = min(rule.where - {"*"}, default="FR")
    words = {
        "state": "given",
        "permission": "express",
        "place": place,
        "at": ORDINARY,
        "purpose": min(rule.purposes, default="marketing"),
        "channel": "sms" if not rule.channels or "sms" in rule.channels else min(rule.channels),
    }
    if "marketing" in rule.purposes:
        words["purpose"] = "marketing"
    for word in said.split():
        name, equals, value = word.partition("=")
        if equals:
            words[name] = value
        elif word in STATES:
            words["state"] = word
        elif word in PERMISSIONS:
            words["permission"] = word
        else:
            raise BadRule(f"{rule.id}: a test says {word}, which means nothing")
    words.setdefault("zone", ZONES.get(words["place"][:2], "UTC"))
    return words


def _facts(rule: Rule, words: dict[str, str], at: datetime) -> Facts:
    zone = ZoneInfo(words["zone"])
    since = _instant(words["since"], zone) if "since" in words else at - timedelta(days=1)
    standings = {words["purpose"]: _standing(words, since)}
    for name in ("special_data", "phi_content", "marketing"):
        if name in words:
            state, _, permission = words[name].partition("/")
            standings[name] = Standing(state, NOBODY, since, None, permission)
    place = words["place"]
    return Facts(
        contact_id=NOBODY,
        purpose_code=words["purpose"],
        basis=min(rule.bases, default="consent"),
        channel=words["channel"],
        places=() if place == "?" else (place.removesuffix("-?"),),
        zones=(words["zone"],),
        content=tuple(words["content"].split(",")) if "content" in words else _content(rule),
        standings=tuple(sorted((k, v) for k, v in standings.items() if v.state != "none")),
        registers=(words["register"],) if "register" in words else (),
        recent=tuple(_instant(text, zone) for text in words.get("sent", "").split(",") if text),
    )


def _content(rule: Rule) -> tuple[str, ...]:
    return (min(rule.content),) if rule.content else ()


def _standing(words: dict[str, str], since: datetime) -> Standing:
    agreed = words["state"] in {"given", "confirmed"}
    return Standing(
        words["state"],
        NOBODY,
        since,
        None,
        words["permission"] if agreed else "",
        int(words["age"]) if "age" in words else None,
        words.get("guardian") == "yes",
    )


def _instant(text: str, zone: ZoneInfo) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)
