"""How does consent stand and grow, in numbers? Counts only; no person is opened."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import Any

from django.db import connection
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import TruncDate

from consent import purposes, standing
from consent.models import ConsentEvent, ConsentState, Contact
from consent.standing import AGREED, NO, OWN_ACTS, Standing

GROWTH_DAYS = 30
SHOWN = {"confirmed": "Confirmed", "given": "Given", "claimed": "Claimed", "withdrawn": "Withdrawn"}
# How far back a history goes, and by which step it is counted if nobody chose one.
SPANS = {30: "day", 90: "week", 365: "month"}
STEPS = ("day", "week", "month")
YES_SQL = ", ".join(f"'{kind.value}'" for kind in sorted(AGREED))
NO_SQL = ", ".join(f"'{kind.value}'" for kind in sorted(NO))
OWN_SQL = ", ".join(f"'{act.value}'" for act in sorted(OWN_ACTS))
OTHERS_SQL = ", ".join(f"'{kind}'" for kind in sorted(standing.OTHERS))
# Acts that count whatever was before. The others (a yes by other hands, the passing of time) do
# nothing after a no; a claim never makes or ends an agreement.
HARD_SQL = (
    f"(kind IN ({NO_SQL}) OR (kind IN ({YES_SQL}) AND act IN ({OWN_SQL}) "
    f"AND actor_kind NOT IN ({OTHERS_SQL})))"
)


@dataclass(frozen=True)
class History:
    """Consent over time: what was done in each step of time, and where it led."""

    step: str
    starts: list[date]
    given: list[int]
    confirmed: list[int]
    # Withdrawn, or refused when asked.
    withdrawn: list[int]
    # By how many the agreements in force grew, and how many there were at the end of the step. A
    # person who agreed on two channels counts on each.
    net: list[int]
    total: list[int]

    @property
    def labels(self) -> list[str]:
        """Return the name of each step of time."""
        form = "{on:%b %Y}" if self.step == "month" else "{on.day} {on:%b}"
        return [form.format(on=on) for on in self.starts]

    def rows(self) -> Iterator[tuple[object, ...]]:
        """Yield the figures of each step of time, for a table."""
        yield from zip(
            self.starts,
            self.given,
            self.confirmed,
            self.withdrawn,
            self.net,
            self.total,
            strict=True,
        )


def by_state() -> dict[str, int]:
    """Count people by where their marketing consent stands on any channel."""
    rows = (
        ConsentState.objects.filter(purpose_code=purposes.MARKETING, contact__erased_at=None)
        .values("state")
        .annotate(people=Count("contact", distinct=True))
    )
    return {row["state"]: row["people"] for row in rows}


def with_state(people: QuerySet[Contact], state: str) -> QuerySet[Contact]:
    """Keep people whose marketing consent stands so on some channel; `none`: nobody asked them."""
    rows = ConsentState.objects.filter(purpose_code=purposes.MARKETING)
    if state == "none":
        return people.exclude(pk__in=rows.values("contact_id"))
    return people.filter(pk__in=rows.filter(state=state).values("contact_id"))


def growth(*, at: datetime, days: int = GROWTH_DAYS) -> tuple[list[str], dict[str, list[int]]]:
    """Count the acts of each kind on each day (UTC) up to an instant."""
    first = at.date() - timedelta(days=days - 1)
    counts = _acts(first, at, ConsentEvent.objects.filter(purpose_code=purposes.MARKETING))
    dates = [first + timedelta(days=offset) for offset in range(days)]
    labels = [f"{on.day} {on:%b}" for on in dates]
    series = {word: [counts[on, kind] for on in dates] for kind, word in SHOWN.items()}
    return labels, series


def history(
    *,
    at: datetime,
    days: int,
    step: str = "",
    purpose_code: str = purposes.MARKETING,
    channel: str = "",
) -> History:
    """Count consent for a purpose over the last days, by day, week or month (UTC).

    An agreement is in force from the act until a no, its own end, or the person's erasure; stops
    of an address, hours and caps are the gate's to ask. No channel: all of them.
    """
    step = step or SPANS.get(days, "week")
    starts = _starts(at.date() - timedelta(days=days - 1), at.date(), step)
    acts = ConsentEvent.objects.filter(purpose_code=purpose_code)
    if channel:
        acts = acts.filter(channel=channel)
    counted = _by_step(_acts(starts[0], at, acts), starts)
    turned = _turned(starts[0], at, purpose_code, channel)
    net = [Counter(_placed(turned, starts))[place] for place in range(len(starts))]
    return History(
        step=step,
        starts=starts,
        given=counted["given"],
        confirmed=counted["confirmed"],
        withdrawn=[sum(two) for two in zip(counted["withdrawn"], counted["refused"], strict=True)],
        net=net,
        total=_totals(in_force(at=at, purpose_code=purpose_code, channel=channel), net),
    )


def in_force(*, at: datetime, purpose_code: str = purposes.MARKETING, channel: str = "") -> int:
    """Count the agreements for a purpose that are in force at an instant, erased people aside."""
    rows = ConsentState.objects.filter(
        Q(valid_until=None) | Q(valid_until__gt=at),
        purpose_code=purpose_code,
        state__in=AGREED,
        contact__erased_at=None,
    )
    return (rows.filter(channel=channel) if channel else rows).count()


def turns(
    events: Sequence[ConsentEvent], *, until: datetime, erased_at: datetime | None = None
) -> Iterator[tuple[datetime, int]]:
    """Yield when one person's agreement came into force (1) and ended (-1), by the fold itself."""
    stand: Standing | None = None
    live = False
    for event in events:
        if live and (end := _end_by(stand, event.at)):
            yield end, -1
            live = False
        stand = standing.step(stand, event)
        agrees = stand is not None and stand.effective(event.at) in AGREED
        if agrees != live:
            yield event.at, int(agrees) - int(live)
        live = agrees
    gone_at = erased_at if erased_at and erased_at <= until else None
    end = _end_by(stand, gone_at or until) or gone_at
    if live and end:
        yield end, -1


def _end_by(stand: Standing | None, by: datetime) -> datetime | None:
    end = stand.valid_until if stand else None
    return end if end and end <= by else None


def _acts(first: date, at: datetime, events: QuerySet[ConsentEvent]) -> Counter[tuple[date, str]]:
    rows = (
        events.filter(at__gte=_midnight(first), at__lte=at)
        .annotate(on=TruncDate("at", tzinfo=UTC))
        .values("on", "kind")
        .annotate(acts=Count("id"))
    )
    return Counter({(row["on"], row["kind"]): row["acts"] for row in rows.order_by()})


def _turned(first: date, at: datetime, purpose_code: str, channel: str) -> Counter[date]:
    """Count by day how many agreements came into force, less those that ended."""
    found = Counter[date]()
    with connection.cursor() as cursor:
        cursor.execute(*_statement(_midnight(first), at, purpose_code, channel))
        for on, number in cursor.fetchall():
            found[on if isinstance(on, date) else date.fromisoformat(on)] += number
    for when, number in _turned_by_time(first, at, purpose_code, channel):
        found[when.astimezone(UTC).date()] += number
    return found


def _turned_by_time(
    first: date, at: datetime, purpose_code: str, channel: str
) -> Iterator[tuple[datetime, int]]:
    """Fold those whose agreement has an end or was entered late: the fold says what holds."""
    rows = ConsentEvent.objects.filter(purpose_code=purpose_code, at__lte=at)
    rows = rows.filter(channel=channel) if channel else rows
    dated = rows.exclude(valid_until=None, said_at=None).exclude(kind="claimed")
    ordered = (
        rows.filter(contact__in=dated.values("contact_id"))
        .select_related("contact")
        .only(
            *("number", "kind", "act", "at", "valid_until", "permission", "age_years", "channel"),
            *("guardian_sealed", "said_at", "actor_kind", "contact__erased_at"),
        )
        .order_by("contact_id", "channel", "number")
    )
    for _, group in groupby(ordered.iterator(), key=lambda row: (row.contact_id, row.channel)):
        events = list(group)
        if any((row.valid_until or row.said_at) and row.kind != "claimed" for row in events):
            yield from _since(first, turns(events, until=at, erased_at=events[0].contact.erased_at))


def _since(first: date, found: Iterable[tuple[datetime, int]]) -> Iterator[tuple[datetime, int]]:
    return ((when, number) for when, number in found if when >= _midnight(first))


def _statement(
    first: datetime, at: datetime, purpose_code: str, channel: str
) -> tuple[str, list[Any]]:
    """Return the SQL of who began and ended to agree on which day, and its parameters.

    The same as `turns` says, set-wise, of those whose agreement has no date but its own.
    """
    since, until = map(connection.ops.adapt_datetimefield_value, (first, at))
    day, day_params = connection.ops.datetime_cast_date_sql("turned.happened_at", (), "UTC")
    chosen = " AND channel = %s" if channel else ""
    own = [purpose_code, *([channel] if channel else [])]
    person = "PARTITION BY contact_id, channel"
    before = f"{person} ORDER BY number ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING"
    sql = f"""
        WITH marked AS (
            SELECT contact_id, channel, number, at, kind, {HARD_SQL} AS hard,
                   CASE WHEN kind IN ({YES_SQL}) THEN 1 ELSE 0 END AS yes,
                   max(coalesce(valid_until, said_at)) OVER ({person}) AS dated,
                   max(CASE WHEN {HARD_SQL} THEN number * 2 +
                       CASE WHEN kind IN ({NO_SQL}) THEN 1 ELSE 0 END END) OVER ({before}) AS last
            FROM consent_consentevent
            WHERE purpose_code = %s{chosen} AND kind <> 'claimed' AND at <= %s AND contact_id IN (
                SELECT contact_id FROM consent_consentevent
                WHERE purpose_code = %s{chosen} AND at >= %s
                UNION SELECT id FROM consent_contact WHERE erased_at >= %s)
        ), counted AS (
            SELECT contact_id, at, yes, lag(yes) OVER ({person} ORDER BY number) AS was,
                   lead(yes) OVER ({person} ORDER BY number) AS next
            FROM marked WHERE dated IS NULL AND (hard OR last IS NULL OR last % 2 = 0)
        ), turned AS (
            SELECT at AS happened_at, yes - coalesce(was, 0) AS number FROM counted
            UNION ALL
            SELECT c.erased_at, -1 FROM counted JOIN consent_contact c ON c.id = counted.contact_id
            WHERE yes = 1 AND next IS NULL AND c.erased_at <= %s
        )
        SELECT {day} AS day, sum(turned.number) FROM turned
        WHERE turned.happened_at >= %s GROUP BY 1"""  # noqa: S608  only our own words; values are parameters
    params = [*own, until, *own, since, since, until, *day_params, since]
    return sql.replace("% 2", "%% 2"), params


def _starts(first: date, last: date, step: str) -> list[date]:
    on, found = _start_of(first, step), []
    while on <= last:
        found.append(on)
        on = _start_of(on + timedelta(days={"day": 1, "week": 7, "month": 32}[step]), step)
    return found


def _start_of(on: date, step: str) -> date:
    if step == "month":
        return on.replace(day=1)
    return on - timedelta(days=on.weekday()) if step == "week" else on


def _by_step(counts: Counter[tuple[date, str]], starts: Sequence[date]) -> dict[str, list[int]]:
    found = {kind: [0] * len(starts) for kind in ConsentEvent.Kind.values}
    for (on, kind), number in counts.items():
        found[kind][_place(on, starts)] += number
    return found


def _placed(counts: Counter[date], starts: Sequence[date]) -> dict[int, int]:
    found = Counter[int]()
    for on, number in counts.items():
        found[_place(on, starts)] += number
    return found


def _place(on: date, starts: Sequence[date]) -> int:
    return max(place for place, start in enumerate(starts) if start <= on)


def _totals(now: int, net: Sequence[int]) -> list[int]:
    found, total = [], now
    for number in reversed(net):
        found.append(total)
        total -= number
    return found[::-1]


def _midnight(on: date) -> datetime:
    return datetime.combine(on, time.min, tzinfo=UTC)
