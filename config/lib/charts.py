"""How do a few figures become a picture that needs no script, prints, and can be read out?

Each drawing takes numbers and labels, escapes every label, and carries a title and a description.
Colours come by class from site.css; series also differ by dash or hatch, never by colour alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from django.utils.safestring import SafeString

from config.lib import drawing

Series = Mapping[str, Sequence[float | None]]

WIDTH = drawing.WIDTH
ROW_HEIGHT = 44
NO_DATA = "No data yet"


class Table(NamedTuple):
    """The same figures in words, for `components/chart.html`."""

    headers: list[str]
    rows: list[list[str]]


def _check(labels: Sequence[str], series: Series) -> None:
    for name, values in series.items():
        if len(values) != len(labels):
            raise ValueError(f"{name} has {len(values)} values for {len(labels)} labels")


def _empty(*, title: str, description: str, rtl: bool) -> SafeString:
    words = drawing.Pen(rtl=rtl).text(WIDTH / 2, 44, NO_DATA, anchor="middle")
    return drawing.frame([words], title=title, description=description, height=80, rtl=rtl)


def as_table(*, corner: str, labels: Sequence[str], series: Series) -> Table:
    """Write the figures of a drawing as a table, for `<details>` beside it.

    :raises ValueError: a series has more or fewer values than there are labels
    """
    _check(labels, series)
    rows = [
        [label, *(drawing.figure(values[n]) for values in series.values())]
        for n, label in enumerate(labels)
    ]
    return Table([corner, *series], rows)


def _line_legend(pen: drawing.Pen, names: Sequence[str]) -> tuple[list[SafeString], float]:
    parts, rows = [], 0
    for n, words, x, row in drawing.legend_places(names):
        y = 10 + row * 18
        parts.append(drawing.stroke(pen, [drawing.Point(x, y), drawing.Point(x + 20, y)], n))
        parts.append(pen.text(x + 26, y + 4, words))
        rows = row + 1
    return parts, rows * 18 + 8


class _Plot(NamedTuple):
    axis: drawing.Axis
    top: float
    places: int

    left: float = 46
    right: float = WIDTH - 14
    height: float = 150

    def x(self, n: int) -> float:
        span = self.right - self.left
        return self.left + (span / 2 if self.places == 1 else span * n / (self.places - 1))

    def y(self, value: float) -> float:
        return self.top + self.height * (1 - self.axis.share(value))

    def points(self, values: Sequence[float | None]) -> Iterator[drawing.Point | None]:
        for n, value in enumerate(map(drawing.known, values)):
            yield None if value is None else drawing.Point(self.x(n), self.y(value))


def _grid(pen: drawing.Pen, plot: _Plot) -> Iterator[SafeString]:
    for tick in plot.axis.ticks():
        y = plot.y(tick)
        role = "axis" if abs(tick) < plot.axis.step / 1000 else "grid"
        yield pen.rule(drawing.Point(plot.left, y), drawing.Point(plot.right, y), role=role)
        yield pen.text(plot.left - 8, y + 4, drawing.short(tick), anchor="end")


def _under(pen: drawing.Pen, plot: _Plot, labels: Sequence[str]) -> Iterator[SafeString]:
    room = plot.right - plot.left
    widest = min(max(map(len, labels)) * drawing.LETTER + 16, room / 3)
    last = len(labels) - 1
    shown = min(len(labels), max(int(room / widest), 2))
    for n in sorted({round(last * k / max(shown - 1, 1)) for k in range(shown)}):
        anchor = "start" if n == 0 < last else "end" if n == last > 0 else "middle"
        words = drawing.cut(labels[n], widest)
        yield pen.text(plot.x(n), plot.top + plot.height + 18, words, anchor=anchor)


def line(
    *, title: str, description: str, labels: Sequence[str], series: Series, rtl: bool = False
) -> SafeString:
    """Draw one line a series over the labels; `None` is a gap.

    :raises ValueError: a series has more or fewer values than there are labels
    """
    _check(labels, series)
    known = [v for values in series.values() for v in map(drawing.known, values) if v is not None]
    if not known:
        return _empty(title=title, description=description, rtl=rtl)
    pen = drawing.Pen(rtl=rtl)
    legend, top = _line_legend(pen, list(series))
    plot = _Plot(drawing.axis(known), top, len(labels))
    parts = [*legend, *_grid(pen, plot), *_under(pen, plot, labels)]
    for n, values in enumerate(series.values()):
        parts += [drawing.stroke(pen, run, n) for run in drawing.runs(plot.points(values))]
    height = top + plot.height + 28
    return drawing.frame(parts, title=title, description=description, height=height, rtl=rtl)


def _row(pen: drawing.Pen, y: float, label: str, figures: str) -> Iterator[SafeString]:
    yield pen.text(0, y + 14, drawing.cut(label, WIDTH - 16 - len(figures) * drawing.LETTER))
    yield pen.text(WIDTH, y + 14, figures, role="value", anchor="end")
    yield pen.bar(0, y + 21, WIDTH, paint="chart-track")


def bars(
    *,
    title: str,
    description: str,
    labels: Sequence[str],
    values: Sequence[float | None],
    rtl: bool = False,
) -> SafeString:
    """Draw one bar a label, its words above it; under zero it grows the other way.

    :raises ValueError: there are more or fewer values than labels
    """
    _check(labels, {title: values})
    if not labels:
        return _empty(title=title, description=description, rtl=rtl)
    pen = drawing.Pen(rtl=rtl)
    sizes = [drawing.known(value) or 0 for value in values]
    low = min([0, *sizes])
    scale = WIDTH / ((max([0, *sizes]) - low) or 1)
    parts: list[SafeString] = []
    for n, (label, value, size) in enumerate(zip(labels, values, sizes, strict=True)):
        y = n * ROW_HEIGHT
        parts += _row(pen, y, label, drawing.figure(value))
        start = (min(size, 0) - low) * scale
        paint = "fill-0" if size >= 0 else "fill-1"
        parts.append(pen.bar(start, y + 21, abs(size) * scale, paint=paint))
    height = len(labels) * ROW_HEIGHT
    return drawing.frame(parts, title=title, description=description, height=height, rtl=rtl)


def stacked(
    *, title: str, description: str, labels: Sequence[str], series: Series, rtl: bool = False
) -> SafeString:
    """Draw one bar a label, cut by series in the order given; the figures are counts.

    :raises ValueError: a series has more or fewer values than there are labels
    """
    _check(labels, series)
    if not labels or not series:
        return _empty(title=title, description=description, rtl=rtl)
    pen = drawing.Pen(rtl=rtl)
    segments = drawing.Segments(pen, drawing.mark(title, labels, list(series)))
    rows = [[drawing.count(values[n]) for values in series.values()] for n in range(len(labels))]
    scale = WIDTH / (max(map(sum, rows)) or 1)
    legend, top = segments.legend(list(series))
    parts = [drawing.hatches(segments.mark, len(series)), *legend]
    for n, (label, row) in enumerate(zip(labels, rows, strict=True)):
        y = top + n * ROW_HEIGHT
        figures = " · ".join(drawing.figure(values[n]) for values in series.values())
        parts += _row(pen, y, label, figures)
        parts += segments.row(y + 21, [size * scale for size in row])
    height = top + len(labels) * ROW_HEIGHT
    return drawing.frame(parts, title=title, description=description, height=height, rtl=rtl)


def funnel(
    *,
    title: str,
    description: str,
    labels: Sequence[str],
    values: Sequence[float | None],
    rtl: bool = False,
) -> SafeString:
    """Draw what is left at each stage, with its share of the first stage.

    :raises ValueError: there are more or fewer values than labels
    """
    _check(labels, {title: values})
    if not labels:
        return _empty(title=title, description=description, rtl=rtl)
    pen = drawing.Pen(rtl=rtl)
    counts = [drawing.count(value) for value in values]
    scale = WIDTH / (max(counts) or 1)
    parts: list[SafeString] = []
    for n, (label, value, size) in enumerate(zip(labels, values, counts, strict=True)):
        y = n * ROW_HEIGHT
        share = f" · {size / counts[0]:.0%}" if counts[0] and n else ""
        parts += _row(pen, y, label, drawing.figure(value) + share)
        parts.append(pen.bar(0, y + 21, size * scale, paint="fill-0"))
    height = len(labels) * ROW_HEIGHT
    return drawing.frame(parts, title=title, description=description, height=height, rtl=rtl)


def progress(
    *,
    title: str,
    total: float,
    done: float,
    failed: float = 0,
    skipped: float = 0,
    rtl: bool = False,
) -> SafeString:
    """Draw how far a work has come: done, failed and skipped of the total."""
    counts = {"done": done, "failed": failed, "skipped": skipped}
    words = [f"{drawing.figure(count)} {name}" for name, count in counts.items()]
    pen = drawing.Pen(rtl=rtl)
    segments = drawing.Segments(pen, drawing.mark(title, total, words))
    sizes = [drawing.count(count) for count in counts.values()]
    scale = WIDTH / (max(drawing.count(total), sum(sizes)) or 1)
    legend, top = segments.legend(words)
    parts = [drawing.hatches(segments.mark, len(sizes)), *legend]
    parts.append(pen.bar(0, top, WIDTH, paint="chart-track"))
    parts += segments.row(top, [size * scale for size in sizes])
    description = f"{', '.join(words)} of {drawing.figure(total)}"
    return drawing.frame(parts, title=title, description=description, height=top + 16, rtl=rtl)


def spark(*, title: str, values: Sequence[float | None], rtl: bool = False) -> SafeString:
    """Draw a small line without axes beside a figure, described by its first, last and highest."""
    width, height, edge = 120, 32, 4
    known = [value for value in map(drawing.known, values) if value is not None]
    parts: list[SafeString] = []
    said = NO_DATA
    if known:
        plot = _Plot(drawing.axis(known), edge, len(values), edge, width - edge, height - 2 * edge)
        pen = drawing.Pen(rtl=rtl, width=width)
        parts = [drawing.stroke(pen, run, 0) for run in drawing.runs(plot.points(values))]
        first, last, highest = map(drawing.figure, (known[0], known[-1], max(known)))
        said = f"First {first}, last {last}, highest {highest}"
    return drawing.frame(
        parts, title=title, description=said, height=height, width=width, rtl=rtl, kind="spark"
    )
