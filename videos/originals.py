"""What does the base show and sound like under a slot, before it is one person's?

Decoded once per campaign and language, from the samples themselves: what lies around a slot is
not touched.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.video.codeccontext import VideoCodecContext
from numpy.typing import NDArray

from config.lib import encoding, mp4, picture
from config.lib.mp4 import Run
from config.lib.picture import Picture
from videos.splices import NotComposable

Sound = NDArray[np.float32]

# An encoder of sound settles in before its first packet counts.
SETTLING_PACKETS = 2
# 8 bits, 4:2:0; the second says that all of the range is used, which is kept as it is.
_FORMATS = {"yuv420p", "yuvj420p"}


def pictures(*, video: mp4.Track, run: Run, language: str) -> Iterator[Picture]:
    """Decode a run of pictures in the order they are shown, the AI label on each.

    :raises NotComposable: they do not decode.
    """
    label = None
    count = 0
    for frame in _frames(video, run):
        array = np.array(frame.to_ndarray(), np.uint8)
        label = label or picture.ai_label(language=language, frame_height=frame.height)
        picture.lay_ai_label(picture=array, label=label)
        count += 1
        yield array
    if count != run[1] - run[0]:
        raise NotComposable("not every picture of the video decodes")


def colours(*, video: mp4.Track) -> encoding.Colours:
    """Read how the base means its colours: ours must be meant alike, or the seam shows."""
    frame = next(_frames(video, (0, 1)), None)
    if frame is None:
        raise NotComposable("the video holds no picture")
    if frame.format.name not in _FORMATS or frame.width % 2 or frame.height % 2:
        raise NotComposable("the pictures are not of even size in 8 bits and 4:2:0")
    return encoding.Colours(
        int(frame.color_primaries),
        int(frame.color_trc),
        int(frame.colorspace),
        int(frame.color_range),
    )


def sound(*, track: mp4.Track, run: Run, before_packets: int) -> Sound:
    """Decode a run of sound, so many packets before it and two after, so that the cuts are smooth.

    What lies before the film is silence. Channels x samples; see `first_sample`.
    """
    start, end = run[0] - before_packets + 1, run[1] + 3
    result = np.zeros((track.channels, (end - start) * encoding.FRAME_SAMPLES), np.float32)
    # A packet sounds together with the one before it.
    first = max(0, start - 1)
    for number, block in enumerate(_blocks(track, track.samples[first:end]), first):
        if number >= start:
            at = (number - start) * encoding.FRAME_SAMPLES
            result[:, at : at + encoding.FRAME_SAMPLES] = block
    return result


def first_sample(*, track: mp4.Track, run: Run, before_packets: int) -> int:
    """Say which sample of the film, at the track's rate, is the first that `sound` gives."""
    first = track.samples[run[0]].show_at_ticks * track.rate_hz // track.ticks_per_second
    return first - (before_packets - 1) * encoding.FRAME_SAMPLES


def _frames(video: mp4.Track, run: Run) -> Iterator[av.VideoFrame]:
    codec = av.CodecContext.create("h264", "r")
    if not isinstance(codec, VideoCodecContext):
        raise NotComposable("this build has no H.264 decoder")
    # One thread: a decoder with more that is closed before its end can wait for them for ever.
    codec.extradata, codec.thread_count = video.setup, 1
    try:
        for sample in video.samples[run[0] : run[1]]:
            packet: av.Packet[Any] = av.Packet(sample.data)
            packet.pts, packet.dts = sample.show_at_ticks, sample.decode_at_ticks
            yield from codec.decode(packet)
        yield from codec.decode(None)
    except av.FFmpegError as problem:
        raise NotComposable("not every picture of the video decodes") from problem


def _blocks(track: mp4.Track, samples: Sequence[mp4.Sample]) -> Iterator[Sound]:
    codec = av.CodecContext.create("aac", "r")
    if not isinstance(codec, AudioCodecContext):
        raise NotComposable("this build has no AAC decoder")
    codec.extradata = track.setup
    resampler = av.AudioResampler(format="fltp")
    try:
        for sample in samples:
            for frame in codec.decode(av.Packet(sample.data)):
                for part in resampler.resample(frame):
                    yield np.asarray(part.to_ndarray(), np.float32)
    except (av.FFmpegError, ValueError) as problem:
        raise NotComposable("the sound does not decode") from problem
