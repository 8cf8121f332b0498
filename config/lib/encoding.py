"""How do pictures and sound become coded samples that can be joined without a seam?

All encoders are set alike: no B-frames, closed groups, headers that do not depend on the
content (`stitchable`), a fixed number of threads. The same input gives the same bytes,
and a group encoded later fits between groups encoded before.
"""

import struct
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType
from numpy.typing import NDArray

from config.lib.mp4 import Sample

Picture = NDArray[np.uint8]

SOUND_RATE_HZ = 48_000
FRAME_SAMPLES = 1_024
_BIT_RATE = 80_000
_ACCESS_UNIT_DELIMITER, _SIDE_INFORMATION = 9, 6
_SPS, _PPS = 7, 8
# Whoever makes one film for everybody waits for it; of films for each, one is made on each core.
_THREADS, _HURRIED_THREADS = 2, 1
# Half the work of the preset alone, for under 0.002 of SSIM: most of what the preset adds to smooth
# grounds (aq) is bits that nobody sees.
_HURRY = ":subme=0:me=dia:chroma-me=0:rc-lookahead=3:partitions=none:aq-strength=0.3"
# Parameter sets go into the file's header instead of before each key frame.
_GLOBAL_HEADER = 1 << 22


class EncodingFailed(Exception):
    """The encoder gave no usable stream."""


@dataclass(frozen=True)
class Encoded:
    """Coded samples and the decoder's set-up (see `config.lib.mp4.Track.setup`)."""

    setup: bytes
    samples: list[Sample]


@dataclass(frozen=True)
class Colours:
    """How numbers mean colours, by the code points of H.273."""

    primaries: int
    transfer: int
    matrix: int
    value_range: int


# What phones and browsers assume for HD, in the limited range.
BT709 = Colours(1, 1, 1, 1)


@dataclass(frozen=True)
class PictureSettings:
    """What must be equal for two encodings to be joined."""

    width: int
    height: int
    frames_per_second: Fraction
    quality: int = 23
    parameter_set: int = 0
    speed: str = "veryfast"
    colours: Colours = BT709
    # Frames between two key frames at most; none means a second.
    longest_group: int = 0
    # Search for motion less far, for pictures that are made anew for each person.
    is_hurried: bool = False


def encode_pictures(
    *,
    pictures: Iterable[Picture],
    settings: PictureSettings,
    key_frames: Collection[int],
    ticks_per_frame: int,
) -> Encoded:
    """Encode planar YUV 4:2:0 pictures to H.264, with a key frame where named.

    Each is read before the next is asked for, so that a few buffers can be used in turn.
    """
    codec = _picture_codec(settings)
    samples: list[Sample] = []
    for index, picture in enumerate(pictures):
        frame = av.VideoFrame.from_numpy_buffer(np.ascontiguousarray(picture), format="yuv420p")
        frame.pts = index
        if index in key_frames:
            frame.pict_type = PictureType.I
        samples.extend(_picture_samples(codec.encode(frame), ticks_per_frame))
    samples.extend(_picture_samples(codec.encode(None), ticks_per_frame))
    return Encoded(_avc_setup(bytes(codec.extradata or b"")), samples)


def encode_sound(*, sound: NDArray[np.float32], rate_hz: int = SOUND_RATE_HZ) -> Encoded:
    """Encode sound (channels x samples) to AAC-LC; the first sample is priming."""
    codec = av.CodecContext.create("aac", "w")
    if not isinstance(codec, AudioCodecContext):
        raise EncodingFailed("this build has no AAC encoder")
    layout = "mono" if len(sound) == 1 else "stereo"
    codec.sample_rate, codec.layout, codec.format = rate_hz, layout, "fltp"
    # Without noise substitution a decoder gives the same sound for the same packets.
    # The quick coder takes a third of the time of the other, and is no further from the original.
    codec.options = {"aac_pns": "0", "aac_coder": "fast"}
    codec.bit_rate, codec.time_base = _BIT_RATE * len(sound), Fraction(1, rate_hz)
    codec.flags |= _GLOBAL_HEADER
    codec.open()
    samples: list[Sample] = []
    for start in range(0, sound.shape[1], FRAME_SAMPLES):
        block = np.ascontiguousarray(sound[:, start : start + FRAME_SAMPLES])
        frame = av.AudioFrame.from_ndarray(block, format="fltp", layout=layout)
        frame.sample_rate, frame.pts = rate_hz, start
        samples.extend(_sound_samples(codec.encode(frame)))
    samples.extend(_sound_samples(codec.encode(None)))
    return Encoded(bytes(codec.extradata or b""), samples)


def parameter_sets(*, setup: bytes) -> tuple[list[bytes], list[bytes]]:
    """Read the SPS and PPS units out of an avcC."""
    units: list[list[bytes]] = []
    position = 5
    for mask in (0x1F, 0xFF):
        count = setup[position] & mask
        position += 1
        found = []
        for _ in range(count):
            (size,) = struct.unpack_from(">H", setup, position)
            found.append(setup[position + 2 : position + 2 + size])
            position += 2 + size
        units.append(found)
    return units[0], units[1]


def joined_setup(*, first: bytes, second: bytes) -> bytes:
    """Make one avcC that decodes both: itself where they agree, else with both sets."""
    first_sets, second_sets = parameter_sets(setup=first), parameter_sets(setup=second)
    if first_sets == second_sets:
        return first
    merged = [
        [*a, *(unit for unit in b if unit not in a)]
        for a, b in zip(first_sets, second_sets, strict=True)
    ]
    return _avc_box(merged[0], merged[1])


def _picture_codec(settings: PictureSettings) -> VideoCodecContext:
    codec = av.CodecContext.create("libx264", "w")
    if not isinstance(codec, VideoCodecContext):
        raise EncodingFailed("this build has no H.264 encoder")
    codec.width, codec.height, codec.pix_fmt = settings.width, settings.height, "yuv420p"
    codec.framerate = settings.frames_per_second
    codec.time_base = 1 / settings.frames_per_second
    codec.flags |= _GLOBAL_HEADER
    longest_group = settings.longest_group or round(settings.frames_per_second)
    threads = _HURRIED_THREADS if settings.is_hurried else _THREADS
    details = (
        f"keyint={longest_group}:min-keyint=1:scenecut=0:bframes=0:open-gop=0:stitchable=1:"
        f"threads={threads}:sps-id={settings.parameter_set}:force-cfr=1"
    )
    if settings.is_hurried:
        details += _HURRY
    codec.options = {
        "preset": settings.speed,
        "profile": "high",
        "crf": str(settings.quality),
        "forced-idr": "1",
        "x264-params": details,
    }
    colours = settings.colours
    codec.color_primaries, codec.color_trc = colours.primaries, colours.transfer
    codec.colorspace, codec.color_range = colours.matrix, colours.value_range
    codec.open()
    return codec


def _picture_samples(packets: Iterable["av.Packet[Any]"], ticks_per_frame: int) -> Iterator[Sample]:
    for packet in packets:
        at = (packet.pts or 0) * ticks_per_frame
        data = b"".join(
            struct.pack(">I", len(unit)) + unit
            for unit in _units(bytes(packet))
            if unit[0] & 0x1F not in {_ACCESS_UNIT_DELIMITER, _SIDE_INFORMATION}
        )
        yield Sample(data, at, at, ticks_per_frame, packet.is_keyframe)


def _sound_samples(packets: Iterable["av.Packet[Any]"]) -> Iterator[Sample]:
    for packet in packets:
        at = packet.pts or 0
        yield Sample(bytes(packet), at, at, FRAME_SAMPLES, is_key=True)


def _units(stream: bytes) -> list[bytes]:
    """Split a byte stream at its start codes, which cannot occur inside a unit."""
    return [unit.rstrip(b"\0") for unit in stream.split(b"\0\0\1") if unit.rstrip(b"\0")]


def _avc_setup(stream_header: bytes) -> bytes:
    units = _units(stream_header)
    first = [unit for unit in units if unit[0] & 0x1F == _SPS]
    second = [unit for unit in units if unit[0] & 0x1F == _PPS]
    if not first or not second:
        raise EncodingFailed("the encoder gave no parameter sets")
    return _avc_box(first, second)


def _avc_box(sequence_sets: list[bytes], picture_sets: list[bytes]) -> bytes:
    sized = [
        b"".join(struct.pack(">H", len(unit)) + unit for unit in units)
        for units in (sequence_sets, picture_sets)
    ]
    start = bytes([1]) + sequence_sets[0][1:4] + bytes([0xFF, 0xE0 | len(sequence_sets)])
    return start + sized[0] + bytes([len(picture_sets)]) + sized[1] + b"\xfd\xf8\xf8\0"
