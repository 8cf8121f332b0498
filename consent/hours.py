"""When may a message arrive next? On the recipient's clock, in every zone they may be in. Pure.

A window of a day is one unbroken span of time. It begins at the last instant at which a clock in
the zone shows its beginning and ends at the first at which one shows its end: an hour that comes
twice counts only in between. Of a wall time that no clock shows, the narrower reading counts.
"""

from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from consent.rulebook import Rule

# Long enough to pass weekends and holidays of several countries that follow on each other.
SEARCH_DAYS = 42
# Past answers are kept for so many sets of rules, and for so many days in a zone of each.
PLANS_KEPT = 256
DAYS_KEPT = 4_000
DAY = timedelta(days=1)
# A day on which the clock is put back may have begun two days ago in UTC.
BACK = (2, 1, 0)
Span = tuple[datetime, datetime]
Walls = tuple[tuple[time, time], ...]


class Plan:
    """What hours some rules leave together on each day, in a zone and in several at once."""

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        """Keep the rules themselves: while they live, nothing else has their identity."""
        self.rules = rules
        self._walls: dict[date, set[Walls]] = {}
        self._spans: dict[tuple[str, date], list[Span]] = {}
        self._shared: dict[tuple[tuple[str, ...], date], list[Span]] = {}

    def shared(self, zones: tuple[str, ...], day: date) -> list[Span]:
        """Return the spans open in all zones that begin on a day of UTC, in order."""
        found = self._shared.get((zones, day))
        if found is None:
            self._forget()
            found = self._shared[zones, day] = self._meeting(zones, day)
        return found

    def _meeting(self, zones: tuple[str, ...], day: date) -> list[Span]:
        # A span that is open when another begins may have begun on a local day three before.
        near = [day + offset * DAY for offset in range(-3, 2)]
        common: list[Span] | None = None
        for zone in zones:
            own = [span for on in near for span in self._in_zone(zone, on)]
            common = own if common is None else list(_common(common, own))
        return [span for span in common or () if span[0].date() == day]

    def _in_zone(self, name: str, on: date) -> list[Span]:
        found = self._spans.get((name, on))
        if found is None:
            zone, spans = _zone(name), None
            for walls in self._on_the_wall(on):
                own = list(_as_spans(walls, zone, on))
                spans = own if spans is None else list(_common(spans, own))
            found = self._spans[name, on] = spans or []
        return found

    def _on_the_wall(self, on: date) -> set[Walls]:
        # Many rules have few different hours, and a day has the same in every zone.
        found = self._walls.get(on)
        if found is None:
            found = self._walls[on] = {_windows(rule, on) for rule in self.rules}
        return found

    def _forget(self) -> None:
        if len(self._shared) >= DAYS_KEPT:
            for kept in (self._walls, self._spans, self._shared):
                kept.clear()


_plans: dict[tuple[int, ...], Plan] = {}


def may_arrive(*, rules: Collection[Rule], zones: Collection[str], at: datetime) -> bool:
    """Say whether an instant lies within every rule's hours in every zone.

    Where no zone is known there is no such hour.
    Law: 47 CFR 64.1200(c)(1), the called party's time.
    """
    plan = _plan(rules)
    if plan is None:
        return True
    today, places = at.astimezone(UTC).date(), tuple(zones)
    return any(
        start <= at < end
        for offset in BACK
        for start, end in plan.shared(places, today - offset * DAY)
    )


def next_allowed(
    *, rules: Collection[Rule], zones: Collection[str], at: datetime
) -> datetime | None:
    """Return the first instant, not before `at`, within every rule's hours in every zone.

    None: the zones are unknown, or leave no hour to all.
    Law: 47 CFR 64.1200(c)(1), the called party's time.
    """
    plan = _plan(rules)
    if plan is None:
        return at
    if not zones:
        return None
    today, places = at.astimezone(UTC).date(), tuple(zones)
    for offset in range(-max(BACK), SEARCH_DAYS + 1):
        for start, end in plan.shared(places, today + offset * DAY):
            if at < end:
                return max(at, start)
    return None


def _plan(rules: Collection[Rule]) -> Plan | None:
    timed = tuple(rule for rule in rules if rule.kind == "hours")
    if not timed:
        return None
    # By identity: the hash of a rule is that of all its words, and this is asked for every send.
    key = tuple(map(id, timed))
    found = _plans.get(key)
    if found is None:
        if len(_plans) >= PLANS_KEPT:
            _plans.clear()
        found = _plans[key] = Plan(timed)
    return found


def _windows(rule: Rule, on: date) -> Walls:
    if any(day.falls_on(on) for day in rule.holidays):
        return ()
    mine = [window for window in rule.windows if window.weekday == on.weekday()]
    return tuple(sorted((window.start, window.end) for window in mine))


def _as_spans(walls: Walls, zone: ZoneInfo, on: date) -> Iterator[Span]:
    for opens, closes in walls:
        start, end = max(_instants(zone, on, opens)), min(_instants(zone, on, closes))
        if start < end:
            yield start, end


def _instants(zone: ZoneInfo, on: date, wall: time) -> tuple[datetime, datetime]:
    # Both readings: of a wall time that comes twice, and of one that never comes.
    naive = datetime.combine(on, wall, tzinfo=zone)
    return naive.replace(fold=0).astimezone(UTC), naive.replace(fold=1).astimezone(UTC)


def _common(left: list[Span], right: list[Span]) -> Iterator[Span]:
    for mine in left:
        for other in right:
            start, end = max(mine[0], other[0]), min(mine[1], other[1])
            if start < end:
                yield start, end


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
