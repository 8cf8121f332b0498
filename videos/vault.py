"""Where do videos lie, and can any of their bytes be read without a key? Sealed, by random names.

Each object has its row before its file, so that no file is ever forgotten; a file without a living
row is an orphan and swept. Nothing here is readable without `accounts.keys`.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import BinaryIO

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts import keys
from accounts.models import DataKey
from config.lib import blobs, logs, sealed_stream
from videos.models import Extent, Render, SealedObject

# What is younger may belong to somebody who is still at work.
ORPHAN_AFTER = timedelta(hours=1)

# What can be wrong with an object, and with a file.
ALTERED, MISSING, LONGER, PLAIN, NO_ROW = "altered", "missing", "longer", "plain", "no_row"
FILES_A_LOOK = 500

log = logs.get(__name__)


class NotReadable(Exception):
    """The object is gone, or its bytes are not those that were sealed."""


@dataclass(frozen=True)
class Fault:
    """Something that should not be in storage; `code` says what, `name` is the random name."""

    code: str
    name: str


def store(*, key: DataKey, data: BinaryIO, at: datetime, sha256: str = "") -> SealedObject:
    """Seal a stream under a key and store it in one pass: row first, then file, then its sizes.

    Not inside a transaction: the row must stand before the file does.
    `sha256` of the plain bytes is kept where the caller knows it and compares by it.
    :raises KeyRefused: the key is expired or destroyed.
    """
    row = SealedObject(
        id=uuid.uuid4(), name=blobs.new_name(), key=key, created_at=at, sha256=sha256
    )
    sealer = keys.seal_stream(key=key, source=data, context=context_of(row), at=at)
    with transaction.atomic(durable=True):
        row.save(force_insert=True)
    blobs.write(name=row.name, chunks=sealer)
    row.size_bytes, row.sealed_bytes = sealer.told.size_bytes, sealer.told.sealed_bytes
    row.state = SealedObject.State.STORED
    with transaction.atomic(durable=True):
        row.save(update_fields=["state", "size_bytes", "sealed_bytes"])
    return row


def read_range(
    *, sealed_object: SealedObject, start: int, end: int, at: datetime
) -> Iterator[bytes]:
    """Yield the plain bytes from `start` up to but not including `end`.

    :raises KeyRefused: the key is expired or destroyed.
    :raises NotReadable: the object is gone, cut, or not what was sealed here.
    """
    if sealed_object.state != SealedObject.State.STORED:
        raise NotReadable(sealed_object.state)
    try:
        with blobs.reader(name=sealed_object.name) as read:
            opener = keys.open_stream(
                key=sealed_object.key,
                read=read,
                size_bytes=sealed_object.size_bytes,
                context=context_of(sealed_object),
                at=at,
            )
            yield from opener.range(start, end)
    except blobs.BlobMissing:
        raise NotReadable(MISSING) from None
    except keys.SealBroken:
        raise NotReadable(ALTERED) from None


def read(*, sealed_object: SealedObject, at: datetime) -> bytes:
    """Return the whole of a small object, such as a base video of some MiB.

    :raises KeyRefused: the key is expired or destroyed.
    :raises NotReadable: as `read_range`.
    """
    size = sealed_object.size_bytes
    return b"".join(read_range(sealed_object=sealed_object, start=0, end=size, at=at))


def remove(*, sealed_object: SealedObject, at: datetime) -> None:
    """Remove an object's bytes, then mark its row; once the caller's transaction has committed.

    A crash or a storage that does not answer leaves the row for `sweep`.
    """
    transaction.on_commit(partial(_reclaim, sealed_object.pk, at), robust=True)


def context_of(sealed_object: SealedObject) -> str:
    """Return the place to which an object's bytes are bound."""
    return f"videos_sealedobject:{sealed_object.pk}"


def abandoned(*, at: datetime) -> QuerySet[SealedObject]:
    """Return objects that nothing refers to, or whose key is gone: their bytes are only waste."""
    used = (
        Exists(Extent.objects.filter(sealed_object=OuterRef("pk")))
        | Exists(Render.objects.filter(base=OuterRef("pk")))
        | Exists(Render.objects.filter(tail=OuterRef("pk")))
    )
    dead = Q(key__destroyed_at__isnull=False) | Q(key__parent__destroyed_at__isnull=False)
    waste = ~used | dead | Q(state=SealedObject.State.WRITING)
    kept = SealedObject.objects.exclude(state=SealedObject.State.DELETED)
    return kept.filter(waste, created_at__lte=at - ORPHAN_AFTER)


def sweep(*, at: datetime) -> int:
    """Remove abandoned objects and files without a row; return how many."""
    removed = 0
    for row in abandoned(at=at):
        _reclaim(row.pk, at)
        removed += 1
    for fault in list(strangers(at=at)):
        blobs.remove(name=fault.name)
        log.warning("videos.object.swept", object_name=fault.name, reason=fault.code)
        removed += 1
    return removed + blobs.abort_uploads(older_than=at - ORPHAN_AFTER)


def strangers(*, at: datetime, after: str = "") -> Iterator[Fault]:
    """Yield files that have been in storage for longer than an hour without a living row."""
    for found in looked_at(at=at, after=after):
        if found.code == NO_ROW:
            yield found


def looked_at(*, at: datetime, after: str = "") -> Iterator[Fault]:
    """Look at each file from outside, in the order of names; an empty code is no fault."""
    names = blobs.names(after=after)
    while batch := list(islice(names, FILES_A_LOOK)):
        living = SealedObject.objects.exclude(state=SealedObject.State.DELETED)
        known = set(living.filter(name__in=batch).values_list("name", flat=True))
        for name in batch:
            if not _looks_sealed(name):
                yield Fault(PLAIN, name)
            elif name not in known and not _is_young(name, at):
                yield Fault(NO_ROW, name)
            else:
                yield Fault("", name)


def check_all(*, at: datetime) -> Iterator[Fault]:
    """Re-read everything at rest and yield what does not authenticate or should not be there.

    An object whose key no longer opens is only looked at from outside: it must not be plain.
    """
    rows = SealedObject.objects.filter(state=SealedObject.State.STORED)
    for row in rows.select_related("key__parent").iterator(chunk_size=500):
        if code := fault_of(sealed_object=row, at=at):
            yield Fault(code, row.name)
    yield from (found for found in looked_at(at=at) if found.code)


def fault_of(*, sealed_object: SealedObject, at: datetime) -> str | None:
    """Re-read an object and say what is wrong with it: "" nothing; None: its key opens no more."""
    context, size = context_of(sealed_object), sealed_object.size_bytes
    try:
        with blobs.reader(name=sealed_object.name) as read:
            keys.open_stream(
                key=sealed_object.key, read=read, size_bytes=size, context=context, at=at
            ).check()
            # What stands after the last chunk is read by nobody, and hides something.
            return LONGER if read(sealed_object.sealed_bytes, 1) else ""
    except blobs.BlobMissing:
        return MISSING
    except keys.SealBroken:
        return ALTERED
    except keys.KeyRefused:
        return None


def _looks_sealed(name: str) -> bool:
    try:
        with blobs.reader(name=name) as read:
            return read(0, len(sealed_stream.MAGIC)) == sealed_stream.MAGIC
    except blobs.BlobMissing:
        return True


def _is_young(name: str, at: datetime) -> bool:
    try:
        age = blobs.age_seconds(name=name, at_epoch=at.timestamp())
    except blobs.BlobMissing:
        return True
    return age < ORPHAN_AFTER.total_seconds()


def _reclaim(object_id: uuid.UUID, at: datetime) -> None:
    row = SealedObject.objects.get(pk=object_id)
    if row.state == SealedObject.State.DELETED:
        return
    blobs.remove(name=row.name)
    _mark(row, SealedObject.State.DELETED, at)


def _mark(row: SealedObject, state: SealedObject.State, at: datetime | None = None) -> None:
    row.state, row.deleted_at = state, at
    row.save(update_fields=["state", "deleted_at"])
