"""Which rules of law hold for a person, a purpose and a channel on a day? Law is dated data.

The packs lie in `consent/rules/*.toml`, and counsel's own in `SEALCAST_HOME/rules`: those may add
rules and end shipped ones, and count as soon as they lie there. A place is a country (`US`), a
state (`US-FL`), an unknown state of a country that has them (`US-?`), an unknown place (`?`) or
everywhere (`*`). How a rule is read from its pack stands in `consent/rule_format.py`.
"""

import time
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings

from config.lib import canonical
from consent import rule_format
from consent.rule_format import BadRule, Holiday, Rule, Window

SHIPPED = Path(__file__).parent / "rules"
# Counsel's change counts within this time, without a restart; a look costs a `stat` a file.
LOOK_SECONDS = 2.0
# What the gate judges; the other kinds are read by whoever keeps them.
JUDGED = {"consent", "expiry", "age", "hours", "frequency", "block", "register", "reask"}
EVERYWHERE = "*"
UNKNOWN = "?"
__all__ = ["BadRule", "Holiday", "Rule", "Window", "applicable", "book"]


@dataclass(frozen=True)
class Rulebook:
    """All packs, as they were read, and the hash of what they say."""

    rules: tuple[Rule, ...]
    version: str
    countries: frozenset[str]
    with_states: frozenset[str]

    def __hash__(self) -> int:
        return hash(self.version)

    def rule(self, rule_id: str) -> Rule:
        """Return a rule by its id.

        :raises KeyError: no pack has it.
        """
        return _by_id(self)[rule_id]

    def places(self, countries: Iterable[str]) -> frozenset[str]:
        """Return every place whose rules hold for who may be in these; none known is `?`."""
        places = {EVERYWHERE}
        for code in set(countries) or {UNKNOWN}:
            country, _, region = code.partition("-")
            if country not in self.countries:
                places.add(UNKNOWN)
                continue
            places.add(country)
            if country in self.with_states:
                places.add(f"{country}-{region or UNKNOWN}")
        return frozenset(places)

    def applicable(
        self,
        *,
        countries: Iterable[str],
        purpose: str,
        channel: str,
        on: date,
        content: Iterable[str] = (),
    ) -> tuple[Rule, ...]:
        """Return the rules to judge by, of every place a person may be in."""
        spoken_of = (purpose, channel, frozenset(content))
        return _applicable(self, frozenset(countries), spoken_of, on)


def applicable(
    *,
    countries: Iterable[str],
    purpose: str,
    channel: str,
    at: datetime,
    content: Iterable[str] = (),
) -> tuple[Rule, ...]:
    """Return the rules of every place a person may be in; an unknown place has the strictest.

    A country may be given with its region, as `US-FL`.
    :raises BadRule: a pack cannot be read.
    """
    return book().applicable(
        countries=countries, purpose=purpose, channel=channel, on=at.date(), content=content
    )


def packs_version() -> str:
    """Return the SHA-256 of what all packs say."""
    return book().version


def rule(rule_id: str) -> Rule:
    """Return a rule by its id.

    :raises KeyError: no pack has it.
    """
    return book().rule(rule_id)


def told(kind: str, *, countries: Iterable[str], at: datetime) -> list[Rule]:
    """Return the rules of a kind that the gate does not judge, such as `revocation` or `signal`."""
    held, on = book(), at.date()
    places = held.places(countries)
    return [row for row in held.rules if row.kind == kind and row.holds(places=places, on=on)]


def book() -> Rulebook:
    """Return the packs in force: read once, and again when a file of them has changed.

    :raises BadRule: one cannot be read; nothing is sent on half a law.
    """
    return _read_files(_signature(int(time.monotonic() / LOOK_SECONDS)))


def with_pack(path: Path) -> Rulebook:
    """Return the book as if one more pack were in force, whatever its dates say: for a replay.

    :raises BadRule: it cannot be read.
    """
    extra = read([_load(path)])
    if path.resolve() in {known.resolve() for known in files()}:
        return supposing(row.id for row in extra.rules)
    packs = [_load(other) for other in files()] + [_load(path)]
    return _supposing(read(packs), {row.id for row in extra.rules})


def supposing(rule_ids: Iterable[str] | None = None) -> Rulebook:
    """Return the book as if these rules (None: all proposed ones) were in force already."""
    held = book()
    proposed = (row.id for row in held.rules if row.status == "proposed")
    return _supposing(held, set(rule_ids if rule_ids is not None else proposed))


def as_of(on: date) -> Rulebook:
    """Return the book as if the law of a day, past or to come, held at all times: for a replay."""
    held = book()
    everywhere = frozenset(place for row in held.rules for place in row.where)
    rules = tuple(
        replace(row, valid_from=date.min, valid_to=None)
        for row in held.rules
        if row.kind == "fact" or row.holds(places=everywhere, on=on)
    )
    version = canonical.digest({"book": held.version, "as_of": on.isoformat()})
    return replace(held, rules=rules, version=version)


def files() -> list[Path]:
    """Return the files of all packs, the shipped ones first."""
    own = settings.HOME / "rules"
    return [*sorted(SHIPPED.glob("*.toml")), *sorted(own.glob("*.toml"))]


def read(packs: Iterable[Mapping[str, Any]]) -> Rulebook:
    """Make a rulebook of packs.

    :raises BadRule: a rule lacks its date, source or place, or its id is not the only one.
    """
    packs = list(packs)
    rules = _ended(rule_format.rules(packs), packs)
    if len({row.id for row in rules}) != len(rules):
        raise BadRule("two rules have one id")
    places = {place for row in rules for place in row.where}
    return Rulebook(
        rules=tuple(rules),
        version=canonical.digest([rule_format.plain(pack) for pack in packs]),
        countries=frozenset(code for pack in packs for code in pack.get("countries", [])),
        with_states=frozenset(place[:2] for place in places if place.endswith("-?")),
    )


def _ended(rules: list[Rule], packs: Iterable[Mapping[str, Any]]) -> list[Rule]:
    ends = {part["id"]: part["valid_to"] for pack in packs for part in pack.get("end", [])}
    if unknown := set(ends) - {row.id for row in rules}:
        raise BadRule(f"{min(unknown)} is ended but is no rule")
    return [
        replace(row, valid_to=min(ends[row.id], row.valid_to or date.max))
        if row.id in ends
        else row
        for row in rules
    ]


def _supposing(held: Rulebook, ids: set[str]) -> Rulebook:
    rules = tuple(
        replace(row, valid_from=date.min, valid_to=None, status="in_force")
        if row.id in ids
        else row
        for row in held.rules
    )
    version = canonical.digest({"book": held.version, "supposing": sorted(ids)})
    return replace(held, rules=rules, version=version)


@lru_cache(maxsize=2)
def _signature(_look: int) -> tuple[tuple[str, int, int], ...]:
    stats = [(path, path.stat()) for path in files()]
    return tuple((str(path), stat.st_mtime_ns, stat.st_size) for path, stat in stats)


@lru_cache(maxsize=2)
def _read_files(signature: tuple[tuple[str, int, int], ...]) -> Rulebook:
    return read([_load(Path(name)) for name, _, _ in signature])


def _load(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as fault:
        raise BadRule(f"{path.name}: {fault}") from fault


@lru_cache(maxsize=8192)
def _applicable(
    held: Rulebook,
    countries: frozenset[str],
    spoken_of: tuple[str, str, frozenset[str]],
    on: date,
) -> tuple[Rule, ...]:
    purpose, channel, content = spoken_of
    places = held.places(countries)
    return tuple(
        row
        for row in held.rules
        if row.kind in JUDGED
        and row.holds(places=places, on=on)
        and row.touches(purpose=purpose, channel=channel, content=content)
    )


@lru_cache(maxsize=8)
def _by_id(held: Rulebook) -> dict[str, Rule]:
    return {row.id: row for row in held.rules}
