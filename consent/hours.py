"""When may a message arrive next? On the recipient's clock, in every zone they may be in. Pure."""

from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from consent.rulebook import Rule, Window

# Long enough to pass a weekend with holidays on both sides.
SEARCH_DAYS = 21
Span = tuple[datetime, datetime]


def may_arrive(*, rules: Collection[Rule], zones: Collection[str], at: datetime) -> bool:
    """Say whether an instant lies within every rule's hours in every zone."""
    return all(_open(rule, at.astimezone(ZoneInfo(zone))) for rule in rules for zone in zones)


def next_allowed(
    *, rules: Collection[Rule], zones: Collection[str], at: datetime
) -> datetime | None:
    """Return the first instant, not before `at`, within every rule's hours in every zone.

    None: the zones are unknown, or leave no hour to all.
    Law: 47 CFR 64.1200(c)(1), the called party's time.
    """
    timed = tuple(sorted((rule for rule in rules if rule.windows), key=lambda rule: rule.id))
    if not timed:
        return at
    if not zones:
        return None
    return _next(timed, tuple(sorted(zones)), at)


@lru_cache(maxsize=4096)
def _next(rules: tuple[Rule, ...], zones: tuple[str, ...], at: datetime) -> datetime | None:
    spans: list[Span] = [(at, at + timedelta(days=SEARCH_DAYS))]
    for rule in rules:
        for zone in zones:
            spans = list(_common(spans, list(_spans(rule, ZoneInfo(zone), at))))
    return spans[0][0] if spans else None


def _spans(rule: Rule, zone: ZoneInfo, at: datetime) -> Iterator[Span]:
    first = at.astimezone(zone).date() - timedelta(days=1)
    for offset in range(SEARCH_DAYS + 3):
        on = first + timedelta(days=offset)
        for window in _windows(rule, on):
            # Where a clock stands still or jumps, the narrower reading counts.
            start = max(_instants(zone, on, window.start))
            end = min(_instants(zone, on, window.end))
            if start < end:
                yield start, end


def _windows(rule: Rule, on: date) -> list[Window]:
    if any(day.falls_on(on) for day in rule.holidays):
        return []
    return [window for window in rule.windows if window.weekday == on.weekday()]


def _instants(zone: ZoneInfo, on: date, wall: object) -> list[datetime]:
    naive = datetime.combine(on, wall, tzinfo=zone)  # type: ignore[arg-type]
    return [naive.replace(fold=fold).astimezone(UTC) for fold in (0, 1)]


def _common(left: list[Span], right: list[Span]) -> Iterator[Span]:
    one = other = 0
    while one < len(left) and other < len(right):
        start = max(left[one][0], right[other][0])
        end = min(left[one][1], right[other][1])
        if start < end:
            yield start, end
        if left[one][1] < right[other][1]:
            one += 1
        else:
            other += 1


def _open(rule: Rule, local: datetime) -> bool:
    wall = local.time().replace(fold=0)
    return any(window.start <= wall < window.end for window in _windows(rule, local.date()))
