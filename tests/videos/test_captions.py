import pytest

from videos import captions

BASE = "WEBVTT\n\n00:00:04.000 --> 00:00:06.000\nEverybody reads this.\n"

SLOTS = [(0.0, 4.0)]


def _cues(vtt: str) -> list[list[str]]:
    return [block.split("\n") for block in vtt.strip().split("\n\n")[1:]]


def test_the_greeting_comes_first_and_the_base_stays() -> None:
    vtt = captions.for_person(base_vtt=BASE, slots=SLOTS, lines=["Hello Anna"])
    assert vtt.startswith("WEBVTT\n\n00:00:00.000 --> 00:00:04.000\nHello Anna\n\n")
    assert vtt.endswith("00:00:04.000 --> 00:00:06.000\nEverybody reads this.\n")


def test_the_disclosure_is_a_cue_in_the_language() -> None:
    vtt = captions.for_person(base_vtt=BASE, slots=SLOTS, lines=["Hola"], language="es-MX")
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
    vtt = captions.for_person(base_vtt=BASE, slots=SLOTS, lines=[f"Hello {name}"])
    cues = _cues(vtt)
    assert [len(cue) for cue in cues] == [2, 2, 2]
    text = cues[0][1]
    assert "<" not in text and "-->" not in text and ">" not in text
    assert all(sign.isprintable() for sign in text)
    assert vtt.count("-->") == 3


def test_letters_that_need_joiners_keep_them() -> None:
    vtt = captions.for_person(base_vtt=BASE, slots=SLOTS, lines=["فاطمه\u200cزهرا 👩\u200d🚀"])
    assert "فاطمه\u200cزهرا 👩\u200d🚀" in vtt


def test_nothing_to_say_gives_the_disclosure_alone() -> None:
    assert len(_cues(captions.for_person(base_vtt=BASE, slots=SLOTS, lines=[" \n"]))) == 2


def test_windows_line_ends_and_header_text_are_understood() -> None:
    base = "\ufeffWEBVTT by a vendor\r\nKind: captions\r\n\r\n00:01.000 --> 00:02.000\r\nHi\r\n"
    vtt = captions.for_person(base_vtt=base, slots=SLOTS, lines=["A"])
    assert vtt.endswith("00:01.000 --> 00:02.000\nHi\n")
    assert "Kind" not in vtt


@pytest.mark.parametrize("base", ["", "1\n00:00:01,000 --> 00:00:02,000\nsubrip", "WEBVTTX\n\n"])
def test_captions_of_another_kind_are_refused(base: str) -> None:
    with pytest.raises(captions.NotWebVtt):
        captions.for_person(base_vtt=base, slots=SLOTS, lines=["A"])


def test_each_slot_has_its_cue_where_it_is_heard() -> None:
    base = BASE + "\nNOTE of the vendor\n\n00:10.000 --> 00:12.000\nAll of us.\n"
    slots = [*SLOTS, (6.0, 9.5), (12.0, 14.0)]
    lines = ["Hello Anna", "Anna --> your <plan>", "Bye, Anna"]
    vtt = captions.for_person(base_vtt=base, slots=slots, lines=lines)
    assert [cue[-1] for cue in _cues(vtt)] == [
        "Hello Anna",
        "Made with AI",
        "Everybody reads this.",
        "NOTE of the vendor",
        "Anna --&gt; your &lt;plan&gt;",
        "All of us.",
        "Bye, Anna",
    ]
    assert "\n00:00:06.000 --> 00:00:09.500\nAnna" in vtt


def test_a_later_slot_with_nothing_to_say_has_no_cue() -> None:
    slots = [*SLOTS, (6.0, 9.5)]
    vtt = captions.for_person(base_vtt=BASE, slots=slots, lines=["Hello Anna", " \u200b"])
    assert len(_cues(vtt)) == 3
