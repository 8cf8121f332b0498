"""How is a file sealed so that any part can be read? In chunks, each bound to its place.

    header  magic 4 | version 1 | salt 16
    chunk i AES-256-GCM(HKDF(key, salt), nonce = i, AAD = context | header | i | last?)

Every stream has a key of its own (the salt), so a counter is a safe nonce. The chunk's number
and the final mark are authenticated: chunks cannot be cut off, reordered or taken from elsewhere.
No hash of the plain bytes is made on the way: the tags already say whether a byte was changed,
and SHA-256 costs more than twice what the cipher does (`make bench-seal`).
"""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from config.lib import crypto

MAGIC = b"SCST\x01"
SALT_BYTES = 16
HEADER_BYTES = len(MAGIC) + SALT_BYTES
# Chosen by `make bench-seal`: at 128 KiB sealing gains 4 to 7 % and a seek costs 1.7 times as much.
CHUNK_BYTES = 64 * 1024
TAG_BYTES = 16
# A MiB is read by one call: sixteen calls cost as much as the cipher does.
CHUNKS_A_READ = 16


@dataclass(frozen=True)
class Sealed:
    """How many bytes came in, and how many were written."""

    size_bytes: int
    sealed_bytes: int


def _cipher(key: bytes, header: bytes) -> AESGCM:
    return AESGCM(crypto.derive(key=key, label="stream", salt=header[len(MAGIC) :]))


def _nonce(index: int) -> bytes:
    return index.to_bytes(12, "big")


def _bound(context: str, header: bytes, index: int, *, last: bool) -> bytes:
    mark = b"\x01" if last else b"\x00"
    return b"|".join([context.encode(), header, index.to_bytes(8, "big"), mark])


class Sealer:
    """Seals a stream while it is walked; `told` says the sizes once it has been walked whole."""

    def __init__(self, *, key: bytes, source: BinaryIO, context: str) -> None:
        self._header = MAGIC + secrets.token_bytes(SALT_BYTES)
        self._cipher, self._source = _cipher(key, self._header), source
        self._context, self._size, self._written = context, 0, 0

    @property
    def told(self) -> Sealed:
        return Sealed(self._size, self._written)

    def __iter__(self) -> Iterator[bytes]:
        """Yield the header, then one sealed chunk at a time; nothing else is held in memory."""
        self._written += len(self._header)
        yield self._header
        index, chunk = 0, _read_whole(self._source)
        while True:
            following = _read_whole(self._source) if len(chunk) == CHUNK_BYTES else b""
            bound = _bound(self._context, self._header, index, last=not following)
            body = self._cipher.encrypt(_nonce(index), chunk, bound)
            self._size += len(chunk)
            self._written += len(body)
            yield body
            if not following:
                return
            chunk, index = following, index + 1


def seal(*, key: bytes, source: BinaryIO, target: BinaryIO, context: str) -> Sealed:
    """Write the sealed form of `source` to `target`, one chunk in memory at a time."""
    sealer = Sealer(key=key, source=source, context=context)
    for part in sealer:
        target.write(part)
    return sealer.told


def _read_whole(source: BinaryIO) -> bytes:
    # A raw stream may give fewer bytes than asked; a short chunk in the middle would be a hole.
    first = source.read(CHUNK_BYTES)
    if len(first) in {0, CHUNK_BYTES}:
        return first
    parts, missing = [first], CHUNK_BYTES - len(first)
    while missing and (part := source.read(missing)):
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


class Opener:
    """Reads any range of a sealed stream; `read(start, length)` brings ciphertext."""

    def __init__(
        self, *, key: bytes, read: Callable[[int, int], bytes], size_bytes: int, context: str
    ) -> None:
        self._read, self._context, self._size = read, context, size_bytes
        self._header = read(0, HEADER_BYTES)
        if len(self._header) != HEADER_BYTES or not self._header.startswith(MAGIC):
            raise crypto.SealBroken
        self._cipher = _cipher(key, self._header)
        self._last = max(0, (size_bytes - 1) // CHUNK_BYTES)

    def range(self, start: int, end: int) -> Iterator[bytes]:
        """Yield the plain bytes from `start` up to but not including `end`.

        :raises crypto.SealBroken: a chunk does not authenticate at its place.
        """
        end = min(end, self._size)
        while start < end:
            first, last = start // CHUNK_BYTES, (end - 1) // CHUNK_BYTES
            for index, plain in self._chunks(first, min(last, first + CHUNKS_A_READ - 1)):
                base = index * CHUNK_BYTES
                yield plain[max(0, start - base) : end - base]
                start = base + CHUNK_BYTES

    def check(self) -> None:
        """Authenticate every chunk, that of an empty stream too.

        :raises crypto.SealBroken: one does not authenticate at its place.
        """
        for first in range(0, self._last + 1, CHUNKS_A_READ):
            for _ in self._chunks(first, min(self._last, first + CHUNKS_A_READ - 1)):
                pass

    def _chunks(self, first: int, last: int) -> Iterator[tuple[int, bytes]]:
        """Open the chunks from `first` to `last`, which are read at once."""
        stride = CHUNK_BYTES + TAG_BYTES
        sizes = [self._size_of(index) + TAG_BYTES for index in range(first, last + 1)]
        place = HEADER_BYTES + first * stride
        body = memoryview(self._read(place, sum(sizes)))
        for number, size in enumerate(sizes):
            part = body[number * stride : number * stride + size]
            if len(part) != size:
                # A size that is told too large must not pass as a shorter answer.
                raise crypto.SealBroken
            yield first + number, self._opened(first + number, part)

    def _size_of(self, index: int) -> int:
        return self._size - index * CHUNK_BYTES if index == self._last else CHUNK_BYTES

    def _opened(self, index: int, body: memoryview) -> bytes:
        bound = _bound(self._context, self._header, index, last=index == self._last)
        try:
            return self._cipher.decrypt(_nonce(index), body, bound)
        except (InvalidTag, ValueError):
            raise crypto.SealBroken from None
