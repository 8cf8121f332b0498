"""Promise 4: is each video, byte for byte, the one that was made, labelled and marked as AI's?

Read as a recipient's program reads it: the stored parts are opened, joined, hashed, and the signed
mark (C2PA) is checked over every byte. What everybody shares is opened once a render.
"""

import hashlib
from collections.abc import Iterator
from datetime import datetime

from django.db.models import F, Q

from accounts import keys
from retention.checks.tally import Tally
from videos import links, marks, vault
from videos.models import Asset, Link, SealedObject


def check(*, at: datetime) -> Iterator[Tally]:
    """Yield what was found about the videos that may be seen."""
    yield _marked(at)
    yield _sent()


def _marked(at: datetime) -> Tally:
    tally = Tally("each video carries our signed mark, over every byte of it")
    shared = _Shared(at)
    ready = Asset.objects.filter(state=Asset.State.READY).exclude(key=None)
    # By render, so that the bytes that all of its videos share are opened once.
    rows = ready.select_related("key__parent").order_by("render_id", "pk")
    for asset in rows.iterator(chunk_size=200):
        if links.plays(asset=asset, at=at):
            tally.saw()
            tally.blame_all(f"video {asset.pk}: {fault}" for fault in _faults(asset, shared, at))
    return tally


def _faults(asset: Asset, shared: "_Shared", at: datetime) -> Iterator[str]:
    extents = asset.extents.select_related("sealed_object__key__parent")
    try:
        parts = [shared.read(row.sealed_object, asset) for row in extents]
    except (vault.NotReadable, keys.KeyRefused):
        yield "cannot be read"
        return
    whole = hashlib.sha256()
    for part in parts:
        whole.update(part)
    if whole.hexdigest() != asset.content_sha256:
        yield "is not the one whose hash was kept"
    try:
        if marks.read(parts=parts) != asset.mark_name:
            yield "carries the mark of another"
    except marks.NotMarked as problem:
        yield f"is not marked: {problem}"
    if asset.mark_read_at is None or asset.mark_read_at > at:
        yield "was never read again after its mark"


def _sent() -> Tally:
    """A link leads to a video that was made and marked before, as the trail has it."""
    tally = Tally("each link leads to a video that was marked before", rows=Link.objects.count())
    early = Q(asset__mark_read_at=None) | Q(asset__mark_read_at__gt=F("created_at"))
    unmarked = Link.objects.filter(early | Q(asset__mark_name="") | Q(asset__labelled_ai=False))
    for pk in unmarked.values_list("pk", flat=True).iterator(chunk_size=500):
        tally.blame(f"link {pk}: led to a video that was not marked yet")
    return tally


class _Shared:
    """Opens parts of videos, and keeps the last that is not a person's own."""

    def __init__(self, at: datetime) -> None:
        self._at = at
        self._name, self._data = "", b""

    def read(self, part: SealedObject, asset: Asset) -> bytes:
        """Return a part's bytes."""
        if part.key_id == asset.key_id:
            return vault.read(sealed_object=part, at=self._at)
        if part.name != self._name:
            self._data = vault.read(sealed_object=part, at=self._at)
            self._name = part.name
        return self._data
