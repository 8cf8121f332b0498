"""Do the drawings say what the figures say, whatever the figures and the words are?"""

import xml.etree.ElementTree as ET

import pytest

from config.lib import charts

SVG = "{http://www.w3.org/2000/svg}"
EVIL = '</text><script>alert("1")</script>'


def parse(svg: str) -> ET.Element:
    # What a browser reads inside HTML has no namespace declaration; an XML reader needs one.
    return ET.fromstring(svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))  # noqa: S314


def words(root: ET.Element) -> list[str]:
    return [node.text or "" for node in root.iter(f"{SVG}text")]


def rects(root: ET.Element, paint: str) -> list[tuple[float, float]]:
    return [
        (float(node.attrib["x"]), float(node.attrib["width"]))
        for node in root.iter(f"{SVG}rect")
        if node.get("class") == paint
    ]


def drawings(*, label: str = "Sent", rtl: bool = False) -> dict[str, str]:
    series, labels = {label: [3]}, [label]
    return {
        "line": charts.line(title=label, description=label, labels=labels, series=series, rtl=rtl),
        "bars": charts.bars(title=label, description=label, labels=labels, values=[3], rtl=rtl),
        "stacked": charts.stacked(
            title=label, description=label, labels=labels, series=series, rtl=rtl
        ),
        "funnel": charts.funnel(title=label, description=label, labels=labels, values=[3], rtl=rtl),
        "progress": charts.progress(title=label, total=9, done=3, rtl=rtl),
        "spark": charts.spark(title=label, values=[1, 3], rtl=rtl),
    }


KINDS = list(drawings())


@pytest.mark.parametrize("kind", KINDS)
def test_drawing_is_named_and_described(kind: str) -> None:
    root = parse(drawings()[kind])
    title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None
    assert description is not None
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-labelledby"] == title.attrib["id"]
    assert root.attrib["aria-describedby"] == description.attrib["id"]
    assert title.text == "Sent"
    assert description.text


@pytest.mark.parametrize("kind", KINDS)
def test_drawing_escapes_every_word(kind: str) -> None:
    svg = drawings(label=EVIL)[kind]
    assert "<script" not in svg
    assert parse(svg).find(f"{SVG}title").text == EVIL  # type: ignore[union-attr]


@pytest.mark.parametrize("kind", KINDS)
def test_drawing_needs_no_inline_style(kind: str) -> None:
    assert "style" not in drawings()[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_drawing_is_the_same_on_every_load(kind: str) -> None:
    assert drawings()[kind] == drawings()[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_drawing_right_to_left_says_so(kind: str) -> None:
    assert parse(drawings(rtl=True)[kind]).attrib["direction"] == "rtl"


def test_bars_right_to_left_start_at_the_right_edge() -> None:
    said = {"title": "t", "description": "d", "labels": ["a", "b"], "values": [4, 2]}
    assert rects(parse(charts.bars(**said)), "fill-0") == [(0, 380), (0, 190)]  # type: ignore[arg-type]
    mirrored = parse(charts.bars(rtl=True, **said))  # type: ignore[arg-type]
    assert rects(mirrored, "fill-0") == [(0, 380), (190, 190)]


def test_line_without_a_figure_says_no_data() -> None:
    empty = charts.line(title="t", description="d", labels=[], series={})
    gaps = charts.line(title="t", description="d", labels=["a"], series={"x": [None]})
    assert words(parse(empty)) == words(parse(gaps)) == ["No data yet"]


def test_line_with_one_point_draws_a_dot() -> None:
    root = parse(charts.line(title="t", description="d", labels=["a"], series={"x": [5]}))
    assert len(list(root.iter(f"{SVG}circle"))) == 1


def test_line_leaves_gaps_open() -> None:
    series = {"x": [1, 2, None, 4, 5, float("nan"), 7]}
    root = parse(charts.line(title="t", description="d", labels=list("abcdefg"), series=series))
    lines = [node.attrib["points"] for node in root.iter(f"{SVG}polyline")]
    assert [len(line.split()) for line in lines if line != lines[0]] == [2, 2]
    assert len(list(root.iter(f"{SVG}circle"))) == 1


def test_line_tells_series_apart_without_colour() -> None:
    series = {"given": [1, 2], "withdrawn": [2, 1]}
    root = parse(charts.line(title="t", description="d", labels=["a", "b"], series=series))
    dashes = {node.attrib["stroke-dasharray"] for node in root.iter(f"{SVG}polyline")}
    assert dashes == {"none", "7 4"}


@pytest.mark.parametrize("value", [-3.5, 0, 1, 0.004, 999_999, 1_000_000, 7_654_321])
def test_line_keeps_every_size_of_figure_in_the_frame(value: float) -> None:
    root = parse(
        charts.line(title="t", description="d", labels=["a", "b"], series={"x": [0, value]})
    )
    height = float(root.attrib["viewBox"].split()[3])
    pairs = [p.split(",") for n in root.iter(f"{SVG}polyline") for p in n.attrib["points"].split()]
    assert all(0 <= float(x) <= 380 and 0 <= float(y) <= height for x, y in pairs)


def test_line_thins_out_labels_that_do_not_fit() -> None:
    labels = [f"{n} November 2026" for n in range(90)]
    root = parse(charts.line(title="t", description="d", labels=labels, series={"x": [*range(90)]}))
    shown = [word for word in words(root) if "Nov" in word]
    assert len(shown) == 3
    assert shown[0].startswith("0 Nov")
    assert shown[-1].startswith("89 Nov")


def test_bars_grow_both_ways_from_zero() -> None:
    root = parse(charts.bars(title="t", description="d", labels=["a", "b"], values=[30, -10]))
    assert rects(root, "fill-0") == [(95, 285)]
    assert rects(root, "fill-1") == [(0, 95)]
    assert "-10" in words(root)


def test_bars_of_nothing_but_zero_have_no_width() -> None:
    root = parse(charts.bars(title="t", description="d", labels=["a"], values=[0]))
    assert rects(root, "fill-0") == [(0, 0)]


def test_bars_cut_a_label_before_it_meets_its_figure() -> None:
    root = parse(charts.bars(title="t", description="d", labels=["n" * 300], values=[1_000_000]))
    label, figure = words(root)
    assert figure == "1,000,000"
    assert label.endswith("…")
    assert len(label) + len(figure) < 380 / 7


def test_stacked_cuts_the_bar_by_series_and_hatches_the_later_ones() -> None:
    series = {"done": [3, 1], "held": [1, 0]}
    root = parse(charts.stacked(title="t", description="d", labels=["a", "b"], series=series))
    assert (0, 285) in rects(root, "fill-0")
    assert (285, 95) in rects(root, "fill-1")
    assert len(list(root.iter(f"{SVG}pattern"))) == 1
    assert "3 · 1" in words(root)


def test_stacked_draws_no_bar_for_less_than_nothing_but_shows_the_figure() -> None:
    root = parse(charts.stacked(title="t", description="d", labels=["a"], series={"x": [-4]}))
    assert [size for _, size in rects(root, "fill-0")] == [14]
    assert "-4" in words(root)


def test_funnel_shows_the_share_of_the_first_stage() -> None:
    labels, values = ["Sent", "Opened", "Stopped"], [200, 50, 0]
    root = parse(charts.funnel(title="t", description="d", labels=labels, values=values))
    assert words(root)[1::2] == ["200", "50 · 25%", "0 · 0%"]
    assert rects(root, "fill-0") == [(0, 380), (0, 95), (0, 0)]


def test_funnel_that_never_began_divides_by_nothing() -> None:
    root = parse(charts.funnel(title="t", description="d", labels=["a", "b"], values=[0, 0]))
    assert words(root) == ["a", "0", "b", "0"]


def test_progress_says_its_figures_in_words() -> None:
    root = parse(charts.progress(title="t", total=200, done=100, failed=1))
    assert root.find(f"{SVG}desc").text == "100 done, 1 failed, 0 skipped of 200"  # type: ignore[union-attr]
    assert (0, 190) in rects(root, "fill-0")


def test_progress_past_its_total_stays_in_the_frame() -> None:
    root = parse(charts.progress(title="t", total=10, done=30, failed=10))
    assert (0, 285) in rects(root, "fill-0")
    assert (285, 95) in rects(root, "fill-1")


def test_spark_describes_first_last_and_highest() -> None:
    root = parse(charts.spark(title="t", values=[3, None, 1_000_000, 2.5]))
    said = root.find(f"{SVG}desc")
    assert said is not None
    assert said.text == "First 3, last 2.5, highest 1,000,000"


def test_as_table_writes_gaps_and_figures() -> None:
    table = charts.as_table(corner="Day", labels=["Mon", "Tue"], series={"x": [1234, None]})
    assert table.headers == ["Day", "x"]
    assert table.rows == [["Mon", "1,234"], ["Tue", "–"]]


@pytest.mark.parametrize("draw", [charts.line, charts.stacked])
def test_series_of_another_length_is_refused(draw: object) -> None:
    with pytest.raises(ValueError, match="x has 1 values for 2 labels"):
        draw(title="t", description="d", labels=["a", "b"], series={"x": [1]})  # type: ignore[operator]
