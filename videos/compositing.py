"""How does one person's video come from everybody's, at the price of a few seconds?

Only the groups of pictures under the personal slots are encoded again; every other sample is
the base's own bytes. A composite is a head (index and own samples) and a tail that is
byte for byte the same for all persons of a campaign and language. Nothing touches disk.
"""

import hashlib
import io
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from fractions import Fraction

import av
import numpy as np
from PIL import Image

from config.lib import encoding, mp4, picture
from config.lib.picture import Picture
from config.lib.speech import Speech, loudness
from videos import greetings, namecard, originals, splices
from videos.namecard import NameCard
from videos.originals import SETTLING_PACKETS, Sound
from videos.splices import NotComposable, Slot, Slots, Take

__all__ = [
    "BaseVideo",
    "Composite",
    "NameCard",
    "NotComposable",
    "Part",
    "Probe",
    "Stage",
    "personalise",
    "poster",
    "prepare",
    "probe",
    "shared_tail",
]

# As the studio's own: what leans on nothing needs no reserve.
_QUALITY = 23
# A key frame costs as much as a second of the frames that lean on it.
_KEY_FRAME_EVERY_SECONDS = 4
_AUDIBLE, _BARS_FRAMES = 0.02, 90
# What was said before a slot is still seen in it, as bars: about a second and a half of sound.
_BEFORE_PACKETS = 70
_SPARE_PARAMETER_SET = 31
# Decoded pictures of the slots are kept for the next person up to this size.
_LARGEST_STAGE_BYTES = 400 * 2**20
# Drawn into in turn: new memory for each frame costs as much as drawing the card.
_BUFFERS = 4
_POSTER_AFTER_SLOT_SECONDS = 1.4
_POSTER_WIDTH = 640


@dataclass(frozen=True)
class BaseVideo:
    """An anonymous video and its slots, (start, end) in seconds, that are one person's."""

    data: bytes
    slots: Slots
    language: str


@dataclass(frozen=True)
class Part:
    """What one person sees and hears in one slot."""

    card: NameCard
    spoken: Speech


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
class _Bed:
    """The base's sound under a slot and around it; `first_sample` counts from the film's start."""

    run: mp4.Run
    sound: Sound
    first_sample: int


@dataclass(frozen=True)
class _Overlay:
    """What is laid over one slot's pictures: the card, and the voice as bars from the `first`
    frame of the film on."""

    slot: Slot
    card: namecard.PlacedCard
    first: int
    levels: list[float]
    voice_levels: list[float]

    def lay(self, *, frame: Picture, seconds: float, number: int) -> None:
        """Draw over one frame, `seconds` and `number` of the film."""
        into, length = seconds - self.slot.start_seconds, self.slot.seconds
        namecard.lay(frame=frame, card=self.card, seconds=into, slot_seconds=length)
        still_shown = namecard.share_left(seconds=into, slot_seconds=length)
        index = min(number - self.first, len(self.levels) - 1)
        recent = slice(max(0, index + 1 - _BARS_FRAMES), index + 1)
        if any(level * still_shown > _AUDIBLE for level in self.voice_levels[recent]):
            bars = [level * still_shown for level in self.levels[: index + 1]]
            picture.lay_voice(picture=frame, loudness=bars, index=index)


@dataclass(frozen=True)
class Stage:
    """What all persons of a campaign and language share; made once by `prepare`."""

    base: BaseVideo
    tracks: tuple[mp4.Track, mp4.Track]
    slots: tuple[Slot, ...]
    takes: tuple[Take, ...]
    beds: tuple[_Bed, ...]
    # For each take; empty where they would not fit into memory.
    pictures: tuple[tuple[Picture, ...], ...]
    settings: encoding.PictureSettings
    tail: bytes
    tail_sha256: str

    def personalise(self, *, parts: Sequence[Part]) -> Composite:
        """Make one person's video, with a part for each slot; see `personalise`."""
        if len(parts) != len(self.slots):
            raise NotComposable("the video has another number of personal slots")
        video, sound = self.tracks
        voices = self._voices(parts)
        drawn = zip(self.takes, self._drawn(parts, voices), strict=True)
        with ThreadPoolExecutor(1) as beside:
            # Coded while the pictures are: neither holds the interpreter while it works.
            spoken = beside.submit(self._all_spoken, voices)
            films = [self._film(*pair) for pair in drawn]
        runs = [take.run for take in self.takes]
        shown = _in_place_of(video.samples, [film.samples for film in films], runs)
        heard = _in_place_of(sound.samples, spoken.result(), [bed.run for bed in self.beds])
        setup = encoding.joined_setup(first=video.setup, second=films[0].setup)
        tracks = (replace(video, setup=setup, samples=shown), replace(sound, samples=heard))
        head = mp4.write_head(tracks=tracks, parts=mp4.cut(tracks=tracks, own=self._own()))
        duration_seconds = float(video.end_seconds)
        return Composite(head, self.tail, self.tail_sha256, duration_seconds, len(video.samples))

    def drawn(self, *, parts: Sequence[Part]) -> list[Iterator[Picture]]:
        """Draw one person's pictures for each take, before they are encoded."""
        return [
            (frame.copy() for frame in frames) for frames in self._drawn(parts, self._voices(parts))
        ]

    def _voices(self, parts: Sequence[Part]) -> list[Sound]:
        return [self._voice(*pair) for pair in zip(self.slots, parts, strict=True)]

    def _drawn(self, parts: Sequence[Part], voices: Sequence[Sound]) -> list[Iterator[Picture]]:
        overlays = [self._overlay(*each) for each in zip(self.slots, parts, voices, strict=True)]
        return [self._frames(number, overlays) for number in range(len(self.takes))]

    def _own(self) -> tuple[list[mp4.Run], list[mp4.Run]]:
        return [take.run for take in self.takes], [bed.run for bed in self.beds]

    def _voice(self, slot: Slot, part: Part) -> Sound:
        """Place what is spoken in the slot, fitted to it, as one channel beside the bed."""
        sound, bed = self.tracks[1], self.beds[slot.number]
        spoken = greetings.fitted(
            greeting=part.spoken, slot_seconds=slot.seconds, rate_hz=sound.rate_hz
        )
        voice = np.zeros(bed.sound.shape[1], np.float32)
        first = int((slot.start_seconds + greetings.LEAD_SECONDS) * sound.rate_hz)
        first -= bed.first_sample
        room = max(0, min(len(spoken), len(voice) - first))
        voice[first : first + room] = spoken[:room]
        return voice

    def _all_spoken(self, voices: Sequence[Sound]) -> list[list[mp4.Sample]]:
        return [self._spoken(*pair) for pair in zip(self.beds, voices, strict=True)]

    def _spoken(self, bed: _Bed, voice: Sound) -> list[mp4.Sample]:
        settled = (_BEFORE_PACKETS - SETTLING_PACKETS) * encoding.FRAME_SAMPLES
        mixed = np.clip(bed.sound + voice, -1, 1)[:, settled:]
        coded = encoding.encode_sound(sound=mixed, rate_hz=self.tracks[1].rate_hz)
        return coded.samples[SETTLING_PACKETS:]

    def _overlay(self, slot: Slot, part: Part, voice: Sound) -> _Overlay:
        """Draw a slot's card and measure how loud each of its frames is."""
        width, height, rate = self.settings.width, self.settings.height, self._rate()
        bed, sound_rate = self.beds[slot.number], self.tracks[1].rate_hz
        first = max(0, -(-bed.first_sample * rate // sound_rate))
        last = int(slot.end_seconds * rate)
        start, end = (int(edge / rate * sound_rate) - bed.first_sample for edge in (first, last))
        both = [track[max(0, start) : end] for track in ((bed.sound + voice)[0], voice)]
        return _Overlay(
            slot,
            namecard.draw(card=part.card, width=width, height=height, language=self.base.language),
            int(first),
            *(loudness(samples=track, frame_count=int(last - first)) for track in both),
        )

    def _film(self, take: Take, pictures: Iterable[Picture]) -> encoding.Encoded:
        first, end = take.run
        own = self.tracks[0].samples[first:end]
        return encoding.encode_pictures(
            pictures=pictures,
            settings=self.settings,
            key_frames=_sparse([i for i, sample in enumerate(own) if sample.is_key], self._rate()),
            ticks_per_frame=1,
        )

    def _frames(self, number: int, overlays: Sequence[_Overlay]) -> Iterator[Picture]:
        video, run = self.tracks[0], self.takes[number].run
        held = self.pictures[number] or originals.pictures(
            video=video, run=run, language=self.base.language
        )
        times = sorted(sample.show_at_ticks for sample in video.samples[run[0] : run[1]])
        buffers: deque[Picture] = deque(maxlen=_BUFFERS)
        for ticks, frame in zip(times, held, strict=True):
            seconds = ticks / video.ticks_per_second
            full = len(buffers) == _BUFFERS
            changed = buffers.popleft() if full else np.empty_like(frame)
            np.copyto(changed, frame)
            buffers.append(changed)
            for overlay in overlays:
                if overlay.slot.start_seconds <= seconds <= overlay.slot.end_seconds:
                    place = round(seconds * self._rate())
                    overlay.lay(frame=changed, seconds=seconds, number=place)
            yield changed

    def _rate(self) -> Fraction:
        return self.settings.frames_per_second


def prepare(*, base: BaseVideo) -> Stage:
    """Decode once what every person's video starts from.

    :raises NotComposable: the first slot is not at the start, a slot is shorter than a second,
        outside the video or over another, or the file is not H.264 with AAC-LC sound.
    """
    tracks, slots, takes, runs = _cuts(base)
    video, sound = tracks
    frames_per_second = Fraction(video.ticks_per_second, video.samples[0].duration_ticks)
    settings = encoding.PictureSettings(
        video.width,
        video.height,
        frames_per_second,
        quality=_QUALITY,
        colours=originals.colours(video=video),
        longest_group=_KEY_FRAME_EVERY_SECONDS * round(frames_per_second),
        is_hurried=True,
    )
    tail = _tail(tracks, takes, runs)
    return Stage(
        base=base,
        tracks=tracks,
        slots=slots,
        takes=takes,
        beds=tuple(_bed(sound, run) for run in runs),
        pictures=_kept_pictures(base, video, takes),
        settings=_compatible(settings, video.setup),
        tail=tail,
        tail_sha256=hashlib.sha256(tail).hexdigest(),
    )


def personalise(*, base: BaseVideo, parts: Sequence[Part]) -> Composite:
    """Make one person's video: a card and spoken words in each slot.

    Frame count and duration equal the base's. For many persons `prepare` once and call
    `Stage.personalise` for each.

    :raises NotComposable: see `prepare`; or the parts are not as many as the slots.
    """
    return prepare(base=base).personalise(parts=parts)


def shared_tail(*, base: BaseVideo) -> bytes:
    """Give the bytes that end each person's video.

    :raises NotComposable: see `prepare`.
    """
    tracks, _, takes, runs = _cuts(base)
    return _tail(tracks, takes, runs)


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
    """Give a JPEG of the base shortly after the greeting: nobody's name is on it.

    :raises NotComposable: the file cannot be decoded.
    """
    wanted = base.slots[0][1] + _POSTER_AFTER_SLOT_SECONDS
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


def _cuts(
    base: BaseVideo,
) -> tuple[tuple[mp4.Track, mp4.Track], tuple[Slot, ...], tuple[Take, ...], tuple[mp4.Run, ...]]:
    """Find what is one person's: the slots, the pictures and the sound under them."""
    tracks = _read(base.data)
    if len(tracks) != 2:
        raise NotComposable("the base video has no sound")
    video, sound = tracks[0], tracks[1]
    slots = splices.slots_of(video=video, slots=base.slots)
    splices.require_formats(video=video, sound=sound)
    takes = splices.takes_of(video=video, slots=slots)
    return (video, sound), slots, takes, splices.sound_runs(sound=sound, slots=slots)


def _tail(
    tracks: Sequence[mp4.Track], takes: Sequence[Take], sound_runs: Sequence[mp4.Run]
) -> bytes:
    own = [[take.run for take in takes], sound_runs]
    return mp4.write_tail(tracks=tracks, parts=mp4.cut(tracks=tracks, own=own))


def _kept_pictures(
    base: BaseVideo, video: mp4.Track, takes: Sequence[Take]
) -> tuple[tuple[Picture, ...], ...]:
    count = sum(take.run[1] - take.run[0] for take in takes)
    if count * video.width * video.height * 3 // 2 > _LARGEST_STAGE_BYTES:
        return tuple(() for _ in takes)
    return tuple(
        tuple(
            picture.stilled(originals.pictures(video=video, run=take.run, language=base.language))
        )
        for take in takes
    )


def _bed(sound: mp4.Track, run: mp4.Run) -> _Bed:
    before = _BEFORE_PACKETS
    return _Bed(
        run,
        originals.sound(track=sound, run=run, before_packets=before),
        originals.first_sample(track=sound, run=run, before_packets=before),
    )


def _compatible(settings: encoding.PictureSettings, base_setup: bytes) -> encoding.PictureSettings:
    """Use the base's own parameter sets where ours are equal, else sets of our own."""
    blank = np.full((settings.height * 3 // 2, settings.width), 128, np.uint8)
    trial = encoding.encode_pictures(
        pictures=[blank], settings=settings, key_frames={0}, ticks_per_frame=1
    )
    if encoding.parameter_sets(setup=trial.setup) == encoding.parameter_sets(setup=base_setup):
        return settings
    return replace(settings, parameter_set=_SPARE_PARAMETER_SET)


def _sparse(key_frames: Sequence[int], rate: Fraction) -> set[int]:
    """Keep of the base's key frames the first, and one in four seconds."""
    kept: list[int] = []
    for index in key_frames:
        if not kept or index - kept[-1] >= _KEY_FRAME_EVERY_SECONDS * rate:
            kept.append(index)
    return set(kept)


def _in_place_of(
    base: Sequence[mp4.Sample], own: Sequence[Sequence[mp4.Sample]], runs: Sequence[mp4.Run]
) -> list[mp4.Sample]:
    """Put our data at the base's times: decoding in its order, showing in ours.

    We encode without B-frames, so the n-th picture decoded is the n-th shown.
    """
    result = list(base)
    for new, (first, end) in zip(own, runs, strict=True):
        old = base[first:end]
        if len(new) < len(old):
            raise NotComposable("the encoder gave too few samples")
        shown = sorted(sample.show_at_ticks for sample in old)
        result[first:end] = [
            replace(before, data=after.data, show_at_ticks=at, is_key=after.is_key)
            for before, after, at in zip(old, new[: len(old)], shown, strict=True)
        ]
    return result
