"""How does one person's video come from everybody's, at the price of a few seconds?

Only the groups of pictures under the greeting are encoded again; every other sample is
the base's own bytes. A composite is a head (index and own samples) and a tail that is
byte for byte the same for all persons of a campaign and language. Nothing touches disk.
"""

import hashlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from config.lib import encoding, mp4, picture
from config.lib.picture import Picture
from config.lib.speech import Speech, loudness
from videos import greetings, namecard
from videos.namecard import NameCard

__all__ = [
    "BaseVideo",
    "Composite",
    "NameCard",
    "NotComposable",
    "Probe",
    "Stage",
    "personalise",
    "poster",
    "prepare",
    "probe",
    "shared_tail",
]

Sound = NDArray[np.float32]

_QUALITY = 21
_AUDIBLE, _BARS_FRAMES = 0.02, 90
_SPARE_PARAMETER_SET = 31
# Decoded pictures of the slot are kept for the next person up to this size.
_LARGEST_STAGE_BYTES = 400 * 2**20
_POSTER_AFTER_SLOT_SECONDS = 1.4
_POSTER_WIDTH = 640


class NotComposable(Exception):
    """The base video cannot be personalised; the text says why."""


@dataclass(frozen=True)
class BaseVideo:
    """An anonymous video and the slot at its start that is one person's."""

    data: bytes
    slot_end_seconds: float
    language: str
    slot_start_seconds: float = 0.0


@dataclass(frozen=True)
class Composite:
    """One person's video: head + tail is the whole file; the tail is everybody's."""

    head: bytes
    tail: bytes
    tail_sha256: str
    duration_seconds: float
    frame_count: int

    @property
    def data(self) -> bytes:
        return self.head + self.tail


@dataclass(frozen=True)
class Probe:
    """What a video file says of itself; frames counted, none decoded."""

    video_codec: str
    width: int
    height: int
    duration_seconds: float
    frame_count: int
    key_frames: tuple[int, ...]
    audio_codec: str
    audio_rate_hz: int
    audio_channels: int
    audio_seconds: float


@dataclass(frozen=True)
class Stage:
    """What all persons of a campaign and language share; made once by `prepare`."""

    base: BaseVideo
    tracks: tuple[mp4.Track, mp4.Track]
    own_counts: tuple[int, int]
    pictures: tuple[Picture, ...]
    sound: Sound
    settings: encoding.PictureSettings
    tail: bytes
    tail_sha256: str

    def personalise(self, *, card: NameCard, greeting: Speech) -> Composite:
        """Make one person's video; see `personalise`."""
        video, sound = self.tracks
        voice = self._voice(greeting)
        film = self._film(card, voice)
        spoken = encoding.encode_sound(
            sound=np.clip(self.sound + voice, -1, 1), rate_hz=sound.rate_hz
        )
        own_video, own_sound = (
            _in_place_of(track.samples, coded.samples, count)
            for track, coded, count in zip(
                self.tracks, (film, spoken), self.own_counts, strict=True
            )
        )
        setup = encoding.joined_setup(first=video.setup, second=film.setup)
        tracks = (
            replace(video, setup=setup, samples=own_video),
            replace(sound, samples=own_sound),
        )
        head = mp4.write_head(tracks=tracks, parts=mp4.cut(tracks=tracks, counts=self.own_counts))
        duration_seconds = float(video.end_seconds)
        return Composite(head, self.tail, self.tail_sha256, duration_seconds, len(video.samples))

    def _voice(self, greeting: Speech) -> Sound:
        """Place the greeting in the slot, fitted to it, as one channel of sound."""
        sound = self.tracks[1]
        spoken = greetings.fitted(
            greeting=greeting, slot_seconds=self.base.slot_end_seconds, rate_hz=sound.rate_hz
        )
        voice = np.zeros(self.sound.shape[1], np.float32)
        first = max(0, int(greetings.LEAD_SECONDS * sound.rate_hz) - _own_start(sound))
        room = max(0, min(len(spoken), len(voice) - first))
        voice[first : first + room] = spoken[:room]
        return voice

    def _film(self, card: NameCard, voice: Sound) -> encoding.Encoded:
        own = self.tracks[0].samples[: self.own_counts[0]]
        return encoding.encode_pictures(
            pictures=self._frames(card, voice),
            settings=self.settings,
            key_frames={index for index, sample in enumerate(own) if sample.is_key},
            ticks_per_frame=1,
        )

    def _frames(self, card: NameCard, voice: Sound) -> Iterator[Picture]:
        width, height = self.settings.width, self.settings.height
        count, slot_seconds = self.own_counts[0], self.base.slot_end_seconds
        placed = namecard.draw(card=card, width=width, height=height, language=self.base.language)
        per_frame = float(self.tracks[1].rate_hz / self.settings.frames_per_second)
        heard = voice[: int(count * per_frame)]
        levels = loudness(samples=heard, frame_count=count)
        for index, frame in enumerate(self.pictures or _own_pictures(self.base, count)):
            changed = frame.copy()
            seconds = float(index / self.settings.frames_per_second)
            namecard.lay(frame=changed, card=placed, seconds=seconds, slot_seconds=slot_seconds)
            still_shown = namecard.share_left(seconds=seconds, slot_seconds=slot_seconds)
            bars = [level * still_shown for level in levels[: index + 1]]
            if any(level > _AUDIBLE for level in bars[-_BARS_FRAMES:]):
                picture.lay_voice(picture=changed, loudness=bars, index=index)
            yield changed


def prepare(*, base: BaseVideo) -> Stage:
    """Decode once what every person's video starts from.

    :raises NotComposable: the slot is not at the start, is longer than the video or has
        no end on a key frame, or the file is not H.264 with AAC sound.
    """
    tracks = _tracks(base)
    video, sound = tracks
    counts = (_own_pictures_count(video, base), _own_sound_count(sound, base))
    frames_per_second = Fraction(video.ticks_per_second, video.samples[0].duration_ticks)
    settings = encoding.PictureSettings(
        video.width,
        video.height,
        frames_per_second,
        quality=_QUALITY,
        colours=_colours(base),
    )
    settings = _compatible(settings, video.setup)
    size_bytes = counts[0] * video.width * video.height * 3 // 2
    pictures = tuple(_own_pictures(base, counts[0])) if size_bytes <= _LARGEST_STAGE_BYTES else ()
    tail = mp4.write_tail(tracks=tracks, parts=mp4.cut(tracks=tracks, counts=counts))
    return Stage(
        base=base,
        tracks=tracks,
        own_counts=counts,
        pictures=pictures,
        sound=_own_sound(base, sound, counts[1]),
        settings=settings,
        tail=tail,
        tail_sha256=hashlib.sha256(tail).hexdigest(),
    )


def personalise(*, base: BaseVideo, card: NameCard, greeting: Speech) -> Composite:
    """Make one person's video: name card and spoken greeting in the slot.

    Frame count and duration equal the base's. For many persons `prepare` once and call
    `Stage.personalise` for each.

    :raises NotComposable: see `prepare`.
    """
    return prepare(base=base).personalise(card=card, greeting=greeting)


def shared_tail(*, base: BaseVideo) -> bytes:
    """Give the bytes that end each person's video.

    :raises NotComposable: see `prepare`.
    """
    tracks = _tracks(base)
    counts = (_own_pictures_count(tracks[0], base), _own_sound_count(tracks[1], base))
    return mp4.write_tail(tracks=tracks, parts=mp4.cut(tracks=tracks, counts=counts))


def probe(*, data: bytes) -> Probe:
    """Say what a video file holds.

    :raises NotComposable: it is not an MP4 with H.264 video.
    """
    tracks = _read(data)
    video, sound = tracks[0], tracks[1] if len(tracks) > 1 else None
    return Probe(
        video_codec="h264",
        width=video.width,
        height=video.height,
        duration_seconds=float(video.end_seconds),
        frame_count=len(video.samples),
        key_frames=tuple(i for i, sample in enumerate(video.samples) if sample.is_key),
        audio_codec="aac" if sound else "",
        audio_rate_hz=sound.rate_hz if sound else 0,
        audio_channels=sound.channels if sound else 0,
        audio_seconds=float(sound.end_seconds) if sound else 0.0,
    )


def poster(*, base: BaseVideo) -> bytes:
    """Give a JPEG of the base shortly after the slot: nobody's name is on it.

    :raises NotComposable: the file cannot be decoded.
    """
    wanted = base.slot_end_seconds + _POSTER_AFTER_SLOT_SECONDS
    chosen: Image.Image | None = None
    with av.open(io.BytesIO(base.data), "r", format="mp4") as container:
        for frame in container.decode(video=0):
            if chosen is None or (frame.time or 0.0) <= wanted:
                chosen = Image.fromarray(frame.to_ndarray(format="rgb24"))
            else:
                break
    if chosen is None:
        raise NotComposable("the video holds no picture")
    chosen.thumbnail((_POSTER_WIDTH, _POSTER_WIDTH))
    output = io.BytesIO()
    chosen.save(output, "JPEG", quality=82)
    return output.getvalue()


def _read(data: bytes) -> tuple[mp4.Track, ...]:
    try:
        return mp4.read(data=data)
    except mp4.NotAnMp4 as problem:
        raise NotComposable(str(problem)) from problem


def _tracks(base: BaseVideo) -> tuple[mp4.Track, mp4.Track]:
    if base.slot_start_seconds != 0:
        raise NotComposable("the personal slot must be at the start of the video")
    tracks = _read(base.data)
    if len(tracks) != 2:
        raise NotComposable("the base video has no sound")
    if not 1 <= base.slot_end_seconds <= float(tracks[0].end_seconds):
        raise NotComposable("the personal slot must last at least a second, within the video")
    return tracks[0], tracks[1]


def _own_pictures_count(video: mp4.Track, base: BaseVideo) -> int:
    """Find the first key frame at or after the slot's end: from there all is shared."""
    end_ticks = round(base.slot_end_seconds * video.ticks_per_second)
    tolerance = video.samples[0].duration_ticks // 2
    for index, sample in enumerate(video.samples):
        if sample.is_key and sample.show_at_ticks >= end_ticks - tolerance:
            return index
    return len(video.samples)


def _own_sound_count(sound: mp4.Track, base: BaseVideo) -> int:
    """Cut the sound a little before the slot's end.

    Each packet overlaps the next: the cut lies where both sides are still silent.
    """
    end_ticks = int(base.slot_end_seconds * sound.ticks_per_second)
    overlap = 2 * encoding.FRAME_SAMPLES * sound.ticks_per_second // sound.rate_hz
    early = (s for s in sound.samples if s.show_at_ticks + overlap <= end_ticks)
    return sum(1 for _ in early)


def _compatible(settings: encoding.PictureSettings, base_setup: bytes) -> encoding.PictureSettings:
    """Use the base's own parameter sets where ours are equal, else sets of our own."""
    blank = np.full((settings.height * 3 // 2, settings.width), 128, np.uint8)
    trial = encoding.encode_pictures(
        pictures=[blank], settings=settings, key_frames={0}, ticks_per_frame=1
    )
    if encoding.parameter_sets(setup=trial.setup) == encoding.parameter_sets(setup=base_setup):
        return settings
    return replace(settings, parameter_set=_SPARE_PARAMETER_SET)


def _colours(base: BaseVideo) -> encoding.Colours:
    """Read how the base means its colours: ours must be meant alike, or the seam shows."""
    with av.open(io.BytesIO(base.data), "r", format="mp4") as container:
        codec = container.streams.video[0].codec_context
        return encoding.Colours(
            int(codec.color_primaries),
            int(codec.color_trc),
            int(codec.colorspace),
            int(codec.color_range),
        )


def _own_pictures(base: BaseVideo, count: int) -> Iterator[Picture]:
    """Decode the slot's pictures, the AI label on each."""
    label = None
    with av.open(io.BytesIO(base.data), "r", format="mp4") as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index == count:
                return
            array = np.array(frame.to_ndarray(format="yuv420p"), np.uint8)
            label = label or picture.ai_label(language=base.language, frame_height=frame.height)
            picture.lay_ai_label(picture=array, label=label)
            yield array


def _own_start(sound: mp4.Track) -> int:
    """First sample our encoder must be given so that its packets fall on the base's."""
    first = sound.samples[0].show_at_ticks * sound.rate_hz // sound.ticks_per_second
    return first + encoding.FRAME_SAMPLES


def _own_sound(base: BaseVideo, sound: mp4.Track, count: int) -> Sound:
    """Decode the base's sound under the slot, and a little more so that the cut is smooth."""
    length = (count + 3) * encoding.FRAME_SAMPLES
    start = _own_start(sound)
    result = np.zeros((sound.channels, length), np.float32)
    resampler = av.AudioResampler(format="fltp")
    with av.open(io.BytesIO(base.data), "r", format="mp4") as container:
        for frame in container.decode(audio=0):
            at = (frame.pts or 0) - start
            if at >= length:
                break
            for part in resampler.resample(frame):
                _place(result, np.asarray(part.to_ndarray(), np.float32), at)
    return result


def _place(result: Sound, block: Sound, at: int) -> None:
    skipped = max(0, -at)
    room = max(0, min(block.shape[1] - skipped, result.shape[1] - at - skipped))
    result[:, at + skipped : at + skipped + room] = block[:, skipped : skipped + room]


def _in_place_of(
    base: Sequence[mp4.Sample], own: Sequence[mp4.Sample], count: int
) -> list[mp4.Sample]:
    """Put our data at the base's times: decoding in its order, showing in ours.

    We encode without B-frames, so the n-th picture decoded is the n-th shown.
    """
    if len(own) < count:
        raise NotComposable("the encoder gave too few samples")
    shown = sorted(sample.show_at_ticks for sample in base[:count])
    placed = [
        replace(old, data=new.data, show_at_ticks=at, is_key=new.is_key)
        for old, new, at in zip(base[:count], own[:count], shown, strict=True)
    ]
    return [*placed, *base[count:]]
