"""Are we fine today? The figures of the officer's first page, each counted when it is asked for."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import TruncWeek

from accounts import audit, pulse
from consent.models import Decision, Message
from integrations import inbox
from retention import verification
from retention.models import Hold, Run, RunItem, SubjectRequest
from videos.models import Incident, Render

WEEKS = 12
DUE_SOON = timedelta(days=7)
# The supervisor asks every few seconds; the sealer and the checks come by schedule.
PULSE_OLD = timedelta(minutes=2)
CHECK_OLD = timedelta(hours=12)
WAITING = (SubjectRequest.State.OPEN, SubjectRequest.State.DEFERRED)


@dataclass(frozen=True)
class Concern:
    """Something an officer has to look at: how many, and the name of the page that shows them."""

    state: str
    words: str
    page: str
    count: int = 1


@dataclass(frozen=True)
class Growth:
    """Figures by week: the labels, and for each series a value a week."""

    labels: list[str]
    series: Mapping[str, Sequence[int]]


def concerns(*, at: datetime) -> list[Concern]:
    """Return what needs attention, the worst first; nothing is a good answer."""
    requests = SubjectRequest.objects.filter(state__in=WAITING)
    found = [
        Concern("failed", "Incidents open", "incidents", _open_incidents().count()),
        Concern(
            "failed",
            "Events that cannot be read: nothing is sent until they are",
            "replies",
            inbox.stuck().count(),
        ),
        Concern("overdue", "Requests past their month", "requests", _due(requests, at)),
        Concern("failed", "Runs with records that failed", "runs", _runs("unfinished")),
        Concern("waiting", "Runs that wait for your word", "runs", _unconfirmed()),
        Concern("unknown", "Messages sent without an answer", "unanswered", _unknown()),
        Concern("due", "Requests due within 7 days", "requests", _due_soon(requests, at)),
        Concern("deferred", "Requests deferred by a hold", "requests", _deferred(requests)),
        Concern("failed", "Renders that failed", "renders", _failed_renders()),
        Concern("hold", "Holds in force", "holds", Hold.objects.filter(released_at=None).count()),
        Concern("unsealed", "Acts not yet in a signed block", "trail", audit.unsealed()),
        *_stale(at),
    ]
    return [concern for concern in found if concern.count]


def deletions(*, at: datetime) -> Growth:
    """Count the records of the runs by week and outcome."""
    weeks = _weeks(at)
    rows = RunItem.objects.all()
    return Growth(
        _labels(weeks),
        {
            word: _by_week(rows.filter(state=state), "run__planned_at", weeks)
            for word, state in (("Erased", "erased"), ("Held", "held"), ("Failed", "failed"))
        },
    )


def verdicts(*, at: datetime) -> Growth:
    """Count the gate's decisions by channel and verdict."""
    recent = Decision.objects.filter(at__gt=at - timedelta(weeks=WEEKS))
    counts = Counter[tuple[str, str]]()
    for row in recent.values("channel", "verdict").annotate(count=Count("pk")):
        counts[row["channel"], row["verdict"]] = row["count"]
    channels = sorted({channel for channel, _ in counts})
    return Growth(
        channels,
        {
            word: [counts[channel, verdict] for channel in channels]
            for word, verdict in (
                ("Allowed", "allow"),
                ("Deferred", "defer"),
                ("Refused", "refuse"),
            )
        },
    )


def _open_incidents() -> QuerySet[Incident]:
    return Incident.objects.filter(closed_at=None)


def _due(rows: QuerySet[SubjectRequest], at: datetime) -> int:
    return rows.filter(due_at__lte=at).count()


def _due_soon(rows: QuerySet[SubjectRequest], at: datetime) -> int:
    return rows.filter(due_at__gt=at, due_at__lte=at + DUE_SOON).count()


def _deferred(rows: QuerySet[SubjectRequest]) -> int:
    return rows.filter(state=SubjectRequest.State.DEFERRED).count()


def _runs(state: str) -> int:
    return Run.objects.filter(state=state).count()


def _unconfirmed() -> int:
    waiting = Run.objects.filter(state=Run.State.PLANNED, needs_confirmation=True)
    return waiting.filter(confirmed_at=None).count()


def _unknown() -> int:
    return Message.objects.filter(state=Message.State.UNKNOWN).count()


def _failed_renders() -> int:
    return Render.objects.filter(state=Render.State.FAILED).count()


def _stale(at: datetime) -> list[Concern]:
    answered, found = pulse.newest_answer_age(at=at), []
    if answered is None or answered > PULSE_OLD:
        found.append(Concern("warning", "The job cluster does not answer", "schedules"))
    last = verification.latest()
    if last is None or last.finished_at is None or last.finished_at < at - CHECK_OLD:
        found.append(Concern("unverified", "The promises were not checked lately", "promises"))
    return found


def _weeks(at: datetime) -> list[datetime]:
    monday = at.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=at.weekday())
    return [monday - timedelta(weeks=back) for back in range(WEEKS - 1, -1, -1)]


def _labels(weeks: list[datetime]) -> list[str]:
    return [f"{week.day} {week:%b}" for week in weeks]


def _by_week(rows: QuerySet[RunItem], field: str, weeks: list[datetime]) -> list[int]:
    recent = rows.filter(Q(**{f"{field}__gte": weeks[0]}))
    counted = recent.annotate(week=TruncWeek(field)).values("week").annotate(count=Count("pk"))
    counts = {row["week"].date(): row["count"] for row in counted.order_by()}
    return [counts.get(week.date(), 0) for week in weeks]
