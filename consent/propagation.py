"""Do the other systems know of a stop, and how long did it take? Told one by one, with a clock.

A stop counts here when it commits. What is told here is whoever could write to the person by
themselves: messaging providers and CRMs. Each is told outside of any transaction, until it knows.
"""

import math
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import DurationField, ExpressionWrapper, F, Min, QuerySet

from accounts import audit
from config.lib import logs
from consent import contacts, crm_writing, outbox
from consent.models import Propagation
from consent.outbox import Told
from integrations.models import Connection

log = logs.get(__name__)
State = Propagation.State
# A worker that died in a call has lost its turn by then.
TURN = timedelta(minutes=10)
BACKOFF = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 360))
ATTEMPTS_MAX = 20
MEASURED = timedelta(days=90)
# The more serious one first: one channel that failed is a system that does not know.
OUTCOMES = ("failed", "later", "told", "not_needed")


@dataclass
class Passed:
    """What one round came to."""

    told: int = 0
    not_needed: int = 0
    later: int = 0
    failed: int = 0


@dataclass(frozen=True)
class System:
    """How one other system stands: counts, and seconds from hearing a stop to its knowing it."""

    label: str
    provider: str
    waiting: int
    told: int
    not_needed: int
    failed: int
    overdue: int
    median_seconds: float | None
    p95_seconds: float | None
    oldest: datetime | None
    due_next: datetime | None


@dataclass(frozen=True)
class Overview:
    """All other systems, and whether any is late."""

    systems: list[System] = field(default_factory=list)

    @property
    def overdue(self) -> int:
        """Count what should have been told by now, over all systems."""
        return sum(system.overdue for system in self.systems)


def pass_on(*, at: datetime, limit: int = 100) -> Passed:
    """Tell other systems of the stops they do not know yet; called again, it goes on.

    A system that is switched off is told when it is switched on; until then its clock runs.
    Law: 47 CFR 64.1200(a)(10), (d)(3): within ten business days at the latest.
    """
    done = Passed()
    waiting = Propagation.objects.filter(state=State.WAITING, next_at__lte=at)
    able = waiting.exclude(connection__state=Connection.State.DISABLED)
    rows = able.select_related("revocation__contact__key", "connection")
    for row in list(rows.order_by("next_at", "pk")[:limit]):
        if _claim(row, at):
            outcome = _record(row, _tell(row, at), at)
            setattr(done, outcome, getattr(done, outcome) + 1)
    return done


def overview(*, at: datetime) -> Overview:
    """Return how each other system stands, for a page: the figures of the last 90 days."""
    known = Propagation.objects.values_list("connection", flat=True).distinct()
    connections = Connection.objects.filter(pk__in=known).order_by("kind", "label")
    return Overview([_system(connection, at) for connection in connections])


def _claim(row: Propagation, at: datetime) -> bool:
    # Two workers may read the same row; the conditional UPDATE gives it to one of them.
    taken = Propagation.objects.filter(pk=row.pk, state=State.WAITING, next_at=row.next_at)
    return bool(taken.update(next_at=at + TURN, attempts=F("attempts") + 1))


def _tell(row: Propagation, at: datetime) -> Told:
    if row.connection.kind == Connection.Kind.CRM:
        return crm_writing.tell_stop(
            connection=row.connection,
            contact=row.revocation.contact,
            channels=tuple(row.revocation.channels),
            purposes=_codes(row.revocation.purposes),
            stopped_at=row.revocation.received_at,
            at=at,
        )
    places = _places(row, at)
    if not places:
        # Erased, or past their time: nobody can be named to anybody any more.
        return Told("failed", "no_address")
    told = [
        outbox.tell_stop(connection=row.connection, channel=channel, address=address)
        for channel, address in places
    ]
    return min(told, key=lambda one: OUTCOMES.index(one.outcome))


def _codes(named: list[str] | None) -> tuple[str, ...] | None:
    return None if named is None else tuple(named)


def _places(row: Propagation, at: datetime) -> list[tuple[str, str]]:
    places = []
    for channel in row.revocation.channels:
        try:
            address = contacts.address(contact=row.revocation.contact, channel=channel, at=at)
        except contacts.NoAddress:
            continue
        places.append((channel, address))
    return places


@transaction.atomic
def _record(row: Propagation, told: Told, at: datetime) -> str:
    held = Propagation.objects.select_for_update(of=("self",)).get(pk=row.pk)
    if held.state != State.WAITING:
        # Another worker, after this one's turn, was told so first.
        return told.outcome
    held.problem = told.code[:80]
    given_up = told.outcome == "later" and held.attempts >= ATTEMPTS_MAX
    outcome = "failed" if given_up else told.outcome
    if outcome == "later":
        held.next_at = at + BACKOFF[min(held.attempts, len(BACKOFF)) - 1]
    else:
        held.state, held.done_at = State(outcome), at
        _note(held, row, at)
    held.save()
    log.info("consent.propagation.tried", propagation_id=held.pk, outcome=outcome)
    return outcome


def _note(held: Propagation, row: Propagation, at: datetime) -> None:
    took = at - row.revocation.received_at
    audit.record(
        action=f"consent.propagation.{held.state}",
        at=at,
        actor=audit.SYSTEM,
        subject_id=row.revocation.contact_id,
        object_type="consent.propagation",
        object_id=str(held.pk),
        details={
            "provider": row.connection.provider,
            "connection": str(held.connection_id),
            "revocation": str(held.revocation_id),
            "attempts": held.attempts,
            "seconds": max(0, round(took.total_seconds())),
            "late": at > held.due_at,
            "problem": held.problem,
        },
    )


def _system(connection: Connection, at: datetime) -> System:
    rows = Propagation.objects.filter(connection=connection)
    waiting = rows.filter(state=State.WAITING)
    ended = rows.filter(done_at__gt=at - MEASURED)
    told = ended.filter(state=State.TOLD)
    first = waiting.aggregate(oldest=Min("revocation__received_at"), due=Min("due_at"))
    return System(
        label=connection.label,
        provider=connection.provider,
        waiting=waiting.count(),
        told=told.count(),
        not_needed=ended.filter(state=State.NOT_NEEDED).count(),
        failed=ended.filter(state=State.FAILED).count(),
        overdue=waiting.filter(due_at__lt=at).count(),
        median_seconds=_seconds(told, 0.5),
        p95_seconds=_seconds(told, 0.95),
        oldest=first["oldest"],
        due_next=first["due"],
    )


def _seconds(told: QuerySet[Propagation], share: float) -> float | None:
    # By rank in the database: the rows are never held in memory.
    rank = math.ceil(told.count() * share) - 1
    if rank < 0:
        return None
    took = ExpressionWrapper(F("done_at") - F("revocation__received_at"), DurationField())
    ranked = told.annotate(took=took).order_by("took").values_list("took", flat=True)
    found: timedelta = ranked[rank : rank + 1].get()
    return found.total_seconds()
