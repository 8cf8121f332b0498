"""Promise 5: who opened a link, on what, and had they shown that it is theirs where they must?"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID

from django.db.models import Count, F, Q

from accounts.models import TrailLeaf
from consent.models import Channel
from retention.checks.tally import Tally
from videos import codes, devices
from videos.models import Campaign, CodeSent, Device, Link, Play

BATCH = 500
# The class of a campaign's words may grow after some have watched; they broke nothing.
DECLARED = "videos.campaign.content_declared"


def check() -> Iterator[Tally]:
    """Yield what was found about browsers, codes and links that were ended."""
    yield _stays_ended()
    yield _stopped()
    yield _devices()
    yield _shown()
    yield _codes()
    yield _proved()


def _stays_ended() -> Tally:
    """Ask the trail which links were ended: nobody may have given one its life back."""
    ended = TrailLeaf.objects.filter(action="videos.link.revoked").order_by("id")
    tally = Tally("each link that was ended stays ended", rows=ended.count())
    names = ended.values_list("object_id", flat=True).iterator(chunk_size=BATCH)
    while batch := list(islice(names, BATCH)):
        alive = Link.objects.filter(pk__in=batch, revoked_at=None).values_list("pk", flat=True)
        tally.blame_all(f"link {pk}: was ended, and opens again" for pk in alive)
    return tally


def _stopped() -> Tally:
    tally = Tally("nobody played after the end of a video or a stop", rows=Play.objects.count())
    of_stop = Q(link__created_at__lte=F("link__contact__stopped_at"))
    late = Play.objects.filter(
        Q(at__gte=F("link__asset__delete_at"))
        | Q(at__gt=F("link__contact__erased_at"))
        | of_stop & Q(at__gt=F("link__contact__stopped_at"))
    )
    for pk, link_id in late.values_list("pk", "link_id").iterator(chunk_size=BATCH):
        tally.blame(f"play {pk} of link {link_id}: came after the person or the video had ended")
    return tally


def _devices() -> Tally:
    let_in = Device.objects.filter(admitted_at__isnull=False, proved_at=None)
    tally = Tally("no link let in more browsers than allowed", rows=Device.objects.count())
    many = let_in.values("link", allowed=F("link__asset__campaign__devices_allowed"))
    for row in many.annotate(number=Count("pk")).filter(number__gt=F("allowed")):
        tally.blame(f"link {row['link']}: let in {row['number']} browsers by itself")
    stray = Play.objects.exclude(device=None).exclude(device__link=F("link"))
    for pk in stray.values_list("pk", flat=True).iterator(chunk_size=BATCH):
        tally.blame(f"play {pk}: was on a browser of another link")
    unknown = Play.objects.filter(device__admitted_at=None).exclude(device=None)
    for pk in unknown.values_list("pk", flat=True).iterator(chunk_size=BATCH):
        tally.blame(f"play {pk}: was on a browser that was never let in")
    return tally


def _shown() -> Tally:
    """Special data opens to nobody but who has shown, by a code, that it is theirs.

    Law: GDPR Art. 9(1) and 32(1); 45 CFR 164.312(d).
    """
    tally = Tally("each play of what needs a code came after the code")
    for campaign in Campaign.objects.exclude(started_at=None).iterator(chunk_size=100):
        if devices.step_up(campaign=campaign) != Campaign.StepUp.ALWAYS:
            continue
        plays = Play.objects.filter(link__asset__campaign=campaign)
        if campaign.step_up != Campaign.StepUp.ALWAYS:
            plays = plays.filter(at__gt=_declared_at(campaign.pk) or campaign.created_at)
        tally.saw(plays.count())
        unproved = plays.filter(Q(device=None) | Q(device__proved_at=None))
        unproved |= plays.filter(device__proved_at__gt=F("at"))
        for pk in unproved.values_list("pk", flat=True).iterator(chunk_size=BATCH):
            tally.blame(f"play {pk}: opened without a code what needs one")
    return tally


def _declared_at(campaign_id: UUID) -> datetime | None:
    told = TrailLeaf.objects.filter(action=DECLARED, object_id=str(campaign_id))
    return told.order_by("-id").values_list("at", flat=True).first()


def _codes() -> Tally:
    """Look at each code: a few tries, some minutes, another address of the link's own person."""
    sent = CodeSent.objects.select_related("message", "device__link__asset__campaign")
    tally = Tally("each code went to another address of the person, for minutes", rows=sent.count())
    longest = timedelta(minutes=codes.MINUTES)
    for pk in sent.filter(
        Q(tries__gt=codes.TRIES)
        | Q(expires_at__gt=F("asked_at") + longest)
        | Q(used_at__gte=F("expires_at"))
        | Q(used_at__lt=F("asked_at"))
    ).values_list("pk", flat=True):
        tally.blame(f"code {pk}: was good for too long, or for too many tries")
    for row in sent.iterator(chunk_size=BATCH):
        link = row.device.link
        others = codes.OTHERS[Channel(link.asset.campaign.channel)]
        if row.message.contact_id != link.contact_id or row.message.channel not in others:
            tally.blame(f"code {row.pk}: did not go to another address of the person")
    return tally


def _proved() -> Tally:
    proved = Device.objects.exclude(proved_at=None)
    tally = Tally("each browser that showed whose it is had used a code", rows=proved.count())
    used = CodeSent.objects.exclude(used_at=None).values("device_id")
    for pk in proved.exclude(pk__in=used).values_list("pk", flat=True).iterator(chunk_size=BATCH):
        tally.blame(f"browser {pk}: no code was used on it")
    return tally
