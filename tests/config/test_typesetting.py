import unicodedata

import numpy as np
import pytest
from fontTools.ttLib import TTFont
from PIL import Image

from config.lib import bidi, faces, typesetting
from config.lib.typesetting import Style

NAMES = [
    "José Ángel Ñúñez",
    "Łukasz Żółć",
    "Nguyễn Thị Ánh",
    "Þórður Åse Ø",
    "Γιώργος Παπαδόπουλος",
    "Дмитрий Ёлкин Їжак",
    "محمد بن عبد الله",
    "فاطمه\u200cزهرا پژمان",
    "דוד בן־גוריון",
    "राजेश श्रीवास्तव",
    "সুভাষ চন্দ্র",
    "தமிழ்ச்செல்வன்",
    "వెంకటేశ్వర్లు",
    "ಸುಧಾ",
    "സുരേഷ്",
    "ਗੁਰਪ੍ਰੀਤ",
    "ગીતા",
    "ଓଡ଼ିଆ",
    "කුමාර",
    "สมชาย ใจดี",
    "សុខា",
    "ສົມພອນ",
    "အောင်ဆန်း",
    "王小明 龍馬",
    "田中さくら タロウ",
    "김철수",
    "Հայկ",
    "გიორგი",
    "ሀይሌ",
    "ދިވެހި",
    "👩🏽\u200d🚀 👨\u200d👩\u200d👧\u200d👦 🇫🇷 1️⃣ ❤️ 😀",
    "O’Neill — “Ann-Marie” № 5 € ₹ ₺",
]


def _ink(text: str, size_px: int = 48) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    image = Image.new("L", (1200, 100), 0)
    typesetting.draw_text(
        image=image, text=text, box=(0, 0, 1200, 100), style=Style(size_px, align="left")
    )
    return np.asarray(image)


@pytest.mark.parametrize("name", NAMES)
def test_no_sign_of_a_name_lacks_its_glyph(name: str) -> None:
    assert typesetting.missing_glyphs(name) == set()
    assert _ink(name).max() > 200


@pytest.mark.parametrize("name", NAMES)
def test_each_run_is_drawn_by_a_font_that_maps_all_its_signs(name: str) -> None:
    for run in typesetting._runs(typesetting.clean(name)):
        mapped = TTFont(run.face.path, lazy=True).getBestCmap()
        visible = [s for s in run.text if unicodedata.category(s) not in {"Cf", "Mn"}]
        assert [s for s in visible if ord(s) not in mapped] == []


def test_the_fonts_of_every_script_are_at_hand() -> None:
    assert len(faces.faces()) == 27


def test_a_sign_that_no_font_has_is_named_and_left_out() -> None:
    unknown = "\U00012000"
    assert typesetting.missing_glyphs(f"A{unknown}") == {unknown}
    assert np.array_equal(_ink(f"A{unknown}"), _ink("A"))


def test_letters_are_shaped_and_not_set_one_by_one() -> None:
    joined = typesetting.width_px(text="سلام", size_px=60)
    apart = sum(typesetting.width_px(text=sign, size_px=60) for sign in "سلام")
    assert joined < 0.9 * apart
    one_emoji = typesetting.width_px(text="😀", size_px=60)
    family = typesetting.width_px(text="👨\u200d👩\u200d👧\u200d👦", size_px=60)
    assert family == pytest.approx(one_emoji, rel=0.1)


def test_emoji_are_in_colour() -> None:
    image = Image.new("RGB", (120, 120), (0, 0, 0))
    style = Style(80, colour=(255, 255, 255))
    typesetting.draw_text(image=image, text="❤️", box=(0, 0, 120, 120), style=style)
    red, green, _ = np.asarray(image, np.int32).reshape(-1, 3).max(axis=0)
    assert red > 180 and green < 160


@pytest.mark.parametrize("name", ["x" * 120, "Maximiliana " * 10, "王" * 120, "محمد " * 24])
def test_a_name_of_120_signs_stays_in_its_box(name: str) -> None:
    image = Image.new("L", (1280, 400), 0)
    style = Style(90, smallest_px=30, max_lines=3)
    typesetting.draw_text(image=image, text=name, box=(100, 100, 1180, 300), style=style)
    ink = np.argwhere(np.asarray(image) > 60)
    assert ink[:, 0].min() >= 95 and ink[:, 0].max() <= 305
    assert ink[:, 1].min() >= 95 and ink[:, 1].max() <= 1185


def test_text_shrinks_then_wraps_then_is_cut() -> None:
    image = Image.new("L", (600, 200), 0)

    def draw(text: str) -> typesetting.Drawn:
        return typesetting.draw_text(image=image, text=text, box=(0, 0, 600, 200), style=Style(60))

    short, longer, wrapped, cut = (draw("Anna " * count) for count in (2, 4, 7, 60))
    assert (short.size_px, len(short.lines)) == (60, 1)
    assert longer.size_px < 60 and len(longer.lines) == 1
    assert len(wrapped.lines) == 2 and wrapped.whole
    assert not cut.whole and cut.lines[-1].text.endswith("…")


def test_right_to_left_text_starts_at_the_right() -> None:
    image = Image.new("L", (800, 100), 0)
    place = (0, 0, 800, 100)
    style = Style(48)
    arabic = typesetting.draw_text(image=image, text="محمد", box=place, style=style).lines[0]
    latin = typesetting.draw_text(image=image, text="Anna", box=place, style=style).lines[0]
    assert arabic.left_px + arabic.width_px == pytest.approx(800, abs=1)
    assert latin.left_px == 0


def test_mixed_directions_keep_numbers_readable() -> None:
    text = "אבג abc 12.5"
    order = bidi.visual_order(text, bidi.levels(text, right_to_left=True))
    assert "".join(order) == "abc 12.5 גבא"


def test_disguises_are_taken_out() -> None:
    assert typesetting.clean("a\u202eb\x00c\u2066\n d\ud800") == "abc d"
    assert len(typesetting.clean("Z" + "\u0301" * 500)) < 600
    assert len(max(typesetting._clusters("Z" + "\u0316" * 500), key=len)) <= 8


def test_emptiness_draws_nothing() -> None:
    assert _ink("").max() == 0
