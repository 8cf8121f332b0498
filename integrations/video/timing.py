"""Where in a vendor's film are the slots, and when is what said? Found in the sound itself.

No vendor tells where a silence came to lie. A slot is a silence as long as it was ordered, in the
order of the request; where they cannot be told apart none is named, and the film is refused.
"""

import io
import re
from collections.abc import Iterator, Sequence

import av
import numpy as np
from av.audio.frame import AudioFrame

from config.lib import webvtt
from integrations.video.base import FetchedVideo
from integrations.video.orders import Order, Silence, Words

LONGEST_MS = 15 * 60_000
WINDOW_MS = 20
# A voice lies far above it, the noise of a codec below.
QUIET_SHARE = 0.02
# Vendors round silences; base_media takes as much.
TOLERANCE_MS = 500
_SENTENCE = re.compile(r"[^.!?…。！？।]+[.!?…。！？।]*[\"”’)]*\s*")
Stretch = tuple[int, int]


def timed(*, film: bytes, order: Order) -> FetchedVideo:
    """Return a film with its slots and captions; without them where it does not fit the order."""
    try:
        levels = _levels(film)
    except (av.error.FFmpegError, ValueError, IndexError):
        return FetchedVideo(film, "", [], 0)
    length_ms = len(levels) * WINDOW_MS
    slots = slots_in(silences=_silences(levels), ordered_ms=_grouped(order))
    if not slots and order.silences_ms:
        return FetchedVideo(film, "", [], length_ms)
    return FetchedVideo(film, _captions(order, slots, length_ms), slots, length_ms)


def slots_in(
    *, silences: Sequence[Stretch], ordered_ms: Sequence[Sequence[int]]
) -> list[list[int]]:
    """Match silences to what was ordered; empty if they are not as many, or one is too short."""
    shortest = min((sum(group) for group in ordered_ms), default=0) - TOLERANCE_MS
    long = [one for one in silences if one[1] - one[0] >= max(shortest, WINDOW_MS)]
    if len(long) != len(ordered_ms):
        return []
    slots: list[list[int]] = []
    for (start, end), group in zip(long, ordered_ms, strict=True):
        wanted = sum(group)
        if end - start < wanted - TOLERANCE_MS:
            return []
        slots += _placed(_first(start, end, wanted), group)
    return slots


def _first(start: int, end: int, wanted: int) -> int:
    """Say where in a silence the slot begins: at the film's start, else as late as it can.

    A speaker's own pause comes before the silence that was ordered.
    """
    return 0 if start <= TOLERANCE_MS else max(start, end - wanted)


def _placed(at: int, group: Sequence[int]) -> Iterator[list[int]]:
    for ms in group:
        yield [at, at + ms]
        at += ms


def _grouped(order: Order) -> list[list[int]]:
    """Put slots that follow each other together: they are one silence."""
    groups: list[list[int]] = []
    is_open = False
    for part in order.parts:
        if isinstance(part, Silence):
            if is_open:
                groups[-1].append(part.ms)
            else:
                groups.append([part.ms])
        is_open = isinstance(part, Silence)
    return groups


def _levels(film: bytes) -> list[float]:
    """Return how loud each window of the film is, up to the longest that is taken."""
    squares: list[float] = []
    with av.open(io.BytesIO(film), mode="r") as container:
        resampler = av.AudioResampler(format="flt", layout="mono", rate=16_000)
        window = 16_000 * WINDOW_MS // 1000
        held = np.zeros(0, np.float32)
        for frame in container.decode(audio=0):
            for even in resampler.resample(frame):
                held = np.concatenate([held, _samples(even)])
            while len(held) >= window:
                squares.append(float(np.sqrt(np.mean(held[:window] ** 2))))
                held = held[window:]
            if len(squares) * WINDOW_MS > LONGEST_MS:
                break
    return squares


def _samples(frame: AudioFrame) -> "np.ndarray[tuple[int], np.dtype[np.float32]]":
    return np.asarray(frame.to_ndarray(), np.float32).reshape(-1)


def _silences(levels: Sequence[float]) -> list[Stretch]:
    limit = QUIET_SHARE * max(levels, default=0.0)
    found: list[Stretch] = []
    start: int | None = None
    for place, level in enumerate([*levels, float("inf")]):
        if level <= limit and start is None:
            start = place
        elif level > limit and start is not None:
            found.append((start * WINDOW_MS, place * WINDOW_MS))
            start = None
    return found


def _captions(order: Order, slots: Sequence[Sequence[int]], length_ms: int) -> str:
    cues = "".join(_cues(order, slots, length_ms))
    return f"WEBVTT\n\n{cues}"


def _cues(order: Order, slots: Sequence[Sequence[int]], length_ms: int) -> Iterator[str]:
    waiting = list(slots)
    at, said = 0, ""
    for part in order.parts:
        if isinstance(part, Words):
            said = f"{said} {part.text}".strip()
            continue
        yield from _shown(said, at, waiting[0][0])
        at, said = waiting.pop(0)[1], ""
    yield from _shown(said, at, length_ms)


def _shown(said: str, start_ms: int, end_ms: int) -> Iterator[str]:
    """Give each sentence its share of the time, by its length."""
    sentences = [one.strip() for one in _SENTENCE.findall(said) if one.strip()]
    total, at = sum(map(len, sentences)) or 1, float(start_ms)
    for sentence in sentences:
        until = at + (end_ms - start_ms) * len(sentence) / total
        yield webvtt.cue(start_seconds=at / 1000, end_seconds=until / 1000, text=sentence)
        at = until
