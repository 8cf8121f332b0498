"""Can any part of a sealed file be read, and none of a changed one?"""

import io
import random
from collections.abc import Iterator

import pytest

from config.lib import crypto, sealed_stream
from config.lib.sealed_stream import CHUNK_BYTES, HEADER_BYTES, TAG_BYTES

KEY = bytes(range(32))
PLACE = "videos_asset.head:1"
# Computed apart from our code: header | AES-256-GCM(HKDF(key, salt), nonce 0, AAD with last mark).
VECTOR = bytes.fromhex(
    "53435354016465666768696a6b6c6d6e6f7071727380d82e5ac1c6f5f47b3a944521539bb7321383d5caa149a815"
    "db9c99"
)
SIZES = [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES, 3 * CHUNK_BYTES + 7]


def plain(size: int) -> bytes:
    return random.Random(size).randbytes(size)


def sealed(data: bytes, *, key: bytes = KEY, place: str = PLACE) -> bytes:
    target = io.BytesIO()
    sealed_stream.seal(key=key, source=io.BytesIO(data), target=target, context=place)
    return target.getvalue()


def opener(data: bytes, size: int, *, key: bytes = KEY, place: str = PLACE) -> sealed_stream.Opener:
    return sealed_stream.Opener(
        key=key,
        read=lambda start, length: data[start : start + length],
        size_bytes=size,
        context=place,
    )


def opened(data: bytes, size: int, *, key: bytes = KEY, place: str = PLACE) -> bytes:
    return b"".join(opener(data, size, key=key, place=place).range(0, size))


def chunks(data: bytes) -> Iterator[bytes]:
    whole = CHUNK_BYTES + TAG_BYTES
    for start in range(HEADER_BYTES, len(data), whole):
        yield data[start : start + whole]


def test_the_known_stream_opens() -> None:
    assert opened(VECTOR, 12, place="asset:1") == b"sealed bytes"


@pytest.mark.parametrize("size", SIZES)
def test_what_is_sealed_opens(size: int) -> None:
    assert opened(sealed(plain(size)), size) == plain(size)


@pytest.mark.parametrize("size", SIZES)
def test_sizes_are_told(size: int) -> None:
    target = io.BytesIO()
    told = sealed_stream.seal(key=KEY, source=io.BytesIO(plain(size)), target=target, context=PLACE)
    assert (told.size_bytes, told.sealed_bytes) == (size, len(target.getvalue()))


def test_any_range_is_that_of_the_plain_bytes() -> None:
    size = 3 * CHUNK_BYTES + 7
    data, whole = sealed(plain(size)), plain(size)
    rng = random.Random(1)
    for _ in range(60):
        start = rng.randrange(size)
        end = rng.randrange(start, size + 20)
        assert b"".join(opener(data, size).range(start, end)) == whole[start:end]


def test_a_range_reads_the_chunks_it_needs_only() -> None:
    size, asked = 3 * CHUNK_BYTES, []
    data = sealed(plain(size))

    def read(start: int, length: int) -> bytes:
        asked.append(length)
        return data[start : start + length]

    stream = sealed_stream.Opener(key=KEY, read=read, size_bytes=size, context=PLACE)
    assert (
        b"".join(stream.range(CHUNK_BYTES + 5, CHUNK_BYTES + 9))
        == plain(size)[CHUNK_BYTES + 5 : CHUNK_BYTES + 9]
    )
    assert asked == [HEADER_BYTES, CHUNK_BYTES + TAG_BYTES]


def test_a_source_of_short_reads_leaves_no_hole() -> None:
    class Trickle(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(size or 1000, 1000))

    data, target = plain(2 * CHUNK_BYTES + 3), io.BytesIO()
    told = sealed_stream.seal(key=KEY, source=Trickle(data), target=target, context=PLACE)
    assert told.size_bytes == len(data)
    assert opened(target.getvalue(), len(data)) == data


def test_nothing_of_the_plain_bytes_stands_in_the_sealed_ones() -> None:
    data = b"ftypisom moov mdat " * 10_000
    assert b"moov" not in sealed(data)


def test_a_cut_at_a_chunk_is_refused() -> None:
    size = 3 * CHUNK_BYTES
    cut = sealed(plain(size))[: HEADER_BYTES + 2 * (CHUNK_BYTES + TAG_BYTES)]
    with pytest.raises(crypto.SealBroken):
        opened(cut, 2 * CHUNK_BYTES)


@pytest.mark.parametrize("kept", [0, 3, HEADER_BYTES - 1, HEADER_BYTES, HEADER_BYTES + 40])
def test_a_cut_anywhere_is_refused(kept: int) -> None:
    with pytest.raises(crypto.SealBroken):
        opened(sealed(plain(100))[:kept], 100)


def test_chunks_in_another_order_are_refused() -> None:
    size = 3 * CHUNK_BYTES
    data = sealed(plain(size))
    first, second, third = chunks(data)
    with pytest.raises(crypto.SealBroken):
        opened(data[:HEADER_BYTES] + second + first + third, size)


def test_a_chunk_of_another_stream_is_refused() -> None:
    size = 2 * CHUNK_BYTES
    ours, theirs = sealed(plain(size)), sealed(plain(size))
    spliced = ours[:HEADER_BYTES] + next(chunks(theirs)) + list(chunks(ours))[1]
    with pytest.raises(crypto.SealBroken):
        opened(spliced, size)


def test_a_header_of_another_stream_is_refused() -> None:
    ours, theirs = sealed(plain(100)), sealed(plain(100))
    with pytest.raises(crypto.SealBroken):
        opened(theirs[:HEADER_BYTES] + ours[HEADER_BYTES:], 100)


def test_one_changed_bit_is_refused() -> None:
    data = bytearray(sealed(plain(100)))
    data[-1] ^= 1
    with pytest.raises(crypto.SealBroken):
        opened(bytes(data), 100)


def test_a_wrong_size_is_refused() -> None:
    data = sealed(plain(CHUNK_BYTES + 10))
    for size in (CHUNK_BYTES + 9, CHUNK_BYTES + 11, CHUNK_BYTES):
        with pytest.raises(crypto.SealBroken):
            opened(data, size)


def test_another_key_or_place_is_refused() -> None:
    data = sealed(plain(100))
    with pytest.raises(crypto.SealBroken):
        opened(data, 100, key=bytes(32))
    with pytest.raises(crypto.SealBroken):
        opened(data, 100, place="videos_asset.head:2")


def test_a_file_that_is_no_sealed_stream_is_refused() -> None:
    with pytest.raises(crypto.SealBroken):
        opener(b"\x00\x00\x00\x18ftypisom" * 10, 100)
