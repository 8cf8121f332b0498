import pytest

from videos import captions

BASE = "WEBVTT\n\n00:00:04.000 --> 00:00:06.000\nEverybody reads this.\n"


def _cues(vtt: str) -> list[list[str]]:
    return [block.split("\n") for block in vtt.strip().split("\n\n")[1:]]


def test_the_greeting_comes_first_and_the_base_stays() -> None:
    vtt = captions.for_person(base_vtt=BASE, slot_seconds=4.0, text="Hello Anna")
    assert vtt.startswith("WEBVTT\n\n00:00:00.000 --> 00:00:04.000\nHello Anna\n\n")
    assert vtt.endswith("00:00:04.000 --> 00:00:06.000\nEverybody reads this.\n")


def test_the_disclosure_is_a_cue_in_the_language() -> None:
    vtt = captions.for_person(base_vtt=BASE, slot_seconds=4.0, text="Hola", language="es-MX")
    assert ["00:00:00.000 --> 00:00:04.000 line:0", "Hecho con IA"] in _cues(vtt)


@pytest.mark.parametrize(
    "name",
    [
        "Ann\n\n00:00:09.000 --> 00:00:10.000\nspoofed",
        "a --> b",
        "<b>bold</b> & <v Bob>",
        "x\r\rNOTE hidden",
        "y\u2028\u2029z\x85w",
        "\u202eesrever\x00\x1b[31m",
        "&lt;c&gt;",
        "WEBVTT\n\nSTYLE\n::cue{}",
    ],
)
def test_a_hostile_name_stays_text_in_its_own_cue(name: str) -> None:
    vtt = captions.for_person(base_vtt=BASE, slot_seconds=4.0, text=f"Hello {name}")
    cues = _cues(vtt)
    assert [len(cue) for cue in cues] == [2, 2, 2]
    text = cues[0][1]
    assert "<" not in text and "-->" not in text and ">" not in text
    assert all(sign.isprintable() for sign in text)
    assert vtt.count("-->") == 3


def test_letters_that_need_joiners_keep_them() -> None:
    vtt = captions.for_person(base_vtt=BASE, slot_seconds=4.0, text="فاطمه\u200cزهرا 👩\u200d🚀")
    assert "فاطمه\u200cزهرا 👩\u200d🚀" in vtt


def test_nothing_to_say_gives_the_disclosure_alone() -> None:
    assert len(_cues(captions.for_person(base_vtt=BASE, slot_seconds=4.0, text=" \n"))) == 2


def test_windows_line_ends_and_header_text_are_understood() -> None:
    base = "\ufeffWEBVTT by a vendor\r\nKind: captions\r\n\r\n00:01.000 --> 00:02.000\r\nHi\r\n"
    vtt = captions.for_person(base_vtt=base, slot_seconds=4.0, text="A")
    assert vtt.endswith("00:01.000 --> 00:02.000\nHi\n")
    assert "Kind" not in vtt


@pytest.mark.parametrize("base", ["", "1\n00:00:01,000 --> 00:00:02,000\nsubrip", "WEBVTTX\n\n"])
def test_captions_of_another_kind_are_refused(base: str) -> None:
    with pytest.raises(captions.NotWebVtt):
        captions.for_person(base_vtt=base, slot_seconds=4.0, text="A")
