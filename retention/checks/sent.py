"""Promise 1: had the permission ended, or the presenter taken theirs back, when a message left?"""

from collections.abc import Iterator
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q

from accounts.models import TrailLeaf
from consent import likeness, standing, suppression
from consent.models import ConsentEvent, Decision, LikenessRelease, Purpose, Review
from retention.checks.tally import Tally
from videos import contents
from videos.models import DRAWN, Campaign, EgressManifest, Link

BATCH = 500


def check() -> Iterator[Tally]:
    """Yield what was found about permissions that end, words, presenters and reviews."""
    yield _lapsed()
    yield _classes()
    yield _shown()
    yield _rendered()
    yield _reviewed()


def _lapsed() -> Tally:
    """Fold the acts up to a hand-off again, wherever one of them had an end before it."""
    allowed = Decision.objects.filter(phase="hand_off", verdict="allow")
    tally = Tally("no message left after its permission had ended", rows=allowed.count())
    ended = ConsentEvent.objects.filter(
        contact_id=OuterRef("contact_id"),
        purpose_code=OuterRef("purpose_code"),
        channel=OuterRef("channel"),
        valid_until__lte=OuterRef("at"),
    )
    for decision in allowed.filter(Exists(ended)).order_by("pk").iterator(chunk_size=BATCH):
        if not _agreed(decision):
            tally.blame(f"message {decision.message_id}: left after the permission had ended")
    return tally


def _agreed(decision: Decision) -> bool:
    acts = ConsentEvent.objects.filter(
        contact_id=decision.contact_id,
        purpose_code=decision.purpose_code,
        channel=decision.channel,
        at__lte=decision.at,
    ).select_related("purpose")
    stand = standing.fold(acts)
    if any(act.purpose.basis != Purpose.Basis.CONSENT for act in acts):
        return True
    return stand is not None and stand.effective(decision.at) in standing.AGREED


def _classes() -> Tally:
    """Read the scripts anew: what they are about decides what the gate asks for."""
    started = Campaign.objects.exclude(started_at=None)
    tally = Tally("each campaign is judged by all that its words are about", rows=started.count())
    for campaign in started.iterator(chunk_size=100):
        for missing in sorted(set(contents.judged(campaign)) - set(contents.of(campaign))):
            tally.blame(f"campaign {campaign.pk}: is about {missing} and not judged by it")
    return tally


def _shown() -> Tally:
    """Each message that left with a person's face had that person's release at that instant."""
    rows = Link.objects.exclude(asset__render__presenter_code=DRAWN)
    left = rows.filter(message__sent_at__isnull=False).select_related("message", "asset__render")
    tally = Tally("each presenter had allowed what left with their face", rows=left.count())
    for link in left.order_by("pk").iterator(chunk_size=BATCH):
        render, message = link.asset.render, link.message
        if message is None or message.claimed_at is None:
            continue
        try:
            likeness.require(
                presenter_code=render.presenter_code,
                language=render.language,
                purpose_code=message.purpose_code,
                at=message.claimed_at,
            )
        except likeness.NotReleased as lack:
            tally.blame(f"message {message.pk}: {lack.code} when it left")
    return tally


def _rendered() -> Tally:
    rows = EgressManifest.objects.exclude(render__presenter_code=DRAWN)
    tally = Tally("each presenter had signed before anything of them left", rows=rows.count())
    signed = LikenessRelease.objects.filter(
        Q(revoked_at=None) | Q(revoked_at__gt=OuterRef("at")),
        presenter_code=OuterRef("render__presenter_code"),
        covers_face=True,
        covers_voice=True,
        signed_at__lte=OuterRef("at"),
        created_at__lte=OuterRef("at"),
        valid_until__gt=OuterRef("at"),
    )
    for pk in rows.exclude(Exists(signed)).values_list("pk", flat=True).iterator(chunk_size=BATCH):
        tally.blame(f"manifest {pk}: its presenter had signed no release")
    return tally


def _reviewed() -> Tally:
    """Each unsure answer was read by somebody, and what was a stop is one still."""
    read = Review.objects.exclude(state=Review.State.OPEN)
    tally = Tally("each unsure answer was settled by somebody who read it", rows=read.count())
    told = set(_settled())
    endless = read.filter(Q(decided_at=None) | Q(decided_at__lt=F("created_at")))
    for pk in endless.values_list("pk", flat=True):
        tally.blame(f"review {pk}: is settled and has no end")
    for pk in read.values_list("pk", flat=True).iterator(chunk_size=BATCH):
        if pk not in told:
            tally.blame(f"review {pk}: nobody is known to have settled it")
    undone = read.filter(state=Review.State.STOP, suppression__lifted_by=suppression.NOT_A_STOP)
    let_go = undone.filter(suppression__lifted_at__gte=F("decided_at"))
    for pk in let_go.values_list("pk", flat=True):
        tally.blame(f"review {pk}: it was a stop, and was let go as none")
    return tally


def _settled() -> Iterator[UUID]:
    leaves = TrailLeaf.objects.filter(action="consent.review.decided")
    for name in leaves.values_list("object_id", flat=True).iterator(chunk_size=BATCH):
        yield UUID(name)
