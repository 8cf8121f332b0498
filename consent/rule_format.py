"""How does a rule of law read in its pack? TOML in, one frozen row out; half a rule is refused."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from functools import lru_cache
from typing import Any

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
KINDS = {
    *{"fact", "consent", "expiry", "age", "hours", "frequency", "block", "register", "reask"},
    *{"revocation", "signal", "keep"},
}
# What each kind cannot do without, beside its id, date, source and words.
NEEDED = {
    "consent": ("needs",),
    "expiry": ("months",),
    "age": ("years",),
    "hours": ("hours",),
    "frequency": ("max_messages", "window_hours"),
    "register": ("register",),
    "reask": ("months",),
    "revocation": ("scope",),
    "signal": ("signal", "purposes"),
    "keep": ("what", "years"),
}
PERMISSIONS = {
    *{"express", "written", "explicit", "soft_opt_in", "implied_purchase", "implied_inquiry"},
    *{"contract", "hipaa_authorization"},
}
CONTENT = {
    *{"health", "religion", "politics", "union", "orientation", "biometrics", "phi"},
    "child_directed",
}
SCOPES = {"all", "purpose", "channel"}
STATUSES = {"in_force", "proposed"}
KNOWN = {
    *{"id", "kind", "where", "valid_from", "valid_to", "source", "source_url", "text", "tests"},
    *{"purposes", "channels", "bases", "content", "status", "needs", "permissions", "standing"},
    *{"months", "years", "hours", "holidays", "max_messages", "window_hours", "register"},
    *{"unless", "scope", "signal", "what"},
}


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
    """A day of each year: a date, an n-th weekday (-1: last), days from Easter, or a list."""

    calendar: str
    month: int = 0
    day: int = 0
    weekday: int = 0
    number: int = 0
    easter: int | None = None
    orthodox_easter: int | None = None
    dates: frozenset[date] = frozenset()
    # A Saturday's is kept on Friday as well, a Sunday's on Monday: both days are closed.
    observed: bool = False

    def falls_on(self, on: date) -> bool:
        """Say whether a date is this holiday, or the weekday on which it is kept."""
        if self._is(on):
            return True
        if not self.observed:
            return False
        before, after = on - timedelta(days=1), on + timedelta(days=1)
        return (on.weekday() == 0 and self._is(before)) or (on.weekday() == 4 and self._is(after))

    def _is(self, on: date) -> bool:
        if self.dates:
            return on in self.dates
        if self.easter is not None:
            return on == _easter(on.year) + timedelta(days=self.easter)
        if self.orthodox_easter is not None:
            return on == _orthodox_easter(on.year) + timedelta(days=self.orthodox_easter)
        if on.month != self.month:
            return False
        return on.day == self.day if self.day else self._is_nth_weekday(on)

    def _is_nth_weekday(self, on: date) -> bool:
        if on.weekday() != self.weekday:
            return False
        if self.number < 0:
            return (on + timedelta(days=7)).month != on.month
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
    status: str
    where: frozenset[str]
    purposes: frozenset[str]
    channels: frozenset[str]
    bases: frozenset[str]
    content: frozenset[str]
    needs: frozenset[str]
    permissions: frozenset[str]
    standing: str
    months: int
    years: int
    windows: tuple[Window, ...]
    holidays: tuple[Holiday, ...]
    max_messages: int
    window_hours: int
    register: str
    unless: frozenset[str]
    scope: str
    signal: str
    what: str
    tests: tuple[str, ...] = field(default=(), compare=False)

    def __hash__(self) -> int:
        # Rules are keys of caches, asked for each message: their id tells them apart well enough.
        return hash(self.id)

    def holds(self, *, places: frozenset[str], on: date) -> bool:
        """Say whether the rule is in force at one of these places on this day."""
        return (
            self.status == "in_force"
            and bool(self.where & places)
            and self.valid_from <= on
            and (self.valid_to is None or on < self.valid_to)
        )

    def touches(self, *, purpose: str, channel: str, content: frozenset[str]) -> bool:
        """Say whether the rule speaks of such a message."""
        return (
            (not self.purposes or purpose in self.purposes)
            and (not self.channels or channel in self.channels)
            and (not self.content or bool(self.content & content))
        )


def rules(packs: Iterable[Mapping[str, Any]]) -> list[Rule]:
    """Read the rules of packs, with their calendars.

    :raises BadRule: a rule lacks what its kind needs, or says what no rule can.
    """
    packs = list(packs)
    try:
        holidays = [_holiday(part) for pack in packs for part in pack.get("holiday", [])]
        return [_rule(part, holidays) for pack in packs for part in pack.get("rule", [])]
    except (KeyError, ValueError, TypeError) as fault:
        raise BadRule(str(fault)) from fault


def plain(value: object) -> object:
    """Return what a pack says in a form that can be hashed."""
    if isinstance(value, Mapping):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [plain(part) for part in value]
    return value.isoformat() if isinstance(value, date) else value


def _rule(part: Mapping[str, Any], holidays: list[Holiday]) -> Rule:
    _check(part, {day.calendar for day in holidays})
    return Rule(
        id=part["id"],
        kind=part["kind"],
        valid_from=part["valid_from"],
        valid_to=part.get("valid_to"),
        source=part["source"],
        source_url=part.get("source_url", ""),
        text=part["text"],
        status=part.get("status", "in_force"),
        where=frozenset(part.get("where", [])),
        purposes=frozenset(part.get("purposes", [])),
        channels=frozenset(part.get("channels", [])),
        bases=frozenset(part.get("bases", [])),
        content=frozenset(part.get("content", [])),
        needs=frozenset(part.get("needs", [])),
        permissions=frozenset(part.get("permissions", [])),
        standing=part.get("standing", ""),
        months=part.get("months", 0),
        years=part.get("years", 0),
        windows=tuple(_window(day, text) for day, text in part.get("hours", {}).items()),
        holidays=tuple(day for day in holidays if day.calendar == part.get("holidays")),
        max_messages=part.get("max_messages", 0),
        window_hours=part.get("window_hours", 0),
        register=part.get("register", ""),
        unless=frozenset(part.get("unless", [])),
        scope=part.get("scope", ""),
        signal=part.get("signal", ""),
        what=part.get("what", ""),
        tests=tuple(part.get("tests", [])),
    )


def _check(part: Mapping[str, Any], calendars: set[str]) -> None:
    name = part["id"]
    if unknown := set(part) - KNOWN:
        # A misspelt `valid_to` would keep a rule alive: every word must be one we know.
        raise BadRule(f"{name} says {min(unknown)}, which no rule can")
    if part["kind"] not in KINDS:
        raise BadRule(f"unknown kind in {name}")
    if part["kind"] != "fact" and not part.get("where"):
        raise BadRule(f"{name} says not where it holds")
    if missing := [word for word in NEEDED.get(part["kind"], ()) if not part.get(word)]:
        raise BadRule(f"{name} lacks {missing[0]}")
    if not str(part["source"]).strip() or not str(part["text"]).strip():
        raise BadRule(f"{name} has no source or no words")
    if part.get("holidays") is not None and part["holidays"] not in calendars:
        raise BadRule(f"{name} names a calendar that no pack has")
    _check_words(part)


def _check_words(part: Mapping[str, Any]) -> None:
    allowed = {"permissions": PERMISSIONS, "unless": PERMISSIONS, "content": CONTENT}
    for word, known in allowed.items():
        if unknown := set(part.get(word, [])) - known:
            raise BadRule(f"{part['id']}: {min(unknown)} is no {word}")
    if part.get("scope", "all") not in SCOPES or part.get("status", "in_force") not in STATUSES:
        raise BadRule(f"{part['id']} has an unknown scope or status")
    if part.get("window_hours", 0) > 48:
        raise BadRule(f"{part['id']} looks back further than the gate does")


def _window(day: str, text: str) -> Window:
    start, _, end = text.partition("-")
    last = time.max if end == "24:00" else time.fromisoformat(end)
    window = Window(DAYS.index(day), time.fromisoformat(start), last)
    if window.start >= window.end:
        raise BadRule("a window ends before it starts")
    return window


def _holiday(part: Mapping[str, Any]) -> Holiday:
    return Holiday(
        calendar=part["calendar"],
        month=part.get("month", 0),
        day=part.get("day", 0),
        weekday=DAYS.index(part["weekday"]) if "weekday" in part else 0,
        number=part.get("number", 0),
        easter=part.get("easter"),
        orthodox_easter=part.get("orthodox_easter"),
        dates=frozenset(part.get("on", [])),
        observed=part.get("observed", False),
    )


@lru_cache(maxsize=512)
def _easter(year: int) -> date:
    # The Gregorian computus of Meeus, Jones and Butcher.
    a, b, c = year % 19, year // 100, year % 100
    d, e = b // 4, b % 4
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = c // 4, c % 4
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return date(year, month, day + 1)


@lru_cache(maxsize=512)
def _orthodox_easter(year: int) -> date:
    # Meeus for the Julian calendar; thirteen days later in ours from 1900 to 2099.
    d = (19 * (year % 19) + 15) % 30
    e = (2 * (year % 4) + 4 * (year % 7) - d + 34) % 7
    month, day = divmod(d + e + 114, 31)
    return date(year, month, day + 1) + timedelta(days=13)
