"""Which bytes make an MP4 whose first part is one person's and whose rest is everybody's?

A file is `head + tail`. The head holds the index and one person's own samples, wherever in
the film they are shown; the tail holds all others. The index states sizes and places only,
so that two files that share these have the same tail, byte for byte.
"""

import io
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any, TypeAlias

import av
from av.audio.stream import AudioStream
from av.packet import Packet
from av.video.stream import VideoStream

# Divisible by 48,000 and by the usual frame rates: edits fall on whole ticks.
_MOVIE_TICKS_PER_SECOND = 240_000
_IDENTITY_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_LARGEST_OFFSET = 2**32 - 1


_Packet: TypeAlias = "Packet[Any]"
# From the first sample up to but not including the second.
Run: TypeAlias = tuple[int, int]


class NotAnMp4(Exception):
    """The bytes are not an MP4 with H.264 video and, at most, AAC sound."""


@dataclass(frozen=True)
class Sample:
    """One coded frame; times in ticks of its track, zero = start of the presentation."""

    data: bytes
    decode_at_ticks: int
    show_at_ticks: int
    duration_ticks: int
    is_key: bool


@dataclass(frozen=True)
class Track:
    """Samples in decode order, and what a player must know to start decoding.

    `setup` is the content of avcC for video, the AudioSpecificConfig for sound.
    """

    is_video: bool
    ticks_per_second: int
    setup: bytes
    samples: Sequence[Sample]
    width: int = 0
    height: int = 0
    rate_hz: int = 0
    channels: int = 0

    @property
    def end_seconds(self) -> Fraction:
        last = max(sample.show_at_ticks + sample.duration_ticks for sample in self.samples)
        return Fraction(last, self.ticks_per_second)


@dataclass(frozen=True)
class _Chunk:
    track: int
    first: int
    count: int
    size_bytes: int


@dataclass(frozen=True)
class Cut:
    """The chunks of the head, one person's own, and those of the tail."""

    head_chunks: tuple[_Chunk, ...]
    tail_chunks: tuple[_Chunk, ...]


def read(*, data: bytes) -> tuple[Track, ...]:
    """Take an MP4 apart: its video track first, then its sound.

    :raises NotAnMp4: it cannot be opened, or holds other codecs.
    """
    try:
        with av.open(io.BytesIO(data), "r", format="mp4") as container:
            streams: list[VideoStream | AudioStream] = [
                *container.streams.video[:1],
                *container.streams.audio[:1],
            ]
            packets: dict[int, list[_Packet]] = {stream.index: [] for stream in streams}
            for packet in container.demux(streams):
                if packet.size:
                    packets[packet.stream.index].append(packet)
            tracks = tuple(_track(stream, packets[stream.index]) for stream in streams)
    except (av.FFmpegError, ValueError) as problem:
        raise NotAnMp4("the video file cannot be read") from problem
    if not tracks or not tracks[0].is_video:
        raise NotAnMp4("the file holds no video")
    return tracks


def cut(*, tracks: Sequence[Track], own: Sequence[Sequence[Run]]) -> Cut:
    """Take each track's own runs of samples (in order, apart) out, and lay both sides out in time.

    What is one person's lies together at the beginning, however far into the film it is shown.
    """
    inside = [(index, *run) for index, runs in enumerate(own) for run in runs]
    outside = [
        (index, *run)
        for index, track in enumerate(tracks)
        for run in _rest(own[index], len(track.samples))
    ]
    return Cut(_interleave(tracks, inside), _interleave(tracks, outside))


def write_tail(*, tracks: Sequence[Track], parts: Cut) -> bytes:
    """Join the samples that everybody shares."""
    return b"".join(_chunk_bytes(tracks, parts.tail_chunks))


def write_head(*, tracks: Sequence[Track], parts: Cut) -> bytes:
    """Write index and own samples; followed by the tail it is a whole, playable file.

    :raises NotAnMp4: the file would pass 4 GiB.
    """
    own = b"".join(_chunk_bytes(tracks, parts.head_chunks))
    tail_bytes = sum(chunk.size_bytes for chunk in parts.tail_chunks)
    brand = _box(b"ftyp", b"isom", struct.pack(">I", 512), b"isomiso2avc1mp41")
    size = len(_movie(tracks, parts, 0))
    media_at = len(brand) + size + 8
    if media_at + len(own) + tail_bytes > _LARGEST_OFFSET:
        raise NotAnMp4("the file would be larger than 4 GiB")
    media_head = struct.pack(">I", 8 + len(own) + tail_bytes) + b"mdat"
    return brand + _movie(tracks, parts, media_at) + media_head + own


def write(*, tracks: Sequence[Track]) -> bytes:
    """Write a whole file, index first, so that it plays while it arrives."""
    parts = cut(tracks=tracks, own=[[]] * len(tracks))
    return write_head(tracks=tracks, parts=parts) + write_tail(tracks=tracks, parts=parts)


def _track(stream: VideoStream | AudioStream, packets: Sequence[_Packet]) -> Track:
    codec = stream.codec_context
    if codec.name not in {"h264", "aac"} or not packets or stream.time_base is None:
        raise NotAnMp4("the file holds other codecs than H.264 and AAC")
    ticks_per_second = stream.time_base.denominator
    samples = [_sample(packet, stream.time_base.numerator) for packet in packets]
    setup = bytes(codec.extradata or b"")
    if isinstance(stream, VideoStream):
        width, height = stream.codec_context.width, stream.codec_context.height
        return Track(
            is_video=True,
            ticks_per_second=ticks_per_second,
            setup=setup,
            samples=samples,
            width=width,
            height=height,
        )
    rate, channels = stream.codec_context.sample_rate, stream.codec_context.channels
    return Track(
        is_video=False,
        ticks_per_second=ticks_per_second,
        setup=setup,
        samples=samples,
        rate_hz=rate,
        channels=channels,
    )


def _sample(packet: _Packet, scale: int) -> Sample:
    if packet.pts is None or packet.dts is None:
        raise NotAnMp4("a frame has no time")
    return Sample(
        bytes(packet),
        packet.dts * scale,
        packet.pts * scale,
        (packet.duration or 0) * scale,
        packet.is_keyframe,
    )


def _rest(own: Sequence[Run], count: int) -> Iterator[Run]:
    """Yield the runs between the given ones."""
    edges = [0, *(edge for run in own for edge in run), count]
    return ((start, end) for start, end in zip(edges[::2], edges[1::2], strict=True) if end > start)


def _interleave(
    tracks: Sequence[Track], spans: Sequence[tuple[int, int, int]]
) -> tuple[_Chunk, ...]:
    chunks = [
        (starts_at, _Chunk(index, first, end - first, size))
        for index, start, stop in spans
        for starts_at, first, end, size in _half_seconds(tracks[index], start, stop)
    ]
    return tuple(chunk for _, chunk in sorted(chunks, key=lambda item: (item[0], item[1].track)))


def _half_seconds(track: Track, start: int, stop: int) -> Iterator[tuple[int, int, int, int]]:
    """Group samples by half seconds: (which half second, first, end, size)."""
    first, size = start, 0
    for index in range(start, stop):
        size += len(track.samples[index].data)
        here = _half_second(track, index)
        if index + 1 == stop or _half_second(track, index + 1) != here:
            yield here, first, index + 1, size
            first, size = index + 1, 0


def _half_second(track: Track, index: int) -> int:
    # Asked for each sample of each person's film: whole numbers, rounded towards zero.
    halves, ticks = track.samples[index].decode_at_ticks * 2, track.ticks_per_second
    return halves // ticks if halves >= 0 else -(-halves // ticks)


def _chunk_bytes(tracks: Sequence[Track], chunks: Sequence[_Chunk]) -> Iterator[bytes]:
    for chunk in chunks:
        for sample in tracks[chunk.track].samples[chunk.first : chunk.first + chunk.count]:
            yield sample.data


def _box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I", 8 + len(body)) + kind + body


def _full_box(kind: bytes, *parts: bytes, flags: int = 0) -> bytes:
    return _box(kind, struct.pack(">I", flags), *parts)


def _movie(tracks: Sequence[Track], parts: Cut, media_at: int) -> bytes:
    duration = max(int(track.end_seconds * _MOVIE_TICKS_PER_SECOND) for track in tracks)
    # No creation time anywhere: the same input must give the same bytes.
    header = _full_box(
        b"mvhd",
        struct.pack(">IIIIIH", 0, 0, _MOVIE_TICKS_PER_SECOND, duration, 0x10000, 0x100),
        bytes(10),
        _IDENTITY_MATRIX,
        bytes(24),
        struct.pack(">I", len(tracks) + 1),
    )
    places = _places(tracks, parts, media_at)
    boxes = [_track_box(track, i, places[i]) for i, track in enumerate(tracks)]
    return _box(b"moov", header, *boxes)


def _places(tracks: Sequence[Track], parts: Cut, media_at: int) -> list[list[tuple[int, int]]]:
    """For each track, each chunk's offset in the file and its number of samples, as decoded."""
    places: list[list[tuple[int, int, int]]] = [[] for _ in tracks]
    offset = media_at
    for chunk in (*parts.head_chunks, *parts.tail_chunks):
        places[chunk.track].append((chunk.first, offset, chunk.count))
        offset += chunk.size_bytes
    return [[(at, count) for _, at, count in sorted(found)] for found in places]


def _track_box(track: Track, index: int, places: list[tuple[int, int]]) -> bytes:
    duration = int(track.end_seconds * _MOVIE_TICKS_PER_SECOND)
    volume = 0 if track.is_video else 0x100
    header = _full_box(
        b"tkhd",
        struct.pack(">IIIIIII", 0, 0, index + 1, 0, duration, 0, 0),
        struct.pack(">HHHH", 0, 0 if track.is_video else 1, volume, 0),
        _IDENTITY_MATRIX,
        struct.pack(">II", track.width << 16, track.height << 16),
        flags=3,
    )
    return _box(b"trak", header, _edits(track, duration), _media(track, places))


def _edits(track: Track, duration: int) -> bytes:
    """State what is skipped before zero: priming of the sound, delay of B-frames."""
    first = track.samples[0].decode_at_ticks
    late = max(0, first) * _MOVIE_TICKS_PER_SECOND // track.ticks_per_second
    entries = [struct.pack(">Iii", late, -1, 0x10000)] if late else []
    entries.append(struct.pack(">Iii", duration - late, max(0, -first), 0x10000))
    return _box(b"edts", _full_box(b"elst", struct.pack(">I", len(entries)), *entries))


def _media(track: Track, places: list[tuple[int, int]]) -> bytes:
    media_ticks = sum(_decode_steps(track))
    header = _full_box(
        b"mdhd", struct.pack(">IIIIHH", 0, 0, track.ticks_per_second, media_ticks, 0x55C4, 0)
    )
    kind, name = (b"vide", b"Picture\0") if track.is_video else (b"soun", b"Sound\0")
    handler = _full_box(b"hdlr", bytes(4), kind, bytes(12), name)
    own = _full_box(b"vmhd", bytes(8), flags=1) if track.is_video else _full_box(b"smhd", bytes(4))
    source = _full_box(b"dref", struct.pack(">I", 1), _full_box(b"url ", flags=1))
    information = _box(b"minf", own, _box(b"dinf", source), _table(track, places))
    return _box(b"mdia", header, handler, information)


def _decode_steps(track: Track) -> list[int]:
    times = [sample.decode_at_ticks for sample in track.samples]
    last = track.samples[-1].duration_ticks
    return [*(after - before for before, after in pairwise(times)), last]


def _table(track: Track, places: list[tuple[int, int]]) -> bytes:
    entry = _picture_entry(track) if track.is_video else _sound_entry(track)
    sizes = [len(sample.data) for sample in track.samples]
    boxes = [
        _full_box(b"stsd", struct.pack(">I", 1), entry),
        _run_lengths(b"stts", _decode_steps(track)),
        *_order_boxes(track),
        _samples_by_chunk([count for _, count in places]),
        _full_box(
            b"stsz", struct.pack(">II", 0, len(sizes)), struct.pack(f">{len(sizes)}I", *sizes)
        ),
        _full_box(
            b"stco", struct.pack(f">I{len(places)}I", len(places), *(at for at, _ in places))
        ),
    ]
    return _box(b"stbl", *boxes)


def _order_boxes(track: Track) -> list[bytes]:
    """Key frames, and how much later than its decoding each frame is shown."""
    if not track.is_video:
        return []
    keys = [number for number, sample in enumerate(track.samples, 1) if sample.is_key]
    boxes = [_full_box(b"stss", struct.pack(f">I{len(keys)}I", len(keys), *keys))]
    waits = [sample.show_at_ticks - sample.decode_at_ticks for sample in track.samples]
    return [*boxes, _run_lengths(b"ctts", waits)] if any(waits) else boxes


def _run_lengths(kind: bytes, values: Sequence[int]) -> bytes:
    runs: list[list[int]] = []
    for value in values:
        if runs and runs[-1][1] == value:
            runs[-1][0] += 1
        else:
            runs.append([1, value])
    flat = [number for run in runs for number in run]
    return _full_box(kind, struct.pack(f">I{len(flat)}I", len(runs), *flat))


def _samples_by_chunk(counts: Sequence[int]) -> bytes:
    entries: list[tuple[int, int]] = []
    for number, count in enumerate(counts, 1):
        if not entries or entries[-1][1] != count:
            entries.append((number, count))
    body = b"".join(struct.pack(">III", number, count, 1) for number, count in entries)
    return _full_box(b"stsc", struct.pack(">I", len(entries)), body)


def _picture_entry(track: Track) -> bytes:
    return _box(
        b"avc1",
        bytes(6) + struct.pack(">H", 1) + bytes(16),
        struct.pack(">HHIIIH", track.width, track.height, 0x480000, 0x480000, 0, 1),
        bytes(32),
        struct.pack(">Hh", 24, -1),
        _box(b"avcC", track.setup),
    )


def _sound_entry(track: Track) -> bytes:
    decoder = struct.pack(">BB", 0x40, 0x15) + bytes(3) + struct.pack(">II", 128_000, 128_000)
    stream = _descriptor(4, decoder + _descriptor(5, track.setup))
    elementary = _descriptor(3, struct.pack(">HB", 1, 0) + stream + _descriptor(6, b"\x02"))
    return _box(
        b"mp4a",
        bytes(6) + struct.pack(">H", 1) + bytes(8),
        struct.pack(">HHHHI", track.channels, 16, 0, 0, track.rate_hz << 16),
        _full_box(b"esds", elementary),
    )


def _descriptor(tag: int, body: bytes) -> bytes:
    return struct.pack(">BB", tag, len(body)) + body
