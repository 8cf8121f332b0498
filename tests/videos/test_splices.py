"""Where is a film cut, so that no more is one person's than has to be?"""

import pytest

from config.lib.mp4 import Sample, Track
from videos import splices

IDR, OTHER = b"\0\0\0\1\x65", b"\0\0\0\1\x41"


def film(*starts: int) -> Track:
    """Return a film of 300 frames at 30 a second in which decoding starts afresh at these."""
    samples = [
        Sample(IDR if number in starts else OTHER, number, number, 1, number in starts)
        for number in range(300)
    ]
    return Track(is_video=True, ticks_per_second=30, setup=b"", samples=samples)


@pytest.mark.parametrize(
    ("starts", "end"),
    [
        # At the end of the slot; when the card is gone already; not while it is seen; never again.
        ((0, 120, 180), 120),
        ((0, 118, 142), 118),
        ((0, 116, 142), 142),
        ((0, 60), 300),
    ],
)
def test_a_take_ends_where_nothing_is_seen_of_the_card(starts: tuple[int, ...], end: int) -> None:
    video = film(*starts)
    slots = splices.slots_of(video=video, slots=[(0.0, 4.0)])
    assert [take.run for take in splices.takes_of(video=video, slots=slots)] == [(0, end)]
