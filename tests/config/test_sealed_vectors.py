"""Do we still write, and read, exactly the bytes that were written when the format was fixed?

The vectors were computed apart from our code: HKDF and AES-256-GCM from their primitives.
"""

import hashlib
import io
import json
import secrets
from pathlib import Path
from typing import Any

import pytest

from config.lib import crypto, sealed_stream
from config.lib.sealed_stream import CHUNK_BYTES, HEADER_BYTES, TAG_BYTES

TOLD = json.loads(Path(__file__).parent.parent.joinpath("payloads/sealed_stream.json").read_text())
KEY, SALT, PLACE = bytes.fromhex(TOLD["key"]), bytes.fromhex(TOLD["salt"]), TOLD["place"]
ALL = pytest.mark.parametrize("vector", TOLD["vectors"], ids=lambda one: str(one["size_bytes"]))


def plain(size: int) -> bytes:
    return bytes((31 * i + i // 251) % 256 for i in range(size))


@pytest.fixture
def salted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "token_bytes", lambda _size: SALT)


def sealed(size: int) -> bytes:
    source = io.BytesIO(plain(size))
    return b"".join(sealed_stream.Sealer(key=KEY, source=source, context=PLACE))


def opened(data: bytes, size: int, *, place: str = PLACE) -> bytes:
    stream = sealed_stream.Opener(
        key=KEY,
        read=lambda start, length: data[start : start + length],
        size_bytes=size,
        context=place,
    )
    return b"".join(stream.range(0, size))


@ALL
def test_the_same_bytes_are_written(salted: None, vector: dict[str, Any]) -> None:
    data = sealed(vector["size_bytes"])
    assert hashlib.sha256(data).hexdigest() == vector["sealed_sha256"]
    assert (len(data), data[-TAG_BYTES:].hex()) == (vector["sealed_bytes"], vector["last_tag"])


@ALL
def test_they_open_again(salted: None, vector: dict[str, Any]) -> None:
    size = vector["size_bytes"]
    content = opened(sealed(size), size)
    assert hashlib.sha256(content).hexdigest() == vector["plain_sha256"]


def test_the_short_ones_are_kept_whole_and_open() -> None:
    kept = [one for one in TOLD["vectors"] if "sealed" in one]
    assert [one["size_bytes"] for one in kept] == [0, 1]
    for one in kept:
        data = bytes.fromhex(one["sealed"])
        assert opened(data, one["size_bytes"]) == plain(one["size_bytes"])


def test_an_empty_stream_is_authenticated_too(salted: None) -> None:
    stream = sealed(0)
    assert len(stream) == HEADER_BYTES + TAG_BYTES
    # Nobody reads a byte of it, so that what checks it must ask for the chunk itself.
    for place in (0, HEADER_BYTES, len(stream) - 1):
        changed = bytearray(stream)
        changed[place] ^= 1
        with pytest.raises(crypto.SealBroken):
            checked(bytes(changed), 0)
    checked(stream, 0)


def checked(data: bytes, size: int) -> None:
    sealed_stream.Opener(
        key=KEY,
        read=lambda start, length: data[start : start + length],
        size_bytes=size,
        context=PLACE,
    ).check()


def test_a_stream_that_was_made_longer_is_refused(salted: None) -> None:
    data, more = sealed(2 * CHUNK_BYTES), sealed(3 * CHUNK_BYTES)
    tail = more[HEADER_BYTES + 2 * (CHUNK_BYTES + TAG_BYTES) :]
    # The last chunk says that it is the last, even beside a chunk of the same key and header.
    with pytest.raises(crypto.SealBroken):
        opened(data + tail, 3 * CHUNK_BYTES)


def test_the_first_chunks_of_a_longer_stream_are_no_shorter_one(salted: None) -> None:
    more = sealed(3 * CHUNK_BYTES)
    with pytest.raises(crypto.SealBroken):
        opened(more[: HEADER_BYTES + CHUNK_BYTES + TAG_BYTES], CHUNK_BYTES)


def test_a_chunk_does_not_open_at_another_place_of_its_own_stream(salted: None) -> None:
    data = sealed(3 * CHUNK_BYTES)
    whole = CHUNK_BYTES + TAG_BYTES
    first = data[HEADER_BYTES : HEADER_BYTES + whole]
    twice = data[:HEADER_BYTES] + first + first + data[HEADER_BYTES + 2 * whole :]
    with pytest.raises(crypto.SealBroken):
        opened(twice, 3 * CHUNK_BYTES)


def test_the_same_stream_elsewhere_is_refused(salted: None) -> None:
    with pytest.raises(crypto.SealBroken):
        opened(sealed(70_000), 70_000, place=PLACE + "0")
