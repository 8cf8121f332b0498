"""Promise 5: does a link open for longer, or for more, than it may?"""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import F, Q

from accounts import keys
from retention.checks import watched
from retention.checks.tally import Tally
from videos import links
from videos.models import Link, Play


def check(*, at: datetime) -> Iterator[Tally]:
    """Yield what was found about links and plays."""
    yield _outliving()
    yield _living(at)
    yield _counted()
    yield _played()
    yield from watched.check()


def _outliving() -> Tally:
    tally = Tally("each link ends with its video at the latest", rows=Link.objects.count())
    rows = Link.objects.filter(expires_at__gt=F("asset__delete_at")).values_list("pk", flat=True)
    tally.blame_all(f"link {pk}: outlives its video" for pk in rows.iterator(chunk_size=500))
    others = Link.objects.exclude(contact_id=F("asset__contact_id")).values_list("pk", flat=True)
    tally.blame_all(f"link {pk}: leads to the video of another" for pk in others.iterator())
    return tally


def _living(at: datetime) -> Tally:
    tally = Tally("each link that opens leads to a video that may be seen")
    open_now = links.with_keys().filter(revoked_at=None, not_before__lte=at, expires_at__gt=at)
    for link in open_now.iterator(chunk_size=500):
        tally.saw()
        stopped = link.contact.stopped_at
        if link.contact.erased_at or (stopped and stopped >= link.created_at):
            if links.is_live(link=link, at=at):
                tally.blame(f"link {link.pk}: opens although the person stopped it")
        elif link.asset.deleted_at or link.asset.key is None:
            tally.blame(f"link {link.pk}: its video is gone and it was not ended")
        elif not keys.opens(key=link.asset.key, at=at):
            tally.blame(f"link {link.pk}: the key of its video does not open any more")
    return tally


def _counted() -> Tally:
    tally = Tally("no link was played more often than allowed", rows=Link.objects.count())
    over = Link.objects.filter(plays__gt=F("plays_allowed")).values_list("pk", flat=True)
    tally.blame_all(f"link {pk}: played too often" for pk in over.iterator(chunk_size=500))
    return tally


def _played() -> Tally:
    tally = Tally("each play was within the time of its link", rows=Play.objects.count())
    outside = Play.objects.filter(
        Q(at__lt=F("link__not_before"))
        | Q(at__gte=F("link__expires_at"))
        | Q(at__gt=F("link__revoked_at"))
    )
    rows = outside.values_list("pk", "link_id").iterator(chunk_size=500)
    tally.blame_all(f"play {pk} of link {link_id}: outside its time" for pk, link_id in rows)
    return tally
