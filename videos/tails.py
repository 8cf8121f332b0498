"""Was this stretch of a campaign's common tail opened a moment ago? Then it is not opened again.

All viewers of a campaign get the same tail, byte for byte, and no person is in it: opened once, a
block serves them all. It is kept in memory only, so much and so long, never on a disk; a person's
own part is never kept. Who asks has been authorised for this range before, and the tail's key is
asked each time before a kept byte leaves: under a destroyed or expired key there is nothing.
"""

import uuid
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from django.conf import settings

from accounts import keys
from accounts.models import DataKey
from videos import vault
from videos.models import SealedObject

BLOCK_BYTES = 256 << 10
Piece = bytes | memoryview
KEPT_FOR = timedelta(minutes=10)


@dataclass(frozen=True)
class _Block:
    data: bytes
    opened_at: datetime


_blocks: OrderedDict[tuple[uuid.UUID, int], _Block] = OrderedDict()
_lock = Lock()


def read_range(
    *, sealed_object: SealedObject, start: int, end: int, at: datetime
) -> Iterator[Piece]:
    """Yield the plain bytes from `start` up to but not including `end`, as `vault.read_range`.

    A part of a kept block is a view of it: nothing is copied.
    :raises KeyRefused: the key is expired or destroyed.
    :raises NotReadable: the object is gone, cut, or not what was sealed here.
    """
    if not _may_be_kept(sealed_object, at):
        if sealed_object.key.scope == DataKey.Scope.CAMPAIGN:
            forget(object_id=sealed_object.pk)
        yield from vault.read_range(sealed_object=sealed_object, start=start, end=end, at=at)
        return
    end = min(end, sealed_object.size_bytes)
    while start < end:
        number = start // BLOCK_BYTES
        block, base = _block(sealed_object, number, at), number * BLOCK_BYTES
        whole = start == base and end - base >= len(block)
        yield block if whole else memoryview(block)[start - base : end - base]
        start = base + BLOCK_BYTES


def forget(*, object_id: uuid.UUID | None = None) -> None:
    """Drop what is kept of an object, or of all."""
    with _lock:
        for name in [one for one in _blocks if object_id in {None, one[0]}]:
            del _blocks[name]


def kept_bytes() -> int:
    """Return how many plain bytes are held."""
    with _lock:
        return sum(len(block.data) for block in _blocks.values())


def _may_be_kept(sealed_object: SealedObject, at: datetime) -> bool:
    key = sealed_object.key
    return (
        key.scope == DataKey.Scope.CAMPAIGN
        and settings.PLAYBACK_MEMORY_MIB > 0
        and sealed_object.state == SealedObject.State.STORED
        and keys.opens(key=key, at=at)
    )


def _block(sealed_object: SealedObject, number: int, at: datetime) -> bytes:
    name = sealed_object.pk, number
    with _lock:
        kept = _blocks.get(name)
        if kept is not None and at < kept.opened_at + KEPT_FOR:
            _blocks.move_to_end(name)
            return kept.data
    start = number * BLOCK_BYTES
    end = min(start + BLOCK_BYTES, sealed_object.size_bytes)
    parts = vault.read_range(sealed_object=sealed_object, start=start, end=end, at=at)
    data = b"".join(parts)
    _keep(name, _Block(data, at))
    return data


def _keep(name: tuple[uuid.UUID, int], block: _Block) -> None:
    with _lock:
        _blocks[name] = block
        _blocks.move_to_end(name)
        old = [one for one, kept in _blocks.items() if kept.opened_at + KEPT_FOR <= block.opened_at]
        for one in old:
            del _blocks[one]
        while len(_blocks) * BLOCK_BYTES > settings.PLAYBACK_MEMORY_MIB << 20:
            _blocks.popitem(last=False)
