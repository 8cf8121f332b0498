"""What may the page of a link say about its video, before and after the gesture?"""

from datetime import datetime
from typing import TypedDict

from videos.models import Link, Play


class Facts(TypedDict):
    """What the page says: nothing in it names the person."""

    sender: str
    link_name: str
    language: str
    seconds: int
    ends_at: datetime
    plays_left: int


def facts(*, link: Link) -> Facts:
    """Return what the page of a living link says."""
    render = link.asset.render
    return Facts(
        sender=link.asset.campaign.sender_name,
        link_name=link.public_id,
        language=render.language,
        seconds=round(render.duration_ms / 1000),
        ends_at=link.expires_at,
        plays_left=max(0, link.plays_allowed - link.plays),
    )


def own_plays(*, link: Link) -> list[datetime]:
    """Return when the videos of this person and campaign were played, newest first."""
    plays = Play.objects.filter(link__contact=link.contact_id, link__asset=link.asset_id)
    return list(plays.order_by("-at").values_list("at", flat=True)[:50])
