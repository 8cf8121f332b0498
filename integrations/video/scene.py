"""What does the local provider's film look like at a given moment?

An abstract presenter: a glowing face whose lips follow the loudness, slow light behind
it, and the words being spoken in large type. Everything costly is drawn once; a frame is
a crop and a few blends.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from config.lib import picture, typesetting
from config.lib.picture import Layer, Picture

_DESIGN_HEIGHT = 720
_DRIFT_PX = 96
_DRIFT_SECONDS = 23.0
_OPENINGS = 14
_WAVES = 4
_BLINK_EVERY_SECONDS = 4.3
_BLINK_SECONDS = 0.22
_FADE_SECONDS = 0.25
_RISE_PX = 18
_UNSPOKEN_SHARE = 0.42

_DEEP, _VIOLET, _TEAL, _ROSE = (16, 18, 52), (92, 58, 190), (24, 132, 168), (196, 78, 140)
_INK = (255, 255, 255)


@dataclass(frozen=True)
class Phrase:
    """Words that stand on the screen together, in seconds of the film."""

    text: str
    start_seconds: float
    end_seconds: float


@dataclass(frozen=True)
class _Set:
    """All that is drawn once for a film."""

    backdrop: tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]
    halo: Layer
    face: Layer
    eyes: tuple[Layer, ...]
    mouths: tuple[tuple[Layer, ...], ...]
    bokeh: tuple[Layer, ...]
    label: Layer


class Scene:
    """Draws one film, frame after frame."""

    def __init__(
        self,
        *,
        width: int,
        height: int,
        language: str,
        phrases: Sequence[Phrase],
        loudness: Sequence[float],
        frames_per_second: int,
    ) -> None:
        self._width, self._height, self._language = width, height, language
        self._scale = min(height / _DESIGN_HEIGHT, width / 1280)
        self._phrases, self._loudness = phrases, loudness
        self._frames_per_second = frames_per_second
        self._set = _build(width, height, self._scale, language)
        self._typeset: tuple[Phrase, _Lettering] | None = None

    def frame(self, index: int) -> Picture:
        """Draw one frame as planar YUV."""
        seconds = index / self._frames_per_second
        loud = self._loudness[min(index, len(self._loudness) - 1)]
        result = self._background(seconds)
        self._draw_bokeh(result, seconds)
        self._draw_presenter(result, seconds, loud)
        picture.lay_voice(picture=result, loudness=self._loudness, index=index)
        self._draw_words(result, seconds)
        picture.lay_ai_label(picture=result, label=self._set.label)
        return result

    def _px(self, design_px: float) -> int:
        return int(design_px * self._scale)

    def _background(self, seconds: float) -> Picture:
        """Crop the large backdrop along a slow ellipse."""
        turn = 2 * math.pi * seconds / _DRIFT_SECONDS
        x = int(_DRIFT_PX * (1 + math.sin(turn)) / 2) & ~1
        y = int(_DRIFT_PX * (1 + math.cos(turn * 0.7)) / 2) & ~1
        result = np.empty((self._height * 3 // 2, self._width), np.uint8)
        for plane, source, part in zip(
            picture.planes(result), self._set.backdrop, (1, 2, 2), strict=True
        ):
            rows, columns = plane.shape
            plane[:] = source[y // part : y // part + rows, x // part : x // part + columns]
        return result

    def _draw_bokeh(self, result: Picture, seconds: float) -> None:
        for number, disc in enumerate(self._set.bokeh):
            span = self._height + disc.size[1] * 2
            pace = 14 + 5 * (number % 4)
            up = (number * 211 + seconds * pace * self._scale) % span
            across = self._width * ((number * 0.37 + 0.06) % 1.0)
            sway = 22 * math.sin(seconds * 0.5 + number)
            left, top = int(across + sway), int(self._height + disc.size[1] - up)
            picture.blend(picture=result, over=disc, left=left, top=top)

    def _draw_presenter(self, result: Picture, seconds: float, loud: float) -> None:
        middle_x = self._px(310)
        middle_y = self._px(330) + int(6 * self._scale * math.sin(seconds * 1.3))
        stage = self._set
        _centre(result, stage.halo, middle_x, middle_y, 0.45 + 0.55 * loud)
        _centre(result, stage.face, middle_x, middle_y, 1.0)
        lids = _lid(seconds, len(stage.eyes))
        _centre(result, stage.eyes[lids], middle_x, middle_y - self._px(38), 1.0)
        wave = int(seconds * 11) % _WAVES
        opening = min(_OPENINGS - 1, int(loud * _OPENINGS))
        mouth = stage.mouths[opening][wave]
        _centre(result, mouth, middle_x, middle_y + self._px(52), 1.0)

    def _draw_words(self, result: Picture, seconds: float) -> None:
        for phrase in self._phrases:
            if phrase.start_seconds <= seconds < phrase.end_seconds:
                if self._typeset is None or self._typeset[0] is not phrase:
                    self._typeset = (phrase, self._letter(phrase))
                _write(result, self._typeset[1], phrase, seconds, self._px(_RISE_PX))

    def _letter(self, phrase: Phrase) -> "_Lettering":
        box = (self._px(560), self._px(150), self._width - self._px(60), self._px(540))
        return _lettering(phrase.text, box, self._px(68), self._language)


@dataclass(frozen=True)
class _Lettering:
    """A phrase as weights for its place on the frame, and where each line runs."""

    left: int
    top: int
    weights: NDArray[np.float32]
    lines: tuple[typesetting.Line, ...]


def _lettering(text: str, box: typesetting.Box, size_px: int, language: str) -> _Lettering:
    left, top = box[0] & ~1, box[1] & ~1
    mask = Image.new("L", ((box[2] - left) & ~1, (box[3] - top) & ~1), 0)
    drawn = typesetting.draw_text(
        image=mask,
        text=text,
        box=(0, 0, mask.width, mask.height),
        style=typesetting.Style(size_px, max_lines=5),
        language=language,
    )
    return _Lettering(left, top, np.asarray(mask, np.float32) / np.float32(255), drawn.lines)


def _write(
    result: Picture, lettering: _Lettering, phrase: Phrase, seconds: float, rise_px: int
) -> None:
    """Fade the phrase in while it rises, and light it up as it is spoken."""
    age, rest = seconds - phrase.start_seconds, phrase.end_seconds - seconds
    shown = _smooth(age / _FADE_SECONDS) * _smooth(rest / _FADE_SECONDS)
    spoken_seconds = max(0.3, phrase.end_seconds - phrase.start_seconds - 0.35)
    total_px = sum(line.width_px for line in lettering.lines) or 1.0
    lit_px = total_px * age / spoken_seconds
    shift = lettering.top + (int(rise_px * (1 - _smooth(age / 0.4))) & ~1)
    for line in lettering.lines:
        _write_line(result, lettering, line, shift, _lights(line, lit_px) * shown)
        lit_px -= line.width_px


def _lights(line: typesetting.Line, lit_px: float) -> float | NDArray[np.float32]:
    """How bright each column of the line is, the soft edge moving in reading direction."""
    first, last = int(line.left_px), int(line.left_px + line.width_px)
    along = np.arange(max(0, first - 8) & ~1, last + 16, dtype=np.float32) - first
    if line.right_to_left:
        along = line.width_px - along
    edge = np.clip((lit_px - along) / 60 + 0.5, 0, 1)
    return (_UNSPOKEN_SHARE + (1 - _UNSPOKEN_SHARE) * edge).astype(np.float32)


def _write_line(
    result: Picture,
    lettering: _Lettering,
    line: typesetting.Line,
    shift: int,
    lights: float | NDArray[np.float32],
) -> None:
    rows, columns = lettering.weights.shape
    top = max(0, int(line.top_px - line.height_px * 0.1)) & ~1
    bottom = min(rows, int(line.top_px + line.height_px * 1.15)) & ~1
    left = max(0, int(line.left_px) - 8) & ~1
    right = min(columns, left + np.size(lights)) & ~1
    weights = lettering.weights[top:bottom, left:right] * np.ravel(lights)[: right - left]
    luma, blue, red = picture.planes(result)
    y0, x0 = shift + top, lettering.left + left
    height = min(weights.shape[0], luma.shape[0] - y0) & ~1
    weights = weights[:height]
    _lighten(luma[y0 : y0 + height, x0 : x0 + right - left], weights, 235)
    half = weights[::2, ::2]
    y1, x1 = y0 // 2, x0 // 2
    for plane in (blue, red):
        _lighten(plane[y1 : y1 + half.shape[0], x1 : x1 + half.shape[1]], half, 128)


def _lighten(plane: NDArray[np.uint8], weights: NDArray[np.float32], value: int) -> None:
    np.copyto(plane, plane + (value - plane.astype(np.float32)) * weights + 0.5, casting="unsafe")


def _smooth(share: float) -> float:
    inside = min(1.0, max(0.0, share))
    return inside * inside * (3 - 2 * inside)


def _lid(seconds: float, count: int) -> int:
    into = seconds % _BLINK_EVERY_SECONDS
    if into > _BLINK_SECONDS:
        return 0
    return round((count - 1) * math.sin(math.pi * into / _BLINK_SECONDS))


def _centre(result: Picture, over: Layer, x: int, y: int, opacity: float) -> None:
    left, top = x - over.size[0] // 2, y - over.size[1] // 2
    picture.blend(picture=result, over=over.thinned(opacity), left=left, top=top)


def _build(width: int, height: int, scale: float, language: str) -> _Set:
    return _Set(
        backdrop=_backdrop(width + _DRIFT_PX, height + _DRIFT_PX),
        halo=picture.layer(_glow(int(560 * scale), (126, 108, 255), 0.75)),
        face=picture.layer(_face(int(330 * scale))),
        eyes=tuple(picture.layer(_eyes(scale, lid / 3)) for lid in range(4)),
        mouths=tuple(
            tuple(
                picture.layer(_mouth(scale, opening / (_OPENINGS - 1), wave / _WAVES))
                for wave in range(_WAVES)
            )
            for opening in range(_OPENINGS)
        ),
        bokeh=tuple(
            picture.layer(_glow(int((90 + 46 * (n % 4)) * scale), hue, 0.35)).thinned(0.5)
            for n, hue in enumerate([_ROSE, _TEAL] * 4)
            if n < 7
        ),
        label=picture.ai_label(language=language, frame_height=height),
    )


def _backdrop(
    width: int, height: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
    """Mix soft lights on a deep ground, larger than the frame so that it can drift."""
    across, down = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    colours = np.ones((height, width, 3)) * np.array(_DEEP) * (1.15 - 0.5 * down[..., None])
    lights = ((_VIOLET, 0.20, 0.30, 0.34), (_TEAL, 0.95, 0.95, 0.36), (_ROSE, 0.86, 0.02, 0.24))
    for colour, x, y, reach in lights:
        distance = ((across - x) ** 2 + ((down - y) * 0.62) ** 2) / reach**2
        strength = 0.62 * np.exp(-distance * 1.6)[..., None]
        colours = colours * (1 - strength) + np.array(colour) * strength
    frame = picture.from_image(Image.fromarray(np.clip(colours, 0, 255).astype(np.uint8)))
    return picture.planes(frame)


def _glow(size: int, colour: tuple[int, int, int], strength: float) -> Image.Image:
    offsets = np.linspace(-1, 1, size)
    distance = np.sqrt(offsets[None, :] ** 2 + offsets[:, None] ** 2)
    alpha = np.clip(1 - distance, 0, 1) ** 2 * strength * 255
    pixels = np.empty((size, size, 4), np.uint8)
    pixels[..., :3], pixels[..., 3] = colour, alpha.astype(np.uint8)
    return Image.fromarray(pixels)


def _face(size: int) -> Image.Image:
    """Draw a ball lit from the upper left, with a bright rim."""
    offsets = np.linspace(-1, 1, size)
    x, y = offsets[None, :], offsets[:, None]
    distance = np.sqrt(x**2 + y**2) / 0.97
    light = np.clip(1.12 - 0.62 * np.sqrt((x + 0.35) ** 2 + (y + 0.45) ** 2), 0.46, 1)[..., None]
    blended = (1 - (y[..., None] + 1) / 2) * np.array((150, 126, 255)) + (
        (y[..., None] + 1) / 2
    ) * np.array((44, 150, 214))
    rim = np.clip(1 - np.abs(distance - 0.97) * 34, 0, 1)[..., None] * 0.55
    colours = blended * light * (1 - rim) + np.array((220, 226, 255)) * rim
    alpha = np.clip((1 - distance) * size / 2, 0, 1) * 255
    pixels = np.dstack([np.clip(colours, 0, 255), alpha]).astype(np.uint8)
    return Image.fromarray(pixels)


def _eyes(scale: float, closed: float) -> Image.Image:
    image = Image.new("RGBA", (int(150 * scale), int(64 * scale)), (*_INK, 0))
    wide, tall = int(26 * scale), max(4, int(48 * scale * (1 - 0.88 * closed)))
    eye = picture.pill((wide, tall), (*_INK, 255))
    top = (image.height - tall) // 2
    image.alpha_composite(eye, (int(14 * scale), top))
    image.alpha_composite(eye, (image.width - int(14 * scale) - wide, top))
    return image


def _mouth(scale: float, opening: float, wave: float) -> Image.Image:
    """Draw lips as the outline of a sound wave: flat at rest, full when loud."""
    wide, tall, fine = int(170 * scale), int(96 * scale), 3
    image = Image.new("RGBA", (wide * fine, tall * fine), (*_INK, 0))
    x = np.linspace(-1, 1, 90)
    hull = np.cos(x * math.pi / 2) ** 0.8
    ripple = 1 + 0.14 * opening * np.sin(x * 6 + wave * 2 * math.pi)
    upper = hull * (4 + 30 * opening * ripple) * scale
    lower = hull * (4 + 36 * opening * ripple[::-1]) * scale
    smile = 9 * scale * (1 - x**2) - 4 * scale
    middle = tall / 2
    along = (x * 0.94 + 1) / 2 * wide * fine
    over = [(a, (middle + s - u) * fine) for a, s, u in zip(along, smile, upper, strict=True)]
    under = [(a, (middle + s + d) * fine) for a, s, d in zip(along, smile, lower, strict=True)]
    ImageDraw.Draw(image).polygon([*over, *reversed(under)], fill=(*_INK, 255))
    if opening > 0.25:
        narrow = along * 0.86 + wide * fine * 0.07
        over = [
            (a, (middle + s - u * 0.55) * fine)
            for a, s, u in zip(narrow, smile, upper, strict=True)
        ]
        under = [
            (a, (middle + s + d * 0.62) * fine)
            for a, s, d in zip(narrow, smile, lower, strict=True)
        ]
        ImageDraw.Draw(image).polygon([*over, *reversed(under)], fill=(58, 40, 130, 255))
    return image.resize((wide, tall), Image.Resampling.LANCZOS)
