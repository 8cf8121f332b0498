"""How does this text sound? Offline speech by espeak-ng, in the language asked for.

espeak-ng keeps its state in globals. One lock guards it, around a fork as well, so that a
child never inherits it half way through a sentence. And its vibrato runs on from one text
to the next: each text gets a freshly loaded library (under a millisecond), so that the
same text gives the same samples and none of a person's words stay in memory.
"""

import _ctypes
import contextlib
import ctypes
import os
import threading
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

import espeakng_loader
import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

SAMPLE_RATE_HZ = 48_000
SILENCE_SECONDS = 0.2
LONGEST_TEXT_CHARACTERS = 60_000

_NATIVE_RATE_HZ = 22_050
_SYNCHRONOUS = 2
_DO_NOT_EXIT = 0x8000
_POSITION_IN_CHARACTERS = 1
_UTF8 = 1
_END_PAUSE = 0x1000
_RATE_PARAMETER = 1
_EVENT_END_OF_LIST, _EVENT_WORD = 0, 1

# BCP-47 names that espeak-ng spells in another way.
_VOICES = {
    "zh": "cmn",
    "zh-hk": "yue",
    "zh-mo": "yue",
    "en": "en-us",
    "en-gb": "en",
    "en-au": "en",
    "en-in": "en",
    "en-ie": "en",
    "en-nz": "en",
    "es-mx": "es-419",
    "es-ar": "es-419",
    "es-co": "es-419",
    "es-us": "es-419",
    "no": "nb",
    "iw": "he",
    "in": "id",
    "sr-latn": "sr",
}

# A voice reads its own script; a name in another script is read by that script's voice,
# else espeak-ng would say "Chinese letter" for each sign of it.
_SCRIPT_VOICES = {
    "ARABIC": "ar",
    "ARMENIAN": "hy",
    "BENGALI": "bn",
    "CJK": "cmn",
    "CYRILLIC": "ru",
    "DEVANAGARI": "hi",
    "GEORGIAN": "ka",
    "GREEK": "el",
    "GUJARATI": "gu",
    "GURMUKHI": "pa",
    "HANGUL": "ko",
    "HEBREW": "he",
    "HIRAGANA": "ja",
    "KANNADA": "kn",
    "KATAKANA": "ja",
    "LATIN": "en-us",
    "MALAYALAM": "ml",
    "SINHALA": "si",
    "TAMIL": "ta",
    "TELUGU": "te",
    "THAI": "th",
}
_SCRIPTS_OF_VOICE = {
    "ar": {"ARABIC"},
    "bg": {"CYRILLIC"},
    "bn": {"BENGALI"},
    "cmn": {"CJK"},
    "el": {"GREEK"},
    "fa": {"ARABIC"},
    "gu": {"GUJARATI"},
    "he": {"HEBREW"},
    "hi": {"DEVANAGARI"},
    "hy": {"ARMENIAN"},
    "ja": {"HIRAGANA", "KATAKANA"},
    "ka": {"GEORGIAN"},
    "kn": {"KANNADA"},
    "ko": {"HANGUL"},
    "mk": {"CYRILLIC"},
    "ml": {"MALAYALAM"},
    "mr": {"DEVANAGARI"},
    "ne": {"DEVANAGARI"},
    "pa": {"GURMUKHI"},
    "ru": {"CYRILLIC"},
    "si": {"SINHALA"},
    "sr": {"CYRILLIC"},
    "ta": {"TAMIL"},
    "te": {"TELUGU"},
    "th": {"THAI"},
    "uk": {"CYRILLIC"},
    "ur": {"ARABIC"},
    "yue": {"CJK"},
}


class SpeechFailed(Exception):
    """The speech engine did not start or refused the text."""


@dataclass(frozen=True)
class SpokenWord:
    """Where one word stands in the text and when it is heard."""

    start_character: int
    character_count: int
    start_seconds: float


@dataclass(frozen=True)
class Speech:
    """Mono samples between -1 and 1, and when each word of the text begins."""

    samples: Samples
    sample_rate_hz: int
    words: tuple[SpokenWord, ...]

    @property
    def duration_seconds(self) -> float:
        return len(self.samples) / self.sample_rate_hz


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position_ms", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", ctypes.c_char * 8),
    ]


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


class _Engine:
    """One freshly loaded espeak-ng; made and closed under the lock."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        data = espeakng_loader.get_data_path().encode()
        if self._library.espeak_Initialize(_SYNCHRONOUS, 0, data, _DO_NOT_EXIT) <= 0:
            raise SpeechFailed("the speech engine did not start")
        self._library.espeak_ng_SetRandSeed(ctypes.c_long(1))
        self._pieces: list[NDArray[np.int16]] = []
        self._words: list[tuple[int, int, int]] = []
        # Kept on the object: a callback that is collected takes the process with it.
        self._callback = _Callback(self._hear)
        self._library.espeak_SetSynthCallback(self._callback)

    def close(self) -> None:
        self._library.espeak_Terminate()
        _ctypes.dlclose(self._library._handle)

    def has_voice(self, voice: str) -> bool:
        return bool(self._library.espeak_SetVoiceByName(voice.encode()) == 0)

    def say(
        self, text: str, voice: str, words_per_minute: int
    ) -> tuple[NDArray[np.int16], list[tuple[int, int, int]]]:
        self._pieces, self._words = [], []
        if not self.has_voice(voice):
            raise SpeechFailed(f"no voice {voice}")
        self._library.espeak_SetParameter(_RATE_PARAMETER, words_per_minute, 0)
        data = text.encode() + b"\0"
        size, flags = ctypes.c_size_t(len(data)), _UTF8 | _END_PAUSE
        if self._library.espeak_Synth(data, size, 0, _POSITION_IN_CHARACTERS, 0, flags, None, None):
            raise SpeechFailed("the speech engine refused the text")
        samples = np.concatenate(self._pieces) if self._pieces else np.zeros(0, np.int16)
        return samples, self._words

    def _hear(
        self,
        wave: "ctypes._Pointer[ctypes.c_short]",
        count: int,
        events: "ctypes._Pointer[_Event]",
    ) -> int:
        if count > 0:
            self._pieces.append(np.ctypeslib.as_array(wave, (count,)).copy())
        index = 0
        while events[index].type != _EVENT_END_OF_LIST:
            event = events[index]
            if event.type == _EVENT_WORD:
                self._words.append((event.text_position - 1, event.length, event.sample))
            index += 1
        return 0


_lock = threading.Lock()
os.register_at_fork(
    before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release
)


def speak(
    *,
    text: str,
    language: str,
    words_per_minute: int = 165,
    name: str = "",
    name_language: str = "",
) -> Speech:
    """Speak the text in a BCP-47 language, at 48,000 samples a second.

    A `name` in it is spoken in its own language, if that is given and another. What is in a script
    that a voice cannot read is spoken by a voice that can. Text with nothing to say (empty, emoji
    only) gives a short silence.

    :raises SpeechFailed: the engine does not start, or the text is too long.
    """
    if len(text) > LONGEST_TEXT_CHARACTERS:
        raise SpeechFailed("the text is too long to be spoken")
    pieces: list[Samples] = []
    words: list[SpokenWord] = []
    elapsed_samples = 0
    with _engine() as engine:
        voice, own = _voice(engine, language), _voice(engine, name_language or language)
        for start, part, by in _turns(_sayable(text), voice, _sayable(name).strip(), own):
            raw, heard = engine.say(part, by, words_per_minute)
            samples = _at_output_rate(raw)
            for position, length, sample in heard:
                at_seconds = elapsed_samples / SAMPLE_RATE_HZ + sample / _NATIVE_RATE_HZ
                words.append(SpokenWord(start + position, length, at_seconds))
            pieces.append(samples)
            elapsed_samples += len(samples)
    if not words:
        pieces = [np.zeros(int(SILENCE_SECONDS * SAMPLE_RATE_HZ), np.float32)]
    return Speech(np.concatenate(pieces), SAMPLE_RATE_HZ, _one_entry_a_word(words))


def loudness(*, samples: Samples, frame_count: int) -> list[float]:
    """Measure how loud each of so many equal parts is, 0 to 1, eased to move softly."""
    parts = np.array_split(samples.astype(np.float64), frame_count)
    energy = np.array([np.sqrt(np.mean(part**2)) if len(part) else 0.0 for part in parts])
    peak = max(float(np.percentile(energy, 98)), 0.05)
    eased = np.convolve(energy / peak, [0.25, 0.5, 0.25], "same")
    return [float(level) for level in np.clip(eased, 0, 1)]


def voice_for(*, language: str) -> str:
    """Name the engine's voice for a BCP-47 language; English where it has none."""
    with _engine() as engine:
        return _voice(engine, language)


@contextlib.contextmanager
def _engine() -> Iterator[_Engine]:
    with _lock:
        engine = _Engine()
        try:
            yield engine
        finally:
            engine.close()


def _voice(engine: _Engine, language: str) -> str:
    parts = language.replace("_", "-").lower().split("-")
    for count in range(len(parts), 0, -1):
        tag = "-".join(parts[:count])
        name = _VOICES.get(tag, tag)
        if name.replace("-", "").isalnum() and engine.has_voice(name):
            return name
    return _VOICES["en"]


def _sayable(text: str) -> str:
    """Blank what cannot be said, sign for sign, so that positions still hold."""
    return "".join(" " if _is_unsayable(sign) else sign for sign in text)


def _is_unsayable(sign: str) -> bool:
    # ZWNJ and ZWJ are category Cf but steer the joining of Persian and Indic letters.
    if sign in "\u200c\u200d\n":
        return sign == "\n"
    return unicodedata.category(sign) in {"So", "Sk", "Cc", "Cf", "Cs", "Co", "Cn"}


def _turns(text: str, voice: str, name: str, own: str) -> Iterator[tuple[int, str, str]]:
    """Cut the text where a name is spoken by a voice of its own: (start, part, voice)."""
    # An accent of the same language would only break the sentence.
    alike = voice.partition("-")[0] == own.partition("-")[0]
    if not name or alike:
        yield from _runs(text, voice)
        return
    position = 0
    while (found := text.find(name, position)) >= 0:
        for start, part, by in _runs(text[position:found], voice):
            yield position + start, part, by
        for start, part, by in _runs(name, own):
            yield found + start, part, by
        position = found + len(name)
    for start, part, by in _runs(text[position:], voice):
        yield position + start, part, by


def _runs(text: str, voice: str) -> Iterator[tuple[int, str, str]]:
    """Cut the text where the script asks for another voice: (start, part, voice)."""
    own = _SCRIPTS_OF_VOICE.get(voice.partition("-")[0], {"LATIN"})
    start, current = 0, voice
    for index, sign in enumerate(text):
        wanted = _voice_of_sign(sign, voice, own, current)
        if wanted != current:
            yield from _piece(text, start, index, current)
            start, current = index, wanted
    yield from _piece(text, start, len(text), current)


def _piece(text: str, start: int, end: int, voice: str) -> Iterator[tuple[int, str, str]]:
    part = text[start:end]
    if any(sign.isalnum() for sign in part):
        yield start, part, voice


def _voice_of_sign(sign: str, voice: str, own: set[str], current: str) -> str:
    if not sign.isalpha():
        return current
    script = unicodedata.name(sign, "").partition(" ")[0]
    if script in own:
        return voice
    return _SCRIPT_VOICES.get(script, voice)


def _at_output_rate(raw: NDArray[np.int16]) -> Samples:
    """Change 22,050 samples a second to 48,000 through the spectrum."""
    if not len(raw):
        return np.zeros(0, np.float32)
    # 147:320 is the exact ratio, so a whole number of 147s in gives a whole number out.
    padded_count = -(-len(raw) // 147) * 147
    padded = np.zeros(padded_count, np.float64)
    padded[: len(raw)] = raw
    output_count = padded_count * 320 // 147
    spectrum = np.fft.rfft(padded)
    wide = np.fft.irfft(spectrum, output_count) * (output_count / padded_count)
    return np.clip(wide / 32_768, -1.0, 1.0).astype(np.float32)


def _one_entry_a_word(words: list[SpokenWord]) -> tuple[SpokenWord, ...]:
    """Drop the repeats the engine reports for a word it spells in parts."""
    first: dict[int, SpokenWord] = {}
    for word in words:
        first.setdefault(word.start_character, word)
    return tuple(first.values())
