"""What would another law have said of the past? Asked for on a page, judged by a job, kept a while.

Nothing is changed and nobody is named: what is kept are counts, ids of decisions, words of rules.
"""

from datetime import datetime, timedelta

from accounts.models import User
from consent import replays
from consent.rulebook import BadRule
from retention.models import LawReplay

# As many as a job judges well within its turn; the command judges all there is.
DECISIONS_MAX = 20_000
# A job whose worker died is not waited for any longer.
TURN = timedelta(minutes=30)
KEPT = timedelta(days=90)
PROBLEM_MAX_CHARS = 200


def ask(
    *, law: str, since: datetime, refusals: bool, at: datetime, staff: User | None
) -> LawReplay:
    """Make the row that a replay fills; one that the same person waits for already is that one."""
    same = LawReplay.objects.filter(law=law, since=since, refusals=refusals, asked_by=staff)
    waiting = same.filter(finished_at=None, started_at__gt=at - TURN).first()
    return waiting or LawReplay.objects.create(
        law=law, since=since, refusals=refusals, started_at=at, asked_by=staff
    )


def carry_out(*, report: LawReplay, at: datetime) -> LawReplay:
    """Judge the newest decisions again and keep what it came to, with progress on the way."""

    def heard(done: int, total: int) -> None:
        report.done, report.total = done, total
        report.save(update_fields=["done", "total"])

    try:
        found = replays.replay(
            book=replays.book_of(report.law),
            since=report.since,
            until=report.started_at,
            at=at,
            refusals_too=report.refusals,
            newest=DECISIONS_MAX,
            heard=heard,
        )
        report.found, report.total = found.plain(), found.total
    except (BadRule, replays.UnknownPack) as fault:
        report.problem = f"The rules cannot be read: {fault}"[:PROBLEM_MAX_CHARS]
    report.finished_at = at
    report.save(update_fields=["found", "total", "problem", "finished_at"])
    return report


def is_lost(*, report: LawReplay, at: datetime) -> bool:
    """Say whether nobody works on it any more."""
    return report.finished_at is None and report.started_at <= at - TURN


def latest() -> list[LawReplay]:
    """Return the newest that came to their end."""
    return list(LawReplay.objects.exclude(finished_at=None).order_by("-started_at")[:5])
