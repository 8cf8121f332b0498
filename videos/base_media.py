"""Is what a vendor sent the video that was ordered, and what do all people of it share?"""

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from accounts import keys
from accounts.models import DataKey
from videos import compositing, labelling, vault
from videos.compositing import BaseVideo
from videos.models import Render, SealedObject

LARGEST_BYTES = 300 << 20
LONGEST_MS = 15 * 60_000
SMALLEST_HEIGHT_PX = 360
# Containers round to frames and packets.
TOLERANCE_MS = 500


class NotAsOrdered(Exception):
    """The video cannot be used; `code` says why."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


@dataclass(frozen=True)
class Delivery:
    """What a vendor sent: a file, its captions, its slots and its length in milliseconds."""

    video: bytes
    captions_vtt: str
    slots_ms: list[list[int]]
    duration_ms: int


def check(*, delivery: Delivery, slots_ms: Sequence[int]) -> None:
    """Judge the file by itself, not by what came with it; `slots_ms` are the lengths ordered.

    :raises NotAsOrdered: another codec, size or length, other slots, or no captions.
    """
    if len(delivery.video) > LARGEST_BYTES or delivery.duration_ms > LONGEST_MS:
        raise NotAsOrdered("too_large")
    try:
        probe = compositing.probe(data=delivery.video)
    except compositing.NotComposable:
        raise NotAsOrdered("not_a_video") from None
    if probe.audio_codec != "aac" or probe.height < SMALLEST_HEIGHT_PX:
        raise NotAsOrdered("other_format")
    if abs(probe.duration_seconds * 1000 - delivery.duration_ms) > TOLERANCE_MS:
        raise NotAsOrdered("other_duration")
    if not _are_ordered(delivery.slots_ms, slots_ms):
        raise NotAsOrdered("other_slots")
    if not delivery.captions_vtt.startswith("WEBVTT"):
        raise NotAsOrdered("no_captions")


def seal(
    *, delivery: Delivery, language: str, key: DataKey, at: datetime, made_by_ai: bool = True
) -> tuple[SealedObject, SealedObject]:
    """Seal the base, labelled if an AI made it, and what all share, by the campaign's key.

    :raises NotAsOrdered: it cannot be personalised.
    :raises KeyRefused: the campaign's key is gone.
    """
    film = delivery.video
    try:
        if made_by_ai:
            film = labelling.labelled(data=film, language=language)
    except labelling.NotLabelled:
        raise NotAsOrdered("not_labelled") from None
    base = BaseVideo(film, seconds_of(delivery.slots_ms), language)
    try:
        tail = compositing.shared_tail(base=base)
    except compositing.NotComposable:
        raise NotAsOrdered("not_composable") from None
    stored = vault.store(key=key, data=io.BytesIO(film), at=at)
    # A person's head is joined to exactly this tail, and only if its hash is the same.
    digest = hashlib.sha256(tail).hexdigest()
    return stored, vault.store(key=key, data=io.BytesIO(tail), at=at, sha256=digest)


def opened(*, render: Render, at: datetime) -> BaseVideo:
    """Open a render's base video.

    :raises KeyRefused: the campaign's key is gone.
    :raises vault.NotReadable: the object is gone or altered.
    """
    if render.base is None:
        raise vault.NotReadable("no_base")
    data = vault.read(sealed_object=render.base, at=at)
    return BaseVideo(data, seconds_of(render.slots_ms), render.language)


def is_open(*, render: Render, at: datetime) -> bool:
    """Say whether what all people of a render share can still be read."""
    return keys.opens(key=render.campaign.key, at=at)


def seconds_of(slots_ms: list[list[int]]) -> list[tuple[float, float]]:
    """Return the starts and ends of slots in seconds."""
    return [(start / 1000, end / 1000) for start, end in slots_ms]


def _are_ordered(slots_ms: list[list[int]], ordered_ms: Sequence[int]) -> bool:
    """Say whether the slots are those ordered: as many, as long, the first at the start."""
    if len(slots_ms) != len(ordered_ms) or any(len(slot) != 2 for slot in slots_ms):
        return False
    starts_with_one = bool(slots_ms) and slots_ms[0][0] == 0
    return starts_with_one and all(
        abs(end - start - wanted_ms) <= TOLERANCE_MS
        for (start, end), wanted_ms in zip(slots_ms, ordered_ms, strict=True)
    )
