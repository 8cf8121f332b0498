"""How is a drawn layer laid over a moving picture at little cost?

Frames are planar YUV 4:2:0 as the codec keeps them: one array of height x 1.5 rows. A
layer is converted once and blended only where it stands, on even coordinates.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from config.lib import typesetting

Picture = NDArray[np.uint8]
Plane = NDArray[np.uint8]
Weights = NDArray[np.float32]

# BT.709, limited range: what phones and browsers assume for HD.
_LUMA = (0.2126, 0.7152, 0.0722)
_LABELS = {
    "ar": "أُنشئ بالذكاء الاصطناعي",
    "de": "Mit KI erstellt",
    "en": "Made with AI",
    "es": "Hecho con IA",
    "fr": "Créé avec l’IA",
    "hi": "एआई से बनाया गया",
    "it": "Creato con l’IA",
    "ja": "AIで作成",
    "ko": "AI로 제작",
    "nl": "Gemaakt met AI",
    "pl": "Stworzone przez AI",
    "pt": "Feito com IA",
    "tr": "Yapay zekâ ile yapıldı",
    "zh": "由 AI 生成",
}
_LABEL_HEIGHT_SHARE = 0.062
# A difference that nobody sees.
_UNSEEN_STEPS = 2
_BAR_YUV = (150, 152, 112)
_BARS = 44
_LABEL_INK, _LABEL_GROUND = (255, 255, 255), (12, 14, 34)


@dataclass(frozen=True)
class Layer:
    """A drawn layer in YUV with its weights, full size and half size."""

    luma: Weights
    blue: Weights
    red: Weights
    weights: Weights
    half_weights: Weights

    @property
    def size(self) -> tuple[int, int]:
        return self.luma.shape[1], self.luma.shape[0]

    @cached_property
    def laid(self) -> tuple[tuple[Weights, Weights], ...]:
        """For each plane, what it adds, and how much of what lies below it lets through.

        Multiplied once, not for each frame; half a step is in it, so that a cut is a rounding.
        """
        planes = (self.luma, self.weights), (self.blue, self.half_weights)
        each = (*planes, (self.red, self.half_weights))
        return tuple((plane * weights + np.float32(0.5), 1 - weights) for plane, weights in each)

    def thinned(self, opacity: float) -> "Layer":
        """Return this layer with less weight, for a thing that fades."""
        share = np.float32(opacity)
        thin = (self.weights * share, self.half_weights * share)
        return Layer(self.luma, self.blue, self.red, *thin)


def planes(picture: Picture) -> tuple[Plane, Plane, Plane]:
    """View the three planes of a frame without copying."""
    rows, width = picture.shape
    height = rows * 2 // 3
    quarter = height // 4
    luma = picture[:height]
    blue = picture[height : height + quarter].reshape(height // 2, width // 2)
    red = picture[height + quarter :].reshape(height // 2, width // 2)
    return luma, blue, red


def layer(image: Image.Image) -> Layer:
    """Convert an RGBA drawing; its size is cut to even numbers."""
    width, height = image.width & ~1, image.height & ~1
    drawn = np.asarray(image.convert("RGBA").crop((0, 0, width, height)), np.float32)
    weights = (drawn[..., 3] / 255).astype(np.float32)
    luma, blue, red = yuv(drawn[..., :3])
    half_weights = _halved(weights)
    # Colour counts by its weight, else transparent pixels would tint the edges.
    total = np.maximum(half_weights, 1e-6)
    blue = (_halved(blue * weights) / total).astype(np.float32)
    red = (_halved(red * weights) / total).astype(np.float32)
    return Layer(luma, blue, red, weights, half_weights)


def yuv(colours: NDArray[np.float32]) -> tuple[Weights, Weights, Weights]:
    """Convert RGB (0-255, last axis) to limited-range YUV."""
    red, green, blue = colours[..., 0], colours[..., 1], colours[..., 2]
    luma = _LUMA[0] * red + _LUMA[1] * green + _LUMA[2] * blue
    cb, cr = (blue - luma) / 1.8556, (red - luma) / 1.5748
    scaled = (16 + luma * 219 / 255, 128 + cb * 224 / 255, 128 + cr * 224 / 255)
    return scaled[0].astype(np.float32), scaled[1].astype(np.float32), scaled[2].astype(np.float32)


def from_image(image: Image.Image) -> Picture:
    """Convert a whole RGB image to a frame."""
    whole = layer(image.convert("RGBA"))
    width, height = whole.size
    parts = (whole.luma, whole.blue, whole.red)
    rows = [np.rint(part).astype(np.uint8).reshape(-1, width) for part in parts]
    return np.concatenate(rows).reshape(height * 3 // 2, width)


def to_image(picture: Picture) -> Image.Image:
    """Convert a frame to an RGB image."""
    luma, blue, red = planes(picture)
    full = [np.repeat(np.repeat(half, 2, 0), 2, 1).astype(np.float32) for half in (blue, red)]
    y = (luma.astype(np.float32) - 16) * 255 / 219
    cb, cr = (full[0] - 128) * 255 / 224, (full[1] - 128) * 255 / 224
    r, b = y + 1.5748 * cr, y + 1.8556 * cb
    g = (y - _LUMA[0] * r - _LUMA[2] * b) / _LUMA[1]
    return Image.fromarray(np.clip(np.stack([r, g, b], -1), 0, 255).astype(np.uint8))


def blend(
    *, picture: Picture, over: Layer, left: int, top: int, columns: tuple[int, int] | None = None
) -> None:
    """Lay a layer, or some columns of it, over a frame in place; what stands outside is cut off."""
    first, last = (edge & ~1 for edge in columns or (0, over.size[0]))
    rows, width = picture.shape
    height = rows * 2 // 3
    x, y = left & ~1, top & ~1
    x0, y0 = max(0, x + first), max(0, y)
    x1, y1 = min(width, x + last), min(height, y + over.size[1])
    if x0 >= x1 or y0 >= y1:
        return
    for plane, (added, through), scale in zip(planes(picture), over.laid, (1, 2, 2), strict=True):
        here = _window(x0, y0, x1, y1, scale)
        there = _window(x0 - x, y0 - y, x1 - x, y1 - y, scale)
        mixed = plane[here] * through[there]
        mixed += added[there]
        np.copyto(plane[here], mixed, casting="unsafe")


def stilled(pictures: Iterable[Picture]) -> Iterator[Picture]:
    """Keep what hardly changes from one frame to the next exactly as it is.

    A coder's own flicker, as at each key frame, is no movement, and would be coded again. A square
    stays until it differs by more than two steps of 255 from how it was last shown, in any of the
    three planes; nobody sees two steps, and they do not add up.
    """
    shown: Picture | None = None
    for found in pictures:
        if shown is None or shown.shape != found.shape:
            shown = found.copy()
        else:
            shown = shown.copy()
            _renew(shown, found)
        yield shown


def _renew(shown: Picture, found: Picture) -> None:
    """Copy the squares of `found` that differ enough; the strip that fills none is copied whole."""
    pairs = list(zip(planes(shown), planes(found), (8, 4, 4), strict=True))
    down, across = pairs[1][0].shape[0] // 4, pairs[1][0].shape[1] // 4
    moved = np.zeros((down, across), bool)
    for old, new, side in pairs:
        rows, columns = down * side, across * side
        apart = np.maximum(old, new) - np.minimum(old, new)
        squares = apart[:rows, :columns].reshape(down, side, across, side)
        moved |= squares.max(axis=1).max(axis=2) > _UNSEEN_STEPS
        old[rows:], old[:, columns:] = new[rows:], new[:, columns:]
    for old, new, side in pairs:
        rows, columns = down * side, across * side
        where = moved.repeat(side, 0).repeat(side, 1)
        np.copyto(old[:rows, :columns], new[:rows, :columns], where=where)


def lay_voice(*, picture: Picture, loudness: Sequence[float], index: int) -> None:
    """Show the voice as a row of bars: the loudness (0 to 1 for each frame) of the last
    moments, the newest in the middle."""
    luma, blue, red = planes(picture)
    height, width = luma.shape
    scale = min(height / 720, width / 1280)
    pitch, wide = max(4, int(14 * scale) & ~1), max(2, int(6 * scale) & ~1)
    left, middle = int(560 * scale) & ~1, int(610 * scale) & ~1
    for number in range(_BARS):
        age = abs(number - _BARS // 2) * 2
        level = float(loudness[index - age]) * (1 - age / (_BARS * 1.3)) if index >= age else 0.0
        reach = (2 + int(34 * scale * level)) & ~1
        x, y0, y1 = left + number * pitch, middle - reach, middle + reach
        luma[y0:y1, x : x + wide] = _BAR_YUV[0]
        blue[y0 // 2 : y1 // 2, x // 2 : (x + wide) // 2] = _BAR_YUV[1]
        red[y0 // 2 : y1 // 2, x // 2 : (x + wide) // 2] = _BAR_YUV[2]


def ai_label_text(*, language: str) -> str:
    """Say "Made with AI" in the language; in English where we have no words."""
    return _LABELS.get(language.replace("_", "-").lower().split("-")[0], _LABELS["en"])


def ai_label(*, language: str, frame_height: int) -> Layer:
    """Draw the label that tells each viewer that this is made with AI."""
    text = ai_label_text(language=language)
    tall = int(frame_height * _LABEL_HEIGHT_SHARE) & ~1
    size_px = int(tall * 0.5)
    text_width = int(typesetting.width_px(text=text, size_px=size_px, language=language))
    image = Image.new("RGBA", (text_width + int(tall * 1.5), tall), (0, 0, 0, 0))
    image.alpha_composite(pill(image.size, (*_LABEL_GROUND, 255)))
    dot = int(tall * 0.3)
    image.alpha_composite(pill((dot, dot), (122, 228, 255, 255)), (tall // 2 - dot // 2,) * 2)
    typesetting.draw_text(
        image=image,
        text=text,
        box=(int(tall * 0.95), 0, image.width, tall),
        style=typesetting.Style(size_px, colour=_LABEL_INK, align="left", max_lines=1),
        language=language,
    )
    return layer(image)


def lay_ai_label(*, picture: Picture, label: Layer) -> None:
    """Put the label where it stands in each frame: the lower left corner."""
    height = picture.shape[0] * 2 // 3
    margin = int(height * 0.04)
    blend(picture=picture, over=label, left=margin, top=height - margin - label.size[1])


def pill(size: tuple[int, int], colour: tuple[int, int, int, int]) -> Image.Image:
    """Draw a box with round ends and smooth edges."""
    width, height = size[0] * 4, size[1] * 4
    large = Image.new("RGBA", (width, height), (*colour[:3], 0))
    ImageDraw.Draw(large).rounded_rectangle(
        (0, 0, width - 1, height - 1), min(width, height) // 2, colour
    )
    return large.resize(size, Image.Resampling.LANCZOS)


def _window(x0: int, y0: int, x1: int, y1: int, scale: int) -> tuple[slice, slice]:
    return slice(y0 // scale, y1 // scale), slice(x0 // scale, x1 // scale)


def _halved(plane: Weights) -> Weights:
    height, width = plane.shape
    squares = plane.reshape(height // 2, 2, width // 2, 2)
    quarter = np.float32(0.25)
    return np.asarray(squares.sum(axis=(1, 3), dtype=np.float32) * quarter, np.float32)
