"""Which token opens which video, for whom, and does it still open at this instant?"""

import re
import secrets
import uuid
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from accounts import audit, keys
from accounts.audit import Actor
from accounts.models import TrailLeaf
from consent import ledger
from consent.models import Contact, Message
from videos import lookups
from videos.models import Asset, Campaign, Link

TOKEN_BYTES, TOKEN_LETTERS = 32, 43
TOKEN = re.compile(r"^[A-Za-z0-9_-]{43}$")
KIND = "videos.link"


class NotWatchable(Exception):
    """The link does not open. Which of the reasons it is, nobody outside is told."""


class NotTheirVideo(ValueError):
    """The video was made for somebody else."""


def new_token() -> str:
    """Return 256 random bits as 43 letters that stand in an address."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def address(token: str) -> str:
    """Return the address that a message carries."""
    return f"{settings.PUBLIC_URL}/v/{token}"


@transaction.atomic
def mint(
    *,
    asset: Asset,
    contact: Contact,
    not_before: datetime,
    expires_at: datetime,
    plays_allowed: int,
    at: datetime,
    message: Message | None = None,
    token: str | None = None,
) -> tuple[Link, str]:
    """Make a link and return it with its token, which is kept nowhere.

    It ends with its video at the latest. `token` is one of `new_token`, already in the message.
    :raises NotTheirVideo: the video was made for somebody else.
    """
    if asset.contact_id != contact.pk:
        raise NotTheirVideo
    token = token or new_token()
    link = Link.objects.create(
        token_index=keys.token_index(kind=KIND, token=token),
        asset=asset,
        contact=contact,
        message=message,
        created_at=at,
        not_before=not_before,
        expires_at=min(expires_at, asset.delete_at),
        plays_allowed=plays_allowed,
    )
    audit.record_many([_leaf(link, "videos.link.minted", at, audit.SYSTEM)])
    return link, token


def find(*, token: str) -> Link | None:
    """Return the link of a token, alive or dead; the caller must not tell which it is."""
    if not TOKEN.match(token):
        return None
    return lookups.by_token(token_index=keys.token_index(kind=KIND, token=token))


def look_up(*, token: str, at: datetime) -> Link:
    """Return the living link of a token.

    :raises NotWatchable: it is wrong, early, expired, revoked, stopped, erased or out of video.
    """
    link = find(token=token)
    if link is None or not is_live(link=link, at=at):
        raise NotWatchable
    return link


def with_keys() -> QuerySet[Link]:
    """Return links with all that decides whether they live, in one query."""
    return Link.objects.select_related(
        "contact", "asset__campaign", "asset__render", "asset__key__parent"
    )


def is_live(*, link: Link, at: datetime) -> bool:
    """Say whether a link opens its video at this instant.

    Law: GDPR Art. 7(3), a withdrawal ends every link made before it.
    """
    contact = link.contact
    return (
        link.revoked_at is None
        and link.not_before <= at < link.expires_at
        and contact.erased_at is None
        and (contact.stopped_at is None or contact.stopped_at < link.created_at)
        and plays(asset=link.asset, at=at)
    )


def plays(*, asset: Asset, at: datetime) -> bool:
    """Say whether a video is whole, labelled, within its time and under a key that opens."""
    return (
        asset.state == Asset.State.READY
        and asset.labelled_ai
        and at < asset.delete_at
        and asset.key is not None
        and keys.opens(key=asset.key, at=at)
    )


def open_of(*, contact: Contact, at: datetime) -> list[Link]:
    """Return a person's links that open at this instant, the newest first."""
    rows = with_keys().filter(contact=contact, revoked_at=None, expires_at__gt=at)
    return [link for link in rows.order_by("-created_at")[:50] if is_live(link=link, at=at)]


def revoke(*, link: Link, at: datetime, actor: Actor) -> None:
    """End a link at once; the next byte asked for is refused. Doing it twice does nothing twice."""
    _revoke([link.pk], at, actor)
    link.refresh_from_db(fields=["revoked_at"])


def revoke_all(
    *,
    at: datetime,
    actor: Actor,
    contact: Contact | None = None,
    campaign: Campaign | None = None,
) -> int:
    """End every link of a person, of a campaign, or of a person in a campaign; return how many.

    :raises ValueError: neither is named, which would end every link there is.
    """
    if contact is None and campaign is None:
        raise ValueError("name a contact or a campaign")
    links = Link.objects.filter(revoked_at=None)
    if contact is not None:
        links = links.filter(contact=contact)
    if campaign is not None:
        links = links.filter(asset__campaign=campaign)
    return _revoke(list(links.values_list("pk", flat=True)), at, actor)


def revoke_of_message(*, message_id: uuid.UUID | None, at: datetime, actor: Actor) -> int:
    """End the links that a message carries, such as one that never left; return how many."""
    if message_id is None:
        return 0
    links = Link.objects.filter(message_id=message_id, revoked_at=None)
    return _revoke(list(links.values_list("pk", flat=True)), at, actor)


def stop(*, token: str, at: datetime) -> None:
    """Take a person's "no more messages" from the page of a link, dead ones too.

    An unknown token does nothing and is answered alike.
    Law: GDPR Art. 7(3) and 21(3), as easy to withdraw as to give; 47 CFR 64.1200(a)(10).
    """
    link = find(token=token)
    if link is None or link.contact.erased_at is not None:
        return
    ledger.withdraw(
        contact=link.contact,
        act="button",
        means="page",
        via=link.asset.campaign.channel,
        source="link_page",
        at=at,
        actor=Actor("recipient", str(link.contact_id)),
    )


@transaction.atomic
def _revoke(link_ids: list[uuid.UUID], at: datetime, actor: Actor) -> int:
    # Locked, so that two revocations leave one entry in the trail; the rows are one contact's.
    links = list(Link.objects.select_for_update().filter(pk__in=link_ids, revoked_at=None))
    Link.objects.filter(pk__in=[link.pk for link in links]).update(revoked_at=at)
    audit.record_many([_leaf(link, "videos.link.revoked", at, actor) for link in links])
    return len(links)


def _leaf(link: Link, action: str, at: datetime, actor: Actor) -> TrailLeaf:
    return audit.leaf(
        action=action,
        at=at,
        actor=actor,
        subject_id=link.contact_id,
        object_type="videos.link",
        object_id=str(link.pk),
        details={"asset": str(link.asset_id)},
    )
