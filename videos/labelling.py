"""Does everybody's part of a base video say that AI made it? If not, the label is put in, once.

A person's own frames get it when they are made. The rest is a vendor's, who may have left it out:
it is encoded again for all of a campaign and language, before anything is shared or signed.
"""

import io
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import av
import numpy as np

from config.lib import encoding, mp4, picture
from config.lib.picture import Layer, Picture

# As the personal parts, so that both fit without a seam.
QUALITY = 21
# Coding changes a flat surface by less; another picture differs by far more.
LARGEST_DIFFERENCE = 14.0
OPAQUE = 0.95


class NotLabelled(Exception):
    """The label cannot be put into this video."""


def labelled(*, data: bytes, language: str) -> bytes:
    """Return the video as it is if it shows our label, or else with the label in every frame.

    :raises NotLabelled: its pictures cannot be decoded, or not one for each that it holds.
    Law: EU AI Act Art. 50(4) and (5), clear and for as long as it is seen.
    """
    try:
        return data if shows(data=data, language=language) else _encoded(data, language)
    except (av.FFmpegError, ValueError, mp4.NotAnMp4, encoding.EncodingFailed) as problem:
        raise NotLabelled("the video cannot be decoded") from problem


def shows(*, data: bytes, language: str) -> bool:
    """Say whether our label stands in each key frame of a video."""
    found, label = False, None
    for frame in _pictures(data, only_keys=True):
        label = label or picture.ai_label(language=language, frame_height=len(frame) * 2 // 3)
        if not _stands(frame, label):
            return False
        found = True
    return found


def _stands(frame: Picture, label: Layer) -> bool:
    luma, _, _ = picture.planes(frame)
    wide, tall = label.size
    margin = int(len(luma) * 0.04)
    left, top = margin & ~1, (len(luma) - margin - tall) & ~1
    there = luma[top : top + tall, left : left + wide]
    if there.shape != label.luma.shape:
        return False
    opaque = label.weights > OPAQUE
    difference = np.abs(there[opaque].astype(np.float32) - label.luma[opaque])
    return bool(difference.mean() < LARGEST_DIFFERENCE)


def _encoded(data: bytes, language: str) -> bytes:
    video, *sounds = mp4.read(data=data)
    old = video.samples
    coded = encoding.encode_pictures(
        pictures=_with_label(data, language),
        settings=_settings(data, video),
        key_frames={index for index, sample in enumerate(old) if sample.is_key},
        ticks_per_frame=1,
    )
    if len(coded.samples) != len(old):
        raise NotLabelled("the video does not hold a picture for each of its samples")
    # Without B-frames each picture is decoded when it is shown.
    times = sorted((sample.show_at_ticks, sample.duration_ticks) for sample in old)
    samples = [
        replace(new, decode_at_ticks=at, show_at_ticks=at, duration_ticks=lasts)
        for new, (at, lasts) in zip(coded.samples, times, strict=True)
    ]
    return mp4.write(tracks=[replace(video, setup=coded.setup, samples=samples), *sounds])


def _settings(data: bytes, video: mp4.Track) -> encoding.PictureSettings:
    with av.open(io.BytesIO(data), "r", format="mp4") as container:
        codec = container.streams.video[0].codec_context
        colours = encoding.Colours(
            int(codec.color_primaries),
            int(codec.color_trc),
            int(codec.colorspace),
            int(codec.color_range),
        )
    frames_per_second = Fraction(video.ticks_per_second, video.samples[0].duration_ticks)
    return encoding.PictureSettings(
        video.width, video.height, frames_per_second, quality=QUALITY, colours=colours
    )


def _with_label(data: bytes, language: str) -> Iterator[Picture]:
    label = None
    for frame in _pictures(data):
        label = label or picture.ai_label(language=language, frame_height=len(frame) * 2 // 3)
        picture.lay_ai_label(picture=frame, label=label)
        yield frame


def _pictures(data: bytes, *, only_keys: bool = False) -> Iterator[Picture]:
    with av.open(io.BytesIO(data), "r", format="mp4") as container:
        if only_keys:
            container.streams.video[0].codec_context.skip_frame = "NONKEY"
        for frame in container.decode(video=0):
            yield np.array(frame.to_ndarray(format="yuv420p"), np.uint8)
