"""What does a person see first: how is the name card drawn and shown?

It is drawn open from the side where reading begins, a few columns a frame, and closed so again. A
fade would change all of it in every frame: two thirds of a person's own pictures were fades.
"""

from dataclasses import dataclass
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFilter

from config.lib import bidi, picture, typesetting
from config.lib.picture import Layer, Picture

_DESIGN_HEIGHT = 720
_LEFT_SHARE, _RIGHT_SHARE, _MIDDLE_SHARE = 0.42, 0.955, 0.46
_ENTER_AT_SECONDS, _ENTER_SECONDS = 0.15, 0.55
_LEAVE_SECONDS = 0.45
# Before the slot ends, all that was laid over is gone: the base's own pictures may go on from here.
GONE_SECONDS = 0.1
# A block of the coder: only blocks that are new cost anything.
_BLOCK_PX = 16
_GROUND, _INK, _SOFT_INK = (13, 14, 40, 176), (255, 255, 255), (190, 214, 255)
_ACCENTS = ((122, 228, 255), (150, 126, 255))


@dataclass(frozen=True)
class NameCard:
    """What is written for one person: the name, and a line under it if wanted."""

    name: str
    line: str = ""


@dataclass(frozen=True)
class PlacedCard:
    """A drawn card and where it comes to rest, in pixels."""

    layer: Layer
    left: int
    top: int
    right_to_left: bool


def draw(*, card: NameCard, width: int, height: int, language: str) -> PlacedCard:
    """Draw a card for a frame of this size.

    A name without one drawable sign gives an empty card: better no name than a box.
    """
    scale = height / _DESIGN_HEIGHT
    left, right = int(width * _LEFT_SHARE) & ~1, int(width * _RIGHT_SHARE) & ~1
    tall = int(286 * scale) & ~1
    image = Image.new("RGBA", (right - left, tall), (0, 0, 0, 0))
    right_to_left = bidi.is_right_to_left(card.name)
    if typesetting.width_px(text=card.name or "", size_px=20, language=language) > 0:
        image = _panel(right - left, tall, scale, right_to_left=right_to_left).copy()
        _letter(image, card, scale, language)
    top = int(height * _MIDDLE_SHARE) - tall // 2
    return PlacedCard(picture.layer(image), left, top, right_to_left)


def lay(*, frame: Picture, card: PlacedCard, seconds: float, slot_seconds: float) -> None:
    """Lay the card over a frame: it opens, rests, and is gone when the slot ends."""
    opened = _smooth((seconds - _ENTER_AT_SECONDS) / _ENTER_SECONDS)
    closed = 1 - share_left(seconds=seconds, slot_seconds=slot_seconds)
    first, last = (_column(card, share) for share in (closed, opened))
    if card.right_to_left:
        width = card.layer.size[0]
        first, last = width - last, width - first
    picture.blend(
        picture=frame, over=card.layer, left=card.left, top=card.top, columns=(first, last)
    )


def _column(card: PlacedCard, share: float) -> int:
    """Return up to which column a share of the card reaches; a block of the frame ends there."""
    width = card.layer.size[0]
    if share >= 1:
        return width
    if card.right_to_left:
        right = card.left + width
        edge = (right - int(width * share)) // _BLOCK_PX * _BLOCK_PX
        return min(width, max(0, right - edge)) if share > 0 else 0
    edge = (card.left + int(width * share)) // _BLOCK_PX * _BLOCK_PX
    return max(0, edge - card.left)


def share_left(*, seconds: float, slot_seconds: float) -> float:
    """Say how much of what was laid over is still seen, 1 to 0, near the slot's end."""
    return _smooth((slot_seconds - GONE_SECONDS - seconds) / _LEAVE_SECONDS)


# The same for everybody whose name is read from this side; a blur costs more than the lettering.
@lru_cache(maxsize=8)
def _panel(width: int, height: int, scale: float, *, right_to_left: bool) -> Image.Image:
    """Draw a dark glass with a bright edge on the side where reading starts."""
    radius, inset, stripe_px = int(26 * scale), int(14 * scale), max(2, int(8 * scale))
    image = Image.new("RGBA", (width, height), (*_GROUND[:3], 0))
    outline = (inset, inset, width - inset, height - inset)
    ImageDraw.Draw(image).rounded_rectangle(outline, radius, _GROUND)
    image = image.filter(ImageFilter.GaussianBlur(1.2))
    place = width - inset * 2 - stripe_px if right_to_left else inset * 2
    stripe = Image.linear_gradient("L").resize((stripe_px, height - inset * 6))
    edge = Image.composite(
        Image.new("RGBA", stripe.size, (*_ACCENTS[1], 255)),
        Image.new("RGBA", stripe.size, (*_ACCENTS[0], 255)),
        stripe,
    )
    image.alpha_composite(edge, (place, inset * 3))
    return image


def _letter(image: Image.Image, card: NameCard, scale: float, language: str) -> None:
    """Set the name and the line on the side where the name is read from."""
    right_to_left = bidi.is_right_to_left(card.name)
    align = "right" if right_to_left else "left"
    outer, inner = int(64 * scale), int(44 * scale)
    left, right = (inner, outer) if right_to_left else (outer, inner)
    rows = _rows(image.height, scale, has_line=bool(typesetting.clean(card.line)))
    name_style = typesetting.Style(
        int(92 * scale), smallest_px=int(34 * scale), colour=_INK, align=align
    )
    line_style = typesetting.Style(int(30 * scale), colour=_SOFT_INK, align=align, max_lines=1)
    for text, (top, bottom), style in zip(
        (card.name, card.line), rows, (name_style, line_style), strict=True
    ):
        box = (left, top, image.width - right, bottom)
        typesetting.draw_text(image=image, text=text, box=box, style=style, language=language)


def _rows(height: int, scale: float, *, has_line: bool) -> tuple[tuple[int, int], tuple[int, int]]:
    floor = height - int((92 if has_line else 30) * scale)
    return (int(28 * scale), floor), (floor, height - int(34 * scale))


def _smooth(share: float) -> float:
    inside = min(1.0, max(0.0, share))
    return inside * inside * (3 - 2 * inside)
