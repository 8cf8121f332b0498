"""Which font can draw this sign? The fonts at hand, in order of preference."""

import functools
import importlib.util
from dataclasses import dataclass
from pathlib import Path

from fontTools.ttLib import TTFont
from PIL import ImageFont

# The only size at which the bitmaps of the colour emoji font exist.
EMOJI_STRIKE_PX = 109

_OWN_FOLDER = Path(__file__).parent / "fonts"
_SCRIPTS = (
    "",
    "Arabic",
    "Hebrew",
    "Devanagari",
    "Bengali",
    "Tamil",
    "Telugu",
    "Thai",
    "Gujarati",
    "Gurmukhi",
    "Kannada",
    "Malayalam",
    "Oriya",
    "Sinhala",
    "Khmer",
    "Lao",
    "Myanmar",
    "Armenian",
    "Georgian",
    "Ethiopic",
    "Thaana",
)
# Joiners and variation selectors choose a form; they need no glyph of their own.
_INVISIBLE = frozenset([0x200C, 0x200D, *range(0xFE00, 0xFE10), *range(0xE0020, 0xE0080)])
_EMOJI_SELECTOR, _KEYCAP = 0xFE0F, 0x20E3


@dataclass(frozen=True)
class Face:
    """One font file. A face of one weight only is made bold by its outline."""

    path: Path
    is_emoji: bool = False
    outline_share: float = 0.0

    def font(self, size_px: int) -> ImageFont.FreeTypeFont:
        """Load the font at a size; the emoji font exists at one size only."""
        return _font(self.path, EMOJI_STRIKE_PX if self.is_emoji else size_px)

    def covers(self, cluster: str) -> bool:
        """Tell whether each visible sign of the cluster has a glyph."""
        return all(ord(sign) in _INVISIBLE or ord(sign) in _coverage(self.path) for sign in cluster)


@functools.cache
def faces() -> tuple[Face, ...]:
    """List the fonts, best first; those of a package that is missing are left out."""
    matplotlib = _package_folder("matplotlib") / "mpl-data" / "fonts" / "ttf"
    listed = [
        *(Face(_OWN_FOLDER / f"NotoSans{script}-Bold.ttf") for script in _SCRIPTS),
        emoji_face(),
        Face(
            _package_folder("mplfonts") / "fonts" / "NotoSansCJKsc-Regular.otf", outline_share=0.022
        ),
        Face(_OWN_FOLDER / "NotoSansSymbols2-Regular.ttf"),
        Face(matplotlib / "DejaVuSans-Bold.ttf"),
        Face(matplotlib / "DejaVuSans.ttf"),
        Face(matplotlib / "STIXGeneral.ttf"),
    ]
    return tuple(face for face in listed if face.path.is_file())


def face_for(*, cluster: str, current: Face | None) -> Face | None:
    """Choose the font for one cluster; None where no font at hand can draw it.

    Spaces and punctuation stay with the font before them, so that a word and its
    comma are shaped together.
    """
    asks_for_emoji = bool({_EMOJI_SELECTOR, _KEYCAP} & {ord(sign) for sign in cluster})
    if asks_for_emoji and emoji_face().covers(cluster):
        return emoji_face()
    is_common = not any(sign.isalpha() for sign in cluster)
    if is_common and current and not current.is_emoji and current.covers(cluster):
        return current
    for face in faces():
        if face.covers(cluster):
            return face
    return None


@functools.cache
def emoji_face() -> Face:
    return Face(_OWN_FOLDER / "NotoColorEmoji.ttf", is_emoji=True)


def _package_folder(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else Path("missing-package")


@functools.cache
def _coverage(path: Path) -> frozenset[int]:
    with TTFont(path, lazy=True) as font:
        return frozenset(font.getBestCmap())


@functools.lru_cache(maxsize=256)
def _font(path: Path, size_px: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(path), size_px, layout_engine=ImageFont.Layout.RAQM)
