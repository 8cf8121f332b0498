"""How does a spoken greeting fit the time a video leaves for it?"""

from fractions import Fraction

import av
import av.filter
import numpy as np
from av.audio.frame import AudioFrame
from numpy.typing import NDArray

from config.lib.speech import Speech

Sound = NDArray[np.float32]

FASTEST_SPEECH = 1.35
LEAD_SECONDS = 0.2
_REST_SECONDS = 0.12
_FADE_SECONDS = 0.15
_LOUDNESS_PEAK = 0.85


def fitted(*, greeting: Speech, slot_seconds: float, rate_hz: int) -> Sound:
    """Fit speech into a slot: at most 1.35 times faster, then cut with a fade.

    It begins LEAD_SECONDS into the slot and is over before the slot is.
    """
    samples = greeting.samples
    peak = float(np.abs(samples).max(initial=0.0))
    if peak > 0.01:
        samples = samples * np.float32(_LOUDNESS_PEAK / peak)
    room_seconds = slot_seconds - LEAD_SECONDS - _REST_SECONDS
    excess = len(samples) / greeting.sample_rate_hz / room_seconds
    if excess > 1:
        samples = _faster(samples, greeting.sample_rate_hz, min(FASTEST_SPEECH, excess * 1.01))
    if greeting.sample_rate_hz != rate_hz:
        samples = _resampled(samples, rate_hz / greeting.sample_rate_hz)
    longest = int(room_seconds * rate_hz)
    if len(samples) > longest:
        samples = samples[:longest].copy()
        fade = int(_FADE_SECONDS * rate_hz)
        samples[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
    return samples


def _faster(samples: Sound, rate_hz: int, tempo: float) -> Sound:
    """Speed speech up at its own pitch."""
    graph = av.filter.Graph()
    source = graph.add_abuffer(
        sample_rate=rate_hz, format="flt", layout="mono", time_base=Fraction(1, rate_hz)
    )
    change, sink = graph.add("atempo", f"{tempo:.4f}"), graph.add("abuffersink")
    source.link_to(change)
    change.link_to(sink)
    graph.configure()
    frame = AudioFrame.from_ndarray(np.ascontiguousarray(samples[None, :]), "flt", "mono")
    frame.sample_rate, frame.pts = rate_hz, 0
    source.push(frame)
    source.push(None)
    blocks: list[Sound] = []
    while True:
        try:
            pulled = sink.pull()
            if isinstance(pulled, AudioFrame):
                blocks.append(np.asarray(pulled.to_ndarray()[0], np.float32))
        except (av.EOFError, av.BlockingIOError):
            break
    return np.concatenate(blocks) if blocks else samples


def _resampled(samples: Sound, ratio: float) -> Sound:
    count = round(len(samples) * ratio)
    spectrum = np.fft.rfft(samples.astype(np.float64))
    return (np.fft.irfft(spectrum, count) * ratio).astype(np.float32)
