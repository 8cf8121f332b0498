"""Where do sealed objects lie? In the local media folder or an S3 bucket, by random names only.

Both backends offer the same few acts: write, read a part, list, and remove with every old version.
"""

import os
import secrets
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, cast

from botocore.exceptions import ClientError
from django.core.files.base import File
from django.core.files.storage import FileSystemStorage, Storage, storages
from storages.backends.s3 import S3Storage

Read = Callable[[int, int], bytes]

# One request to S3 costs as long as this many bytes: a reader that goes on asks for less.
AHEAD_BYTES = 1 << 20
# Ciphertext up to this size waits in memory for a bucket, more in a temporary file.
SPOOL_BYTES = 16 << 20
# As many as S3 takes in one request.
DELETED_AT_ONCE = 1000
MISSING_CODES = {"404", "NoSuchKey"}


class BlobMissing(Exception):
    """There is no object of this name."""


class BlobStillThere(Exception):
    """The object was removed and can still be seen."""


def new_name() -> str:
    """Return a random name; its first letters are a folder, so that none grows without end."""
    name = secrets.token_hex(20)
    return f"{name[:2]}/{name}"


def write(*, name: str, chunks: Iterable[bytes]) -> None:
    """Store an object and see to it that it survives a loss of power."""
    storage = _storage()
    if isinstance(storage, FileSystemStorage):
        storage.save(name, _Walked(chunks, name))
        path = Path(storage.path(name))
        # The folder may be new as well: its own entry stands in the one above.
        for place in (path, path.parent, path.parent.parent):
            _flush(place)
        return
    with tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES) as spool:
        # A bucket is told the size first, and asks for a part again when one is lost on the way.
        for chunk in chunks:
            spool.write(chunk)
        spool.seek(0)
        storage.save(name, File(cast(BinaryIO, spool), name=name))


@contextmanager
def reader(*, name: str) -> Iterator[Read]:
    """Give `read(start, length)` for an object.

    :raises BlobMissing: there is none of this name; seen at the first read at the latest.
    """
    storage = _storage()
    if isinstance(storage, S3Storage):
        yield _S3Reader(storage, name)
        return
    try:
        handle = os.open(storage.path(name), os.O_RDONLY)
    except FileNotFoundError:
        raise BlobMissing(name) from None
    try:
        yield lambda start, length: os.pread(handle, length, start)
    finally:
        os.close(handle)


def remove(*, name: str) -> None:
    """Remove an object with every version, mark and unfinished part; an absent one is removed.

    :raises BlobStillThere: something of it can still be seen afterwards.
    """
    storage = _storage()
    if isinstance(storage, S3Storage):
        _remove_from_bucket(storage, name)
    else:
        storage.delete(name)
        if storage.exists(name):
            raise BlobStillThere(name)


def abort_uploads(*, older_than: datetime) -> int:
    """Abort what was begun in parts before an instant and never ended; return how many.

    A bucket keeps such parts for ever, and shows them in no list of objects.
    """
    storage, aborted = _storage(), 0
    if isinstance(storage, S3Storage):
        for upload in storage.bucket.multipart_uploads.all():
            if upload.initiated < older_than:
                upload.Object().MultipartUpload(upload.id).abort()
                aborted += 1
    return aborted


def names(*, after: str = "") -> Iterator[str]:
    """Yield the name of everything that is stored, in order, from the one after `after` on."""
    storage = _storage()
    if isinstance(storage, S3Storage):
        # An object of which only old versions are left is still bytes on somebody's disk.
        seen = after
        from_there = {"KeyMarker": after} if after else {}
        for item in storage.bucket.object_versions.filter(**from_there):
            if item.object_key > seen:
                seen = item.object_key
                yield seen
        return
    yield from _in_folder(Path(storage.path("")), "", after)


def age_seconds(*, name: str, at_epoch: float) -> float:
    """Say how long ago an object was stored; in a bucket, its newest version or mark.

    :raises BlobMissing: there is none of this name.
    """
    storage = _storage()
    try:
        if isinstance(storage, S3Storage):
            stored_at = max(item.last_modified for item in _versions(storage, name))
        else:
            stored_at = storage.get_modified_time(name)
    except (FileNotFoundError, ValueError):
        raise BlobMissing(name) from None
    return at_epoch - float(stored_at.timestamp())


class _Walked(File):  # type: ignore[type-arg]  # generic in its stubs only
    """Bytes that are made while they are written: no second copy of a video lies anywhere."""

    def __init__(self, parts: Iterable[bytes], name: str) -> None:
        super().__init__(None, name)
        self._parts = parts

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        yield from self._parts


class _S3Reader:
    """Reads parts of one object, a stretch ahead."""

    def __init__(self, storage: S3Storage, name: str) -> None:
        self._object = storage.bucket.Object(name)
        self._start, self._held = 0, b""

    def __call__(self, start: int, length: int) -> bytes:
        end = start + length
        if not (self._start <= start and end <= self._start + len(self._held)):
            self._start, self._held = start, self._fetch(start, max(length, AHEAD_BYTES))
        return self._held[start - self._start : end - self._start]

    def _fetch(self, start: int, length: int) -> bytes:
        try:
            answer = self._object.get(Range=f"bytes={start}-{start + length - 1}")
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in MISSING_CODES:
                raise BlobMissing(self._object.key) from None
            if code == "InvalidRange":
                # What a file answers when it is read beyond its end.
                return b""
            raise
        return bytes(answer["Body"].read())


def _storage() -> Storage:
    # Asked by its name each time, so that the kind of the real storage can be seen.
    return storages["default"]


def _versions(storage: S3Storage, name: str) -> Iterator[Any]:
    """Yield every version and delete mark of exactly this name: the longer names are others'."""
    found = storage.bucket.object_versions.filter(Prefix=name)
    return (item for item in found if item.object_key == name)


def _remove_from_bucket(storage: S3Storage, name: str) -> None:
    # A plain delete in a versioned bucket hides the bytes and keeps them.
    doomed = [{"Key": name, "VersionId": item.id} for item in _versions(storage, name)]
    for start in range(0, len(doomed), DELETED_AT_ONCE):
        batch = {"Objects": doomed[start : start + DELETED_AT_ONCE], "Quiet": True}
        storage.bucket.delete_objects(Delete=batch)
    for upload in storage.bucket.multipart_uploads.filter(Prefix=name):
        if upload.object_key == name:
            upload.Object().MultipartUpload(upload.id).abort()
    # The answer to a delete is not believed: a lock or a right that is missing keeps a version.
    if next(_versions(storage, name), None) is not None:
        raise BlobStillThere(name)


def _in_folder(folder: Path, prefix: str, after: str) -> Iterator[str]:
    """Walk one folder after the other: no list of all names is held."""
    try:
        # A folder's own files stand as if it ended in a stroke, as in a bucket.
        entries = sorted((f"{e.name}/" if e.is_dir() else e.name) for e in os.scandir(folder))
    except FileNotFoundError:
        return
    for entry in entries:
        name = prefix + entry
        if entry.endswith("/"):
            if name >= after[: len(name)]:
                yield from _in_folder(folder / entry, name, after)
        elif name > after:
            yield name


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
