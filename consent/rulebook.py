"""Which rules of law hold for a person, a purpose and a channel on a day? Law is dated data.

The packs lie in `consent/rules/*.toml`. A place is a country (`US`), a state (`US-FL`), an unknown
state of a country that has them (`US-?`), an unknown place (`?`) or everywhere (`*`).
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import lru_cache
from pathlib import Path
from typing import Any

from config.lib import canonical

FOLDER = Path(__file__).parent / "rules"
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
KINDS = {"fact", "consent", "hours", "frequency", "block"}
EVERYWHERE = "*"
UNKNOWN = "?"


class BadRule(ValueError):
    """A rule pack cannot be read; nothing is sent on half a law."""


@dataclass(frozen=True)
class Window:
    """When messages may arrive on one weekday, on the clock of the person's place."""

    weekday: int
    start: time
    end: time


@dataclass(frozen=True)
class Holiday:
    """A day of each year: a date, or the n-th weekday of a month (-1 is the last)."""

    calendar: str
    month: int
    day: int = 0
    weekday: int = 0
    number: int = 0

    def falls_on(self, on: date) -> bool:
        """Say whether a date is this holiday."""
        if on.month != self.month:
            return False
        if self.day:
            return on.day == self.day
        if on.weekday() != self.weekday:
            return False
        if self.number < 0:
            return (on.day + 7) > _days_in_month(on)
        return (on.day - 1) // 7 + 1 == self.number


@dataclass(frozen=True)
class Rule:
    """One rule of law, with the time it holds and where it stands written."""

    id: str
    kind: str
    valid_from: date
    valid_to: date | None
    source: str
    source_url: str
    text: str
    where: frozenset[str]
    purposes: frozenset[str]
    channels: frozenset[str]
    bases: frozenset[str]
    needs: frozenset[str]
    windows: tuple[Window, ...]
    holidays: tuple[Holiday, ...]
    max_messages: int
    window_hours: int

    def covers(self, *, places: frozenset[str], purpose: str, channel: str, on: date) -> bool:
        """Say whether the rule holds here, for this, on this day."""
        return (
            self.kind != "fact"
            and bool(self.where & places)
            and (not self.purposes or purpose in self.purposes)
            and (not self.channels or channel in self.channels)
            and self.valid_from <= on
            and (self.valid_to is None or on < self.valid_to)
        )


@dataclass(frozen=True)
class Rulebook:
    """All packs, as they were read, and the hash of what they say."""

    rules: tuple[Rule, ...]
    version: str
    countries: frozenset[str]
    with_states: frozenset[str]


def applicable(
    *, countries: Iterable[str], purpose: str, channel: str, at: datetime
) -> tuple[Rule, ...]:
    """Return the rules of every place a person may be in; an unknown place has the strictest.

    A country may be given with its region, as `US-FL`.
    """
    return _applicable(frozenset(countries), purpose, channel, at.date())


def packs_version() -> str:
    """Return the SHA-256 of what all packs say."""
    return book().version


def rule(rule_id: str) -> Rule:
    """Return a rule by its id.

    :raises KeyError: no pack has it.
    """
    return _by_id()[rule_id]


@lru_cache(maxsize=1)
def book() -> Rulebook:
    """Read the packs, once a process.

    :raises BadRule: one cannot be read.
    """
    packs = [
        tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.toml"))
    ]
    return read(packs)


def read(packs: Iterable[Mapping[str, Any]]) -> Rulebook:
    """Make a rulebook of packs.

    :raises BadRule: a rule lacks its date, source or place, or its id is not the only one.
    """
    packs = list(packs)
    holidays = [_holiday(part) for pack in packs for part in pack.get("holiday", [])]
    try:
        rules = [_rule(part, holidays) for pack in packs for part in pack.get("rule", [])]
    except (KeyError, ValueError) as fault:
        raise BadRule(str(fault)) from fault
    if len({row.id for row in rules}) != len(rules):
        raise BadRule("two rules have one id")
    places = {place for row in rules for place in row.where}
    return Rulebook(
        rules=tuple(rules),
        version=canonical.digest([_plain(pack) for pack in packs]),
        countries=frozenset(code for pack in packs for code in pack.get("countries", [])),
        with_states=frozenset(place[:2] for place in places if place.endswith("-?")),
    )


@lru_cache(maxsize=4096)
def _applicable(
    countries: frozenset[str], purpose: str, channel: str, on: date
) -> tuple[Rule, ...]:
    places = _places(countries)
    return tuple(
        row
        for row in book().rules
        if row.covers(places=places, purpose=purpose, channel=channel, on=on)
    )


def _places(countries: frozenset[str]) -> frozenset[str]:
    places = {EVERYWHERE}
    for code in countries or {UNKNOWN}:
        country, _, region = code.partition("-")
        if country not in book().countries:
            places.add(UNKNOWN)
            continue
        places.add(country)
        if country in book().with_states:
            places.add(f"{country}-{region or UNKNOWN}")
    return frozenset(places)


@lru_cache(maxsize=1)
def _by_id() -> dict[str, Rule]:
    return {row.id: row for row in book().rules}


def _rule(part: Mapping[str, Any], holidays: list[Holiday]) -> Rule:
    if part["kind"] not in KINDS:
        raise BadRule(f"unknown kind in {part['id']}")
    if part["kind"] != "fact" and not part.get("where"):
        raise BadRule(f"{part['id']} says not where it holds")
    return Rule(
        id=part["id"],
        kind=part["kind"],
        valid_from=part["valid_from"],
        valid_to=part.get("valid_to"),
        source=part["source"],
        source_url=part.get("source_url", ""),
        text=part["text"],
        where=frozenset(part.get("where", [])),
        purposes=frozenset(part.get("purposes", [])),
        channels=frozenset(part.get("channels", [])),
        bases=frozenset(part.get("bases", [])),
        needs=frozenset(part.get("needs", [])),
        windows=tuple(_window(day, text) for day, text in part.get("hours", {}).items()),
        holidays=tuple(day for day in holidays if day.calendar == part.get("holidays")),
        max_messages=part.get("max_messages", 0),
        window_hours=part.get("window_hours", 0),
    )


def _window(day: str, text: str) -> Window:
    start, _, end = text.partition("-")
    window = Window(DAYS.index(day), time.fromisoformat(start), time.fromisoformat(end))
    if window.start >= window.end:
        raise BadRule("a window ends before it starts")
    return window


def _holiday(part: Mapping[str, Any]) -> Holiday:
    return Holiday(
        calendar=part["calendar"],
        month=part["month"],
        day=part.get("day", 0),
        weekday=DAYS.index(part["weekday"]) if "weekday" in part else 0,
        number=part.get("number", 0),
    )


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return value.isoformat() if isinstance(value, date) else value


def _days_in_month(on: date) -> int:
    following = date(on.year + on.month // 12, on.month % 12 + 1, 1)
    return (following - on.replace(day=1)).days
