"""How is a file sealed so that any part can be read? In chunks, each bound to its place.

    header  magic 4 | version 1 | salt 16
    chunk i AES-256-GCM(HKDF(key, salt), nonce = i, AAD = context | header | i | last?)

Every stream has a key of its own (the salt), so a counter is a safe nonce. The chunk's number
and the final mark are authenticated: chunks cannot be cut off, reordered or taken from elsewhere.
"""

import hashlib
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
CHUNK_BYTES = 64 * 1024
TAG_BYTES = 16


@dataclass(frozen=True)
class Sealed:
    """What was written: sizes in bytes, and the SHA-256 of the plain bytes in hex."""

    size_bytes: int
    sealed_bytes: int
    sha256: str


def _cipher(key: bytes, header: bytes) -> AESGCM:
    return AESGCM(crypto.derive(key=key, label="stream", salt=header[len(MAGIC) :]))


def _nonce(index: int) -> bytes:
    return index.to_bytes(12, "big")


def _bound(context: str, header: bytes, index: int, *, last: bool) -> bytes:
    mark = b"\x01" if last else b"\x00"
    return b"|".join([context.encode(), header, index.to_bytes(8, "big"), mark])


def seal(*, key: bytes, source: BinaryIO, target: BinaryIO, context: str) -> Sealed:
    """Write the sealed form of `source` to `target`, one chunk in memory at a time."""
    header = MAGIC + secrets.token_bytes(SALT_BYTES)
    cipher, digest = _cipher(key, header), hashlib.sha256()
    written = target.write(header)
    size = index = 0
    chunk = _read_whole(source)
    while True:
        following = _read_whole(source) if len(chunk) == CHUNK_BYTES else b""
        last = not following
        digest.update(chunk)
        size += len(chunk)
        body = cipher.encrypt(_nonce(index), chunk, _bound(context, header, index, last=last))
        written += target.write(body)
        if last:
            return Sealed(size, written, digest.hexdigest())
        chunk, index = following, index + 1


def _read_whole(source: BinaryIO) -> bytes:
    # A raw stream may give fewer bytes than asked; a short chunk in the middle would be a hole.
    parts, missing = [], CHUNK_BYTES
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
            index = start // CHUNK_BYTES
            plain = self._chunk(index)
            base = index * CHUNK_BYTES
            yield plain[start - base : end - base]
            start = base + CHUNK_BYTES

    def _chunk(self, index: int) -> bytes:
        place = HEADER_BYTES + index * (CHUNK_BYTES + TAG_BYTES)
        last = index == self._last
        plain_size = self._size - index * CHUNK_BYTES if last else CHUNK_BYTES
        body = self._read(place, plain_size + TAG_BYTES)
        if len(body) != plain_size + TAG_BYTES:
            # A size that is told too large must not pass as a shorter answer.
            raise crypto.SealBroken
        bound = _bound(self._context, self._header, index, last=last)
        try:
            return self._cipher.decrypt(_nonce(index), body, bound)
        except (InvalidTag, ValueError):
            raise crypto.SealBroken from None
