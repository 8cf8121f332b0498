"""The door of the recipient's bytes: the only module that serves a video (promise 5).

A play begins with a gesture (`start_play`), never with a GET. It gives a session of 30 minutes
that is bound to one link; every request of bytes asks the link, the person, the video and its
keys again. Called by the pages of a link, and by the staff's preview, which stands in the trail.
"""

import errno
import hmac
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import F

from accounts import audit, keys
from accounts.audit import Actor
from consent import crm_writing
from videos import devices, links, lookups, ranges, tails, vault
from videos.links import NotWatchable
from videos.models import Asset, Device, Extent, Link, Play
from videos.ranges import Span
from videos.tails import Piece

__all__ = ["NotWatchable", "Served"]

SESSION_SECONDS = 1800
# How much goes out, or how long, between two looks at whether the link still lives.
LOOK_BYTES, LOOK_SECONDS = 4 << 20, 1.0


@dataclass(frozen=True)
class Served:
    """An answer with bytes of a video, before it becomes HTTP."""

    span: Span
    etag: str
    chunks: Iterator[Piece]


def start_play(
    *, link: Link, at: datetime, session: str = "", device: Device | None = None
) -> Play:
    """Count one play and open a session, or go on with the one that `session` names.

    `device` is the browser, if it is known; an unknown one gets a row with its first play.
    :raises NotWatchable: the link is dead, or its plays are used up.
    :raises devices.NotThisDevice: the campaign lets no further browser in, or asks for a code.
    """
    going_on = _play_of(link=link, session=session, at=at)
    if going_on is not None and links.is_live(link=link, at=at):
        return going_on
    return _count(link, device, at)


def session_value(*, play: Play) -> str:
    """Return what the player's cookie holds: the play, its end, and a keyed hash of both."""
    ends = int(play.expires_at.timestamp())
    return f"{play.pk}.{ends}.{_mac(play.link_id, play.pk, ends)}"


def session_of(*, link: Link, session: str, at: datetime) -> Play | None:
    """Return the running play of this link that a cookie names, if the link still lives."""
    play = _play_of(link=link, session=session, at=at)
    return play if play and links.is_live(link=link, at=at) else None


def authorise(*, link_id: uuid.UUID, session: str, at: datetime) -> Link:
    """Return the link whose bytes a session may have now; one query, asked for every range.

    :raises NotWatchable: the session is forged, another link's or over, or the link is dead.
    """
    if _signed_play(link_id, session, at) is None:
        raise NotWatchable
    link = lookups.by_id(link_id=link_id)
    if link is None or not links.is_live(link=link, at=at):
        raise NotWatchable
    return link


def serve_link(
    *, link_id: uuid.UUID, session: str, range_header: str, if_range: str, at: datetime
) -> Served:
    """Return the bytes of its link's video that a session asks for; one query for each range.

    :raises NotWatchable: as `authorise`, or as `serve`.
    :raises ranges.Unsatisfiable: the range lies outside the video.
    """
    found = _playable(link_id, session, at)
    if found is None:
        raise NotWatchable
    return _served(found.link.asset, found.parts, range_header, if_range, at)


def goes_on(*, link_id: uuid.UUID, session: str, at: datetime) -> bool:
    """Say whether a session may still have bytes of its link's video; asked while they go out."""
    return _playable(link_id, session, at) is not None


def serve(*, asset: Asset, range_header: str, if_range: str, at: datetime) -> Served:
    """Return the bytes of a video that a request asks for; the caller has authorised it.

    :raises ranges.Unsatisfiable: the range lies outside the video.
    :raises NotWatchable: a key no longer opens, or the stored bytes are not what was sealed.
    """
    return _served(asset, _parts(asset), range_header, if_range, at)


def stream(*, asset: Asset, start: int, end: int, at: datetime) -> Iterator[Piece]:
    """Yield the plain bytes from `start` up to `end`; the first piece is opened at once.

    :raises NotWatchable: a key no longer opens, or the stored bytes are not what was sealed.
    """
    return _opened(_parts(asset), start, end, at)


def while_live(*, chunks: Iterator[Piece], still: Callable[[], bool]) -> Iterator[bytes]:
    """Yield chunks until `still` says no; it is asked again after 4 MiB, and after each second.

    :raises ConnectionResetError: it said no. The line is cut: the length was promised, and a player
        would wait for the rest for ever.
    """
    sent, looked = 0, time.monotonic()
    for chunk in chunks:
        if sent >= LOOK_BYTES or time.monotonic() - looked >= LOOK_SECONDS:
            if not still():
                raise ConnectionResetError(errno.ECONNRESET, "the link ended")
            sent, looked = 0, time.monotonic()
        sent += len(chunk)
        yield bytes(chunk)


def captions(*, asset: Asset, at: datetime) -> str:
    """Return a video's captions (WebVTT).

    :raises NotWatchable: the key no longer opens.
    """
    if asset.key is None or asset.captions_sealed is None:
        raise NotWatchable
    context = f"videos_asset.captions:{asset.pk}"
    try:
        sealed = bytes(asset.captions_sealed)
        return keys.unseal(key=asset.key, sealed=sealed, context=context, at=at).decode()
    except keys.KeyRefused:
        raise NotWatchable from None


def open_preview(*, asset_id: uuid.UUID, at: datetime, staff: Actor) -> Asset:
    """Let a member of staff see one person's video; the opening stands in the trail.

    :raises NotWatchable: there is no such video, or it no longer opens.
    """
    asset = previewed(asset_id=asset_id, at=at)
    audit.record(
        action="videos.preview.opened",
        at=at,
        actor=staff,
        subject_id=asset.contact_id,
        object_type="videos.asset",
        object_id=str(asset.pk),
    )
    return asset


def previewed(*, asset_id: uuid.UUID, at: datetime) -> Asset:
    """Return a video that still opens, for the staff page that `open_preview` has recorded.

    :raises NotWatchable: there is no such video, or it no longer opens.
    """
    found = Asset.objects.select_related("campaign", "contact", "key__parent")
    asset = found.filter(pk=asset_id, contact__erased_at=None).first()
    if asset is None or not links.plays(asset=asset, at=at):
        raise NotWatchable
    return asset


def etag_of(asset: Asset) -> str:
    """Return a strong tag of the content that does not tell the content's own hash."""
    return f'"{keys.token_index(kind="videos.etag", token=asset.content_sha256)[:32]}"'


@transaction.atomic
def _count(link: Link, device: Device | None, at: datetime) -> Play:
    # One conditional UPDATE: of two gestures at once on the last play, one is refused.
    left = Link.objects.filter(pk=link.pk, revoked_at=None, plays__lt=F("plays_allowed"))
    if not links.is_live(link=link, at=at) or not left.update(plays=F("plays") + 1):
        raise NotWatchable
    # After the UPDATE, which holds the row: of two new browsers at once, the second sees the first.
    let_in = devices.admit(link=link, device=device, at=at)
    ends = min(at + timedelta(seconds=SESSION_SECONDS), link.expires_at)
    play = Play.objects.create(link=link, device=let_in, at=at, expires_at=ends)
    audit.record(
        action="videos.play.started",
        at=at,
        actor=Actor("recipient", str(link.contact_id)),
        subject_id=link.contact_id,
        object_type="videos.link",
        object_id=str(link.pk),
    )
    if link.plays == 0:
        crm_writing.plan_watched(contact_id=link.contact_id, link_id=link.pk, at=at)
    return play


def _play_of(*, link: Link, session: str, at: datetime) -> Play | None:
    number = _signed_play(link.pk, session, at)
    return Play.objects.filter(pk=number, link=link).first() if number is not None else None


def _signed_play(link_id: uuid.UUID, session: str, at: datetime) -> int | None:
    number, ends, mac = [*session.split("."), "", "", ""][:3]
    if not (number.isascii() and number.isdigit() and ends.isascii() and ends.isdigit()):
        return None
    if len(number) > 18 or len(ends) > 12:
        return None
    if not hmac.compare_digest(mac.encode(), _mac(link_id, int(number), int(ends)).encode()):
        return None
    return int(number) if datetime.fromtimestamp(int(ends), UTC) > at else None


def _playable(link_id: uuid.UUID, session: str, at: datetime) -> lookups.Playable | None:
    if _signed_play(link_id, session, at) is None:
        return None
    found = lookups.playable(link_id=link_id)
    return found if found and links.is_live(link=found.link, at=at) else None


def _mac(link_id: uuid.UUID, play: int, ends: int) -> str:
    return keys.token_index(kind="videos.playback", token=f"{link_id}:{play}:{ends}")


def _served(
    asset: Asset, parts: Iterable[Extent], range_header: str, if_range: str, at: datetime
) -> Served:
    etag = etag_of(asset)
    header = range_header if not if_range or hmac.compare_digest(if_range, etag) else ""
    span = ranges.asked(header=header, size_bytes=asset.size_bytes)
    return Served(span, etag, _opened(parts, span.start, span.end, at))


def _parts(asset: Asset) -> Iterable[Extent]:
    return Extent.objects.filter(asset=asset).select_related("sealed_object__key__parent")


def _opened(parts: Iterable[Extent], start: int, end: int, at: datetime) -> Iterator[Piece]:
    pieces = _pieces(parts, start, end, at)
    try:
        # While the answer can still be a refusal.
        first = next(pieces, b"")
    except (keys.KeyRefused, vault.NotReadable):
        raise NotWatchable from None
    return _with_first(first, pieces)


def _pieces(parts: Iterable[Extent], start: int, end: int, at: datetime) -> Iterator[Piece]:
    """Walk the extents as if they were one file."""
    base = 0
    for extent in parts:
        low, high = max(start - base, 0), min(end - base, extent.size_bytes)
        if low < high:
            yield from tails.read_range(
                sealed_object=extent.sealed_object, start=low, end=high, at=at
            )
        base += extent.size_bytes


def _with_first(first: Piece, rest: Iterator[Piece]) -> Iterator[Piece]:
    if first:
        yield first
    yield from rest
