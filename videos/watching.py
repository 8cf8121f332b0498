"""What may the page of a link say about its video, before and after the gesture?"""

from datetime import datetime
from typing import TypedDict

from videos.models import Asset, Device, Link, Play


class Facts(TypedDict):
    """What the page says: nothing in it names the person."""

    sender: str
    link_name: str
    language: str
    seconds: int
    ends_at: datetime
    plays_left: int


class OwnPlay(TypedDict):
    """One line of a person's own log."""

    at: datetime
    here: bool


def facts(*, link: Link) -> Facts:
    """Return what the page of a living link says."""
    columns = ("campaign__sender_name", "render__language", "render__duration_ms")
    sender, language, duration_ms = Asset.objects.values_list(*columns).get(pk=link.asset_id)
    return Facts(
        sender=sender,
        link_name=link.public_id,
        language=language,
        seconds=round(duration_ms / 1000),
        ends_at=link.expires_at,
        plays_left=max(0, link.plays_allowed - link.plays),
    )


def own_plays(*, link: Link, device: Device | None = None) -> list[OwnPlay]:
    """Return when this person's video was played, newest first, and whether in this browser.

    Law: GDPR Art. 15(1); a play that was not theirs shows them that the link went astray.
    """
    plays = Play.objects.filter(link__contact=link.contact_id, link__asset=link.asset_id)
    known = device.pk if device else None
    rows = plays.order_by("-at").values_list("at", "device")[:50]
    return [OwnPlay(at=at, here=known is not None and number == known) for at, number in rows]
