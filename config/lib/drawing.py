"""With which strokes is a chart drawn? Points, axes, pens, hatches and figures for `charts`.

Every word goes through `format_html`; nothing here takes mark-up.
"""

import hashlib
import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

WIDTH = 380
# An average letter at the drawing's 13 units; the server cannot measure the reader's font.
LETTER = 7.0
DASHES = ("none", "7 4", "2 4", "9 3 2 3", "4 2", "1 3")
HATCHES = ("", "M0 6 6 0", "M0 3H6", "M3 0V6", "M0 0 6 6", "M0 6 6 0M0 0 6 6")


class Point(NamedTuple):
    x: float
    y: float


class Axis(NamedTuple):
    low: float
    high: float
    step: float

    def ticks(self) -> list[float]:
        count = round((self.high - self.low) / self.step)
        return [self.low + self.step * n for n in range(count + 1)]

    def share(self, value: float) -> float:
        return (value - self.low) / (self.high - self.low)


class Pen(NamedTuple):
    """Draws left to right, or mirrored: in a right-to-left drawing `start` is the right edge."""

    rtl: bool
    width: float = WIDTH

    def x(self, x: float, width: float = 0) -> float:
        return round(self.width - x - width if self.rtl else x, 1)

    def text(
        self, x: float, y: float, words: str, *, role: str = "text", anchor: str = "start"
    ) -> SafeString:
        return format_html(
            '<text class="chart-{}" x="{}" y="{}" text-anchor="{}">{}</text>',
            role, self.x(x), round(y, 1), anchor, words,
        )  # fmt: skip

    def bar(
        self, x: float, y: float, width: float, *, paint: str, height: float = 14
    ) -> SafeString:
        return format_html(
            '<rect {} x="{}" y="{}" width="{}" height="{}"/>',
            format_html('{}="{}"', "fill" if paint.startswith("url") else "class", paint),
            self.x(x, width), round(y, 1), round(width, 1), height,
        )  # fmt: skip

    def rule(self, start: Point, end: Point, *, role: str = "grid") -> SafeString:
        return format_html(
            '<line class="chart-{}" x1="{}" y1="{}" x2="{}" y2="{}"/>',
            role, self.x(start.x), round(start.y, 1), self.x(end.x), round(end.y, 1),
        )  # fmt: skip


def join(parts: Iterable[SafeString]) -> SafeString:
    return format_html_join("", "{}", ((part,) for part in parts))


def mark(*words: object) -> str:
    # Ids must not clash on a page with many drawings, and must be the same on every load.
    return "c" + hashlib.sha256(repr(words).encode()).hexdigest()[:10]


def frame(
    parts: Iterable[SafeString],
    *,
    title: str,
    description: str,
    height: float,
    rtl: bool,
    width: float = WIDTH,
    kind: str = "",
) -> SafeString:
    drawn = join(parts)
    own = mark(title, description, drawn)
    return format_html(
        '<svg class="chart{}" viewBox="0 0 {} {}" role="img" direction="{}"'
        ' aria-labelledby="{}-t" aria-describedby="{}-d">'
        '<title id="{}-t">{}</title><desc id="{}-d">{}</desc>{}</svg>',
        f" chart-{kind}" if kind else "", width, round(height), "rtl" if rtl else "ltr",
        own, own, own, title, own, description, drawn,
    )  # fmt: skip


def known(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def count(value: float | None) -> float:
    # What is counted cannot be under nothing: it is drawn as nothing, and its figure still shown.
    return max(known(value) or 0, 0)


def figure(value: float | None) -> str:
    if (sure := known(value)) is None:
        return "–"
    return f"{sure:,.0f}" if sure == int(sure) else f"{sure:,.1f}"


def short(value: float) -> str:
    for size, unit in ((1e9, "bn"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{unit}"
    return f"{value:.3g}"


def cut(words: str, room: float) -> str:
    letters = max(int(room / LETTER), 2)
    return words if len(words) <= letters else words[: letters - 1].rstrip() + "…"


def axis(values: Sequence[float]) -> Axis:
    low, high = min([0, *values]), max([0, *values])
    if low == high:
        high = 1
    rough = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * size for size in (1, 2, 5, 10) if power * size >= rough * 0.999)
    return Axis(math.floor(low / step) * step, math.ceil(high / step) * step, step)


def legend_places(names: Iterable[str]) -> Iterator[tuple[int, str, float, int]]:
    x, row = 0.0, 0
    for n, name in enumerate(names):
        words = cut(name, WIDTH / 2)
        width = len(words) * LETTER + 40
        if x and x + width > WIDTH:
            x, row = 0.0, row + 1
        yield n, words, x, row
        x += width


def hatches(mark: str, count: int) -> SafeString:
    tiles = ((f"{mark}-{n}", HATCHES[n % 6]) for n in range(count) if HATCHES[n % 6])
    return format_html(
        "<defs>{}</defs>",
        format_html_join(
            "",
            '<pattern id="{}" width="6" height="6" patternUnits="userSpaceOnUse">'
            '<path class="hatch" d="{}"/></pattern>',
            tiles,
        ),
    )


def stroke(pen: Pen, points: Sequence[Point], n: int) -> SafeString:
    if len(points) == 1:
        return format_html(
            '<circle class="fill-{}" cx="{}" cy="{}" r="3.5"/>',
            n % 6, pen.x(points[0].x), round(points[0].y, 1),
        )  # fmt: skip
    path = " ".join(f"{pen.x(point.x)},{round(point.y, 1)}" for point in points)
    return format_html(
        '<polyline class="chart-line stroke-{}" stroke-dasharray="{}" points="{}"/>',
        n % 6, DASHES[n % 6], path,
    )  # fmt: skip


def runs(points: Iterable[Point | None]) -> Iterator[list[Point]]:
    """Split at the gaps, so that a line never bridges days for which nothing is known."""
    for missing, run in groupby(points, key=lambda point: point is None):
        if not missing:
            yield [point for point in run if point is not None]


class Segments(NamedTuple):
    pen: Pen
    mark: str

    def paint(self, x: float, y: float, width: float, n: int) -> Iterator[SafeString]:
        if width <= 0:
            return
        yield self.pen.bar(x, y, width, paint=f"fill-{n % 6}")
        if HATCHES[n % 6]:
            yield self.pen.bar(x, y, width, paint=f"url(#{self.mark}-{n})")

    def row(self, y: float, widths: Sequence[float]) -> Iterator[SafeString]:
        x = 0.0
        for n, width in enumerate(widths):
            yield from self.paint(x, y, width, n)
            x += width

    def legend(self, names: Sequence[str]) -> tuple[list[SafeString], float]:
        parts: list[SafeString] = []
        rows = 0
        for n, words, x, row in legend_places(names):
            parts += self.paint(x, 3 + row * 18, 14, n)
            parts.append(self.pen.text(x + 20, 14 + row * 18, words))
            rows = row + 1
        return parts, rows * 18 + 8
