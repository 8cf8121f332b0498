"""How is a person's name drawn, in any script, without a box in it?

Text is cut into clusters (a letter with its marks, an emoji with its joiners), each
cluster gets the first font that has all its glyphs, runs of one font and one direction
are shaped by raqm, and the runs are set in visual order.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image, ImageDraw

from config.lib import bidi
from config.lib.faces import EMOJI_STRIKE_PX, Face, face_for

Colour = tuple[int, int, int]
Box = tuple[int, int, int, int]

LINE_HEIGHT = 1.32
BASELINE = 1.0
ELLIPSIS = "…"
_SINGLE_LINE_SHARE = 0.72
_STEP = 0.94
_RULER_PX = 100
_EMOJI_SHARE = 0.92
# More marks than any living script stacks on a letter: disguise or vandalism.
_MOST_MARKS = 6
_KEPT_FORMAT_SIGNS = frozenset([0x200C, 0x200D, *range(0xE0020, 0xE0080)])


@dataclass(frozen=True)
class Style:
    """How text is set. `align` is start, end (in the text's own direction), left, right or center,
    `vertical` is middle or top; `smallest_px` is half the size unless given."""

    size_px: int
    smallest_px: int = 0
    colour: Colour = (255, 255, 255)
    align: str = "start"
    vertical: str = "middle"
    max_lines: int = 2


@dataclass(frozen=True)
class Line:
    """One line as drawn: its text in reading order and where its ink advances."""

    text: str
    left_px: float
    top_px: float
    width_px: float
    height_px: float
    right_to_left: bool


@dataclass(frozen=True)
class Drawn:
    """What was drawn: at which size, in which lines, and whether all of it."""

    size_px: int
    lines: tuple[Line, ...]
    whole: bool


@dataclass(frozen=True)
class _Run:
    text: str
    face: Face
    level: int


def clean(text: str) -> str:
    """Make text drawable: one line, composed, without controls and direction tricks."""
    composed = unicodedata.normalize("NFC", text)
    kept = (" " if sign.isspace() else sign for sign in composed if _is_drawable(sign))
    return " ".join("".join(kept).split())


def missing_glyphs(text: str) -> set[str]:
    """List the signs that no font at hand can draw; they are left out of a drawing."""
    alone = {sign for sign in clean(text) if not face_for(cluster=sign, current=None)}
    together = {
        sign
        for cluster in _clusters(clean(text))
        if not face_for(cluster=cluster, current=None)
        for sign in cluster
    }
    return alone & together


def width_px(*, text: str, size_px: int, language: str = "") -> float:
    """Measure how far one line of text advances."""
    return _advance(_known(text), size_px, language)


def draw_text(
    *, image: Image.Image, text: str, box: Box, style: Style, language: str = ""
) -> Drawn:
    """Draw text inside a box (left, top, right, bottom) of an L, RGB or RGBA image.

    Long text first shrinks on one line, then wraps, then shrinks wrapped down to the
    smallest size, and at last ends in an ellipsis.
    """
    known = _known(text)
    width, height = box[2] - box[0], box[3] - box[1]
    size_px, lines, whole = _fit(known, (width, height), style, _Ruler(language))
    line_height = size_px * LINE_HEIGHT
    spare = height - line_height * len(lines) if style.vertical == "middle" else 0
    drawn = []
    for index, line in enumerate(lines):
        line_width = _advance(line, size_px, language)
        right_to_left = bidi.is_right_to_left(known)
        left = box[0] + _offset(style.align, width - line_width, right_to_left=right_to_left)
        top = box[1] + spare / 2 + index * line_height
        place = Line(line, left, top, line_width, line_height, right_to_left)
        _draw_line(image, place, size_px, style.colour, language)
        drawn.append(place)
    return Drawn(size_px, tuple(drawn), whole)


def _is_drawable(sign: str) -> bool:
    if ord(sign) in _KEPT_FORMAT_SIGNS or sign.isspace():
        return True
    return unicodedata.category(sign) not in {"Cc", "Cf", "Cs", "Co", "Cn"}


def _known(text: str) -> str:
    """Clean text without the clusters that no font can draw."""
    kept = (part for part in _clusters(clean(text)) if face_for(cluster=part, current=None))
    return " ".join("".join(kept).split())


def _clusters(text: str) -> Iterator[str]:
    """Cut text where a reader sees one sign end; stacks of marks are cut short."""
    current = ""
    for sign in text:
        if current and _joins(current, sign):
            if sum(unicodedata.category(mark) == "Mn" for mark in current) < _MOST_MARKS:
                current += sign
            continue
        if current:
            yield current
        current = sign
    if current:
        yield current


def _joins(current: str, sign: str) -> bool:
    code, last = ord(sign), ord(current[-1])
    if unicodedata.category(sign) in {"Mn", "Mc", "Me"} or 0x1F3FB <= code <= 0x1F3FF:
        return True
    if code in _KEPT_FORMAT_SIGNS or last == 0x200D:
        return True
    is_flag_letter = 0x1F1E6 <= code <= 0x1F1FF and 0x1F1E6 <= last <= 0x1F1FF
    return is_flag_letter and len(current) == 1


def _runs(text: str) -> list[_Run]:
    """Cut a line into runs of one font and direction, in visual order."""
    levels = bidi.levels(text, right_to_left=bidi.is_right_to_left(text))
    runs: list[_Run] = []
    position, face = 0, None
    for cluster in _clusters(text):
        face = face_for(cluster=cluster, current=face)
        level = levels[position]
        position += len(cluster)
        if face is None:
            continue
        continues = bool(runs) and runs[-1].face == face and runs[-1].level == level
        before = runs.pop().text if continues else ""
        runs.append(_Run(before + cluster, face, level))
    return bidi.visual_order(runs, [run.level for run in runs])


def _advance(text: str, size_px: int, language: str) -> float:
    return sum(_run_width(run, size_px, language) for run in _runs(text))


def _direction(run: _Run) -> str:
    return "rtl" if run.level % 2 else "ltr"


def _run_width(run: _Run, size_px: int, language: str) -> float:
    length = run.face.font(size_px).getlength(
        run.text, direction=_direction(run), language=language or None
    )
    return length * _emoji_scale(size_px) if run.face.is_emoji else length


def _emoji_scale(size_px: int) -> float:
    return size_px * _EMOJI_SHARE / EMOJI_STRIKE_PX


def _offset(align: str, spare: float, *, right_to_left: bool) -> float:
    sides = {"left": False, "right": True, "start": right_to_left, "end": not right_to_left}
    at_right = sides.get(align)
    if at_right is None:
        return spare / 2
    return spare if at_right else 0.0


class _Ruler:
    """Measures each word once, at one size, while a text is being fitted.

    It lives as long as one drawing: a name must not stay in a cache of the process.
    """

    def __init__(self, language: str) -> None:
        self._language = language
        self._widths: dict[str, float] = {}

    def width(self, text: str, size_px: int) -> float:
        if text not in self._widths:
            self._widths[text] = _advance(text, _RULER_PX, self._language)
        return self._widths[text] * size_px / _RULER_PX


def _fit(
    text: str, box_size: tuple[int, int], style: Style, ruler: _Ruler
) -> tuple[int, list[str], bool]:
    """Choose size and lines; False at the end says that the text had to be cut."""
    width, height = box_size
    # Hinting makes a line up to one percent wider than its measure at another size.
    room = width * 0.99
    smallest = style.smallest_px or max(8, style.size_px // 2)
    for size in _sizes(style.size_px, max(smallest, int(style.size_px * _SINGLE_LINE_SHARE))):
        if ruler.width(text, size) <= room and size * LINE_HEIGHT <= height:
            return size, [text], True
    for size in _sizes(style.size_px, smallest):
        lines = _wrap(text, room, size, ruler)
        if len(lines) <= style.max_lines and size * LINE_HEIGHT * len(lines) <= height:
            return size, lines, True
    count = max(1, min(style.max_lines, int(height / (smallest * LINE_HEIGHT))))
    lines = _wrap(text, room, smallest, ruler)
    last = "".join(lines[count - 1 :]) if count == 1 else " ".join(lines[count - 1 :])
    return smallest, [*lines[: count - 1], _cut(last, room, smallest, ruler)], False


def _sizes(largest: int, smallest: int) -> Iterator[int]:
    size = largest
    while size > smallest:
        yield size
        size = min(size - 1, int(size * _STEP))
    yield smallest


def _wrap(text: str, room: float, size_px: int, ruler: _Ruler) -> list[str]:
    """Break text into lines at spaces, or between signs where a word alone is too long."""
    lines: list[str] = []
    line, line_width = "", 0.0
    for word in _breakable(text, room, size_px, ruler):
        word_width = ruler.width(word, size_px)
        if line and line_width + word_width > room:
            lines.append(line.strip())
            line, line_width = word.lstrip(), ruler.width(word.lstrip(), size_px)
        else:
            line, line_width = line + word, line_width + word_width
    return [*lines, line.strip()]


def _breakable(text: str, room: float, size_px: int, ruler: _Ruler) -> Iterator[str]:
    """Cut before each space, between ideographs, and anywhere in a word too long."""
    word = ""
    for cluster in _clusters(text):
        is_ideograph = unicodedata.east_asian_width(cluster[0]) == "W"
        if word and (cluster == " " or is_ideograph):
            yield from _in_pieces(word, room, size_px, ruler)
            word = ""
        word += cluster
    yield from _in_pieces(word, room, size_px, ruler)


def _in_pieces(word: str, room: float, size_px: int, ruler: _Ruler) -> Iterator[str]:
    if ruler.width(word, size_px) <= room:
        yield word
    else:
        yield from _clusters(word)


def _cut(text: str, room: float, size_px: int, ruler: _Ruler) -> str:
    """Keep as many clusters as fit before an ellipsis, by halving."""
    if ruler.width(text, size_px) <= room:
        return text
    clusters = list(_clusters(text))
    low, high = 0, len(clusters) - 1
    while low < high:
        middle = (low + high + 1) // 2
        if ruler.width("".join(clusters[:middle]) + ELLIPSIS, size_px) <= room:
            low = middle
        else:
            high = middle - 1
    return "".join(clusters[:low]).rstrip() + ELLIPSIS


def _draw_line(image: Image.Image, line: Line, size_px: int, colour: Colour, language: str) -> None:
    left, baseline = line.left_px, line.top_px + size_px * BASELINE
    mask = Image.new("L", image.size, 0)
    for run in _runs(line.text):
        if run.face.is_emoji:
            _draw_emoji(image, run, (left, baseline), size_px)
        else:
            _draw_run(mask, run, (left, baseline), size_px, language)
        left += _run_width(run, size_px, language)
    _paint(image, mask, colour)


def _draw_run(
    mask: Image.Image, run: _Run, origin: tuple[float, float], size_px: int, language: str
) -> None:
    ImageDraw.Draw(mask).text(
        origin,
        run.text,
        fill=255,
        font=run.face.font(size_px),
        anchor="ls",
        direction=_direction(run),
        language=language or None,
        stroke_width=size_px * run.face.outline_share,
    )


def _draw_emoji(image: Image.Image, run: _Run, origin: tuple[float, float], size_px: int) -> None:
    """Draw at the one size the bitmaps have, then scale down with the alpha."""
    font = run.face.font(size_px)
    wide = int(font.getlength(run.text, direction=_direction(run))) + 8
    strip = Image.new("RGBA", (wide, EMOJI_STRIKE_PX * 2), (0, 0, 0, 0))
    ImageDraw.Draw(strip).text(
        (0, EMOJI_STRIKE_PX * 1.25),
        run.text,
        font=font,
        anchor="ls",
        embedded_color=True,
        direction=_direction(run),
    )
    scale = _emoji_scale(size_px)
    small = strip.resize(
        (max(1, round(wide * scale)), max(1, round(strip.height * scale))),
        Image.Resampling.LANCZOS,
    )
    top = origin[1] - EMOJI_STRIKE_PX * 1.25 * scale + size_px * 0.06
    at = (round(origin[0]), round(top))
    if image.mode == "L":
        image.paste(small.getchannel("A"), at, small.getchannel("A"))
    elif image.mode == "RGBA":
        layer = Image.new("RGBA", image.size, (0, 0, 0, 0))
        layer.paste(small, at)
        image.alpha_composite(layer)
    else:
        image.paste(small, at, small)


def _paint(image: Image.Image, mask: Image.Image, colour: Colour) -> None:
    if image.mode == "L":
        image.paste(255, mask=mask)
    elif image.mode == "RGBA":
        layer = Image.new("RGBA", image.size, (*colour, 0))
        layer.putalpha(mask)
        image.alpha_composite(layer)
    else:
        image.paste(colour, mask=mask)
