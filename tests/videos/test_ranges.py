import pytest

from videos import ranges
from videos.ranges import PIECE_BYTES, Span, Unsatisfiable

SIZE = 10_000


@pytest.mark.parametrize(
    ("header", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=100-199", 100, 200),
        ("bytes=9999-9999", 9999, 10_000),
        ("bytes=9000-99999", 9000, 10_000),
        ("bytes=500-", 500, 10_000),
        ("bytes=-500", 9500, 10_000),
        ("bytes=-99999", 0, 10_000),
        ("bytes= 0 - 9", 0, 10),
    ],
)
def test_one_range_is_answered_in_part(header: str, start: int, end: int) -> None:
    assert ranges.asked(header=header, size_bytes=SIZE) == Span(start, end, SIZE, partial=True)


@pytest.mark.parametrize(
    "header", ["", "bytes=", "bytes=-", "bytes=0-1,5-6", "lines=0-1", "bytes=a-b", "bytes=9-3"]
)
def test_what_is_no_range_asks_for_everything(header: str) -> None:
    assert ranges.asked(header=header, size_bytes=SIZE) == Span(0, SIZE, SIZE, partial=False)


@pytest.mark.parametrize("header", ["bytes=10000-", "bytes=10000-10001", "bytes=-0"])
def test_a_range_outside_the_content_is_refused(header: str) -> None:
    with pytest.raises(Unsatisfiable):
        ranges.asked(header=header, size_bytes=SIZE)


def test_an_open_end_is_answered_by_a_piece() -> None:
    span = ranges.asked(header="bytes=7-", size_bytes=PIECE_BYTES * 3)
    assert span.length == PIECE_BYTES
    assert span.content_range == f"bytes 7-{PIECE_BYTES + 6}/{PIECE_BYTES * 3}"


def test_a_player_that_reads_on_is_given_all_of_it() -> None:
    header = ranges.meant(header="bytes=7-", reads_on=True)
    size = PIECE_BYTES * 3
    assert ranges.asked(header=header, size_bytes=size) == Span(7, size, size, partial=True)


@pytest.mark.parametrize(
    ("header", "reads_on"),
    [("bytes=7-", False), ("bytes=7-9", True), ("bytes=-9", True), ("bytes=-", True), ("", True)],
)
def test_any_other_range_means_what_it_says(header: str, reads_on: bool) -> None:
    assert ranges.meant(header=header, reads_on=reads_on) == header
