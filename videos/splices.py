"""Where can a base video be cut, so that one person's pictures and sound fit without a seam?

Pictures are cut at key frames from which decoding can start afresh, sound where it is silent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

from config.lib import encoding, mp4
from config.lib.mp4 import Run
from videos import namecard

Slots: TypeAlias = Sequence[tuple[float, float]]

SHORTEST_SECONDS = 1.0
_IDR = 5
_LENGTH_BYTES = 4
_LOW_COMPLEXITY = 2


class NotComposable(Exception):
    """The base video cannot be personalised; the text says why."""


@dataclass(frozen=True)
class Slot:
    """Time that is one person's, in seconds of the film; `number` counts from 0."""

    number: int
    start_seconds: float
    end_seconds: float

    @property
    def seconds(self) -> float:
        return self.end_seconds - self.start_seconds


@dataclass(frozen=True)
class Take:
    """Pictures that are encoded in one go, and the slots that lie in them."""

    run: Run
    slots: tuple[Slot, ...]


def slots_of(*, video: mp4.Track, slots: Slots) -> tuple[Slot, ...]:
    """Number the slots of a film.

    :raises NotComposable: there is none, one is too short, outside the film or out of order,
        or the first is not at the start.
    """
    if not slots or slots[0][0] != 0:
        raise NotComposable("the first personal slot must be at the start of the video")
    end_seconds = float(video.end_seconds)
    if any(end - start < SHORTEST_SECONDS or end > end_seconds for start, end in slots):
        raise NotComposable("a personal slot must last at least a second, within the video")
    if any(before[1] > after[0] for before, after in pairwise(slots)):
        raise NotComposable("the personal slots lie one over another")
    return tuple(Slot(number, *slot) for number, slot in enumerate(slots))


def require_formats(*, video: mp4.Track, sound: mp4.Track) -> None:
    """Refuse what cannot be joined with what we encode.

    :raises NotComposable: units of another length, sound that is not AAC-LC in mono or stereo.
    """
    if len(video.setup) < 5 or (video.setup[4] & 3) + 1 != _LENGTH_BYTES:
        raise NotComposable("the video's units have lengths of another size than 4 bytes")
    if not sound.setup or sound.setup[0] >> 3 != _LOW_COMPLEXITY or sound.channels > 2:
        raise NotComposable("the sound is not AAC-LC in mono or stereo")
    packet = sound.samples[0].duration_ticks * sound.rate_hz
    if packet != encoding.FRAME_SAMPLES * sound.ticks_per_second:
        raise NotComposable("the sound's packets have another length than 1024 samples")


def takes_of(*, video: mp4.Track, slots: Sequence[Slot]) -> tuple[Take, ...]:
    """Find the groups of pictures under each slot; slots that share a group share a take."""
    starts = [index for index, sample in enumerate(video.samples) if _starts_afresh(sample)]
    takes: list[Take] = []
    for slot in slots:
        first, end = _groups(video, starts, slot)
        if takes and first < takes[-1].run[1]:
            before = takes.pop()
            first, end = before.run[0], max(end, before.run[1])
            takes.append(Take((first, end), (*before.slots, slot)))
        else:
            takes.append(Take((first, end), (slot,)))
    return tuple(takes)


def sound_runs(*, sound: mp4.Track, slots: Sequence[Slot]) -> tuple[Run, ...]:
    """Cut the sound just inside each slot.

    Each packet overlaps the next: the cuts lie where both sides are still silent.
    """
    return tuple(_sound_run(sound, slot) for slot in slots)


def _groups(video: mp4.Track, starts: Sequence[int], slot: Slot) -> Run:
    """Go back to the start of the group at the slot's start, on to the first after its end.

    One that starts when the card is gone counts: else a whole group more would be each person's.
    """
    tolerance = video.samples[0].duration_ticks // 2
    start_ticks = round(slot.start_seconds * video.ticks_per_second) + tolerance
    gone_seconds = slot.end_seconds - namecard.GONE_SECONDS
    end_ticks = round(gone_seconds * video.ticks_per_second)
    shown = [(video.samples[index].show_at_ticks, index) for index in starts]
    first = max((index for at, index in shown if at <= start_ticks), default=0)
    end = min((index for at, index in shown if at >= end_ticks), default=len(video.samples))
    return first, end


def _sound_run(sound: mp4.Track, slot: Slot) -> Run:
    start_ticks = round(slot.start_seconds * sound.ticks_per_second)
    end_ticks = int(slot.end_seconds * sound.ticks_per_second)
    overlap = 2 * encoding.FRAME_SAMPLES * sound.ticks_per_second // sound.rate_hz
    first = sum(1 for s in sound.samples if s.show_at_ticks < start_ticks) if start_ticks else 0
    end = sum(1 for s in sound.samples if s.show_at_ticks + overlap <= end_ticks)
    if end <= first:
        raise NotComposable("the sound ends before a personal slot")
    return first, end


def _starts_afresh(sample: mp4.Sample) -> bool:
    """Say whether nothing from here on refers to anything before.

    Some key frames (of open groups) are followed by pictures that lean on the group before.
    """
    return sample.is_key and any(kind == _IDR for kind in _kinds(sample.data))


def _kinds(data: bytes) -> list[int]:
    kinds, position = [], 0
    while position + _LENGTH_BYTES < len(data):
        kinds.append(data[position + _LENGTH_BYTES] & 0x1F)
        size = int.from_bytes(data[position : position + _LENGTH_BYTES], "big")
        position += _LENGTH_BYTES + size
    return kinds
