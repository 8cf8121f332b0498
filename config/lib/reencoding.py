"""What is left of a stranger's video? Pictures and sound, coded again by us, and nothing else.

Run as a confined child (see `config.lib.confinement`): it decodes, and gives back a file that our
own encoder and writer made. No byte of the original comes through: no metadata, no place where it
was taken, no thumbnail, no second file within, no stream that is made to break a player.
"""

import io
import json
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from config.lib import confinement, encoding, mp4, mp4_gate
from config.lib.picture import Picture

Sound = NDArray[np.float32]

_TICKS_PER_FRAME = 512
_QUALITY = 20
_MOST_FRAMES_A_SECOND, _TALLEST_PX = 30, 1080
_RATES = (Fraction(24), Fraction(25), Fraction(30_000, 1001), Fraction(30))
_LARGEST_ANSWER_BYTES = 256 << 20
# A decoder rounds its pictures up to whole blocks.
_LARGEST_PIXELS = mp4_gate.MOST_PIXELS + 64 * 4096
_LARGEST_PICTURE = {"max_pixels": str(_LARGEST_PIXELS)}
# What libav may open by itself: nothing.
_CLOSED = {"enable_drefs": "0", "protocol_whitelist": "", "use_absolute_path": "0"}


class NotDecodable(Exception):
    """The file cannot be decoded whole; `code` says why."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


@dataclass(frozen=True)
class Clean:
    """A file of our own making, and its length."""

    video: bytes
    duration_ms: int


def reencode(*, data: bytes, slot_ms: int, limits: confinement.Limits | None = None) -> Clean:
    """Decode a file in a confined child and code it again, with a key frame at the slot's end.

    :raises NotDecodable: it breaks the decoder, or takes too much memory or time.
    """
    try:
        answer = confinement.run(
            module=__name__,
            data=data,
            request={"slot_ms": slot_ms},
            limits=limits or limits_for(len(data)),
        )
    except confinement.Failed as failed:
        raise NotDecodable(failed.code) from None
    (size,) = struct.unpack_from(">I", answer) if len(answer) >= 4 else (0,)
    try:
        told: dict[str, Any] = json.loads(answer[4 : 4 + size])
    except ValueError:
        raise NotDecodable("broke") from None
    if told["problem"]:
        raise NotDecodable(str(told["problem"]))
    return Clean(answer[4 + size :], int(told["duration_ms"]))


def limits_for(size_bytes: int) -> confinement.Limits:
    """Return what a child may use for a file of this size."""
    return confinement.Limits(
        memory_bytes=(3 << 30) + 2 * size_bytes,
        answer_bytes=_LARGEST_ANSWER_BYTES,
        # A job is given 300 seconds by its queue.
        cpu_seconds=260,
        seconds=280.0,
    )


def main() -> None:
    """Be the child: read the file, give up everything, decode, answer."""
    data = sys.stdin.buffer.read()
    warm_up()
    request = confinement.confine()
    try:
        clean = _clean(data, request["slot_ms"] / 1000)
    except (av.FFmpegError, NotDecodable, encoding.EncodingFailed, ValueError) as problem:
        _answer({"problem": getattr(problem, "code", "not_decodable")})
        return
    _answer({"problem": "", "duration_ms": clean.duration_ms}, clean.video)


def warm_up() -> None:
    """Take a small film of our own through it all: what is loaded at first use is loaded now."""
    rate, size = Fraction(25), (320, 240)
    film = encoding.encode_pictures(
        pictures=[np.full((size[1] * 3 // 2, size[0]), 128, np.uint8)] * 2,
        settings=encoding.PictureSettings(*size, rate),
        key_frames={0},
        ticks_per_frame=_TICKS_PER_FRAME,
    )
    sound = encoding.encode_sound(sound=np.zeros((1, 3840), np.float32))
    _clean(mp4.write(tracks=[_film(film, *size, rate), _soundtrack(sound, 1)]), 0)


def _answer(told: dict[str, Any], video: bytes = b"") -> None:
    words = json.dumps(told).encode()
    sys.stdout.buffer.write(struct.pack(">I", len(words)) + words + video)
    sys.stdout.buffer.flush()


def _clean(data: bytes, slot_seconds: float) -> Clean:
    with _opened(data) as container:
        stream = container.streams.video[0]
        rate = _rate(stream)
        width, height = _size(stream.codec_context.width, stream.codec_context.height)
        settings = encoding.PictureSettings(width, height, rate, quality=_QUALITY)
        counted = _Counted(_pictures(container, stream, settings))
        film = encoding.encode_pictures(
            pictures=counted,
            settings=settings,
            key_frames={0, -int(-slot_seconds * rate // 1)},
            ticks_per_frame=_TICKS_PER_FRAME * rate.denominator,
        )
    if not counted.count:
        raise NotDecodable("no_picture")
    seconds = Fraction(counted.count) / rate
    sound = encoding.encode_sound(sound=_sound(data, int(seconds * encoding.SOUND_RATE_HZ)))
    tracks = [_film(film, width, height, rate), _soundtrack(sound, 2)]
    return Clean(mp4.write(tracks=tracks), round(seconds * 1000))


def _opened(data: bytes) -> Any:
    return av.open(io.BytesIO(data), "r", format="mp4", container_options=_CLOSED)


def _rate(stream: VideoStream) -> Fraction:
    """Return the nearest rate that we write; a camera's varying rate becomes an even one."""
    told = stream.average_rate or Fraction(25)
    wanted = told / 2 if told > _MOST_FRAMES_A_SECOND * 3 / 2 else told
    return min(_RATES, key=lambda rate: abs(rate - wanted))


def _size(width: int, height: int) -> tuple[int, int]:
    short = min(width, height)
    if not short or width * height > _LARGEST_PIXELS:
        # What the stream says of itself, whatever the index around it said.
        raise NotDecodable("other_size")
    scale = min(1.0, _TALLEST_PX / short)
    return int(width * scale) & ~1, int(height * scale) & ~1


class _Counted:
    """Counts what goes by, and ends a video that shows more than it may last."""

    def __init__(self, pictures: Iterator[Picture]) -> None:
        self.count, self._pictures = 0, pictures

    def __iter__(self) -> Iterator[Picture]:
        for picture in self._pictures:
            self.count += 1
            if self.count > mp4_gate.LONGEST_SECONDS * _MOST_FRAMES_A_SECOND:
                raise NotDecodable("too_long")
            yield picture


def _pictures(
    container: Any, stream: VideoStream, settings: encoding.PictureSettings
) -> Iterator[Picture]:
    """Yield the picture that is shown at each tick of an even clock."""
    stream.codec_context.options = _LARGEST_PICTURE
    rate, held, number = settings.frames_per_second, None, 0
    for frame in container.decode(stream):
        shown_at = Fraction(frame.pts or 0) * (frame.time_base or Fraction(1, 90_000))
        if shown_at > mp4_gate.LONGEST_SECONDS:
            raise NotDecodable("too_long")
        while held is not None and number < shown_at * rate - Fraction(1, 2):
            yield held
            number += 1
        held = _plain(frame, settings)
    if held is not None:
        yield held


def _plain(frame: VideoFrame, settings: encoding.PictureSettings) -> Picture:
    if frame.width * frame.height > _LARGEST_PIXELS:
        raise NotDecodable("other_size")
    scaled = frame.reformat(
        width=settings.width, height=settings.height, format="yuv420p", dst_colorspace="itu709"
    )
    return np.array(scaled.to_ndarray(), np.uint8)


def _sound(data: bytes, length: int) -> Sound:
    """Decode the sound as two channels of the video's length; silence where there is none."""
    result = np.zeros((2, length), np.float32)
    resampler = av.AudioResampler(format="fltp", layout="stereo", rate=encoding.SOUND_RATE_HZ)
    with _opened(data) as container:
        at: int | None = None
        for frame in container.decode(audio=0) if container.streams.audio else ():
            if at is None:
                at = round((frame.time or 0.0) * encoding.SOUND_RATE_HZ)
            for part in resampler.resample(frame):
                at = _lay(result, np.asarray(part.to_ndarray(), np.float32), at)
            if at >= length:
                break
    return np.clip(np.nan_to_num(result), -1, 1)


def _lay(result: Sound, block: Sound, at: int) -> int:
    skipped = max(0, -at)
    room = max(0, min(block.shape[1] - skipped, result.shape[1] - at - skipped))
    result[:, at + skipped : at + skipped + room] = block[:, skipped : skipped + room]
    return at + int(block.shape[1])


def _film(coded: encoding.Encoded, width: int, height: int, rate: Fraction) -> mp4.Track:
    return mp4.Track(
        is_video=True,
        ticks_per_second=_TICKS_PER_FRAME * rate.numerator,
        setup=coded.setup,
        samples=coded.samples,
        width=width,
        height=height,
    )


def _soundtrack(coded: encoding.Encoded, channels: int) -> mp4.Track:
    return mp4.Track(
        is_video=False,
        ticks_per_second=encoding.SOUND_RATE_HZ,
        setup=coded.setup,
        samples=coded.samples,
        rate_hz=encoding.SOUND_RATE_HZ,
        channels=channels,
    )
