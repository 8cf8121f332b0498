"""How does an anonymous script become a film, on this machine alone?

The drawing and encoding half of the local AI provider. It knows a script with empty
slots and nothing of people; the same request gives the same bytes.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from config.lib import encoding, mp4, speech, webvtt
from integrations.video.scene import Phrase, Scene

LONGEST_SECONDS = 900
_TICKS_PER_FRAME = 512
_PAUSE_SECONDS = 0.35
_LOUDNESS_PEAK = 0.85
_PHRASE_COLUMNS = 46
_SENTENCE_END = re.compile(r"[.!?…]+[\"”’')]*\s+|[。！？؟।]+\s*")
_CLAUSE_END = re.compile(r"[,;:،؛]\s+|[，；：、]")


class RequestRefused(Exception):
    """The request asks for a film that cannot be made."""


@dataclass(frozen=True)
class Slot:
    """Time kept empty for what is said to one person later."""

    id: str
    seconds: float


@dataclass(frozen=True)
class Speech:
    """Words the film speaks to everybody."""

    text: str


@dataclass(frozen=True)
class StudioRequest:
    """A script with its slots empty, and the size of the film."""

    language: str
    items: Sequence[Slot | Speech]
    width: int = 1280
    height: int = 720
    frames_per_second: int = 30


@dataclass(frozen=True)
class SlotRange:
    """Where a slot stands in the finished film; both ends are key frames."""

    slot_id: str
    start_seconds: float
    end_seconds: float


@dataclass(frozen=True)
class StudioVideo:
    """The film as MP4 bytes, its captions as WebVTT, and its slots."""

    data: bytes
    captions_vtt: str
    slots: tuple[SlotRange, ...]
    duration_seconds: float


@dataclass
class _Timeline:
    """The film while it is being laid out, in samples of sound."""

    sound: list[NDArray[np.float32]] = field(default_factory=list)
    phrases: list[Phrase] = field(default_factory=list)
    slots: list[SlotRange] = field(default_factory=list)
    key_frames: set[int] = field(default_factory=lambda: {0})
    frame_count: int = 0


def produce(*, request: StudioRequest) -> StudioVideo:
    """Make the film of a script whose slots are empty.

    :raises RequestRefused: no items, an odd size, an uneven frame rate, or too long.
    """
    _check(request)
    timeline = _lay_out(request)
    sound = np.concatenate(timeline.sound)
    scene = Scene(
        width=request.width,
        height=request.height,
        language=request.language,
        phrases=timeline.phrases,
        loudness=speech.loudness(samples=sound, frame_count=timeline.frame_count),
        frames_per_second=request.frames_per_second,
    )
    tracks = [_film(request, timeline, scene), _soundtrack(sound)]
    duration_seconds = timeline.frame_count / request.frames_per_second
    captions = _captions(timeline.phrases)
    return StudioVideo(mp4.write(tracks=tracks), captions, tuple(timeline.slots), duration_seconds)


def _check(request: StudioRequest) -> None:
    if not request.items:
        raise RequestRefused("the script is empty")
    if request.width % 2 or request.height % 2 or not 240 <= request.height <= 2160:
        raise RequestRefused("width and height must be even, height from 240 to 2160")
    rate = request.frames_per_second
    if rate <= 0 or rate > 60 or encoding.SOUND_RATE_HZ % rate:
        raise RequestRefused("frames per second must divide 48000, at most 60")
    slot_seconds = [item.seconds for item in request.items if isinstance(item, Slot)]
    if any(not 0 < seconds <= 60 for seconds in slot_seconds):
        raise RequestRefused("a slot lasts from 0 to 60 seconds")


def _lay_out(request: StudioRequest) -> _Timeline:
    timeline = _Timeline()
    for item in request.items:
        if isinstance(item, Slot):
            _add_slot(timeline, item, request.frames_per_second)
        else:
            _add_speech(timeline, item, request)
        if timeline.frame_count > LONGEST_SECONDS * request.frames_per_second:
            raise RequestRefused(f"the film would last longer than {LONGEST_SECONDS} seconds")
    return timeline


def _add_slot(timeline: _Timeline, slot: Slot, rate: int) -> None:
    first = timeline.frame_count
    _add_sound(timeline, np.zeros(round(slot.seconds * encoding.SOUND_RATE_HZ), np.float32), rate)
    timeline.key_frames |= {first, timeline.frame_count}
    timeline.slots.append(SlotRange(slot.id, first / rate, timeline.frame_count / rate))


def _add_speech(timeline: _Timeline, item: Speech, request: StudioRequest) -> None:
    rate = request.frames_per_second
    try:
        spoken = speech.speak(text=item.text, language=request.language)
    except speech.SpeechFailed as problem:
        raise RequestRefused("the script cannot be spoken") from problem
    start_seconds = timeline.frame_count / rate
    pause = np.zeros(int(_PAUSE_SECONDS * encoding.SOUND_RATE_HZ), np.float32)
    _add_sound(timeline, np.concatenate([_levelled(spoken.samples), pause]), rate)
    timeline.phrases.extend(_phrases(item.text, spoken, start_seconds))


def _add_sound(timeline: _Timeline, samples: NDArray[np.float32], rate: int) -> None:
    """Append sound, filled up with silence to a whole number of frames."""
    per_frame = encoding.SOUND_RATE_HZ // rate
    frames = -(-len(samples) // per_frame)
    whole = np.zeros(frames * per_frame, np.float32)
    whole[: len(samples)] = samples
    timeline.sound.append(whole)
    timeline.frame_count += frames


def _levelled(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    peak = float(np.abs(samples).max(initial=0.0))
    return samples * np.float32(_LOUDNESS_PEAK / peak) if peak > 0.01 else samples


def _phrases(text: str, spoken: speech.Speech, offset_seconds: float) -> Iterator[Phrase]:
    """Give each piece of text the time at which its first word is heard."""
    pieces = list(_pieces(text))
    starts = [_heard_at(spoken, position) for position, _ in pieces]
    ends = [*starts[1:], spoken.duration_seconds]
    for (_, piece), start, end in zip(pieces, starts, ends, strict=True):
        if end > start:
            yield Phrase(piece, offset_seconds + start, offset_seconds + end)


def _heard_at(spoken: speech.Speech, position: int) -> float:
    if position == 0:
        return 0.0
    later = [word.start_seconds for word in spoken.words if word.start_character >= position]
    return min(later, default=spoken.duration_seconds)


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    """Cut text into sentences, long ones into clauses, and those into screenfuls."""
    for start, sentence in _split(text, 0, _SENTENCE_END):
        held, held_at = "", start
        for at, clause in _split(sentence, start, _CLAUSE_END):
            if held and _columns(held) + _columns(clause) > _PHRASE_COLUMNS:
                yield from _screenfuls(held, held_at)
                held, held_at = "", at
            held += clause
        yield from _screenfuls(held, held_at)


def _split(text: str, start: int, end: re.Pattern[str]) -> Iterator[tuple[int, str]]:
    """Cut after each match and keep the blanks, so that places still count."""
    position = 0
    for found in end.finditer(text):
        if found.end() > position:
            yield start + position, text[position : found.end()]
            position = found.end()
    if position < len(text):
        yield start + position, text[position:]


def _screenfuls(sentence: str, start: int) -> Iterator[tuple[int, str]]:
    columns = _columns(sentence)
    wanted = columns / max(1, -(-columns // _PHRASE_COLUMNS))
    current, at = "", start
    for match in re.finditer(r"\s*\S+\s*", sentence):
        for word in _words(match.group()):
            if current and _columns(current) + _columns(word) / 2 > wanted:
                yield at, current.strip()
                at, current = at + len(current), ""
            current += word
    if current.strip():
        yield at, current.strip()


def _words(word: str) -> Iterator[str]:
    """Chinese and Japanese write without spaces: there each sign is a word."""
    if any(unicodedata.east_asian_width(sign) == "W" for sign in word):
        yield from word
    else:
        yield word


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def _film(request: StudioRequest, timeline: _Timeline, scene: Scene) -> mp4.Track:
    rate = request.frames_per_second
    settings = encoding.PictureSettings(request.width, request.height, Fraction(rate))
    every_second = set(range(0, timeline.frame_count, rate))
    coded = encoding.encode_pictures(
        pictures=(scene.frame(index) for index in range(timeline.frame_count)),
        settings=settings,
        key_frames=every_second | timeline.key_frames,
        ticks_per_frame=_TICKS_PER_FRAME,
    )
    return mp4.Track(
        is_video=True,
        ticks_per_second=rate * _TICKS_PER_FRAME,
        setup=coded.setup,
        samples=coded.samples,
        width=request.width,
        height=request.height,
    )


def _soundtrack(sound: NDArray[np.float32]) -> mp4.Track:
    coded = encoding.encode_sound(sound=sound[None, :])
    rate = encoding.SOUND_RATE_HZ
    return mp4.Track(
        is_video=False,
        ticks_per_second=rate,
        setup=coded.setup,
        samples=coded.samples,
        rate_hz=rate,
        channels=1,
    )


def _captions(phrases: Sequence[Phrase]) -> str:
    cues = (
        webvtt.cue(start_seconds=p.start_seconds, end_seconds=p.end_seconds, text=p.text)
        for p in phrases
    )
    return "WEBVTT\n\n" + "".join(cues)
