"""Which files would a hostile person upload? Made by code from one good film, with a seed.

A film is taken apart into boxes, one thing in it is made a lie, and it is put together again with
sizes and places that agree: what is refused is refused for the lie, not for a slip of ours.
"""

import io
import random
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from tests.videos import vendor as played

SEED = 20_261_125
HOLDERS = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"dinf", b"edts"}


@dataclass
class Box:
    """A box: raw bytes, or boxes within."""

    kind: bytes
    body: bytes = b""
    inside: list["Box"] | None = None

    def raw(self) -> bytes:
        body = self.body if self.inside is None else b"".join(box.raw() for box in self.inside)
        return struct.pack(">I", 8 + len(body)) + self.kind + body

    def all(self, kind: bytes) -> Iterator["Box"]:
        for box in self.inside or ():
            if box.kind == kind:
                yield box
            yield from box.all(kind)

    def first(self, kind: bytes) -> "Box":
        return next(self.all(kind))


def parsed(data: bytes) -> list[Box]:
    found, at = [], 0
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        body = data[at + 8 : at + size]
        found.append(Box(kind, b"", parsed(body)) if kind in HOLDERS else Box(kind, body))
        at += size
    return found


def good() -> bytes:
    """Return a film that is what it says."""
    return played.film().video


def changed(act: Callable[[Box], None]) -> bytes:
    """Change the index of a good film, its places following the new length of the index."""
    boxes = parsed(good())
    (index,) = (box for box in boxes if box.kind == b"moov")
    before = len(index.raw())
    act(index)
    grown = len(index.raw()) - before
    for places in index.all(b"stco"):
        count = (len(places.body) - 8) // 4
        moved = [place + grown for place in struct.unpack(f">{count}I", places.body[8:])]
        places.body = places.body[:8] + struct.pack(f">{count}I", *moved)
    return b"".join(box.raw() for box in boxes)


def put(kind: bytes, at: int, form: str, *values: int, track: int = 0) -> bytes:
    """Write numbers over a box of a track."""

    def act(index: Box) -> None:
        box = list(index.all(b"trak"))[track].first(kind)
        body = bytearray(box.body)
        struct.pack_into(form, body, at, *values)
        box.body = bytes(body)

    return changed(act)


def body(kind: bytes, content: bytes, track: int = 0) -> bytes:
    """Replace a box of a track."""

    def act(index: Box) -> None:
        list(index.all(b"trak"))[track].first(kind).body = content

    return changed(act)


def another_track(kind: bytes, codec: bytes | None = None) -> bytes:
    def act(index: Box) -> None:
        (copy,) = parsed(next(index.all(b"trak")).raw())
        handler = copy.first(b"hdlr")
        handler.body = handler.body[:8] + kind + handler.body[12:]
        if codec:
            _recode(copy, codec)
        (index.inside or []).append(copy)

    return changed(act)


def _recode(track: Box, codec: bytes) -> None:
    entries = track.first(b"stsd")
    entries.body = entries.body[:12] + codec + entries.body[16:]


def recoded(codec: bytes, track: int = 0) -> bytes:
    return changed(lambda index: _recode(list(index.all(b"trak"))[track], codec))


def within(depth: int) -> bytes:
    # Written from the inside out: a maker that nests its calls would not get far.
    nest = b""
    for _ in range(depth):
        nest = struct.pack(">I", 8 + len(nest)) + b"trak" + nest
    return changed(lambda index: (index.inside or []).append(Box(b"trak", nest)))


def many_boxes() -> bytes:
    return changed(lambda index: (index.inside or []).extend(Box(b"udta") for _ in range(20_000)))


def packed_index() -> bytes:
    """A compressed index: a few KiB that unpack to a thousand times as much."""
    bomb = zlib.compress(bytes(16 << 20), 9)
    packed = Box(b"cmov", b"", [Box(b"dcom", b"zlib"), Box(b"cmvd", struct.pack(">I", 16 << 20))])
    assert packed.inside is not None
    packed.inside[1].body += bomb
    return changed(lambda index: setattr(index, "inside", [packed]))


def huge_index() -> bytes:
    filler = Box(b"udta", bytes(9 << 20))
    return changed(lambda index: (index.inside or []).append(filler))


def zip_behind() -> bytes:
    """A film and an archive at once: it plays, and it unpacks."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("run.js", "alert(1)")
    return good() + Box(b"free", packed.getvalue()).raw()


def elsewhere(address: bytes) -> bytes:
    entry = Box(b"url ", struct.pack(">I", 0) + address).raw()
    return body(b"dref", struct.pack(">II", 0, 1) + entry)


def edits(count: int) -> bytes:
    one = struct.pack(">Iii", 1, 0, 0x10000)
    return body(b"elst", struct.pack(">II", 0, count) + one * min(count, 200_000))


def subtitles() -> bytes:
    """A third track, of words, named by a script: players that show its name would run it."""
    cut = another_track(b"sbtl", b"tx3g")
    at = cut.rindex(b"Picture\0")
    return cut[:at] + b"<script>" + cut[at + 8 :]


def with_size(size: int, wide: int | None = None) -> bytes:
    """The first box within the index, under another size."""
    data = bytearray(good())
    at = data.index(b"mvhd") - 4
    struct.pack_into(">I", data, at, size)
    if wide is not None:
        struct.pack_into(">Q", data, at + 8, wide)
    return bytes(data)


def noise(size: int) -> bytes:
    return random.Random(SEED).randbytes(size)


def fragmented() -> bytes:
    return good() + Box(b"moof", bytes(64)).raw() + Box(b"mdat", bytes(64)).raw()


def without_picture() -> bytes:
    def act(index: Box) -> None:
        index.inside = [box for box in index.inside or [] if not _is_picture(box)]

    return changed(act)


def _is_picture(box: Box) -> bool:
    return box.kind == b"trak" and box.first(b"hdlr").body[8:12] == b"vide"


def two_indexes() -> bytes:
    data = good()
    (index,) = (box for box in parsed(data) if box.kind == b"moov")
    return data + index.raw()


def sample_sizes() -> bytes:
    count = struct.unpack_from(">I", _first_sizes(), 8)[0]
    return body(b"stsz", struct.pack(">III", 0, 1 << 30, count))


def _first_sizes() -> bytes:
    (index,) = (box for box in parsed(good()) if box.kind == b"moov")
    return index.first(b"stsz").body


def protected() -> bytes:
    def act(index: Box) -> None:
        _recode(next(index.all(b"trak")), b"encv")

    return changed(act)


BILLION = 1_000_000_000
LISTING = b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"

# name: (how the file is made, why it is refused)
FILES: Mapping[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "too_small"),
    "a few bytes": (lambda: good()[:400], "too_small"),
    "noise": (partial(noise, 50_000), "not_mp4"),
    "a picture in vectors": (lambda: b"<svg onload='alert(1)'/>" * 100, "not_mp4"),
    "a page with a script": (lambda: b"<html><script>alert(1)</script>" * 99, "not_mp4"),
    "a list that names files": (lambda: LISTING * 50, "not_mp4"),
    "an archive": (lambda: zip_behind()[-200:] * 20, "not_mp4"),
    "the magic of another kind": (lambda: good()[:8] + b"heic" + good()[12:], "not_mp4"),
    "a film that is an archive too": (zip_behind, "another_file_inside"),
    "a page behind the film": (lambda: good() + b"<script>alert(1)</script>" * 40, "broken"),
    "cut off in the middle": (lambda: good()[: len(good()) // 2], "broken"),
    "cut off at the index": (lambda: good()[:2_000], "broken"),
    "wide as a house": (
        lambda: put(b"stsd", 8 + 32, ">HH", 65_534, 65_534),
        "other_size",
    ),
    "no height": (lambda: put(b"stsd", 8 + 32, ">HH", 640, 0), "other_size"),
    "a billion frames": (
        lambda: body(b"stsz", struct.pack(">III", 0, 1, BILLION)),
        "too_many_frames",
    ),
    "a billion steps of time": (
        lambda: body(b"stts", struct.pack(">IIII", 0, 1, BILLION, 1)),
        "too_many_frames",
    ),
    "a table longer than its box": (
        lambda: body(b"stts", struct.pack(">IIII", 0, 0x1FFF_FFFF, 1, 1)),
        "too_many_frames",
    ),
    "a frame of a gigabyte": (sample_sizes, "broken"),
    "places past the end": (
        lambda: body(b"stco", struct.pack(">III", 0, 1, 0xFFFF_FFF0)),
        "broken",
    ),
    "an index that unpacks": (packed_index, "packed_index"),
    "an index of megabytes": (huge_index, "packed_index"),
    "boxes without end": (many_boxes, "too_nested"),
    "tracks within tracks": (partial(within, 3_000), "too_nested"),
    "a track within a track": (partial(within, 1), "too_nested"),
    "a box smaller than its head": (lambda: with_size(4), "broken"),
    "a size below zero": (lambda: with_size(1, 2**64 - 8), "broken"),
    "a size that wraps": (lambda: with_size(1, 2**32 + 108), "broken"),
    "two indexes": (two_indexes, "broken"),
    "cuts without end": (partial(edits, 200_000), "many_edits"),
    "a list of cuts that lies": (partial(edits, BILLION), "many_edits"),
    "data in another file": (lambda: elsewhere(b"file:///etc/passwd\0"), "elsewhere"),
    "data on another host": (lambda: elsewhere(b"http://169.254.169.254/\0"), "elsewhere"),
    "subtitles with scripts": (subtitles, "other_track"),
    "a track of data": (lambda: another_track(b"meta"), "other_track"),
    "time that stands still": (lambda: put(b"mdhd", 12, ">I", 0), "bad_times"),
    "absurd ticks": (lambda: put(b"mdhd", 12, ">I", 0xFFFF_FFFF), "bad_times"),
    "a year long": (lambda: put(b"mdhd", 16, ">I", 0xFFFF_FFFF), "too_long"),
    "frames as rare as days": (lambda: put(b"stts", 12, ">I", 0x7FFF_FFFF), "too_long"),
    "no picture": (without_picture, "no_video"),
    "two pictures": (lambda: another_track(b"vide"), "more_videos"),
    "two sounds": (lambda: another_track(b"soun", b"mp4a"), "more_sounds"),
    "protected": (protected, "locked"),
    "HEVC in an MP4": (lambda: recoded(b"hvc1"), "other_codec"),
    "sound that is no AAC": (lambda: recoded(b"alac", 1), "other_codec"),
    "in pieces": (fragmented, "in_pieces"),
    "turned": (lambda: put(b"tkhd", 40, ">4I", 0, 0x10000, 0xFFFF_0000, 0), "turned"),
}
