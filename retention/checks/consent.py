"""Promise 1: did any message leave without a decision that said yes at that instant?"""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import F, OuterRef, Q, QuerySet, Subquery

from accounts.models import TrailLeaf
from consent import elements, permissions, standing
from consent.models import ConsentEvent, ConsentState, Decision, Message
from retention.checks import law, sent, stops
from retention.checks.tally import NAMED, Tally

LEFT = ("handing_off", "sent", "delivered", "unknown")
NO = ("withdrawn", "refused")
OWN_WILL = ("given", "confirmed", *NO)


def check(*, at: datetime) -> Iterator[Tally]:
    """Yield what was found about consent."""
    yield _queued()
    yield _left()
    yield _overtaken()
    yield _folded()
    yield _whole()
    yield from sent.check()
    yield from stops.check(at=at)
    yield from law.check(at=at)


def _queued() -> Tally:
    tally = Tally("each message has the decision that allowed it", rows=Message.objects.count())
    wrong = Message.objects.exclude(
        decision__message_id=F("pk"),
        decision__contact_id=F("contact_id"),
        decision__channel=F("channel"),
        decision__purpose_code=F("purpose_code"),
        decision__verdict__in=["allow", "defer"],
        decision__phase="queue",
    )
    tally.blame_all(f"message {pk}: no decision of its own allowed it" for pk in _ids(wrong))
    return tally


def _left() -> Tally:
    left = Message.objects.filter(Q(state__in=LEFT) | Q(sent_at__isnull=False))
    tally = Tally("each message that left was allowed again at hand-off", rows=left.count())
    wrong = left.exclude(
        hand_off_decision__message_id=F("pk"),
        hand_off_decision__contact_id=F("contact_id"),
        hand_off_decision__channel=F("channel"),
        hand_off_decision__purpose_code=F("purpose_code"),
        hand_off_decision__at=F("claimed_at"),
        hand_off_decision__verdict="allow",
        hand_off_decision__phase="hand_off",
    )
    tally.blame_all(f"message {pk}: left without being judged again" for pk in _ids(wrong))
    return tally


def _overtaken() -> Tally:
    allowed = Decision.objects.filter(phase="hand_off", verdict="allow")
    tally = Tally("no withdrawal came before a hand-off", rows=allowed.count())
    acts = ConsentEvent.objects.filter(
        contact_id=OuterRef("contact_id"),
        purpose_code=OuterRef("purpose_code"),
        channel=OuterRef("channel"),
        kind__in=OWN_WILL,
        at__lte=OuterRef("at"),
    ).order_by("-number")
    last = allowed.annotate(
        last_kind=Subquery(acts.values("kind")[:1]), last_id=Subquery(acts.values("pk")[:1])
    )
    for decision in last.filter(last_kind__in=NO).iterator(chunk_size=500):
        if _entered(decision.last_id) < _entered(decision.pk):
            tally.blame(f"message {decision.message_id}: left after the person had said no")
    return tally


def _entered(object_id: object) -> int:
    # Two acts of one instant: the trail knows which was written first, under one lock.
    leaf = TrailLeaf.objects.filter(object_id=str(object_id)).order_by("id").first()
    return leaf.pk if leaf else 0


def _folded() -> Tally:
    rows = ConsentState.objects.count() + ConsentEvent.objects.count()
    tally = Tally("each state is the fold of its events", rows=rows)
    faults = standing.disagreements(limit=NAMED)
    tally.blame_all(f"state of {place}: is not what its events say" for place in faults)
    return tally


def _whole() -> Tally:
    stronger = ConsentEvent.objects.filter(permission__in=elements.ROWS, kind="given")
    tally = Tally("each stronger permission has its elements", rows=stronger.count())
    faults = permissions.without_elements(limit=NAMED)
    tally.blame_all(f"act {pk}: its elements were never written" for pk in faults)
    return tally


def _ids(rows: QuerySet[Message]) -> Iterator[object]:
    yield from rows.order_by("pk").values_list("pk", flat=True).iterator(chunk_size=500)
