"""Promise 1: does every stop hold, is it known elsewhere, and was it answered once at most?"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import BigIntegerField, Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Cast

from accounts.models import TrailLeaf
from consent import purposes, revocations, suppression
from consent.models import Message, Propagation, Review, Revocation, StopConfirmation, Suppression
from retention.checks.tally import Tally

# What the database itself holds of the one text: one a stop, one a message, five minutes.
GUARDS = ({"revocation_id"}, {"message_id"})
MINUTES = "stopconfirmation_within_five_minutes"
Rows = QuerySet[Suppression] | QuerySet[Propagation]
ADDED, LIFTED = "consent.suppression.added", "consent.suppression.lifted"


def check(*, at: datetime) -> Iterator[Tally]:
    """Yield what was found about stops."""
    yield _stand()
    yield _held_back()
    yield _owed()
    yield _told(at)
    yield _answered()
    yield _guarded()


def _stand() -> Tally:
    """Ask the trail which addresses were to be left alone: it outlives the people."""
    added = _named(ADDED)
    tally = Tally("each address that was to be left alone still is", rows=added.count())
    gone = added.exclude(row__in=Suppression.objects.values("pk")).order_by("id")
    tally.blame_all(f"suppression {pk}: is gone" for pk in gone.values_list("row", flat=True))
    lifted = _without_leaf(Suppression.objects.exclude(lifted_at=None), LIFTED)
    tally.blame_all(f"suppression {pk}: nobody is known to have lifted it" for pk in lifted)
    return tally


def _held_back() -> Tally:
    waiting = Review.objects.filter(state=Review.State.OPEN)
    tally = Tally("whoever's unsure answer waits to be read is held back", rows=waiting.count())
    # Who has confirmed anew since has said more than the answer did.
    loose = waiting.filter(
        Q(suppression=None)
        | Q(suppression__lifted_at__isnull=False) & ~Q(suppression__lifted_by=suppression.CONFIRMED)
    )
    ids = loose.values_list("pk", flat=True).iterator(chunk_size=500)
    tally.blame_all(f"review {pk}: may be written to before anybody read it" for pk in ids)
    return tally


def _owed() -> Tally:
    """Ask of each system that was there: is there a clock for each stop that it must know of?"""
    tally = Tally("each stop is known to, or on its way to, each other system")
    for other in revocations.writers():
        since = Revocation.objects.filter(effective_at__gte=other.created_at)
        tally.saw(since.count())
        own = Propagation.objects.filter(revocation=OuterRef("pk"), connection=other)
        for pk, reached in since.exclude(Exists(own)).values_list("pk", "purposes").iterator():
            # A stop of one purpose only, such as the sharing of data, ends no messages.
            if reached is None or purposes.MARKETING in reached:
                tally.blame(f"revocation {pk}: connection {other.pk} is not to be told of it")
    return tally


def _told(at: datetime) -> Tally:
    tally = Tally("other systems know of each stop in time", rows=Propagation.objects.count())
    late = Propagation.objects.filter(state=Propagation.State.WAITING, due_at__lt=at)
    tally.blame_all(f"propagation {pk}: is late" for pk in late.values_list("pk", flat=True))
    closed = Propagation.objects.exclude(state=Propagation.State.WAITING)
    open_end = closed.filter(done_at=None).values_list("pk", flat=True)
    tally.blame_all(f"propagation {pk}: is closed and has no end" for pk in open_end)
    for state in Propagation.State.values:
        unproven = _without_leaf(closed.filter(state=state), f"consent.propagation.{state}")
        tally.blame_all(f"propagation {pk}: nobody is known to have told it" for pk in unproven)
    return tally


def _answered() -> Tally:
    texts = Message.objects.filter(purpose_code=purposes.STOP_CONFIRMATION)
    tally = Tally("each stop was confirmed once at most, within minutes", rows=texts.count())
    own = StopConfirmation.objects.filter(message=OuterRef("pk"))
    stray = texts.exclude(Exists(own)).values_list("pk", flat=True)
    tally.blame_all(f"message {pk}: confirms no stop" for pk in stray)
    late = StopConfirmation.objects.filter(message__claimed_at__gt=F("send_by"))
    ids = late.values_list("message_id", flat=True)
    tally.blame_all(f"message {pk}: confirmed a stop too late" for pk in ids)
    return tally


def _guarded() -> Tally:
    table = StopConfirmation._meta.db_table
    tally = Tally("the database refuses a second confirmation, and a late one", rows=3)
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, table)
    single = [set(one["columns"]) for one in found.values() if one["unique"] or one["primary_key"]]
    for columns in GUARDS:
        if columns not in single:
            tally.blame(f"table {table}: {min(columns)} may stand there twice")
    if MINUTES not in found:
        tally.blame(f"table {table}: nothing holds the five minutes")
    return tally


def _without_leaf(rows: Rows, action: str) -> list[int]:
    # One hash of the trail's names, not one look into the trail for each row.
    named = _named(action).values("row")
    return list(rows.exclude(pk__in=named).order_by("pk").values_list("pk", flat=True))


def _named(action: str) -> QuerySet[Any]:
    leaves = TrailLeaf.objects.filter(action=action)
    return leaves.annotate(row=Cast("object_id", BigIntegerField()))
