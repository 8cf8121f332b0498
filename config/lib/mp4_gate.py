"""May this MP4 of a stranger be given to a decoder? Its boxes are walked, and nothing is decoded.

Each number is judged before anything is allocated by it: a file of a few hundred bytes can say
that it holds a billion frames. What is not known to be needed is refused.
"""

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

SMALLEST_BYTES, LARGEST_BYTES = 1_000, 100 << 20
LARGEST_INDEX_BYTES = 8 << 20
MOST_BOXES, DEEPEST = 1_000, 8
LONGEST_SECONDS, MOST_FRAMES_A_SECOND = 180, 120
MOST_SAMPLES = LONGEST_SECONDS * MOST_FRAMES_A_SECOND
SMALLEST_SIDE_PX, LONGEST_SIDE_PX, MOST_PIXELS = 240, 4096, 3840 * 2160
MOST_EDITS, MOST_TICKS_A_SECOND = 16, 10_000_000
LARGEST_SAMPLE_BYTES = 16 << 20
ZIP_END, ZIP_TAIL_BYTES = b"PK\x05\x06", 66_000

BRANDS = {b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"M4V ", b"qt  "}
TOP = {b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"uuid"}
HOLDERS = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"dinf", b"edts"}
# Where each of these may stand, so that a box within itself ends the walk at once.
PARENTS = {
    b"trak": b"moov",
    b"mdia": b"trak",
    b"edts": b"trak",
    b"minf": b"mdia",
    b"stbl": b"minf",
    b"dinf": b"minf",
    b"tkhd": b"trak",
    b"mdhd": b"mdia",
    b"hdlr": b"mdia",
    b"dref": b"dinf",
    b"elst": b"edts",
    **dict.fromkeys((b"stsd", b"stts", b"ctts", b"stsz", b"stco", b"co64", b"stsc"), b"stbl"),
}
IDENTITY = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
CODECS = {b"vide": {b"avc1", b"avc3"}, b"soun": {b"mp4a"}}
LOCKED = {b"encv", b"enca", b"drms", b"drmi", b"sinf", b"pssh", b"senc"}

WORDS: Mapping[str, str] = {
    "too_small": "The file is too small to be a video.",
    "too_large": f"The file is larger than {LARGEST_BYTES >> 20} MiB.",
    "not_mp4": "The file is not an MP4.",
    "another_file_inside": "Another file is hidden in the video.",
    "broken": "The file is cut off or damaged.",
    "in_pieces": "The video is cut in pieces for streaming. Export it as one MP4.",
    "packed_index": "The file's index is compressed or too large.",
    "too_nested": "The file's index is built in a way no camera builds it.",
    "no_video": "There is no picture in the file.",
    "more_videos": "There is more than one picture track in the file.",
    "more_sounds": "There is more than one sound track in the file.",
    "other_track": "The file holds something besides picture and sound, such as subtitles.",
    "locked": "The video is protected against copying.",
    "other_codec": "The picture must be H.264 and the sound AAC. Export it again as such.",
    "other_size": "The picture must be between 240 and 4096 pixels high and wide, 4K at most.",
    "turned": "The picture is stored turned or mirrored. Export it upright.",
    "too_long": f"The video is longer than {LONGEST_SECONDS // 60} minutes.",
    "too_many_frames": "The file says that it holds more frames than a video of its length can.",
    "bad_times": "The times in the file make no sense.",
    "many_edits": "The file has a list of cuts that no player follows alike.",
    "elsewhere": "Some of the video lies in another file.",
}


class Refused(Exception):
    """The file is not given to a decoder; `code` says why, `words` say it plainly."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.words = WORDS[code]
        super().__init__(code)


@dataclass(frozen=True)
class Shape:
    """What the file says of itself, as far as it was judged."""

    width: int
    height: int
    duration_seconds: float
    frame_count: int
    has_sound: bool


@dataclass(frozen=True)
class _Box:
    kind: bytes
    start: int
    end: int


@dataclass
class _Track:
    """What is gathered of a track while its boxes are walked."""

    kind: bytes = b""
    codec: bytes = b""
    width: int = 0
    height: int = 0
    upright: bool = True
    ticks_a_second: int = 0
    duration_ticks: int = 0
    samples: int = 0
    timed: int = 0
    timed_ticks: int = 0
    sized_bytes: int = 0
    seen: set[bytes] = field(default_factory=set)


_Reader: TypeAlias = "Callable[[memoryview, _Track, int], None]"


def look(*, data: bytes) -> Shape:
    """Judge a file by its boxes.

    :raises Refused: it is not a plain MP4 with one H.264 picture and at most one AAC sound.
    """
    if len(data) < SMALLEST_BYTES or len(data) > LARGEST_BYTES:
        raise Refused("too_small" if len(data) < SMALLEST_BYTES else "too_large")
    if data[4:8] != b"ftyp" or data[8:12] not in BRANDS:
        raise Refused("not_mp4")
    if ZIP_END in data[-ZIP_TAIL_BYTES:]:
        raise Refused("another_file_inside")
    view = memoryview(data)
    index = _index(view)
    tracks = _Walk(view, len(data)).tracks(index)
    return _judged(tracks)


def _index(view: memoryview) -> _Box:
    """Walk the outermost boxes, which must fill the file to its last byte."""
    found: list[_Box] = []
    for number, box in enumerate(_boxes(view, 0, len(view), outermost=True)):
        if box.kind in {b"moof", b"sidx", b"mfra", b"styp"}:
            raise Refused("in_pieces")
        if box.kind not in TOP or (box.kind == b"ftyp") != (number == 0):
            raise Refused("locked" if box.kind in LOCKED else "broken")
        found.append(box)
        if len(found) > MOST_BOXES:
            raise Refused("too_nested")
    indexes = [box for box in found if box.kind == b"moov"]
    if len(indexes) != 1 or not any(box.kind == b"mdat" for box in found):
        raise Refused("broken")
    if indexes[0].end - indexes[0].start > LARGEST_INDEX_BYTES:
        raise Refused("packed_index")
    return indexes[0]


def _boxes(view: memoryview, start: int, end: int, *, outermost: bool = False) -> Iterator[_Box]:
    while start < end:
        if end - start < 8:
            raise Refused("broken")
        size, kind = struct.unpack_from(">I4s", view, start)
        head = 8
        if size == 1:
            if end - start < 16:
                raise Refused("broken")
            (size,) = struct.unpack_from(">Q", view, start + 8)
            head = 16
        elif size == 0 and outermost and kind == b"mdat":
            size = end - start
        # A size past 2**63 is read as negative elsewhere; here it is merely past the end.
        if size < head or size > end - start:
            raise Refused("broken")
        yield _Box(kind, start + head, start + size)
        start += size


class _Walk:
    """Walks the index once, a bounded number of boxes deep and long."""

    def __init__(self, view: memoryview, file_bytes: int) -> None:
        self._view, self._file_bytes, self._count = view, file_bytes, 0

    def tracks(self, index: _Box) -> list[_Track]:
        found: list[_Track] = []
        self._into(index, found, 1)
        return found

    def _into(self, holder: _Box, found: list[_Track], depth: int) -> None:
        for box in _boxes(self._view, holder.start, holder.end):
            self._count += 1
            if self._count > MOST_BOXES or depth > DEEPEST:
                raise Refused("too_nested")
            self._one(box, holder, found, depth)

    def _one(self, box: _Box, holder: _Box, found: list[_Track], depth: int) -> None:
        if box.kind in LOCKED:
            raise Refused("locked")
        if box.kind in {b"cmov", b"mvex"}:
            raise Refused("packed_index" if box.kind == b"cmov" else "in_pieces")
        if (box.kind, holder.kind) == (b"hdlr", b"minf"):
            # QuickTime has a second one, which says how the data are read.
            return
        known = box.kind in PARENTS or box.kind in HOLDERS
        if known and PARENTS.get(box.kind) != holder.kind:
            raise Refused("too_nested")
        if box.kind in HOLDERS:
            if box.kind == b"trak":
                found.append(_Track())
            self._into(box, found, depth + 1)
        elif found and box.kind in _READERS:
            self._read(box, found[-1])

    def _read(self, box: _Box, track: _Track) -> None:
        if box.kind in track.seen:
            raise Refused("broken")
        track.seen.add(box.kind)
        try:
            _READERS[box.kind](self._view[box.start : box.end], track, self._file_bytes)
        except struct.error:
            raise Refused("broken") from None


def _header(body: memoryview, track: _Track, _file_bytes: int) -> None:
    at = 52 if body[0] == 1 else 40
    track.upright = bytes(body[at : at + 36]) == IDENTITY
    width, height = struct.unpack_from(">II", body, at + 36)
    track.width, track.height = width >> 16, height >> 16


def _media_header(body: memoryview, track: _Track, _file_bytes: int) -> None:
    form, at = (">IQ", 20) if body[0] == 1 else (">II", 12)
    track.ticks_a_second, track.duration_ticks = struct.unpack_from(form, body, at)
    if not 1 <= track.ticks_a_second <= MOST_TICKS_A_SECOND:
        raise Refused("bad_times")
    if track.duration_ticks > LONGEST_SECONDS * track.ticks_a_second:
        raise Refused("too_long")


def _handler(body: memoryview, track: _Track, _file_bytes: int) -> None:
    (track.kind,) = struct.unpack_from(">4s", body, 8)


def _descriptions(body: memoryview, track: _Track, _file_bytes: int) -> None:
    count, size, codec = struct.unpack_from(">II4s", body, 4)
    if codec in LOCKED:
        raise Refused("locked")
    if count != 1 or not 16 <= size <= len(body) - 8:
        raise Refused("other_codec")
    track.codec = codec
    if codec in CODECS[b"vide"]:
        width, height = struct.unpack_from(">HH", body, 8 + 32)
        _require_size(width, height)
        track.width, track.height = width, height


def _require_size(width: int, height: int) -> None:
    sides = (width, height)
    if min(sides) < SMALLEST_SIDE_PX or max(sides) > LONGEST_SIDE_PX:
        raise Refused("other_size")
    if width * height > MOST_PIXELS or width % 2 or height % 2:
        raise Refused("other_size")


def _data_places(body: memoryview, _track: _Track, _file_bytes: int) -> None:
    """Refuse a reference out of the file: a decoder would open what it names."""
    count, _size, kind, flags = struct.unpack_from(">II4sI", body, 4)
    if count != 1 or kind not in {b"url ", b"alis"} or flags & 0xFFFFFF != 1 or len(body) != 20:
        raise Refused("elsewhere")


def _edits(body: memoryview, track: _Track, _file_bytes: int) -> None:
    (count,) = struct.unpack_from(">I", body, 4)
    form = struct.Struct(">Qqi" if body[0] == 1 else ">Iii")
    if count > MOST_EDITS or count * form.size != len(body) - 8:
        raise Refused("many_edits")
    for number in range(count):
        length, start, rate = form.unpack_from(body, 8 + number * form.size)
        if start < -1 or rate != 0x10000 or length > 2**40:
            raise Refused("many_edits")


def _steps(body: memoryview, track: _Track, _file_bytes: int) -> None:
    for count, ticks in _pairs(body):
        track.timed += count
        track.timed_ticks += count * ticks
        if track.timed > MOST_SAMPLES:
            raise Refused("too_many_frames")


def _delays(body: memoryview, track: _Track, _file_bytes: int) -> None:
    if sum(count for count, _ in _pairs(body)) > MOST_SAMPLES:
        raise Refused("too_many_frames")


def _pairs(body: memoryview) -> Iterator[tuple[int, int]]:
    (count,) = struct.unpack_from(">I", body, 4)
    if count > MOST_SAMPLES or count * 8 != len(body) - 8:
        raise Refused("too_many_frames" if count > MOST_SAMPLES else "broken")
    return struct.iter_unpack(">II", body[8:])


def _sizes(body: memoryview, track: _Track, file_bytes: int) -> None:
    same, count = struct.unpack_from(">II", body, 4)
    if count > MOST_SAMPLES:
        raise Refused("too_many_frames")
    if not same and count * 4 != len(body) - 12:
        raise Refused("broken")
    sizes = [same] if same else [size for (size,) in struct.iter_unpack(">I", body[12:])]
    track.samples = count
    track.sized_bytes = same * count if same else sum(sizes)
    if track.sized_bytes > file_bytes or max(sizes, default=0) > LARGEST_SAMPLE_BYTES:
        raise Refused("broken")


def _places(body: memoryview, track: _Track, file_bytes: int) -> None:
    (count,) = struct.unpack_from(">I", body, 4)
    width, form = (4, ">I") if (len(body) - 8) == count * 4 else (8, ">Q")
    if count > MOST_SAMPLES or count * width != len(body) - 8:
        raise Refused("broken")
    if any(place >= file_bytes for (place,) in struct.iter_unpack(form, body[8:])):
        raise Refused("broken")


def _chunks(body: memoryview, track: _Track, _file_bytes: int) -> None:
    (count,) = struct.unpack_from(">I", body, 4)
    if count > MOST_SAMPLES or count * 12 != len(body) - 8:
        raise Refused("broken")
    last = 0
    for first, samples, _ in struct.iter_unpack(">III", body[8:]):
        if first <= last or not 1 <= samples <= MOST_SAMPLES:
            raise Refused("broken")
        last = first


_READERS: Mapping[bytes, _Reader] = {
    b"tkhd": _header,
    b"mdhd": _media_header,
    b"hdlr": _handler,
    b"stsd": _descriptions,
    b"dref": _data_places,
    b"elst": _edits,
    b"stts": _steps,
    b"ctts": _delays,
    b"stsz": _sizes,
    b"stco": _places,
    b"co64": _places,
    b"stsc": _chunks,
}


def _judged(tracks: Sequence[_Track]) -> Shape:
    kinds = [track.kind for track in tracks]
    if any(kind not in CODECS for kind in kinds):
        raise Refused("other_track")
    if kinds.count(b"vide") != 1:
        raise Refused("more_videos" if kinds.count(b"vide") else "no_video")
    if kinds.count(b"soun") > 1:
        raise Refused("more_sounds")
    for track in tracks:
        _require_whole(track)
    (video,) = (track for track in tracks if track.kind == b"vide")
    _require_size(video.width, video.height)
    if not video.upright:
        raise Refused("turned")
    seconds = video.timed_ticks / video.ticks_a_second
    if seconds < 1:
        raise Refused("bad_times")
    if video.samples > (seconds + 1) * MOST_FRAMES_A_SECOND:
        raise Refused("too_many_frames")
    return Shape(video.width, video.height, seconds, video.samples, b"soun" in kinds)


def _require_whole(track: _Track) -> None:
    if track.codec not in CODECS[track.kind]:
        raise Refused("other_codec")
    if not {b"mdhd", b"stts", b"stsz", b"stsc", b"dref"} <= track.seen:
        raise Refused("broken")
    if not track.seen & {b"stco", b"co64"} or track.timed != track.samples or not track.samples:
        raise Refused("broken")
    if track.timed_ticks > LONGEST_SECONDS * track.ticks_a_second:
        raise Refused("too_long")
