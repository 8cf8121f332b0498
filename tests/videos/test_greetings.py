import numpy as np
import pytest

from config.lib.speech import Speech
from videos import greetings

SLOT_SECONDS = 4.0
ROOM_SECONDS = 3.68


def _tone(seconds: float) -> Speech:
    at = np.arange(int(seconds * 48_000)) / 48_000
    return Speech((0.3 * np.sin(2 * np.pi * 200 * at)).astype(np.float32), 48_000, ())


def _pitch_hz(samples: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> float:
    middle = samples[24_000:72_000]
    return float(np.argmax(np.abs(np.fft.rfft(middle))))


def test_short_speech_is_only_made_as_loud_as_all_others() -> None:
    fitted = greetings.fitted(greeting=_tone(2), slot_seconds=SLOT_SECONDS, rate_hz=48_000)
    assert len(fitted) == 96_000
    assert float(np.abs(fitted).max()) == pytest.approx(0.85, abs=0.01)


def test_longer_speech_is_quickened_at_its_own_pitch() -> None:
    fitted = greetings.fitted(greeting=_tone(4.4), slot_seconds=SLOT_SECONDS, rate_hz=48_000)
    assert ROOM_SECONDS - 0.3 < len(fitted) / 48_000 <= ROOM_SECONDS
    assert _pitch_hz(fitted) == pytest.approx(200, abs=6)


def test_speech_that_is_far_too_long_is_cut_with_a_fade() -> None:
    fitted = greetings.fitted(greeting=_tone(12), slot_seconds=SLOT_SECONDS, rate_hz=48_000)
    assert len(fitted) == int(ROOM_SECONDS * 48_000)
    assert float(np.abs(fitted[-200:]).max()) < 0.05
    assert float(np.abs(fitted[-48_000:-24_000]).max()) > 0.5


def test_speech_takes_the_rate_of_the_film() -> None:
    fitted = greetings.fitted(greeting=_tone(2), slot_seconds=SLOT_SECONDS, rate_hz=44_100)
    assert len(fitted) == 88_200


def test_silence_stays_silence() -> None:
    silence = Speech(np.zeros(9_600, np.float32), 48_000, ())
    fitted = greetings.fitted(greeting=silence, slot_seconds=SLOT_SECONDS, rate_hz=48_000)
    assert float(np.abs(fitted).max()) == 0
