import concurrent.futures
import os

import numpy as np
import pytest

from config.lib import speech

SENTENCES = [
    ("en", "Good morning, Anna."),
    ("de", "Guten Morgen, Jürgen Müller."),
    ("fr", "Bonjour François, comment allez-vous ?"),
    ("es", "Buenos días, José Ángel."),
    ("pt-BR", "Bom dia, João."),
    ("ar", "صباح الخير يا محمد"),
    ("hi", "नमस्ते राजेश"),
    ("zh-Hans-CN", "早上好，王小明"),
]


def _loudness(spoken: speech.Speech) -> float:
    return float(np.sqrt((spoken.samples.astype(np.float64) ** 2).mean()))


@pytest.mark.parametrize(("language", "text"), SENTENCES)
def test_each_language_is_really_spoken(language: str, text: str) -> None:
    spoken = speech.speak(text=text, language=language)
    assert spoken.sample_rate_hz == 48_000
    assert 0.5 < spoken.duration_seconds < 6
    assert _loudness(spoken) > 0.03
    assert float(np.abs(spoken.samples).max()) <= 1.0


def test_words_are_timed_in_order() -> None:
    text = "One two three, four."
    spoken = speech.speak(text=text, language="en")
    ends = [word.start_character + word.character_count for word in spoken.words]
    said = [text[w.start_character : end] for w, end in zip(spoken.words, ends, strict=True)]
    starts = [word.start_seconds for word in spoken.words]
    assert said == ["One", "two", "three", "four"]
    assert starts == sorted(starts) and starts[-1] < spoken.duration_seconds


@pytest.mark.parametrize("text", ["", "   ", "😀👍🏽", "\x00\x07", "…", "\u202e"])
def test_text_with_nothing_to_say_is_a_short_silence(text: str) -> None:
    spoken = speech.speak(text=text, language="en")
    assert 0 < spoken.duration_seconds <= 0.5
    assert _loudness(spoken) < 0.001


@pytest.mark.parametrize(
    ("language", "voice"),
    [
        ("de-AT", "de"),
        ("zh-Hant-HK", "cmn"),
        ("zh-HK", "yue"),
        ("pt_BR", "pt-br"),
        ("xx-nothing", "en-us"),
        ("", "en-us"),
        ("../../etc", "en-us"),
    ],
)
def test_a_voice_is_found_by_base_language_then_english(language: str, voice: str) -> None:
    assert speech.voice_for(language=language) == voice


def test_a_name_in_another_script_is_read_and_not_spelled() -> None:
    alone = speech.speak(text="王小明", language="zh").duration_seconds
    within = speech.speak(text="Hello 王小明", language="en").duration_seconds
    hello = speech.speak(text="Hello", language="en").duration_seconds
    assert within == pytest.approx(alone + hello, abs=0.4)


def test_a_name_is_spoken_by_the_voice_of_its_language() -> None:
    def said(language: str) -> speech.Speech:
        return speech.speak(
            text="Hello Jean Guillaume, welcome.",
            language="en",
            name="Jean Guillaume",
            name_language=language,
        )

    plain, french = said(""), said("fr-CA")
    assert len(french.samples) != len(plain.samples)
    assert [word.start_character for word in french.words] == [0, 6, 11, 22]
    assert np.array_equal(said("en-GB").samples, plain.samples)


def test_more_words_a_minute_take_less_time() -> None:
    text = "This sentence is long enough to be measured."
    slow = speech.speak(text=text, language="en", words_per_minute=140)
    fast = speech.speak(text=text, language="en", words_per_minute=220)
    assert fast.duration_seconds < 0.8 * slow.duration_seconds


def test_the_same_text_sounds_the_same_whatever_was_said_before() -> None:
    first = speech.speak(text="Always the same.", language="en").samples
    speech.speak(text="Otra cosa", language="es")
    assert np.array_equal(first, speech.speak(text="Always the same.", language="en").samples)


def test_threads_do_not_mix_their_words() -> None:
    texts = [f"Number {number} speaks now." for number in range(8)]
    expected = [speech.speak(text=text, language="en").samples for text in texts]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        spoken = list(pool.map(lambda text: speech.speak(text=text, language="en"), texts))
    assert all(np.array_equal(a, b.samples) for a, b in zip(expected, spoken, strict=True))


def test_a_child_process_can_speak_after_a_fork() -> None:
    speech.speak(text="Before", language="en")
    child = os.fork()
    if child == 0:
        spoken = speech.speak(text="After the fork", language="en")
        os._exit(0 if _loudness(spoken) > 0.03 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_endless_text_is_refused() -> None:
    with pytest.raises(speech.SpeechFailed):
        speech.speak(text="a" * 100_000, language="en")
