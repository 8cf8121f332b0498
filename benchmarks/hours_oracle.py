"""Is this instant within the hours of the law? Another way to the answer than `consent/hours.py`.

It reads the packs itself, lays the minutes of a zone side by side with what a clock there shows,
and looks: it never turns a wall time into an instant. Holidays come by other arithmetic as well.
Instants are microseconds since 1970, whole arrays of them.
"""

import tomllib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

PACKS = Path(__file__).resolve().parent.parent / "consent" / "rules"
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FIRST, LAST = date(2010, 1, 1), date(2039, 12, 31)
EPOCH = date(1970, 1, 1)
MINUTE = 60_000_000
A_DAY = 24 * 60
# A day of the calendar begins somewhere within 14 hours before and ends within 40 after UTC's.
BEFORE, AFTER = 16 * 60, 44 * 60
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Windows = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Row:
    """A rule with hours, as its pack says it."""

    id: str
    where: frozenset[str]
    purposes: frozenset[str]
    channels: frozenset[str]
    valid_from: date
    valid_to: date
    week: tuple[Windows, ...]
    calendar: str


@dataclass(frozen=True)
class Clock:
    """From which minute since 1970 a zone's clock is how many minutes ahead of UTC."""

    since: Ints
    ahead: Ints

    def shown(self, minutes: Ints) -> Ints:
        """Return what the clock shows, in minutes since 1970 as if it were UTC."""
        at = np.searchsorted(self.since, minutes, side="right") - 1
        return minutes + self.ahead[at]


def within(
    instants: Ints,
    *,
    places: Collection[str],
    zones: Sequence[str],
    asked: tuple[str, str],
    on: date,
) -> Flags:
    """Say of each instant whether the rules of a day (UTC) let a message arrive then.

    `places` as the contact's row has them, `asked` the purpose and the channel.
    """
    rows = selected(frozenset(places), asked, on)
    allowed = np.ones(len(instants), dtype=np.bool_)
    for zone in zones if rows else ():
        local_days = clock(zone).shown(instants // MINUTE) // A_DAY
        for number in np.unique(local_days):
            there = local_days == number
            allowed[there] &= _on_day(instants[there], zone, int(number), rows)
    return allowed if zones or not rows else np.zeros(len(instants), dtype=np.bool_)


def edges(zone: str) -> list[int]:
    """Return the minutes since 1970 at which a zone's clock jumps."""
    return [int(minute) for minute in clock(zone).since[1:]]


@cache
def clock(zone: str) -> Clock:
    """Walk the years of a zone, six hours at a step, and by minutes where its clock jumps."""
    place = ZoneInfo(zone)
    at, last = datetime(2009, 12, 1, tzinfo=UTC), datetime(2040, 2, 1, tzinfo=UTC)
    before = _ahead(at, place)
    since, ahead = [_minutes(at)], [before]
    while at < last:
        following = at + timedelta(hours=6)
        if _ahead(following, place) != before:
            while _ahead(at, place) == before:
                at += timedelta(minutes=1)
            before = _ahead(at, place)
            since.append(_minutes(at))
            ahead.append(before)
        at = following
    return Clock(np.array(since, dtype=np.int64), np.array(ahead, dtype=np.int64))


@cache
def selected(places: frozenset[str], asked: tuple[str, str], on: date) -> tuple[Row, ...]:
    """Return the rules with hours that hold at these places for this on a day."""
    purpose, channel = asked
    wanted = set(_asked_of(places))
    return tuple(
        row
        for row in rows()
        if row.where & wanted
        and purpose in (row.purposes or {purpose})
        and channel in (row.channels or {channel})
        and row.valid_from <= on < row.valid_to
    )


@cache
def rows() -> tuple[Row, ...]:
    """Return every rule with hours that is in force on some day."""
    return tuple(
        Row(
            id=part["id"],
            where=frozenset(part["where"]),
            purposes=frozenset(part.get("purposes", ())),
            channels=frozenset(part.get("channels", ())),
            valid_from=part["valid_from"],
            valid_to=part.get("valid_to", date.max),
            week=tuple(_windows(part["hours"].get(day, "")) for day in DAYS),
            calendar=part.get("holidays", ""),
        )
        for pack in _packs()
        for part in pack.get("rule", ())
        if part["kind"] == "hours" and part.get("status") != "proposed"
    )


@cache
def holidays(calendar: str) -> frozenset[int]:
    """Return the days of a calendar, numbered since 1970."""
    days = {
        day + timedelta(days=shift)
        for pack in _packs()
        for part in pack.get("holiday", ())
        if part["calendar"] == calendar
        for day in _falls(part)
        for shift in _kept(day, observed=part.get("observed", False))
    }
    return frozenset((day - EPOCH).days for day in days)


@cache
def countries() -> frozenset[str]:
    """Return the countries that a pack knows."""
    return frozenset(code for pack in _packs() for code in pack.get("countries", ()))


def _asked_of(places: Collection[str]) -> Iterator[str]:
    yield "*"
    for code in places or ("?",):
        country, _, state = code.partition("-")
        if country not in countries():
            yield "?"
            continue
        yield country
        if f"{country}-?" in _named():
            yield f"{country}-{state or '?'}"


@cache
def _named() -> frozenset[str]:
    parts = [part for pack in _packs() for part in pack.get("rule", ())]
    return frozenset(place for part in parts for place in part.get("where", ()))


def _on_day(instants: Ints, zone: str, number: int, found: Iterable[Row]) -> Flags:
    allowed = np.ones(len(instants), dtype=np.bool_)
    for windows in {_of_day(row, number) for row in found}:
        some = np.zeros(len(instants), dtype=np.bool_)
        for opens, closes in windows:
            start, end = span(zone, number, opens, closes)
            some |= (instants >= start) & (instants < end)
        allowed &= some
    return allowed


def _of_day(row: Row, number: int) -> Windows:
    if row.calendar and number in holidays(row.calendar):
        return ()
    return row.week[(number + 3) % 7]  # 1 January 1970 was a Thursday


@cache
def span(zone: str, number: int, opens: int, closes: int) -> tuple[int, int]:
    """Return the microseconds between which a window of a day is open, by looking at the clock."""
    midnight = number * A_DAY
    minutes = np.arange(midnight - BEFORE, midnight + AFTER, dtype=np.int64)
    shown = clock(zone).shown(minutes)
    # After the last minute that shows less than the beginning ...
    begin = int(np.flatnonzero(shown < midnight + opens)[-1]) + 1
    skipped = midnight + opens - int(shown[begin - 1]) - 1
    # ... until the first that shows the end or more; of a time that is skipped, the narrower.
    end = int(np.flatnonzero(shown >= midnight + closes)[0])
    over = int(shown[end]) - midnight - closes
    late = skipped if int(shown[begin]) > midnight + opens else 0
    return int(minutes[begin] + late) * MINUTE, int(minutes[end] - over) * MINUTE


def _windows(text: str) -> Windows:
    if not text:
        return ()
    opens, closes = (60 * int(part[:2]) + int(part[3:5]) for part in text.split("-"))
    return ((opens, closes),)


def _falls(part: dict[str, Any]) -> Iterator[date]:
    if "on" in part:
        yield from part["on"]
        return
    for year in range(FIRST.year, LAST.year + 1):
        if "easter" in part:
            yield _easter(year) + timedelta(days=part["easter"])
        elif "orthodox_easter" in part:
            yield _orthodox_easter(year) + timedelta(days=part["orthodox_easter"])
        elif "weekday" in part:
            yield _nth(year, part["month"], DAYS.index(part["weekday"]), part["number"])
        elif (part["month"], part["day"]) != (2, 29) or year % 4 == 0:
            yield date(year, part["month"], part["day"])


def _kept(day: date, *, observed: bool) -> tuple[int, ...]:
    shifts = {5: (0, -1), 6: (0, 1)}
    return shifts.get(day.weekday(), (0,)) if observed else (0,)


def _nth(year: int, month: int, weekday: int, number: int) -> date:
    length = (date(year + month // 12, month % 12 + 1, 1) - date(year, month, 1)).days
    days = [date(year, month, day + 1) for day in range(length)]
    fitting = [day for day in days if day.weekday() == weekday]
    return fitting[number - 1 if number > 0 else number]


def _easter(year: int) -> date:
    # Gauss, with the corrections for this and the next century.
    a, b, c = year % 19, year % 4, year % 7
    d = (19 * a + 24) % 30
    e = (2 * b + 4 * c + 6 * d + 5) % 7
    days = d + e
    if (d == 29 and e == 6) or (d == 28 and e == 6 and a > 10):
        days -= 7
    return date(year, 3, 22) + timedelta(days=days)


def _orthodox_easter(year: int) -> date:
    a, b, c = year % 19, year % 4, year % 7
    d = (19 * a + 15) % 30
    e = (2 * b + 4 * c + 6 * d + 6) % 7
    return date(year, 3, 22) + timedelta(days=d + e + 13)


def _ahead(at: datetime, zone: ZoneInfo) -> int:
    offset = at.astimezone(zone).utcoffset()
    assert offset is not None
    return int(offset.total_seconds()) // 60


def _minutes(at: datetime) -> int:
    return int(at.timestamp()) // 60


@cache
def _packs() -> tuple[dict[str, Any], ...]:
    return tuple(
        tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(PACKS.glob("*.toml"))
    )
